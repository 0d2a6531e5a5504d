// The gates that contract tests walk through.
#pragma once

#include "gates/gate.h"
#include "tests/contract/feed_for.h"

namespace gatewise {

struct GateCase {
  std::string name;
  Json options;
};

// GoogleTest's name for it.
inline void PrintTo(const GateCase& gate_case,
                    std::ostream* stream) {  // NOLINT(readability-identifier-naming)
  *stream << gate_case.name;
}

// Every gate of the registry as it is, and with the options that make it another function.
inline std::vector<GateCase> all_gates() {
  std::vector<GateCase> cases;
  for (const std::string& name : Registry<Gate>::instance().names())
    cases.push_back({name, {{"type", name}}});
  const auto add = [&](const std::string& name, Json options) {
    cases.push_back({name, std::move(options)});
  };
  add("softmax_scheduled", {{"type", "softmax"}, {"temperature", {{"from", 2}, {"to", 0.5}, {"steps", 9}}}});
  add("sigmoid_normalised", {{"type", "sigmoid"}, {"normalise", true}});
  add("top_k_balanced", {{"type", "top_k"}, {"balance_weight", 0.1}, {"hidden", {3}}});
  add("top_k_static", {{"type", "top_k"}, {"per_example", false}});
  add("noisy_top_k_quiet", {{"type", "noisy_top_k"}, {"noise", false}});
  add("switch_with_capacity", {{"type", "switch"}, {"capacity_factor", 1.0}});
  add("bias_balanced_shares", {{"type", "bias_balanced"}, {"renormalise", true}, {"score", "softmax"}});
  add("dselect_k_per_example", {{"type", "dselect_k"}, {"per_example", true}, {"k", 3}});
  for (const char* form : {"agnostic", "task_embedding", "task_only", "additive"}) {
    add(std::string("task_aware_") + form, {{"type", "task_aware"}, {"form", form}});
  }
  return cases;
}

}  // namespace gatewise
