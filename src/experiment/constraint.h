// Conditions on the options of a configuration: "experts * units <= 2048".
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace gatewise {

// One comparison (<, <=, >, >=, ==, !=) of two sums or products (+, -, *, / and brackets) of numbers and
// names. A name is an option by its path, model.expert.units[0], or by the end of it, units.
class Constraint {
 public:
  // Throws Error(Command) that shows where the text goes wrong.
  explicit Constraint(const std::string& text);
  ~Constraint();
  Constraint(Constraint&&) noexcept;
  Constraint& operator=(Constraint&&) noexcept;

  const std::string& text() const { return text_; }
  // Names in the order of the text, each once.
  const std::vector<std::string>& names() const { return names_; }
  // Names by other names; those that `names` lacks stay.
  void rename(const std::map<std::string, std::string>& names);
  // `values` holds a value for every name. False where a division by zero decides.
  bool holds(const std::map<std::string, double>& values) const;

  struct Expression;

 private:
  std::string text_;
  std::string comparison_;
  std::unique_ptr<Expression> left_, right_;
  std::vector<std::string> names_;
};

}  // namespace gatewise
