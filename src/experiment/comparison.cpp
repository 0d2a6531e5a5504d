#include "experiment/comparison.h"

#include <algorithm>
#include <cmath>
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
  Json rows{{"split", schema["split"]}, {"data", schema["data"]}, {"columns", Json::object()}};
  const SplitSpec& split = configuration.schema.split;
  if (split.kind == "files" || split.of != "train") rows["data"].erase("train");
  for (const ColumnSpec& column : configuration.schema.columns) {
    if (column.role != Role::Weight && column.role != Role::Group && column.role != Role::Task) continue;
    rows["columns"][column.name] = {{"role", role_names()[static_cast<size_t>(column.role)]},
                                    {"null", column.null},
                                    {"type", column.type}};
  }
  return rows;
}

// Texts that mean "missing" in a column; null: those of [data].
Json null_of(const Schema& schema, const std::string& column) {
  const ColumnSpec* found = schema.find_column(column);
  return found != nullptr ? found->null : Json();
}

// What decides the labels of a task.
Json labels_of(const TaskSpec& task, const Schema& schema) {
  const std::string& column = task.column.empty() ? task.name : task.column;
  return {{"kind", task.kind},
          {"column", column},
          {"equals", task.equals},
          {"in", task.in},
          {"above", task.above},
          {"at_least", task.at_least},
          {"below", task.below},
          {"null", task.null.is_null() ? null_of(schema, column) : task.null},
          {"classes", task.classes},
          {"only_where", task.only_where},
          {"weight_column", task.weight_column}};
}

// Those that are named, and the template of the others.
std::vector<TaskSpec> all_tasks(const Schema& schema) {
  std::vector<TaskSpec> tasks = schema.tasks;
  if (schema.other_tasks) {
    tasks.push_back(*schema.other_tasks);
    tasks.back().name = "*";
  }
  return tasks;
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
  const std::vector<TaskSpec> tasks = all_tasks(contestant.configuration.schema),
                              others = all_tasks(baseline.configuration.schema);
  for (const TaskSpec& task : tasks) {
    for (const TaskSpec& other : others) {
      if (task.name != other.name) continue;
      const Json labels = labels_of(task, contestant.configuration.schema),
                 known = labels_of(other, baseline.configuration.schema);
      if (labels == known) continue;
      command_error(
          "compare: task \"{}\" of \"{}\" has other labels than that of \"{}\"; got {}, expected {}; give "
          "the task another name, or the same labels",
          task.name, contestant.name, baseline.name, labels.dump(), known.dump());
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

}  // namespace

std::vector<std::string> first_usual_metrics() {
  std::vector<std::string> names;
  for (const char* kind : {"binary", "multiclass", "regression"}) names.push_back(default_metrics(kind)[0]);
  return names;
}

namespace {

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

// Of the tasks that are named; none where only the rows can tell.
std::vector<std::string> kinds_of_tasks(const std::vector<Contestant>& contestants) {
  std::vector<std::string> kinds;
  for (const Contestant& contestant : contestants) {
    const Schema& schema = contestant.configuration.schema;
    if (contestant.configuration.synthetic) return {};
    for (const TaskSpec& task : schema.tasks) kinds.push_back(task.kind);
    if (schema.other_tasks) kinds.push_back(schema.other_tasks->kind);
  }
  return kinds;
}

void check_width_options(const std::vector<Contestant>& contestants,
                         const std::vector<std::string>& options) {
  for (const std::string& option : options) {
    const bool is_known = std::any_of(contestants.begin(), contestants.end(), [&](const Contestant& one) {
      return has_option(one.configuration.model, option);
    });
    if (is_known) continue;
    command_error(
        "--widths: no configuration has the option model.{}; expected widths of a model, as expert.units or "
        "tower.units; gatewise describe NAME lists an architecture's options",
        option);
  }
}

// Why a model is not as large as the baseline; empty where it nearly is.
std::string why_unequal(const SolvedWidth& solved, int64_t budget, const std::string& baseline,
                        const std::vector<std::string>& options) {
  constexpr double tolerance = 0.05;
  const auto wanted = static_cast<double>(budget);
  if (std::abs(static_cast<double>(solved.parameters) - wanted) <= tolerance * wanted) return "";
  return fmt::format("{} parameters outside the embeddings where {} has {}; {} {}", solved.parameters,
                     baseline, budget,
                     solved.has_widths ? "it comes no nearer by the widths" : "it has none of the widths",
                     fmt::join(options, ", "));
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
  check_metrics(metrics, kinds_of_tasks(contestants), "--metric");
  for (const Contestant& contestant : contestants) {
    if (contestant.configuration.continuation) {
      command_error("compare: \"{}\" has a table [continue], which is for fit --from; drop it",
                    contestant.name);
    }
    check_same_rows(contestant, reference(), *this);
  }
  // Nothing chosen for the comparison: the baseline's own choice is shown, for all.
  if (metrics.empty()) metrics = reference().configuration.evaluation.metrics;
  const std::vector<std::string> shown = metrics.empty() ? first_usual_metrics() : metrics;
  for (Contestant& contestant : contestants) measure_also(contestant.configuration.evaluation, shown);
  external_evaluation = reference().configuration.evaluation.options();
  external_evaluation.metrics = metrics;
  external_evaluation.calibration_bins = 0;
  for (Contestant& contestant : contestants) {
    contestant.configuration.evaluation.resamples = 0;
    contestant.configuration.evaluation.calibration_bins = 0;
    contestant.configuration.output = {};
  }
}

void Comparison::read_externals(SharedRows& rows) {
  if (externals.empty()) return;
  const auto first = rows.get(with_seed(reference().configuration, seeds[0], scope));
  if (metrics.empty()) {
    std::set<std::string> names;
    for (const TaskSpace& task : first->encoder.space().tasks) names.insert(default_metrics(task.kind)[0]);
    external_evaluation.metrics = {names.begin(), names.end()};
  }
  EvaluationOptions options = external_evaluation;
  options.resamples = 0;
  for (ExternalPredictions& external : externals) {
    external.read(first->encoder.space());
    external.measure(*first, test_rows_vary(), options);
  }
}

void Comparison::equalise(SharedRows& rows, const std::vector<std::string>& width_options) {
  check_width_options(contestants, width_options);
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
    contestant.why_unequal = why_unequal(solved, budget, baseline, width_options);
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

bool Comparison::test_rows_vary() const {
  const Configuration& configuration = reference().configuration;
  return rows_vary() &&
         (configuration.synthetic || configuration.schema.split.fractions.value("test", 0.0) > 0);
}

}  // namespace gatewise
