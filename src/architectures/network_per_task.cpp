#include "architectures/network_per_task.h"

#include "base/error.h"

namespace gatewise {

void refuse_only_where(const std::vector<TaskHead>& tasks, const std::string& architecture) {
  for (const TaskHead& task : tasks) {
    if (task.only_where.empty()) continue;
    command_error(
        "tasks.{}.only_where: got \"{}\", but {} estimates every event over all rows and takes its loss "
        "there; drop only_where and let the label be 0 where an earlier event failed, or choose another "
        "architecture, whose output then holds given \"{}\"",
        task.name, task.only_where, architecture, task.only_where);
  }
}

std::vector<int64_t> chain_order(const std::vector<std::string>& chain, const std::vector<TaskHead>& tasks) {
  std::vector<std::string> names;
  for (const TaskHead& task : tasks) {
    names.push_back(task.name);
    if (task.kind != "binary") {
      command_error(
          "model.chain: task \"{}\" is {}, expected binary tasks; a chain is made of events that happen "
          "or not",
          task.name, task.kind);
    }
  }
  std::vector<int64_t> order;
  for (const std::string& name : chain.empty() ? names : chain) {
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) command_error("model.chain: no task \"{}\".{}", name, suggestion(name, names));
    const int64_t position = found - names.begin();
    if (std::find(order.begin(), order.end(), position) != order.end())
      command_error("model.chain: task \"{}\" stands there twice", name);
    order.push_back(position);
  }
  if (order.size() != tasks.size()) {
    command_error("model.chain: has {} of {} tasks, expected each once", order.size(), tasks.size());
  }
  return order;
}

}  // namespace gatewise
