// What experts and gates did while a model trained, from the probes in its history.
#include <algorithm>

#include "report/report_parts.h"

namespace gatewise {
namespace {

Figure over_epochs(std::string title, std::string note, std::string quantity, const std::string& series) {
  Figure figure;
  figure.kind = "lines";
  figure.title = std::move(title);
  figure.note = std::move(note);
  figure.x = {"epoch", "epoch"};
  figure.y = {"value", std::move(quantity)};
  figure.series = series;
  figure.data.columns = {series, "epoch", "value"};
  return figure;
}

// Of the last epoch that was probed: mean weights by gate, and whose gradient the experts received.
void add_last_state(Report& report, const Json& level, const std::string& when) {
  Figure weights;
  weights.kind = "heat_map";
  weights.title = "Mean weights of the gates " + when;
  weights.note = "over a sample of rows; experts in the order in which the gate sees them";
  weights.x = {"expert", "expert", "category"};
  weights.y = {"gate", "gate", "category"};
  weights.value = "weight";
  weights.data.columns = {"gate", "expert", "weight"};
  double largest = 0;
  const Json gates = level.value("gates", Json::object());
  for (const auto& [gate, found] : gates.items()) {
    for (size_t i = 0; i < found["weights"].size(); ++i) {
      weights.data.add({gate, std::to_string(i), found["weights"][i]});
      largest = std::max(largest, found["weights"][i].get<double>());
    }
  }
  weights.range = {0, largest > 0 ? largest : 1};
  report.figure(weights);

  Figure gradients;
  gradients.kind = "bars";
  gradients.title = "Whose gradient each expert received " + when;
  gradients.x = {"share", "share of the gradient"};
  gradients.y = {"expert", "", "category"};
  gradients.series = "task";
  gradients.is_stacked = true;
  gradients.data.columns = {"expert", "task", "share"};
  const Json by_task = level.value("gradient", Json::object());
  for (const auto& [task, norms] : by_task.items()) {
    for (size_t expert = 0; expert < norms.size(); ++expert) {
      double sum = 0;
      for (const auto& [other, others] : by_task.items()) sum += others[expert].get<double>();
      if (sum > 0)
        gradients.data.add({"expert " + std::to_string(expert), task, norms[expert].get<double>() / sum});
    }
  }
  report.figure(gradients);
}

void add_level_course(Report& report, const Json& history, const std::string& level) {
  Figure entropy = over_epochs("Entropy of the gates", "0: one expert has all the weight", "nats", "gate");
  Figure zeros =
      over_epochs("Share of zero outputs of the experts", "1: the expert is dead", "share", "expert");
  for (const Json& epoch : history["epochs"]) {
    const Json probes = epoch.value("probes", Json::object());
    if (!probes.contains(level)) continue;
    const Json &found = probes[level], number = epoch["epoch"];
    const Json gates = found.value("gates", Json::object());
    for (const auto& [gate, seen] : gates.items()) entropy.data.add({gate, number, seen["entropy"]});
    for (size_t expert = 0; expert < found["zero_share"].size(); ++expert) {
      // Of an expert that no gate listened to nothing is known.
      if (found["zero_share"][expert].is_number())
        zeros.data.add({"expert " + std::to_string(expert), number, found["zero_share"][expert]});
    }
  }
  report.figure(entropy);
  report.figure(zeros);
}

}  // namespace

void add_probes(Report& report, const Json& history) {
  Json last = Json::object();
  std::string when;
  for (const Json& epoch : history["epochs"]) {
    if (!epoch.contains("probes") || !epoch["probes"].is_object()) continue;
    last = epoch["probes"];
    when = "in epoch " + epoch["epoch"].dump();
  }
  for (const auto& [level, found] : last.items()) {
    report.section("Experts and gates while training: " + level);
    add_last_state(report, found, when);
    add_level_course(report, history, level);
  }
}

}  // namespace gatewise
