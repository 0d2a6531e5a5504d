// What follows from the runs of a comparison.
#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "experiment/comparison.h"
#include "experiment/statistics.h"

namespace gatewise {
namespace {

constexpr double significance = 0.05;
constexpr double rounding = 1e-7;  // what 32-bit sums in another order change, relative to the value

// The runs of one contestant, seed by seed; null where there is none.
struct Runs {
  std::string name;
  bool is_external = false;
  std::vector<Json> results;
};

// A metric's values, seed by seed.
using Values = std::vector<std::optional<double>>;

const Json* metric_of(const Json& result, const std::string& part, const std::string& task,
                      const std::string& metric) {
  const auto place = Json::json_pointer() / "metrics" / part / "tasks" / task / metric;
  return result.is_object() && result.contains(place) ? &result.at(place) : nullptr;
}

Values values_of(const Runs& runs, const std::string& part, const std::string& task,
                 const std::string& metric) {
  Values values;
  for (const Json& result : runs.results) {
    const Json* found = metric_of(result, part, task, metric);
    const bool has_value = found != nullptr && (*found)["value"].is_number();
    values.push_back(has_value ? std::optional((*found)["value"].get<double>()) : std::nullopt);
  }
  return values;
}

std::vector<double> present(const Values& values) {
  std::vector<double> list;
  for (const auto& value : values) {
    if (value) list.push_back(*value);
  }
  return list;
}

Json optional_json(const std::optional<double>& value) { return value ? Json(*value) : Json(); }

Json interval_json(const Summary& summary) {
  return summary.low ? Json{*summary.low, *summary.high} : Json();
}

// Differences are taken of the values themselves, but of ratios that should be 1 of their distance from 1:
// the absolute logarithm.
double compared_value(const Metric& metric, double value) {
  if (metric.traits().direction != Direction::CloserToOne) return value;
  return std::abs(std::log(std::max(value, 1e-12)));
}

// {mean, standard_error, interval, p, why_unknown?} of what `ours` differs from `theirs` by on equal seeds;
// null where no seed has both.
Json difference_json(const Metric& metric, const Values& ours, const Values& theirs) {
  std::vector<double> differences;
  double largest = 0;
  for (size_t seed = 0; seed < ours.size(); ++seed) {
    if (!ours[seed] || !theirs[seed]) continue;
    const double our = compared_value(metric, *ours[seed]), their = compared_value(metric, *theirs[seed]);
    largest = std::max({largest, std::abs(our), std::abs(their)});
    differences.push_back(our - their);
  }
  if (differences.empty()) return {};
  const Summary summary = summarise(differences);
  const bool is_unchanged =
      summary.mean != 0 && summary.deviation && *summary.deviation <= rounding * largest;
  Json json{{"of", metric.traits().direction == Direction::CloserToOne ? "distance from 1" : "value"},
            {"pairs", summary.count},
            {"mean", summary.mean}};
  json["standard_error"] =
      summary.deviation ? Json(*summary.deviation / std::sqrt(static_cast<double>(summary.count))) : Json();
  json["interval"] = interval_json(summary);
  json["p"] = is_unchanged ? Json() : optional_json(paired_p(differences));
  if (is_unchanged) json["why_unknown"] = "seeds change it by no more than rounding does";
  return json;
}

// {value, seed} of the best run.
Json best_json(const Metric& metric, const Values& values, const std::vector<int64_t>& seeds) {
  Json best;
  for (size_t i = 0; i < values.size(); ++i) {
    if (!values[i]) continue;
    if (best.is_null() || metric.is_better(*values[i], best["value"].get<double>()))
      best = {{"value", *values[i]}, {"seed", seeds[i]}};
  }
  return best;
}

class Results {
 public:
  Results(const Comparison& comparison, std::vector<Runs> runs)
      : comparison_(comparison), runs_(std::move(runs)), part_(judged_part()) {}

  Json json() const {
    Json json;
    json["part"] = part_;
    json["baseline"] = comparison_.baseline;
    json["seeds"] = comparison_.seeds;
    json["seeds_change"] = comparison_.rows_vary() ? Json{"rows", "training"} : Json{"training"};
    json["tasks"] = tasks_json();
    check_values(json);
    correct(json);
    json["configurations"] = Json::array();
    for (const Contestant& contestant : comparison_.contestants)
      json["configurations"].push_back(about(contestant));
    for (const ExternalPredictions& external : comparison_.externals) {
      json["configurations"].push_back({{"name", external.name()},
                                        {"is_external", true},
                                        {"source", external.path()},
                                        {"missing_tasks", external.missing_tasks()},
                                        {"unused_columns", external.unused_columns()}});
    }
    json["runs"] = runs_json();
    return json;
  }

 private:
  // Test rows if all have some.
  std::string judged_part() const {
    const auto has = [&](const char* part) {
      return std::any_of(runs_.begin(), runs_.end(), [&](const Runs& runs) {
        return std::any_of(runs.results.begin(), runs.results.end(), [&](const Json& result) {
          return result.is_object() && result.contains("metrics") && result["metrics"].contains(part);
        });
      });
    };
    for (const char* part : {"test", "validation"}) {
      if (has(part)) return part;
    }
    return "train";
  }

  // Every task that any run was measured on, with its metrics to be shown.
  std::vector<std::pair<std::string, std::vector<std::string>>> shown() const {
    std::vector<std::pair<std::string, std::vector<std::string>>> tasks;
    for (const Runs& runs : runs_) {
      for (const Json& result : runs.results) {
        const auto place = Json::json_pointer() / "metrics" / part_ / "tasks";
        if (!result.is_object() || !result.contains(place)) continue;
        for (const auto& [task, metrics] : result.at(place).items()) {
          const auto is_task = [&name = task](const auto& known) { return known.first == name; };
          if (std::any_of(tasks.begin(), tasks.end(), is_task)) continue;
          tasks.emplace_back(task, shown_metrics(metrics));
        }
      }
    }
    return tasks;
  }

  std::vector<std::string> shown_metrics(const Json& measured) const {
    std::vector<std::string> names;
    for (const std::string& name : comparison_.metrics) {
      if (measured.contains(name)) names.push_back(name);
    }
    if (!comparison_.metrics.empty()) return names;
    for (const std::string& name : first_usual_metrics()) {
      if (measured.contains(name)) return {name};
    }
    return names;
  }

  Json tasks_json() const {
    Json tasks = Json::object();
    for (const auto& [task, metrics] : shown()) {
      tasks[task] = Json::object();
      for (const std::string& name : metrics) tasks[task][name] = metric_json(task, name);
    }
    return tasks;
  }

  Json metric_json(const std::string& task, const std::string& name) const {
    const std::unique_ptr<Metric> metric = make_metric(name);
    const Values reference = values_of(runs_of(comparison_.baseline), part_, task, name);
    Json json{{"direction", to_string(metric->traits().direction)}, {"configurations", Json::object()}};
    for (const Runs& runs : runs_) {
      const Values values = values_of(runs, part_, task, name);
      if (present(values).empty()) continue;
      Json item = summary_json(runs, values, task, name);
      item["best"] = best_json(*metric, values, comparison_.seeds);
      item["values"] = Json::array();
      for (const auto& value : values) item["values"].push_back(optional_json(value));
      if (runs.name != comparison_.baseline) item["difference"] = difference_json(*metric, values, reference);
      json["configurations"][runs.name] = std::move(item);
    }
    return json;
  }

  // {mean, deviation, interval, interval_from}: over seeds, or of predictions that no seed changes over
  // resampled rows.
  Json summary_json(const Runs& runs, const Values& values, const std::string& task,
                    const std::string& name) const {
    const Summary summary = summarise(present(values));
    Json json{{"mean", summary.mean}};
    if (!runs.is_external || comparison_.test_rows_vary()) {
      json["deviation"] = optional_json(summary.deviation);
      json["interval"] = interval_json(summary);
      json["interval_from"] = "seeds";
      return json;
    }
    const Json& metric = *metric_of(runs.results[0], part_, task, name);
    json["deviation"] = nullptr;
    const bool has_interval = metric.contains("low") && metric["low"].is_number();
    json["interval"] = has_interval ? Json{metric["low"], metric["high"]} : Json();
    json["interval_from"] = "bootstrap";
    return json;
  }

  void check_values(const Json& json) const {
    for (const auto& [task, metrics] : json["tasks"].items()) {
      for (const auto& [name, metric] : metrics.items()) {
        if (!metric["configurations"].empty()) return;
      }
    }
    data_error(
        "compare: {} of no task has a value on the {} rows{}; choose another metric, or rows with labels",
        comparison_.metrics.empty() ? "the usual metric"
                                    : fmt::format("{}", fmt::join(comparison_.metrics, ", ")),
        part_, why_undefined());
  }

  // " (reason)" of the first metric shown that says one; empty where none does.
  std::string why_undefined() const {
    for (const auto& [task, metrics] : shown()) {
      for (const std::string& name : metrics) {
        for (const Runs& runs : runs_) {
          for (const Json& result : runs.results) {
            const Json* metric = metric_of(result, part_, task, name);
            if (metric != nullptr && metric->contains("why_undefined"))
              return fmt::format(" ({} of {}: {})", name, task,
                                 (*metric)["why_undefined"].get<std::string>());
          }
        }
      }
    }
    return "";
  }

  // Corrects every p for the number of all of them and says what each difference means.
  static void correct(Json& json) {
    std::vector<Json*> differences;
    std::vector<double> p;
    for (auto& [task, metrics] : json["tasks"].items()) {
      for (auto& [name, metric] : metrics.items()) {
        for (auto& [configuration, item] : metric["configurations"].items()) {
          if (!item.contains("difference") || !item["difference"].is_object()) continue;
          Json& difference = item["difference"];
          difference["corrected_p"] = nullptr;
          difference["verdict"] = "unknown";
          if (!difference["p"].is_number()) continue;
          difference["verdict"] =
              (metric["direction"] == to_string(Direction::Higher)) == (difference["mean"].get<double>() > 0)
                  ? "better"
                  : "worse";
          differences.push_back(&difference);
          p.push_back(difference["p"].get<double>());
        }
      }
    }
    const std::vector<double> corrected = holm(p);
    for (size_t i = 0; i < p.size(); ++i) {
      (*differences[i])["corrected_p"] = corrected[i];
      if (corrected[i] >= significance) (*differences[i])["verdict"] = "noise";
    }
    json["comparisons"] = p.size();
    json["significance"] = significance;
  }

  const Runs& runs_of(const std::string& name) const {
    return *std::find_if(runs_.begin(), runs_.end(), [&](const Runs& runs) { return runs.name == name; });
  }

  // The mean of a number of the runs, and what concerns the configuration itself.
  Json about(const Contestant& contestant) const {
    Json json{{"name", contestant.name},
              {"is_external", false},
              {"source", contestant.source},
              {"model", contestant.configuration.model}};
    if (!contestant.changed_widths.empty()) json["changed_widths"] = contestant.changed_widths;
    if (!contestant.why_unequal.empty()) json["why_unequal"] = contestant.why_unequal;
    int64_t failed = 0, done = 0;
    for (const char* name : {"seconds", "rows_per_second", "best_epoch"}) {
      std::vector<double> values;
      for (const Json& result : runs_of(contestant.name).results) {
        if (result.is_object() && result.contains(name) && result[name].is_number())
          values.push_back(result[name].get<double>());
      }
      json[name] = values.empty() ? Json() : Json(summarise(values).mean);
    }
    for (const Json& result : runs_of(contestant.name).results) {
      if (!result.is_object()) continue;
      failed += result.contains("error");
      done += result.contains("metrics");
      if (result.contains("parameters")) json["parameters"] = result["parameters"];
    }
    json["runs"] = done;
    json["failed"] = failed;
    return json;
  }

  Json runs_json() const {
    Json list = Json::array();
    for (const Runs& runs : runs_) {
      for (size_t i = 0; i < runs.results.size(); ++i) {
        if (!runs.results[i].is_object()) continue;
        Json run{{"configuration", runs.name}, {"seed", comparison_.seeds[i]}};
        run.update(runs.results[i]);
        list.push_back(std::move(run));
      }
    }
    return list;
  }

  const Comparison& comparison_;
  const std::vector<Runs> runs_;
  const std::string part_;
};

// Of predictions from outside: the same for every seed whose test rows are the same.
Runs external_runs(const ExternalPredictions& external, const Comparison& comparison, SharedRows& rows) {
  Runs runs{external.name(), true, {}};
  const Configuration& configuration = comparison.reference().configuration;
  const bool rows_vary = comparison.test_rows_vary();
  EvaluationOptions options = comparison.external_evaluation;
  if (rows_vary) options.resamples = 0;
  for (const int64_t seed : comparison.seeds) {
    if (!rows_vary && !runs.results.empty()) {
      runs.results.push_back(runs.results[0]);
      continue;
    }
    const auto of_seed = rows.get(with_seed(configuration, seed, comparison.scope));
    runs.results.push_back({{"metrics", {{"test", external.measure(*of_seed, rows_vary, options)}}}});
  }
  return runs;
}

}  // namespace

Json compare_results(const Comparison& comparison, const std::vector<Json>& results, SharedRows& rows) {
  const auto has_failed = [](const Json& result) { return result.contains("error"); };
  if (std::all_of(results.begin(), results.end(), has_failed)) {
    data_error("compare: none of {} runs succeeded; the first: {}", results.size(),
               results.at(0)["error"].get<std::string>());
  }
  std::vector<Runs> runs;
  for (const Contestant& contestant : comparison.contestants) runs.push_back({contestant.name, false, {}});
  for (size_t i = 0; i < results.size(); ++i) runs[i % runs.size()].results.push_back(results[i]);
  for (const ExternalPredictions& external : comparison.externals)
    runs.push_back(external_runs(external, comparison, rows));
  return Results(comparison, std::move(runs)).json();
}

}  // namespace gatewise
