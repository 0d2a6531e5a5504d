#include "report/compare_report.h"

#include <algorithm>
#include <cmath>

#include "report/comparison_text.h"
#include "report/numbers.h"
#include "report/report_parts.h"

namespace gatewise {
namespace {

// The greater, the better.
double goodness(const Json& metric, double value) {
  const std::string direction = metric["direction"];
  if (direction.starts_with("lower")) return -value;
  if (direction.starts_with("closer")) return -std::abs(std::log(std::max(value, 1e-12)));
  return value;
}

// Of its values: the mean of ratios that are too high and too low can be near 1.
double mean_goodness(const Json& metric, const Json& item) {
  double sum = 0;
  int64_t count = 0;
  for (const Json& value : item["values"]) {
    if (!value.is_number()) continue;
    sum += goodness(metric, value.get<double>());
    ++count;
  }
  return sum / static_cast<double>(count);
}

const Json* difference_of(const Json& item) {
  return item.contains("difference") && item["difference"].is_object() ? &item["difference"] : nullptr;
}

Json end_of(const Json& item, size_t which) {
  return item.contains("interval") && item["interval"].is_array() ? item["interval"][which] : Json();
}

std::string with_interval(const Json& difference) {
  std::string text = value_text(difference["mean"].get<double>());
  if (difference["mean"].get<double>() >= 0) text = "+" + text;
  const Json low = end_of(difference, 0), high = end_of(difference, 1);
  if (low.is_null()) return text;
  return fmt::format("{} ({} to {})", text, value_text(low.get<double>()), value_text(high.get<double>()));
}

// "income: mmoe has the best mean AUC, 0.9471, +0.0021 (...) against shared_bottom, which is better than
// chance explains".
std::string best_text(const std::string& task, const std::string& name, const Json& metric,
                      const std::string& baseline) {
  std::string best;
  for (const auto& [configuration, item] : metric["configurations"].items()) {
    const auto value_of = [&](const std::string& which) {
      return mean_goodness(metric, metric["configurations"][which]);
    };
    if (best.empty() || value_of(configuration) > value_of(best)) best = configuration;
  }
  if (best.empty()) return "";
  const Json& item = metric["configurations"][best];
  std::string text = fmt::format("{}: {} has the best mean {}, {}", task, best, metric_title(name),
                                 value_text(item["mean"].get<double>()));
  const Json* difference = difference_of(item);
  if (best == baseline || difference == nullptr) return text + ".";
  const std::string verdict = difference->value("verdict", "unknown");
  const std::string meaning = verdict == "noise"    ? ", which may be chance"
                              : verdict == "better" ? ", more than chance explains"
                                                    : "";
  return fmt::format("{}, {} against {}{}.", text, with_interval(*difference), baseline, meaning);
}

std::string comparison_headline(const Json& compared) {
  int64_t better = 0, worse = 0, noise = 0;
  std::vector<std::string> texts;
  for (const auto& [task, metrics] : compared["tasks"].items()) {
    for (const auto& [name, metric] : metrics.items()) {
      for (const auto& [configuration, item] : metric["configurations"].items()) {
        const Json* difference = difference_of(item);
        const std::string verdict = difference == nullptr ? "" : difference->value("verdict", "");
        better += verdict == "better";
        worse += verdict == "worse";
        noise += verdict == "noise";
      }
    }
    if (!metrics.empty())
      texts.push_back(best_text(task, metrics.begin().key(), metrics.begin().value(), compared["baseline"]));
  }
  constexpr size_t few = 3;
  std::string text;
  for (size_t i = 0; i < std::min(few, texts.size()); ++i) text += texts[i] + " ";
  if (better + worse + noise > 0) {
    text += fmt::format("Differences from {}: {} better, {} worse, {} that may be chance.",
                        compared["baseline"].get<std::string>(), better, worse, noise);
  }
  return text;
}

void add_metric_table(Report& report, const Json& metric, const std::string& title,
                      const std::string& baseline) {
  DataTable table{
      {"configuration", "mean", "deviation", "low", "high", "best",
       differing_in(metric) + "minus " + baseline, "difference low", "difference high", "p", "verdict"},
      {}};
  for (const auto& [name, item] : metric["configurations"].items()) {
    std::vector<Json> row{name,
                          number_or_null(item, "mean"),
                          number_or_null(item, "deviation"),
                          end_of(item, 0),
                          end_of(item, 1),
                          item["best"].is_object() ? number_or_null(item["best"], "value") : Json()};
    const Json* difference = difference_of(item);
    const Json none = Json::object();
    const Json& known = difference == nullptr ? none : *difference;
    row.insert(row.end(), {number_or_null(known, "mean"), end_of(known, 0), end_of(known, 1),
                           number_or_null(known, "corrected_p")});
    const std::string verdict = difference == nullptr ? "" : difference->value("verdict", "");
    row.emplace_back(verdict == "unknown" ? "" : verdict);
    table.add(std::move(row));
  }
  report.table(std::move(table), title,
               metric["direction"].get<std::string>() +
                   "; low and high are the ends of 95 % intervals; best is that of all seeds, so the more "
                   "seeds, the better");
}

void add_metric_figures(Report& report, const Json& metric, const std::string& title,
                        const std::string& quantity, const std::string& baseline) {
  Figure means;
  means.kind = "intervals";
  means.title = title + ": mean over the seeds";
  means.note = "with 95 % intervals; " + metric["direction"].get<std::string>();
  means.x = {"mean", quantity};
  means.y = {"configuration", "", "category"};
  means.low = "low";
  means.high = "high";
  means.data.columns = {"configuration", "mean", "low", "high"};
  Figure differences = means;
  differences.title = title + ": " + differing_in(metric) + "difference from " + baseline;
  differences.note =
      "on equal seeds, with 95 % intervals before the correction for the number of comparisons";
  differences.x.title = "difference";
  differences.marks.push_back({0, "", true});
  for (const auto& [name, item] : metric["configurations"].items()) {
    means.data.add({name, item["mean"], end_of(item, 0), end_of(item, 1)});
    const Json* difference = difference_of(item);
    if (difference == nullptr) continue;
    differences.data.add({name, (*difference)["mean"], end_of(*difference, 0), end_of(*difference, 1)});
  }
  report.figure(means);
  report.figure(differences);
}

void add_distributions(Report& report, const Json& compared) {
  constexpr size_t enough_seeds = 5;
  if (compared["seeds"].size() < enough_seeds) return;
  report.section("Distribution over the seeds");
  report.text(
      "How well a configuration can be trained: a narrow distribution on the good side means that the seed "
      "does not matter.");
  for (const auto& [task, metrics] : compared["tasks"].items()) {
    for (const auto& [name, metric] : metrics.items()) {
      std::vector<std::pair<std::string, std::vector<double>>> values;
      for (const auto& [configuration, item] : metric["configurations"].items()) {
        if (item.value("interval_from", "") == "bootstrap") continue;
        std::vector<double>& list = values.emplace_back(configuration, std::vector<double>()).second;
        for (const Json& value : item["values"]) {
          if (value.is_number()) list.push_back(value.get<double>());
        }
      }
      Figure figure;
      figure.kind = "histogram";
      figure.title = fmt::format("{}: {} over {} seeds", task, metric_title(name), compared["seeds"].size());
      figure.note = metric["direction"].get<std::string>();
      figure.x = {"from", metric_title(name)};
      figure.y = {"runs", "runs"};
      figure.series = "configuration";
      const int bins = compared["seeds"].size() < 30 ? 10 : 20;
      figure.data = distribution(values, bins, "configuration", "runs");
      report.figure(figure);
    }
  }
}

void add_cost(Report& report, const Json& compared) {
  report.section("Cost");
  DataTable table{{"configuration", "parameters", "outside embeddings", "seconds a run", "rows/s",
                   "best epoch", "runs", "failed"},
                  {}};
  Figure seconds;
  seconds.kind = "bars";
  seconds.title = "Seconds a run";
  seconds.x = {"seconds a run", "seconds"};
  seconds.y = {"configuration", "", "category"};
  seconds.data.columns = {"configuration", "seconds a run"};
  Figure parameters = seconds;
  parameters.title = "Parameters outside the embeddings";
  parameters.x = {"parameters", "parameters"};
  parameters.data.columns = {"configuration", "parameters"};
  for (const Json& item : compared["configurations"]) {
    if (item.value("is_external", false)) continue;
    const Json counts = item.value("parameters", Json::object());
    const Json outside = number_or_null(counts, "outside_embeddings");
    table.add({item["name"], number_or_null(counts, "total"), outside, number_or_null(item, "seconds"),
               number_or_null(item, "rows_per_second"), number_or_null(item, "best_epoch"),
               number_or_null(item, "runs"), number_or_null(item, "failed")});
    seconds.data.add({item["name"], number_or_null(item, "seconds")});
    parameters.data.add({item["name"], outside});
  }
  report.table(std::move(table), "", "means over the runs");
  report.figure(seconds);
  report.figure(parameters);
}

DataTable raw_values(const Json& compared) {
  DataTable table{{"configuration", "seed", "task", "metric", "value"}, {}};
  for (const auto& [task, metrics] : compared["tasks"].items()) {
    for (const auto& [name, metric] : metrics.items()) {
      for (const auto& [configuration, item] : metric["configurations"].items()) {
        for (size_t i = 0; i < item["values"].size(); ++i)
          table.add({configuration, compared["seeds"][i], task, name, item["values"][i]});
      }
    }
  }
  return table;
}

// What to know before believing the tables.
std::vector<std::string> warnings_of(const Json& compared) {
  std::vector<std::string> lines;
  for (const Json& item : compared["configurations"]) {
    const std::string name = item["name"];
    if (item.contains("why_unequal")) lines.push_back(name + ": " + item["why_unequal"].get<std::string>());
    const auto missing = item.value("missing_tasks", std::vector<std::string>());
    if (!missing.empty())
      lines.push_back(fmt::format("{} has no predictions of {}", name, fmt::join(missing, ", ")));
  }
  for (const Json& run : compared["runs"]) {
    if (!run.contains("error")) continue;
    lines.push_back(fmt::format("{} seed {} failed: {}", run["configuration"].get<std::string>(),
                                run["seed"].dump(), run["error"].get<std::string>()));
  }
  return lines;
}

}  // namespace

DataTable distribution(const std::vector<std::pair<std::string, std::vector<double>>>& values, int bins,
                       const std::string& group, const std::string& counted) {
  DataTable table{{group, "from", "to", counted}, {}};
  std::vector<double> all;
  for (const auto& [name, list] : values) all.insert(all.end(), list.begin(), list.end());
  if (all.empty()) return table;
  const auto [low, high] = std::minmax_element(all.begin(), all.end());
  const double least = *low, width = *high > *low ? (*high - *low) / bins : 1;
  for (const auto& [name, list] : values) {
    std::vector<int64_t> counts(static_cast<size_t>(bins));
    for (const double value : list) {
      const auto place = static_cast<int>((value - least) / width);
      ++counts[static_cast<size_t>(std::clamp(place, 0, bins - 1))];
    }
    for (int bin = 0; bin < bins; ++bin)
      table.add({name, least + width * bin, least + width * (bin + 1), counts[static_cast<size_t>(bin)]});
  }
  return table;
}

Report compare_report(const Json& compared) {
  const std::string baseline = compared["baseline"];
  const size_t seeds = compared["seeds"].size();
  Report report(fmt::format("{} configurations on {} rows, {} {}", compared["configurations"].size(),
                            compared["part"].get<std::string>(), seeds, seeds == 1 ? "seed" : "seeds"),
                comparison_headline(compared));
  report.section("Results");
  report.warnings(warnings_of(compared));
  if (compared.value("comparisons", 0) > 0) {
    report.text(fmt::format(
        "p is that of a paired t test over the seeds against {}, corrected by Holm's rule for {} "
        "comparisons; "
        "\"noise\" means that it is not below {}. Intervals of differences are those before the correction. "
        "Seeds change {}.",
        baseline, compared["comparisons"].get<int64_t>(), compared["significance"].get<double>(),
        compared["seeds_change"].size() > 1 ? "the rows and the training" : "the training alone"));
  }
  for (const auto& [task, metrics] : compared["tasks"].items()) {
    for (const auto& [name, metric] : metrics.items()) {
      const std::string title = task + ": " + metric_title(name);
      add_metric_table(report, metric, title, baseline);
      add_metric_figures(report, metric, title, metric_title(name), baseline);
    }
  }
  add_distributions(report, compared);
  add_cost(report, compared);
  report.section("Values behind it");
  report.table(raw_values(compared));
  return report;
}

}  // namespace gatewise
