#include "architectures/adaptive_fusion.h"

namespace gatewise {
namespace {

// The native weights of a unit at its place among all experts: 1 for a single expert, learned for several.
Var native_weights(Graph& graph, const std::string& path, const std::vector<ExpertGroup>& groups, int own) {
  const auto experts = static_cast<int64_t>(groups[own].paths.size());
  std::vector<Var> parts;
  for (int group = 0; group < static_cast<int>(groups.size()); ++group) {
    const auto size = static_cast<int64_t>(groups[group].paths.size());
    if (group == own && experts > 1) {
      const double half_width = std::sqrt(1 / static_cast<double>(experts));
      parts.push_back(graph.parameter(path, Shape{experts}, Initializer::uniform(half_width)));
    } else {
      parts.push_back(graph.constant(std::vector<double>(size, group == own ? 1 : 0), Shape{size}));
    }
  }
  return concatenate(parts);
}

}  // namespace

Heads build_fusion(const FusionSizes& sizes, const MixtureOptions& options, const MixtureParts& parts,
                   const ModelInputs& inputs) {
  Graph& graph = inputs.x.graph();
  const auto tasks = static_cast<int>(inputs.tasks.size());
  std::vector<Var> read(tasks + 1, inputs.x);
  std::vector<Var> selectors(tasks + 1, inputs.select(options.gate_features, "model.gate_features"));
  LevelOutput level;
  for (int64_t index = 0; index < sizes.levels; ++index) {
    const std::string scope = fmt::format("levels/{}/", index);
    const bool is_last = index + 1 == sizes.levels;
    const bool has_shared_unit = sizes.shared_experts > 0 && !is_last;
    std::vector<ExpertGroup> groups;
    std::vector<int> all;
    for (int task = 0; task < tasks; ++task) {
      const std::string prefix = scope + "task_experts/" + inputs.tasks[task].name;
      groups.push_back({read[task], numbered_paths(prefix, sizes.task_experts), inputs.tasks[task].name});
      all.push_back(task);
    }
    if (sizes.shared_experts > 0) {
      groups.push_back({read[tasks], numbered_paths(scope + "shared_experts", sizes.shared_experts)});
      all.push_back(tasks);
    }
    std::vector<Consumer> consumers;
    for (int task = 0; task < tasks; ++task) {
      const std::string& name = inputs.tasks[task].name;
      consumers.push_back({scope + "gates/" + name, selectors[task], all,
                           native_weights(graph, scope + "native/" + name, groups, task), name});
    }
    if (has_shared_unit) {
      consumers.push_back({scope + "shared_gate", selectors[tasks], all,
                           native_weights(graph, scope + "shared_native", groups, tasks)});
    }
    level =
        build_level(*parts.expert, *parts.gate, groups, consumers, scope, is_last ? inputs.row_task : Var());
    name_level(graph, level, scope);
    for (size_t i = 0; i < consumers.size() && !is_last; ++i)
      read[i] = selectors[i] = level.of(static_cast<int64_t>(i));
  }
  return build_towers(*parts.tower, level.mixed, inputs.tasks, inputs.row_task);
}

}  // namespace gatewise
