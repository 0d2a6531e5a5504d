// What of a model is to be watched: the architecture's parts declare it where they compose it, so that any
// model, saved ones too, can be examined without knowing its architecture.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"

namespace gatewise {

// In place of a task's name: the one task that the row belongs to.
inline constexpr const char* own_task = "*";

struct ExpertProbe {
  std::string path;  // its parameters lie below: "<path>/..."; a part "*" is the name of any task
  std::string task;  // whose own it is; empty: shared

  // Whether the parameter of this path is one of its own.
  bool holds(const std::string& parameter) const;
};

// Weights by which somebody mixes the experts of a level.
struct GateProbe {
  std::string path;
  std::string task;       // the one task it serves; empty: several, or a unit of the next level
  int weights = -1;       // value [experts seen]
  int mixed = -1;         // value [gates, experts seen] or [experts seen] that the mixture reads,
  int row = 0;            // and the place of this gate in it
  std::vector<int> sees;  // LevelProbe::experts in the order of the weights
};

// A bank of experts, or of networks that stand for them, and the gates over it.
struct LevelProbe {
  std::string name;
  int outputs = -1;  // value [experts, hidden]
  std::vector<ExpertProbe> experts;
  std::vector<GateProbe> gates;

  Json to_json() const;
  // Throws nlohmann's exceptions for what is not there.
  static LevelProbe from_json(const Json& json);
};

}  // namespace gatewise
