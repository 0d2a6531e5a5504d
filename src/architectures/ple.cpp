// Progressive layered extraction (Tang, Liu, Zhao, Gong; RecSys 2020): levels of customised gate control.
// Between levels every task and the shared experts carry a vector of their own; a shared gate over all
// experts feeds the shared vector.
#include "architectures/mixture.h"

namespace gatewise {
namespace {

class ProgressiveLayeredExtraction final : public Architecture {
 public:
  struct Options : MixtureOptions {
    int64_t levels = 2;
    int64_t shared_experts = 4;
    int64_t task_experts = 2;
    void declare(OptionSet& set) {
      set.add("levels", &levels, "levels of experts; 1 is \"cgc\"").range(1, 16);
      set.add("shared_experts", &shared_experts, "experts in every level that all tasks see")
          .range(0, 4096)
          .search(1, 8, true);
      set.add("task_experts", &task_experts, "experts of each task in every level")
          .range(1, 4096)
          .search(1, 8, true);
      MixtureOptions::declare(set);
    }
  };

  explicit ProgressiveLayeredExtraction(const Options& options) : options_(options), parts_(options) {}

  Heads build(const ModelInputs& inputs) const override {
    const auto tasks = static_cast<int>(inputs.tasks.size());
    const bool shares = options_.shared_experts > 0;
    std::vector<Var> read(tasks + 1, inputs.x);
    std::vector<Var> selectors(tasks + 1, inputs.select(options_.gate_features, "model.gate_features"));
    LevelOutput level;
    for (int64_t index = 0; index < options_.levels; ++index) {
      const std::string scope = fmt::format("levels/{}/", index);
      const bool is_last = index + 1 == options_.levels;
      std::vector<ExpertGroup> groups;
      std::vector<Consumer> consumers;
      std::vector<int> all;
      for (int task = 0; task < tasks; ++task) {
        const std::string& name = inputs.tasks[task].name;
        groups.push_back(
            {read[task], numbered_paths(scope + "task_experts/" + name, options_.task_experts), name});
        std::vector<int> sees{task};
        if (shares) sees.push_back(tasks);
        consumers.push_back({scope + "gates/" + name, selectors[task], sees, {}, name});
        all.push_back(task);
      }
      if (shares) {
        groups.push_back({read[tasks], numbered_paths(scope + "shared_experts", options_.shared_experts)});
        all.push_back(tasks);
        if (!is_last) consumers.push_back({scope + "shared_gate", selectors[tasks], all, {}});
      }
      level = build_level(*parts_.expert, *parts_.gate, groups, consumers, scope,
                          is_last ? inputs.row_task : Var());
      name_level(inputs.x.graph(), level, scope);
      for (size_t i = 0; i < consumers.size() && !is_last; ++i)
        read[i] = selectors[i] = level.of(static_cast<int64_t>(i));
    }
    return build_towers(*parts_.tower, level.mixed, inputs.tasks, inputs.row_task);
  }

 private:
  Options options_;
  MixtureParts parts_;
};

const Register<Architecture, ProgressiveLayeredExtraction> ple_registered{
    "ple", "levels of task and shared experts, with a shared path between levels (Tang et al. 2020)"};

}  // namespace
}  // namespace gatewise
