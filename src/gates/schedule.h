// Numbers that change while a model trains: temperatures, weights of auxiliary losses.
#pragma once

#include "base/options.h"
#include "graph/ops.h"

namespace gatewise {

// An option that is a number or a table {from, to, steps, shape}: from the first value to the last over the
// first `steps` steps, in equal differences ("linear") or in equal ratios ("geometric").
class Schedule {
 public:
  Schedule(double value) : json_(value) {}  // NOLINT: a number is a schedule

  // Adds the option; `help` says what the number does.
  void declare(OptionSet& set, const std::string& name, const std::string& help);
  bool is_constant() const { return !json_.is_object(); }
  // Whether it is this number throughout.
  bool is(double value) const;
  // Checks the table; `where` is the option's path. Values must be >= low. Throws Error(Command).
  void check(const std::string& where, double low) const;
  // The value of the current step, Static []. Its progress is a state of the model at `path`, so that it is
  // saved and resumed with it, and a trained model keeps the value it ended with.
  Var value(Graph& graph, const std::string& path) const;

 private:
  struct Table;
  Json json_;
};

}  // namespace gatewise
