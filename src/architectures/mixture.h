// What the architectures share that mix experts by gates.
#pragma once

#include "architectures/architecture.h"
#include "architectures/level.h"

namespace gatewise {

// The options of the parts; architectures add how many experts there are and where.
struct MixtureOptions {
  Json expert = Json::object();
  Json gate = Json::object();
  std::vector<std::string> gate_features;
  Json tower = Json::object();
  void declare(OptionSet& set) {
    set.add("expert", &expert, "an expert: {type, units, ...}");
    set.add("gate", &gate, "a gate: {type, hidden, bias, ...}");
    set.add("gate_features", &gate_features, "columns that the gates of the first level read; [] means all");
    set.add("tower", &tower, "the network of a task: {type, units, ...}");
  }
};

// The parts that the options describe.
struct MixtureParts {
  std::unique_ptr<Expert> expert;
  std::unique_ptr<Gate> gate;
  std::unique_ptr<Tower> tower;

  explicit MixtureParts(const MixtureOptions& options)
      : expert(make_part<Expert>(options.expert, "model.expert", "mlp")),
        gate(make_part<Gate>(options.gate, "model.gate", "softmax")),
        tower(make_part<Tower>(options.tower, "model.tower", "mlp")) {}
};

}  // namespace gatewise
