#include "architectures/architecture.h"

#include "base/error.h"

namespace gatewise {

Var ModelInputs::select(const std::vector<std::string>& columns, const std::string& where) const {
  if (columns.empty()) return x;
  std::vector<Var> parts;
  for (const std::string& column : columns) {
    const auto found = features.find(column);
    if (found == features.end()) {
      std::vector<std::string> known;
      for (const auto& [name, value] : features) known.push_back(name);
      command_error("{}: no feature \"{}\".{}", where, column, suggestion(column, known));
    }
    parts.push_back(found->second);
  }
  return concatenate(parts);
}

Json with_part_defaults(const Json& defaults, Json given) {
  if (!given.is_object() || !defaults.contains("type")) return given;
  if (given.contains("type") && given["type"] != defaults["type"]) return given;
  Json whole = defaults;
  whole.update(given);
  return whole;
}

std::vector<std::string> task_paths(const std::string& prefix, const std::vector<TaskHead>& tasks) {
  std::vector<std::string> paths;
  for (const TaskHead& task : tasks) paths.push_back(prefix + "/" + task.name);
  return paths;
}

namespace {

Heads build_own_tower(const Tower& tower, Var representation, const std::vector<TaskHead>& tasks,
                      Var row_task) {
  Var own = representation;
  const Shape& shape = representation.shape();
  if (shape.rank() == 2) own = shape[0] == 1 ? reshape(own, Shape{shape[1]}) : own_rows(own, row_task);
  Heads heads;
  heads.own = reshape(tower.bank(own, task_paths("towers", tasks), tasks[0].outputs, row_task),
                      Shape{tasks[0].outputs});
  return heads;
}

}  // namespace

Heads build_towers(const Tower& tower, Var representation, const std::vector<TaskHead>& tasks, Var row_task) {
  if (row_task.is_valid()) return build_own_tower(tower, representation, tasks, row_task);
  const bool is_shared = representation.shape().rank() == 1;
  const auto count = static_cast<int64_t>(tasks.size());
  const bool is_uniform = std::all_of(tasks.begin(), tasks.end(),
                                      [&](const TaskHead& task) { return task.outputs == tasks[0].outputs; });
  Heads heads;
  if (is_uniform) {
    heads.stacked = tower.bank(representation, task_paths("towers", tasks), tasks[0].outputs, Var());
    for (int64_t task = 0; task < count; ++task) {
      heads.of_task.push_back(reshape(slice(heads.stacked, 0, task, task + 1), Shape{tasks[task].outputs}));
    }
    return heads;
  }
  for (int64_t task = 0; task < count; ++task) {
    const Var own =
        is_shared ? representation
                  : reshape(slice(representation, 0, task, task + 1), Shape{representation.shape().last()});
    const Var out = tower.bank(own, {"towers/" + tasks[task].name}, tasks[task].outputs, Var());
    heads.of_task.push_back(reshape(out, Shape{tasks[task].outputs}));
  }
  return heads;
}

}  // namespace gatewise
