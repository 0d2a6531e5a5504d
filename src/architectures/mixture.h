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
    set.add("expert", &expert,
            "an expert: {type, units, ...}; type \"mlp\" unless given" +
                std::string(expert.empty() ? "" : ", whose options that are left out are as in the default"));
    set.add("gate", &gate, "a gate: {type, hidden, bias, ...}; type \"softmax\" unless given");
    set.add("gate_features", &gate_features,
            "columns that those gates read that read the features; [] means all, or the last layer of "
            "\"bottom\"");
    set.add("tower", &tower, tower_help);
  }
};

// Plain layers below the experts, for architectures whose mixture may replace the top shared layer of a
// network only (Ma et al. 2018, section 6).
struct BottomOptions {
  std::vector<int64_t> bottom;
  void declare(OptionSet& set) {
    set.add("bottom", &bottom,
            "widths of plain relu layers between the features and the experts, as where only the top shared "
            "layer of a network is replaced by a mixture; gates read what the experts read, but for "
            "gate_features")
        .range(1, 65536)
        .search(16, 256, true);
  }
};

struct MixtureReads {
  Var experts, gates;  // [in] each
};

// What experts and gates read: the features, or the last layer of the bottom; gates with `gate_features` of
// their own keep those.
inline MixtureReads read_bottom(const ModelInputs& inputs, const BottomOptions& options,
                                const std::vector<std::string>& gate_features) {
  MixtureReads reads{inputs.x, inputs.select(gate_features, "model.gate_features")};
  if (options.bottom.empty()) return reads;
  const Var plain = mlp_bank(inputs.x, {"bottom"}, {.units = options.bottom, .initializer = {}});
  inputs.x.graph().name_value("bottom", plain);
  reads.experts = reshape(plain, Shape{options.bottom.back()});
  if (gate_features.empty()) reads.gates = reads.experts;
  return reads;
}

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
