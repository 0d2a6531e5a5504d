#include "gates/schedule.h"

#include <cmath>

#include "base/error.h"

namespace gatewise {

struct Schedule::Table {
  double from = 0, to = 0;
  int64_t steps = 1000;
  std::string shape = "linear";
  void declare(OptionSet& set) {
    set.add("from", &from, "value at the first step");
    set.add("to", &to, "value after the last step of the schedule");
    set.add("steps", &steps, "steps from the first value to the last").range(1);
    set.add("shape", &shape, "equal differences or equal ratios").choices({"linear", "geometric"});
  }
};

void Schedule::declare(OptionSet& set, const std::string& name, const std::string& help) {
  set.add(name, &json_, help + "; a number, or {from, to, steps, shape = \"linear\" or \"geometric\"}");
}

void Schedule::check(const std::string& where, double low) const {
  if (json_.is_number()) {
    const double value = json_.get<double>();
    if (!(value >= low) || !std::isfinite(value))
      command_error("{}: got {}, expected at least {}", where, value, low);
    return;
  }
  if (!json_.is_object()) {
    command_error("{}: got {}, expected a number or a table {{from, to, steps, shape}}", where, json_.dump());
  }
  for (const char* name : {"from", "to"}) {
    if (!json_.contains(name))
      command_error("{}: \"{}\" is missing; a schedule goes from one value to another", where, name);
  }
  const auto table = read_options<Table>(json_, where);
  const double least = std::min(table.from, table.to);
  if (!(least >= low)) command_error("{}: got {}, expected at least {}", where, least, low);
  if (table.shape == "geometric" && least <= 0) {
    command_error("{}: got {}, expected more than 0: equal ratios never reach 0; use shape = \"linear\"",
                  where, least);
  }
}

bool Schedule::is(double value) const {
  if (json_.is_number()) return json_.get<double>() == value;
  return json_.at("from") == value && json_.at("to") == value;
}

Var Schedule::value(Graph& graph, const std::string& path) const {
  if (is_constant()) return graph.constant({json_.get<double>()}, Shape{});
  const auto table = read_options<Table>(json_, path);
  const auto number = [&](double value) { return graph.constant({value}, Shape{}); };
  const Var progress = graph.state(path + "/progress", Shape{}, 0);
  // What rounding has kept out of the progress, or many small steps would drift or vanish (Kahan 1965).
  const Var owed = graph.state(path + "/progress_owed", Shape{}, 0);
  const Var one = number(1);
  const Var step = add(owed, number(1 / static_cast<double>(table.steps)));
  const Var next = add(progress, step);
  graph.update(progress, select(greater(next, one), one, next));
  graph.update(owed, subtract(step, subtract(next, progress)));
  if (table.shape == "geometric") {
    const Var exponent = add(number(std::log(table.from)),
                             multiply(progress, number(std::log(table.to) - std::log(table.from))));
    return exp(exponent);
  }
  return add(number(table.from), multiply(progress, number(table.to - table.from)));
}

}  // namespace gatewise
