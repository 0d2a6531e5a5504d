// Customised gate control (Tang, Liu, Zhao, Gong; RecSys 2020): shared experts for all and experts that only
// their own task sees. PLE with one level.
#include "architectures/mixture.h"

namespace gatewise {
namespace {

class CustomisedGateControl final : public Architecture {
 public:
  struct Options : MixtureOptions {
    int64_t shared_experts = 4;
    int64_t task_experts = 2;
    void declare(OptionSet& set) {
      set.add("shared_experts", &shared_experts, "experts that all tasks see")
          .range(0, 4096)
          .search(1, 8, true);
      set.add("task_experts", &task_experts, "experts of each task that no other task sees")
          .range(0, 4096)
          .search(1, 8, true);
      MixtureOptions::declare(set);
    }
  };

  explicit CustomisedGateControl(const Options& options) : options_(options), parts_(options) {
    if (options.shared_experts + options.task_experts == 0) {
      command_error("model.task_experts: got 0 and 0 shared experts, expected at least one expert");
    }
  }

  Heads build(const ModelInputs& inputs) const override {
    const Var gate_input = inputs.select(options_.gate_features, "model.gate_features");
    std::vector<ExpertGroup> groups;
    std::vector<Consumer> consumers;
    const int shared = options_.task_experts > 0 ? static_cast<int>(inputs.tasks.size()) : 0;
    for (const TaskHead& task : inputs.tasks) {
      Consumer consumer{"gates/" + task.name, gate_input, {}, {}, task.name};
      if (options_.task_experts > 0) {
        consumer.sees.push_back(static_cast<int>(groups.size()));
        groups.push_back(
            {inputs.x, numbered_paths("task_experts/" + task.name, options_.task_experts), task.name});
      }
      if (options_.shared_experts > 0) consumer.sees.push_back(shared);
      consumers.push_back(consumer);
    }
    if (options_.shared_experts > 0)
      groups.push_back({inputs.x, numbered_paths("shared_experts", options_.shared_experts)});
    const LevelOutput level =
        build_level(*parts_.expert, *parts_.gate, groups, consumers, "", inputs.row_task);
    name_level(inputs.x.graph(), level, "");
    return build_towers(*parts_.tower, level.mixed, inputs.tasks, inputs.row_task);
  }

 private:
  Options options_;
  MixtureParts parts_;
};

const Register<Architecture, CustomisedGateControl> cgc_registered{
    "cgc", "experts of each task beside shared ones, one gate per task (Tang et al. 2020)"};

}  // namespace
}  // namespace gatewise
