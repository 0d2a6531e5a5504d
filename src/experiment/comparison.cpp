#include "experiment/comparison.h"

#include <algorithm>
#include <set>

#include "base/error.h"

namespace gatewise {
namespace {

void check_names(const Comparison& comparison) {
  std::set<std::string> names;
  const auto add = [&](const std::string& name) {
    if (!names.insert(name).second)
      command_error("compare: \"{}\" is the name of two contestants; rename one", name);
  };
  for (const Contestant& contestant : comparison.contestants) add(contestant.name);
  for (const ExternalPredictions& external : comparison.externals) add(external.name());
}

// What decides which rows a configuration is judged on.
Json judged_rows(const Configuration& configuration) {
  if (configuration.synthetic) return {{"synthetic", write_options(*configuration.synthetic)}};
  const Json schema = configuration.schema.to_json();
  Json rows{{"split", schema["split"]}, {"data", Json::object()}};
  for (const char* part : {"validation", "test"}) rows["data"][part] = schema["data"][part];
  const SplitSpec& split = configuration.schema.split;
  if (split.kind != "files") rows["data"][split.of] = schema["data"][split.of];
  return rows;
}

// What decides the labels of a task.
Json labels_of(const TaskSpec& task) {
  return {{"kind", task.kind},
          {"column", task.column},
          {"equals", task.equals},
          {"in", task.in},
          {"above", task.above},
          {"at_least", task.at_least},
          {"below", task.below},
          {"null", task.null},
          {"classes", task.classes},
          {"only_where", task.only_where},
          {"weight_column", task.weight_column}};
}

void check_same_rows(const Contestant& contestant, const Contestant& baseline, const Comparison& comparison) {
  const auto rows_of = [&](const Contestant& one) {
    return judged_rows(with_seed(one.configuration, comparison.seeds[0], comparison.scope));
  };
  const Json got = rows_of(contestant), expected = rows_of(baseline);
  if (got != expected) {
    command_error(
        "compare: \"{}\" is judged on other rows than \"{}\"; got {}, expected {}; give both the same files, "
        "split and synthetic rows",
        contestant.name, baseline.name, got.dump(), expected.dump());
  }
  for (const TaskSpec& task : contestant.configuration.schema.tasks) {
    for (const TaskSpec& other : baseline.configuration.schema.tasks) {
      if (task.name != other.name || labels_of(task) == labels_of(other)) continue;
      command_error(
          "compare: task \"{}\" of \"{}\" has other labels than that of \"{}\"; got {}, expected {}; give "
          "the task another name, or the same labels",
          task.name, contestant.name, baseline.name, labels_of(task).dump(), labels_of(other).dump());
    }
  }
}

// Every usual metric of any kind of task: those that do not fit a task are left out there.
std::vector<std::string> usual_metrics() {
  std::vector<std::string> names;
  for (const char* kind : {"binary", "multiclass", "regression"}) {
    for (const std::string& name : default_metrics(kind)) {
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  return names;
}

// Measures what is asked for beside what is measured anyway; results that are known stay valid where they
// can.
void measure_also(EvaluationSection& evaluation, const std::vector<std::string>& wanted) {
  const std::vector<std::string> known = evaluation.metrics.empty() ? usual_metrics() : evaluation.metrics;
  std::vector<std::string> all = known;
  for (const std::string& name : wanted) {
    if (std::find(all.begin(), all.end(), name) == all.end()) all.push_back(name);
  }
  if (all.size() > known.size()) evaluation.metrics = all;
}

}  // namespace

const Contestant& Comparison::reference() const {
  std::vector<std::string> known;
  for (const Contestant& contestant : contestants) {
    if (contestant.name == baseline) return contestant;
    known.push_back(contestant.name);
  }
  command_error("--baseline: no configuration is called \"{}\".{}", baseline, suggestion(baseline, known));
}

void Comparison::prepare() {
  check_names(*this);
  check_metrics(metrics, {}, "--metric");
  for (const Contestant& contestant : contestants) {
    if (contestant.configuration.continuation) {
      command_error("compare: \"{}\" has a table [continue], which is for fit --from; drop it",
                    contestant.name);
    }
    check_same_rows(contestant, reference(), *this);
  }
  // Nothing chosen for the comparison: the baseline's own choice is shown, for all.
  if (metrics.empty()) metrics = reference().configuration.evaluation.metrics;
  for (Contestant& contestant : contestants) measure_also(contestant.configuration.evaluation, metrics);
  external_evaluation = reference().configuration.evaluation.options();
  for (Contestant& contestant : contestants) {
    contestant.configuration.evaluation.resamples = 0;
    contestant.configuration.evaluation.calibration_bins = 0;
    contestant.configuration.output = {};
  }
}

void Comparison::equalise(SharedRows& rows, const std::vector<std::string>& width_options) {
  const auto space_of = [&](const Contestant& contestant) {
    return rows.get(with_seed(contestant.configuration, seeds[0], scope))->encoder.space();
  };
  const int64_t budget = parameters_of(space_of(reference()), reference().configuration.model);
  for (Contestant& contestant : contestants) {
    if (contestant.name == baseline) continue;
    const SolvedWidth solved =
        solve_width(space_of(contestant), contestant.configuration.model, budget, width_options);
    contestant.configuration.model = solved.model;
    contestant.changed_widths = solved.changed;
  }
}

std::vector<Trial> Comparison::trials() const {
  std::vector<Trial> trials;
  for (const int64_t seed : seeds) {
    for (const Contestant& contestant : contestants)
      trials.push_back({contestant.name, seed, with_seed(contestant.configuration, seed, scope)});
  }
  return trials;
}

bool Comparison::rows_vary() const {
  const Configuration& configuration = reference().configuration;
  const bool has_seed = configuration.synthetic || configuration.schema.split.kind == "fraction";
  return scope == SeedScope::Everything && seeds.size() > 1 && has_seed;
}

}  // namespace gatewise
