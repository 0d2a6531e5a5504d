// The options of architectures that give every task a network of its own: an expert below a tower.
#pragma once

#include "architectures/architecture.h"

namespace gatewise {

struct NetworkOptions {
  Json expert = Json::object();
  Json tower = Json::object();
  void declare(OptionSet& set) {
    set.add("expert", &expert, "the network under each tower: {type, units, ...}; type \"mlp\" unless given");
    set.add("tower", &tower, tower_help);
  }
};

struct NetworkParts {
  std::unique_ptr<Expert> expert;
  std::unique_ptr<Tower> tower;

  explicit NetworkParts(const NetworkOptions& options)
      : expert(make_part<Expert>(options.expert, "model.expert", "mlp")),
        tower(make_part<Tower>(options.tower, "model.tower", "mlp")) {}

  // A network for each task over all features: [tasks, hidden] under "bottoms/<task>".
  Var bottoms(const ModelInputs& inputs) const {
    const Var bottoms = expert->run(inputs.x, task_paths("bottoms", inputs.tasks));
    name_bottoms(inputs, bottoms);
    return bottoms;
  }
  // Names and declares the networks' outputs [tasks, hidden], or [hidden] of the row's own task; `gates` mix
  // them.
  static void name_bottoms(const ModelInputs& inputs, Var bottoms, std::vector<GateProbe> gates = {}) {
    LevelProbe probe{"bottoms", bottoms.node(), {}, std::move(gates)};
    const bool is_own = bottoms.shape().rank() == 1;
    if (is_own) probe.experts.push_back({"bottoms/*", own_task});
    for (const TaskHead& task : inputs.tasks) {
      if (!is_own) probe.experts.push_back({"bottoms/" + task.name, task.name});
    }
    inputs.x.graph().name_value("bottoms", bottoms);
    inputs.x.graph().add_probe(std::move(probe));
  }
  // The same, or where rows belong to one task that of the row's task alone: [hidden].
  Var own_bottoms(const ModelInputs& inputs) const {
    if (!inputs.row_task.is_valid()) return bottoms(inputs);
    const Var bottom = expert->run_own(inputs.x, task_paths("bottoms", inputs.tasks), inputs.row_task);
    name_bottoms(inputs, bottom);
    return bottom;
  }
};

// Throws Error(Command) where a task has only_where: `architecture` estimates every event over all rows.
void refuse_only_where(const std::vector<TaskHead>& tasks, const std::string& architecture);

// The positions of the tasks of a chain in their order; every task once, all binary. `chain` empty: as
// declared. Throws Error(Command).
std::vector<int64_t> chain_order(const std::vector<std::string>& chain, const std::vector<TaskHead>& tasks);

}  // namespace gatewise
