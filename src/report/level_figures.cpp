// A level of experts and gates in figures.
#include <algorithm>
#include <cmath>

#include "report/diagnosis_report.h"
#include "report/report_parts.h"

namespace gatewise {
namespace {

constexpr size_t most_gates_apart = 12;    // with a figure of their own
constexpr size_t experts_in_a_figure = 6;  // whose outlines can be told apart

// What of a path tells experts or gates of one level apart: "task_experts/income/0" of
// "levels/1/task_experts/income/0".
std::string without_level(const std::string& path, const Json& level) {
  const std::string prefix = level["name"].get<std::string>() + "/";
  const std::string rest = path.starts_with(prefix) ? path.substr(prefix.size()) : path;
  const bool is_number = std::all_of(rest.begin(), rest.end(), [](char c) { return c >= '0' && c <= '9'; });
  return is_number ? path : rest;
}

std::string name_in(const Json& item, const Json& level) {
  return without_level(item["path"].get<std::string>(), level);
}

Figure heat_map(std::string title, std::string note, FigureAxis x, FigureAxis y, std::string value) {
  Figure figure;
  figure.kind = "heat_map";
  figure.title = std::move(title);
  figure.note = std::move(note);
  x.scale = y.scale = "category";
  figure.data.columns = {y.column, x.column, value};
  figure.x = std::move(x);
  figure.y = std::move(y);
  figure.value = std::move(value);
  return figure;
}

// The greatest size of a figure's values, which end in that column.
double largest_value(const Figure& figure) {
  double largest = 0;
  for (const std::vector<Json>& row : figure.data.rows) {
    if (row.back().is_number()) largest = std::max(largest, std::abs(row.back().get<double>()));
  }
  return largest > 0 ? largest : 1;
}

void add_gate_weights(Report& report, const Json& level) {
  Figure weights = heat_map("Mean weight of each expert by gate", "mean over the rows; empty: not seen",
                            {"expert", "expert"}, {"gate", "gate"}, "weight");
  Figure leads = heat_map("Share of rows that an expert leads", "has the largest weight",
                          {"expert", "expert"}, {"gate", "gate"}, "leads");
  for (const Json& gate : level["gates"]) {
    const Json& sees = gate["sees"];
    for (const Json& expert : level["experts"]) {
      const auto seen = std::find(sees.begin(), sees.end(), expert["path"]);
      const auto place = static_cast<size_t>(seen - sees.begin());
      const bool is_seen = seen != sees.end();
      weights.data.add(
          {name_in(gate, level), name_in(expert, level), is_seen ? gate["weights"][place] : Json()});
      leads.data.add({name_in(gate, level), name_in(expert, level), is_seen ? gate["leads"][place] : Json()});
    }
  }
  weights.range = {0, largest_value(weights)};
  leads.range = {0, 1};
  report.figure(weights);
  report.figure(leads);
}

void add_similarity(Report& report, const Json& level, const char* key, const char* items, const char* what,
                    const std::string& note) {
  const Json matrix = level.value(key, Json::array());
  Figure figure =
      heat_map(std::string("Similarity of ") + what, note, {"with", ""}, {"of", ""}, "similarity");
  for (size_t a = 0; a < matrix.size(); ++a) {
    for (size_t b = 0; b < matrix[a].size(); ++b)
      figure.data.add({name_in(level[items][a], level), name_in(level[items][b], level), matrix[a][b]});
  }
  figure.range = {0, 1};
  if (matrix.size() > 1) report.figure(figure);
}

void add_activations(Report& report, const Json& level) {
  const double low = level["histogram_range"][0].get<double>(),
               high = level["histogram_range"][1].get<double>();
  const Json& experts = level["experts"];
  for (size_t first = 0; first < experts.size(); first += experts_in_a_figure) {
    const size_t last = std::min(experts.size(), first + experts_in_a_figure);
    Figure figure;
    figure.kind = "histogram";
    figure.title =
        experts.size() <= experts_in_a_figure
            ? "Activations"
            : fmt::format("Activations of experts {} to {} of {}", first + 1, last, experts.size());
    figure.note = "outputs of all units on all rows";
    figure.x = {"from", "output"};
    figure.y = {"count", "outputs"};
    figure.series = "expert";
    figure.data.columns = {"expert", "from", "to", "count"};
    for (size_t i = first; i < last; ++i) {
      const Json& counts = experts[i]["histogram"];
      const double width = (high - low) / static_cast<double>(std::max<size_t>(1, counts.size()));
      for (size_t bin = 0; bin < counts.size(); ++bin) {
        const double from = low + width * static_cast<double>(bin);
        figure.data.add({name_in(experts[i], level), from, from + width, counts[bin]});
      }
    }
    report.figure(figure);
  }
}

void add_units(Report& report, const Json& level) {
  Figure figure = heat_map("Share of zero outputs of every unit", "1: the unit is dead", {"unit", "unit"},
                           {"expert", "expert"}, "zero share");
  for (const Json& expert : level["experts"]) {
    const Json& shares = expert["unit_zero_shares"];
    for (size_t unit = 0; unit < shares.size(); ++unit)
      figure.data.add({name_in(expert, level), std::to_string(unit), shares[unit]});
  }
  figure.range = {0, 1};
  report.figure(figure);
}

void add_gradients_of_experts(Report& report, const Json& level) {
  Figure figure;
  figure.kind = "bars";
  figure.title = "Whose gradient each expert receives";
  figure.note = "shares of the tasks";
  figure.x = {"share", "share of the gradient"};
  figure.y = {"expert", "", "category"};
  figure.series = "task";
  figure.is_stacked = true;
  figure.data.columns = {"expert", "task", "share"};
  for (const Json& expert : level["experts"]) {
    const Json shares = expert.value("gradient_shares", Json::object());
    for (const auto& [task, share] : shares.items()) figure.data.add({name_in(expert, level), task, share});
  }
  report.figure(figure);
}

// The rise of each task's loss under a change of each item, in shares of that loss: tasks have units of their
// own.
void add_effects(Report& report, const Json& level, const Json& tasks, const char* items, const char* key,
                 const std::string& title, const std::string& item) {
  Figure figure = heat_map(title, "rise of the loss in shares of itself; below 0 the task is better off",
                           {"task", "task"}, {item, item}, "rise");
  for (const Json& one : level[items]) {
    const Json effects = one.value(key, Json::object());
    for (const auto& [task, effect] : effects.items()) {
      const Json rise = number_or_null(effect, "loss"),
                 loss = number_or_null(tasks.value(task, Json::object()), "loss");
      const bool is_known = rise.is_number() && loss.is_number() && loss.get<double>() > 0;
      figure.data.add(
          {name_in(one, level), task, is_known ? Json(rise.get<double>() / loss.get<double>()) : Json()});
    }
  }
  const double largest = largest_value(figure);
  figure.range = {-largest, largest};
  figure.is_diverging = true;
  report.figure(figure);
}

void add_gates_in_training(Report& report, const Json& level) {
  Figure entropy;
  entropy.kind = "lines";
  entropy.title = "Entropy of the gates while training";
  entropy.note = "0: one expert has all the weight";
  entropy.x = {"epoch", "epoch"};
  entropy.y = {"entropy", "nats"};
  entropy.series = "gate";
  entropy.data.columns = {"gate", "epoch", "entropy"};
  for (const Json& gate : level["gates"]) {
    const Json training = gate.value("training", Json::object());
    if (!training.contains("epochs")) continue;
    Figure drift = entropy;
    drift.title = name_in(gate, level) + ": weights while training";
    drift.note = "means over a sample of rows";
    drift.y = {"weight", "weight"};
    drift.series = "expert";
    drift.data = {{"expert", "epoch", "weight"}, {}};
    for (size_t i = 0; i < training["epochs"].size(); ++i) {
      entropy.data.add({name_in(gate, level), training["epochs"][i], training["entropy"][i]});
      for (size_t expert = 0; expert < gate["sees"].size(); ++expert) {
        drift.data.add({without_level(gate["sees"][expert].get<std::string>(), level), training["epochs"][i],
                        training["weights"][i][expert]});
      }
    }
    if (level["gates"].size() <= most_gates_apart) report.figure(drift);
  }
  report.figure(entropy);
}

void add_slices(Report& report, const Json& level) {
  for (const Json& gate : level["gates"]) {
    const Json slices = gate.value("slices", Json::array());
    const std::string column = level.value("slices_by", "");
    Figure figure = heat_map(name_in(gate, level) + ": mean weights by " + column, "", {"expert", "expert"},
                             {"slice", column}, "weight");
    for (const Json& slice : slices) {
      for (size_t i = 0; i < gate["sees"].size(); ++i) {
        figure.data.add(
            {slice["slice"], without_level(gate["sees"][i].get<std::string>(), level), slice["weights"][i]});
      }
    }
    figure.range = {0, largest_value(figure)};
    report.figure(figure);
  }
}

DataTable experts_table(const Json& level) {
  DataTable table{{"expert", "of task", "zero share", "saturated share", "mean", "scale", "effective rank",
                   "units", "dead units", "identical units"},
                  {}};
  for (const Json& expert : level["experts"]) {
    const Json task = expert["task"].is_null() ? Json("all")
                      : expert["task"] == "*"  ? Json("the row's task")
                                               : expert["task"];
    table.add({name_in(expert, level), task, expert["zero_share"], expert["saturated_share"], expert["mean"],
               expert["scale"], expert["effective_rank"], expert["units"], expert["dead_units"],
               expert["identical_units"]});
  }
  return table;
}

}  // namespace

void add_level(Report& report, const Json& level, const Json& tasks) {
  report.section("Experts and gates: " + level["name"].get<std::string>());
  add_gate_weights(report, level);
  add_effects(report, level, tasks, "experts", "removed", "What each expert is worth: loss without it",
              "expert");
  add_effects(report, level, tasks, "gates", "uniform", "What each gate is worth: loss if it is uniform",
              "gate");
  add_gradients_of_experts(report, level);
  add_similarity(report, level, "similarity", "experts", "the experts' outputs",
                 "linear centred kernel alignment: 1 where one is the other but for a rotation and a factor");
  add_similarity(report, level, "gate_similarity", "gates", "the gates",
                 "mean overlap of their weights: 1 where they mix alike");
  add_activations(report, level);
  add_units(report, level);
  add_gates_in_training(report, level);
  add_slices(report, level);
  report.table(experts_table(level));
}

}  // namespace gatewise
