#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include "configuration/configuration.h"
#include "features/propose.h"
#include "python/src/bindings.h"
#include "python/src/frame.h"
#include "python/src/json_caster.h"
#include "report/catalogue.h"
#include "training/model.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace gatewise {
namespace {

// The tasks of a configuration by what their labels are like, as `gatewise describe` proposes them.
Json propose_tasks(const Frame& frame, const std::vector<std::string>& labels) {
  ReadOptions options;
  options.all_columns = true;
  const Table table = frame.table(options);
  Json tasks = Json::object();
  for (const std::string& label : labels) {
    const TaskProposal proposal = propose_task(table, label);
    tasks[label] = proposal.task.to_json();
    tasks[label]["kind"] = proposal.task.kind;
  }
  return tasks;
}

}  // namespace

void bind_options(nb::module_& module) {
  module.def("describe_sections", &describe_sections,
             "The options of every table of a configuration, by its name: {summary, options}.");
  module.def("describe_parts", &describe_plugins,
             "Everything that can be named in a configuration, by kind and name: {summary, options}.");
  module.def(
      "complete_configuration",
      [](const Json& configuration) { return Configuration::from_json(configuration).to_json(); },
      "configuration"_a, "The configuration checked, with every option written out.");
  module.def("complete_model", &complete_model_options, "model"_a,
             "A [model] table checked, with the options of all its parts written out.");
  module.def("propose_tasks", &propose_tasks, "frame"_a, "labels"_a,
             "{label: options of its task}, by what the column holds.");
  module.def("propose_training", &propose_training, "rows"_a,
             "The [training] options for so many rows where the defaults would take too few steps.");
}

}  // namespace gatewise
