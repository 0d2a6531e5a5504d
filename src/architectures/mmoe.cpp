// Multi-gate mixture of experts (Ma, Zhao, Yi, Chen, Hong, Chi; KDD 2018): shared experts, one gate per task.
#include "architectures/mixture.h"

namespace gatewise {
namespace {

class MultiGateMixture final : public Architecture {
 public:
  struct Options : MixtureOptions, BottomOptions {
    int64_t experts = 8;
    int64_t levels = 1;
    std::string upper_gates_read = "features";
    void declare(OptionSet& set) {
      set.add("experts", &experts, "number of experts in every level").range(1, 4096).search(2, 16, true);
      set.add("levels", &levels,
              "levels of experts; each expert above the first level mixes the level below by a "
              "gate of its own")
          .range(1, 16);
      set.add("upper_gates_read", &upper_gates_read,
              "what gates above the first level read: \"features\": what those of the first level read (the "
              "features, only gate_features, or the last layer of \"bottom\"), \"experts\": the mean of the "
              "experts below")
          .choices({"features", "experts"});
      BottomOptions::declare(set);
      MixtureOptions::declare(set);
    }
  };

  explicit MultiGateMixture(const Options& options) : options_(options), parts_(options) {}

  Heads build(const ModelInputs& inputs) const override {
    const int64_t experts = options_.experts;
    auto [input, gate_input] = read_bottom(inputs, options_, options_.gate_features);
    LevelOutput level;
    for (int64_t index = 0; index < options_.levels; ++index) {
      const std::string scope = options_.levels == 1 ? "" : fmt::format("levels/{}/", index);
      const bool is_last = index + 1 == options_.levels;
      if (index > 0) {
        input = level.mixed;
        if (options_.upper_gates_read == "experts") gate_input = mean(level.mixed, 0);
      }
      const std::vector<ExpertGroup> groups{{input, numbered_paths(scope + "experts", experts)}};
      std::vector<Consumer> consumers;
      if (is_last) {
        for (const TaskHead& task : inputs.tasks)
          consumers.push_back({scope + "gates/" + task.name, gate_input, {0}, {}, task.name});
      } else {
        for (const std::string& path : numbered_paths(scope + "gates", experts))
          consumers.push_back({path, gate_input, {0}, {}});
      }
      level = build_level(*parts_.expert, *parts_.gate, groups, consumers, scope,
                          is_last ? inputs.row_task : Var());
      name_level(inputs.x.graph(), level, scope);
    }
    return build_towers(*parts_.tower, level.mixed, inputs.tasks, inputs.row_task);
  }

 private:
  Options options_;
  MixtureParts parts_;
};

const Register<Architecture, MultiGateMixture> mmoe_registered{"mmoe",
                                                               "shared experts mixed by one gate per task"};

}  // namespace
}  // namespace gatewise
