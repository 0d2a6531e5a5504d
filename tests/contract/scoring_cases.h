// The models that tests of scoring walk through: every architecture, also over rows of one task, and every
// gate.
#pragma once

#include "gates/gate.h"
#include "tests/contract/feed_for.h"

namespace gatewise {

struct ScoringCase {
  std::string name;
  Json model;
  std::vector<TaskSpace> tasks;
  std::string task_column;
};

inline FeatureSpace space_of(const ScoringCase& scoring_case) {
  FeatureSpace space = sample_space(scoring_case.tasks);
  space.task_column = scoring_case.task_column;
  return space;
}

// GoogleTest's name for it.
inline void PrintTo(const ScoringCase& scoring_case,
                    std::ostream* stream) {  // NOLINT(readability-identifier-naming)
  *stream << scoring_case.name;
}

inline std::vector<ScoringCase> all_cases() {
  std::vector<ScoringCase> cases;
  for (const std::string& name : Registry<Architecture>::instance().names()) {
    cases.push_back({name, {{"type", name}}, tasks_for(name), ""});
    cases.push_back({name + "_own_rows", {{"type", name}}, binary_tasks, "task"});
  }
  for (const std::string& gate : Registry<Gate>::instance().names()) {
    for (const char* type : {"mmoe", "ple"}) {
      cases.push_back(
          {fmt::format("{}_{}", type, gate), {{"type", type}, {"gate", {{"type", gate}}}}, binary_tasks, ""});
    }
  }
  return cases;
}

}  // namespace gatewise
