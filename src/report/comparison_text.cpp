#include "report/comparison_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/csv.h"
#include "report/numbers.h"
#include "report/text_table.h"

namespace gatewise {
namespace {

// As many decimals as the standard error of a mean has a meaning for: two of its digits.
int decimals_of(const Json& metric) {
  double smallest = 1;
  for (const auto& [name, item] : metric["configurations"].items()) {
    if (!item["interval"].is_array()) continue;
    const double width = item["interval"][1].get<double>() - item["interval"][0].get<double>();
    if (width > 0) smallest = std::min(smallest, width / 4);
  }
  return std::clamp(1 - static_cast<int>(std::floor(std::log10(smallest))), 3, 7);
}

std::string number(const Json& value, int decimals) {
  return value.is_number() ? fmt::format("{:.{}f}", value.get<double>(), decimals) : "";
}

std::string signed_number(const Json& value, int decimals) {
  return value.is_number() ? fmt::format("{:+.{}f}", value.get<double>(), decimals) : "";
}

std::string interval(const Json& pair, int decimals) {
  return pair.is_array() ? number(pair[0], decimals) + " to " + number(pair[1], decimals) : "";
}

std::string p_text(const Json& p) {
  if (!p.is_number()) return "";
  return p.get<double>() < 0.0001 ? "<0.0001" : fmt::format("{:.4f}", p.get<double>());
}

std::string deviation_text(const Json& item, int decimals) {
  return item["interval_from"] == "bootstrap" ? "resampled" : number(item["deviation"], decimals);
}

std::string metric_table(const Json& compared, const Json& metric, const Style& style) {
  const int decimals = decimals_of(metric);
  TextTable table;
  table.add_column("");
  table.add_column("mean", Align::Right);
  table.add_column("deviation", Align::Right);
  table.add_column("95 % interval");
  table.add_column(fmt::format("best of {}", compared["seeds"].size()), Align::Right);
  table.add_column(differing_in(metric) + "minus " + compared["baseline"].get<std::string>(), Align::Right);
  table.add_column("95 % interval");
  table.add_column("p", Align::Right);
  table.add_column("");
  for (const auto& [name, item] : metric["configurations"].items()) {
    std::vector<std::string> cells{name, number(item["mean"], decimals), deviation_text(item, decimals),
                                   interval(item["interval"], decimals),
                                   number(item["best"]["value"], decimals)};
    if (item.contains("difference") && item["difference"].is_object()) {
      const Json& difference = item["difference"];
      const std::string verdict = difference["verdict"];
      cells.insert(cells.end(),
                   {signed_number(difference["mean"], decimals), interval(difference["interval"], decimals),
                    p_text(difference["corrected_p"]), verdict == "unknown" ? "" : verdict});
    }
    table.add_row(std::move(cells));
  }
  return table.text(style, 2);
}

std::string cost_table(const Json& compared, const Style& style) {
  TextTable table;
  table.add_column("cost");
  for (const char* heading :
       {"parameters", "outside embeddings", "seconds a run", "rows/s", "best epoch", "failed"})
    table.add_column(heading, Align::Right);
  for (const Json& item : compared["configurations"]) {
    if (item["is_external"]) continue;
    const Json parameters = item.value("parameters", Json::object());
    const auto count = [&](const char* name) {
      return parameters.contains(name) ? count_text(parameters[name].get<int64_t>()) : "";
    };
    const int64_t failed = item["failed"];
    table.add_row(
        {item["name"].get<std::string>(), count("total"), count("outside_embeddings"),
         number(item["seconds"], 1),
         item["rows_per_second"].is_number() ? rate_text(item["rows_per_second"].get<double>()) : "",
         number(item["best_epoch"], 1),
         failed > 0 ? fmt::format("{} of {}", failed, compared["seeds"].size()) : ""});
  }
  return table.text(style, 2);
}

std::string heading(const Json& compared) {
  const size_t seeds = compared["seeds"].size();
  const bool rows_change = compared["seeds_change"].size() > 1;
  return fmt::format("{} rows; {} seed{} of {}", compared["part"].get<std::string>(), seeds,
                     seeds == 1 ? "" : "s", rows_change ? "the rows and the training" : "the training");
}

std::string notes(const Json& compared) {
  std::string text;
  if (compared["comparisons"] > 0) {
    text += fmt::format(
        "p: paired t test over the seeds, corrected by Holm's rule for {} comparison{}; noise: p is not "
        "below {}\nintervals of differences are those of a single comparison, before that correction: one "
        "without 0 may be noise\n",
        compared["comparisons"].get<int64_t>(), compared["comparisons"] == 1 ? "" : "s",
        compared["significance"].get<double>());
  }
  for (const auto& [task, metrics] : compared["tasks"].items()) {
    for (const auto& [metric, values] : metrics.items()) {
      for (const auto& [name, item] : values["configurations"].items()) {
        const Json difference = item.value("difference", Json());
        if (!difference.is_object() || !difference.contains("why_unknown")) continue;
        text += fmt::format("{} of {}, {} minus {}: no p, because {}\n", metric, task, name,
                            compared["baseline"].get<std::string>(),
                            difference["why_unknown"].get<std::string>());
      }
    }
  }
  if (compared["seeds"].size() > 1)
    text += "the best of several runs grows with their number; the mean does not\n";
  for (const Json& run : compared["runs"]) {
    if (run.contains("error")) {
      text += fmt::format("{} seed {} failed: {}\n", run["configuration"].get<std::string>(),
                          run["seed"].get<int64_t>(), run["error"].get<std::string>());
    }
  }
  return text;
}

void add_line(std::string& text, const Json& run, const std::string& part, const std::string& task,
              const std::string& metric, const Json& value) {
  text += fmt::format("{},{},{},{},{},{}\n", csv_field(run["configuration"].get<std::string>()),
                      run["seed"].get<int64_t>(), part, csv_field(task), metric,
                      value.is_number() ? value.dump() : "");
}

}  // namespace

std::string differing_in(const Json& metric) {
  return metric["direction"].get<std::string>().starts_with("closer") ? "distance from 1, " : "";
}

std::string comparison_text(const Json& compared, const Style& style) {
  std::string text = style.heading(heading(compared)) + "\n";
  for (const auto& [task, metrics] : compared["tasks"].items()) {
    for (const auto& [name, metric] : metrics.items()) {
      text += "\n" + style.heading(task + " " + name) + ", " + metric["direction"].get<std::string>() + "\n";
      text += metric_table(compared, metric, style);
    }
  }
  return text + "\n" + cost_table(compared, style) + "\n" + notes(compared);
}

std::string comparison_csv(const Json& compared) {
  std::string text = "configuration,seed,part,task,metric,value\n";
  for (const Json& run : compared["runs"]) {
    const Json parts = run.value("metrics", Json::object());
    for (const auto& [part, evaluation] : parts.items()) {
      for (const auto& [task, metrics] : evaluation["tasks"].items()) {
        for (const auto& [name, metric] : metrics.items())
          add_line(text, run, part, task, name, metric["value"]);
      }
    }
    for (const char* name : {"best_epoch", "seconds", "rows_per_second"}) {
      if (run.contains(name)) add_line(text, run, "", "", name, run[name]);
    }
    if (run.contains("parameters")) add_line(text, run, "", "", "parameters", run["parameters"]["total"]);
  }
  return text;
}

}  // namespace gatewise
