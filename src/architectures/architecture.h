// An architecture: a plain function from the features of a row to one output per task.
#pragma once

#include <map>

#include "gates/gate.h"
#include "towers/tower.h"

namespace gatewise {

struct TaskHead {
  std::string name;
  int64_t outputs = 1;          // logits: 1, or the number of classes
  std::string kind = "binary";  // or "regression", "multiclass"
  std::string only_where = {};  // task on whose rows with label 1 alone this one has labels; empty: all rows
};

struct ModelInputs {
  Var x;                                // [width] all features side by side
  std::map<std::string, Var> features;  // by column, for parts that read only some
  std::vector<TaskHead> tasks;
  // Where rows belong to one task each: ids of the row's task, all of which have equally many outputs. Empty
  // otherwise. An architecture that takes it gives Heads::own.
  Var row_task = {};

  // The features of these columns side by side; all of x when the list is empty. `where` names the option.
  Var select(const std::vector<std::string>& columns, const std::string& where) const;
};

// Logits of every task: of_task[k] has shape [outputs].
struct Heads {
  std::vector<Var> of_task;
  Var stacked;  // [tasks, outputs] where all tasks have equally many, otherwise empty
  Var own;      // [outputs] of the row's own task; the others are empty then
};

inline constexpr const char* tower_help =
    "the network of a task: {type, units, ...}; type \"mlp\" unless given";

class Architecture {
 public:
  virtual ~Architecture() = default;
  virtual Heads build(const ModelInputs& inputs) const = 0;
  // The tasks in the order of a chain of events, none of which happens without those before it; empty for
  // architectures that assume none.
  virtual std::vector<int64_t> chain(const std::vector<TaskHead>& /*tasks*/) const { return {}; }
};

// Towers over one shared representation [in] or one per task [tasks, in]: "towers/<task>". With `row_task`
// only the tower of the row's task runs, over [in], [1, in], or what is the task's of [tasks, in].
Heads build_towers(const Tower& tower, Var representation, const std::vector<TaskHead>& tasks,
                   Var row_task = {});

// The options of a part whose default is a table: what is given wins, and the rest of the default stays where
// the part is of the default's type.
Json with_part_defaults(const Json& defaults, Json given);

std::vector<std::string> task_paths(const std::string& prefix, const std::vector<TaskHead>& tasks);

}  // namespace gatewise
