#include "configuration/configuration.h"

#include "architectures/architecture.h"
#include "base/error.h"
#include "base/plugin.h"
#include "base/toml.h"
#include "base/utf8.h"
#include "configuration/tune_section.h"
#include "table/synthetic.h"
#include "training/idle_options.h"
#include "training/model.h"
#include "training/probes.h"
#include "training/stopping.h"
#include "training/task_sampling.h"

namespace gatewise {
namespace {

constexpr const char* plugins_key = "plugins";

const std::vector<std::string>& table_names() {
  static const std::vector<std::string> names{"data",   "split",    "columns",    "tasks",
                                              "model",  "training", "evaluation", "synthetic",
                                              "output", "continue", "tune",       plugins_key};
  return names;
}

void check_table_names(const Json& json) {
  if (!json.is_object()) command_error("configuration: got {}, expected tables as [data]", json.dump());
  for (const auto& [name, value] : json.items()) {
    const std::vector<std::string>& known = table_names();
    if (std::find(known.begin(), known.end(), name) == known.end())
      command_error("configuration: unknown table \"{}\".{}", name, suggestion(name, known));
    if (!value.is_object() && name != plugins_key) {
      command_error("configuration: got {} = {}, expected a table as [{}]", name, value.dump(), name);
    }
  }
}

std::vector<std::string> plugins_of(const Json& json) {
  std::vector<std::string> plugins;
  OptionSet set;
  set.add(plugins_key, &plugins, "libraries of parts that the configuration names");
  if (json.contains(plugins_key)) set.read({{plugins_key, json[plugins_key]}}, "");
  return plugins;
}

template <class Options>
void add_section(Json& sections, const std::string& name, const std::string& summary) {
  sections[name] = {{"summary", summary}, {"options", describe_options<Options>()}};
}

Json column_options() {
  Json options = Json::array();
  for (size_t role = 0; role < role_names().size(); ++role) {
    ColumnSpec column;
    column.role = static_cast<Role>(role);
    OptionSet set;
    column.declare(set);
    for (const Json& option : set.describe()) {
      const bool is_new = std::none_of(options.begin(), options.end(),
                                       [&](const Json& known) { return known["name"] == option["name"]; });
      if (is_new) options.push_back(option);
    }
  }
  return options;
}

std::vector<std::string> kinds_of(const Schema& schema) {
  std::vector<std::string> kinds;
  for (const TaskSpec& task : schema.tasks) kinds.push_back(task.kind);
  if (schema.other_tasks) kinds.push_back(schema.other_tasks->kind);
  return kinds;
}

void check_weights(const Schema& schema) {
  if (schema.tasks.empty() || (schema.other_tasks && schema.other_tasks->weight > 0)) return;
  const auto& tasks = schema.tasks;
  if (std::any_of(tasks.begin(), tasks.end(), [](const TaskSpec& task) { return task.weight > 0; })) return;
  command_error(
      "tasks.{}.weight: got 0 for every task, expected one above 0; nothing would be learnt otherwise",
      tasks.front().name);
}

}  // namespace

void check_metrics(const std::vector<std::string>& metrics, const std::vector<std::string>& kinds,
                   const std::string& where) {
  for (const std::string& name : metrics) {
    const MetricTraits traits = make_metric(name, Json::object(), where)->traits();
    const auto fits = [&](const std::string& kind) { return fits_task(traits, kind); };
    if (!kinds.empty() && std::none_of(kinds.begin(), kinds.end(), fits))
      command_error("{}: \"{}\" fits no task; drop it, or take metrics of the tasks' kinds", where, name);
  }
}

void EvaluationSection::declare(OptionSet& set) {
  set.add("metrics", &metrics, "metrics of every task that they fit; [] means the usual ones");
  set.add("resamples", &resamples, "bootstrap resamples for the 95 % intervals; 0: no intervals")
      .range(0, 100000);
  set.add("seed", &seed, "seed of the resampling").range(0);
  set.add("calibration_bins", &calibration_bins,
          "bins of rows, by prediction, in which mean prediction and mean label are compared; 0: none")
      .range(0, 1000);
}

void SyntheticSection::declare(OptionSet& set) {
  set.add("kind", &kind, "kind of synthetic table").choices(Registry<SyntheticTable>::instance().names());
  set.add("options", &options, "options of the kind");
  set.add("embedding", &embedding, "width of the embedding of each column of ids; 0: from their number")
      .range(0, 4096);
  set.add("validation_rows", &validation_rows, "rows to validate on").range(2);
  set.add("test_rows", &test_rows, "rows to test on").range(2);
}

void ContinueSection::declare(OptionSet& set) {
  set.add(
      "copy", &copy,
      "new task -> task of the model whose gate, tower and other parameters it starts from, as {b = \"a\"}; "
      "others start afresh");
  set.add("freeze", &freeze,
          "parameters that keep their values, by patterns of their paths in which * is any text, as "
          "[\"experts/*\", \"towers/a/*\"]");
}

void OutputSection::declare(OptionSet& set) {
  set.add("model", &model, "directory of the trained model; empty: the configuration's name and \".model\"");
}

Configuration Configuration::from_json(const Json& json) {
  check_table_names(json);
  Configuration configuration;
  configuration.plugins = plugins_of(json);
  configuration.schema = Schema::from_json(json);
  Json model = table_of(json, "model");
  configuration.warnings = leave_out_foreign_options(model);
  for (std::string& line : configuration.schema.warnings()) configuration.warnings.push_back(std::move(line));
  make_part<Architecture>(model, "model", "mmoe");
  configuration.model = complete_model_options(model);
  configuration.training = read_options<TrainingOptions>(table_of(json, "training"), "training");
  const TrainingOptions& training = configuration.training;
  read_options<OptimiserOptions>(training.optimiser, "training.optimiser");
  read_options<ScheduleOptions>(training.schedule, "training.schedule");
  check_stop(read_options<StopOptions>(training.stop, "training.stop"));
  for (const std::string& line : find_idle_options(training)) configuration.warnings.push_back(line);
  read_options<TaskSamplingOptions>(training.task_sampling, "training.task_sampling");
  read_options<ProbeOptions>(training.probes, "training.probes");
  const std::vector<std::string> kinds = kinds_of(configuration.schema);
  if (!json.contains("synthetic")) check_weights(configuration.schema);
  check_metrics(training.metrics, kinds, "training.metrics");
  configuration.evaluation = read_options<EvaluationSection>(table_of(json, "evaluation"), "evaluation");
  check_metrics(configuration.evaluation.metrics, kinds, "evaluation.metrics");
  configuration.output = read_options<OutputSection>(table_of(json, "output"), "output");
  read_options<TuneSection>(table_of(json, "tune"), "tune");
  if (json.contains("continue")) {
    configuration.continuation = read_options<ContinueSection>(json["continue"], "continue");
    for (const auto& [task, source] : configuration.continuation->copy.items()) {
      if (!source.is_string())
        command_error("continue.copy.{}: got {}, expected a task's name", task, source.dump());
    }
  }
  if (json.contains("synthetic")) {
    configuration.synthetic = read_options<SyntheticSection>(json["synthetic"], "synthetic");
    for (const char* table : {"data", "split", "columns"}) {
      if (!table_of(json, table).empty())
        command_error("{}: got this table beside [synthetic], expected one of them; drop one", table);
    }
    make_synthetic_table(configuration.synthetic->kind, configuration.synthetic->options,
                         "synthetic.options");
  }
  return configuration;
}

Json Configuration::to_json() const {
  Json json = schema.to_json();
  if (!plugins.empty()) json[plugins_key] = plugins;
  if (synthetic) {
    // Made-up rows have no files, parts or roles.
    for (const char* table : {"data", "split", "columns"}) json.erase(table);
    json["synthetic"] = write_options(*synthetic);
  }
  json["model"] = model;
  json["training"] = write_options(training);
  json["training"]["optimiser"] =
      write_options(read_options<OptimiserOptions>(training.optimiser, "training.optimiser"));
  json["training"]["schedule"] =
      write_options(read_options<ScheduleOptions>(training.schedule, "training.schedule"));
  json["training"]["stop"] = write_options(read_options<StopOptions>(training.stop, "training.stop"));
  json["training"]["probes"] = write_options(read_options<ProbeOptions>(training.probes, "training.probes"));
  json["evaluation"] = write_options(evaluation);
  json["output"] = write_options(output);
  return json;
}

Json describe_sections() {
  Json sections = Json::object();
  add_section<DataSpec>(sections, "data", "the files, and how they are read");
  add_section<SplitSpec>(sections, "split", "how rows are handed out to training, validation and test");
  sections["columns"] = {
      {"summary",
       "what each column is for: columns.<name> = \"role\" or {role = .., options}, where role is " +
           fmt::format("{}", fmt::join(role_names(), ", ")) +
           "; "
           "columns.default is auto or ignore, columns.embedding the default width"},
      {"options", column_options()}};
  add_section<TaskSpec>(sections, "tasks",
                        "what is predicted: one table tasks.<name> each; tasks.\"*\" is a template for every "
                        "other value of a column of role task, which names the one task of each row");
  sections["model"] = {{"summary", "the architecture: type and its options (see the architectures)"},
                       {"options", Json::array()}};
  add_section<TrainingOptions>(sections, "training", "how long, how fast, and from which seed");
  add_section<OptimiserOptions>(sections, "training.optimiser", "the update of parameters");
  add_section<ScheduleOptions>(sections, "training.schedule", "the learning rate of each step");
  add_section<StopOptions>(sections, "training.stop", "when to stop early");
  add_section<TaskSamplingOptions>(sections, "training.task_sampling",
                                   "how often each task's rows are drawn, where rows belong to one task");
  add_section<ProbeOptions>(sections, "training.probes",
                            "what experts and gates do while training, kept in the history by epoch");
  add_section<EvaluationSection>(sections, "evaluation", "what is measured after training");
  add_section<SyntheticSection>(sections, "synthetic", "fresh made-up rows at every step in place of files");
  add_section<ContinueSection>(
      sections, "continue", "with --from: which parameters new tasks start from, and which stay as they are");
  add_section<TuneSection>(sections, "tune", "how gatewise tune searches for settings");
  add_section<OutputSection>(sections, "output", "where the model goes");
  return sections;
}

void require_utf8(const std::vector<std::string>& files) {
  for (const std::string& file : files) {
    if (is_utf8(file)) continue;
    command_error(
        "{}: the file's name is not valid UTF-8, as the configuration is that a model keeps; rename the file",
        with_bytes_escaped(file));
  }
}

}  // namespace gatewise
