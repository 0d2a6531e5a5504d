#include "experiment/constraint.h"

#include <cmath>
#include <cstdlib>

#include "base/error.h"

namespace gatewise {

struct Constraint::Expression {
  char operation = '0';  // '0': a number; 'n': a name; '-' with `left` alone: its negative
  double number = 0;
  std::string name;
  std::unique_ptr<Expression> left, right;

  void rename(const std::map<std::string, std::string>& names) {
    const auto found = names.find(name);
    if (found != names.end()) name = found->second;
    if (left) left->rename(names);
    if (right) right->rename(names);
  }

  double value(const std::map<std::string, double>& values) const {
    switch (operation) {
      case '0':
        return number;
      case 'n':
        return values.at(name);
      case '+':
        return left->value(values) + right->value(values);
      case '-':
        return right ? left->value(values) - right->value(values) : -left->value(values);
      case '*':
        return left->value(values) * right->value(values);
      default:
        return left->value(values) / right->value(values);
    }
  }
};

namespace {

using Expression = Constraint::Expression;

bool is_name_start(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_'; }
bool is_name_part(char c) {
  return is_name_start(c) || std::isdigit(static_cast<unsigned char>(c)) || c == '.' || c == '[' || c == ']';
}

class Parser {
 public:
  Parser(const std::string& text, std::vector<std::string>& names) : text_(text), names_(names) {}

  std::unique_ptr<Expression> sum() {
    std::unique_ptr<Expression> left = product();
    for (char c = next(); c == '+' || c == '-'; c = next()) {
      ++place_;
      left = joined(c, std::move(left), product());
    }
    return left;
  }

  std::string comparison() {
    next();
    for (const char* known : {"<=", ">=", "==", "!=", "<", ">"}) {
      if (text_.compare(place_, std::string(known).size(), known) == 0) {
        place_ += std::string(known).size();
        return known;
      }
    }
    fail("a comparison (<, <=, >, >=, ==, !=)");
  }

  void end() {
    if (next() != 0) fail("the end, or an operator");
  }

 private:
  // The next character that is no space; 0 at the end.
  char next() {
    while (place_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[place_]))) ++place_;
    return place_ < text_.size() ? text_[place_] : '\0';
  }

  [[noreturn]] void fail(const std::string& expected) {
    const std::string rest = place_ < text_.size() ? "\"" + text_.substr(place_) + "\"" : "the end";
    command_error(
        "tune.constraints: \"{}\": at character {}: got {}, expected {}; a constraint is one comparison, as "
        "\"experts * units <= 2048\"",
        text_, place_ + 1, rest, expected);
  }

  static std::unique_ptr<Expression> joined(char operation, std::unique_ptr<Expression> left,
                                            std::unique_ptr<Expression> right) {
    auto whole = std::make_unique<Expression>();
    whole->operation = operation;
    whole->left = std::move(left);
    whole->right = std::move(right);
    return whole;
  }

  std::unique_ptr<Expression> product() {
    std::unique_ptr<Expression> left = factor();
    for (char c = next(); c == '*' || c == '/'; c = next()) {
      ++place_;
      left = joined(c, std::move(left), factor());
    }
    return left;
  }

  std::unique_ptr<Expression> factor() {
    const char c = next();
    if (c == '-' || c == '(') {
      if (++depth_ > 100) fail("fewer brackets inside each other");
      ++place_;
      std::unique_ptr<Expression> inner = c == '-' ? joined('-', factor(), nullptr) : sum();
      --depth_;
      if (c == '(') {
        if (next() != ')') fail("\")\"");
        ++place_;
      }
      return inner;
    }
    if (std::isdigit(static_cast<unsigned char>(c)) || c == '.') return number();
    if (is_name_start(c)) return name();
    fail("a number, the name of an option, or \"(\"");
  }

  std::unique_ptr<Expression> number() {
    char* end = nullptr;
    auto whole = std::make_unique<Expression>();
    whole->number = std::strtod(text_.c_str() + place_, &end);
    const auto length = static_cast<size_t>(end - (text_.c_str() + place_));
    if (length == 0 || !std::isfinite(whole->number)) fail("a number");
    place_ += length;
    return whole;
  }

  std::unique_ptr<Expression> name() {
    const size_t start = place_;
    while (place_ < text_.size() && is_name_part(text_[place_])) ++place_;
    auto whole = std::make_unique<Expression>();
    whole->operation = 'n';
    whole->name = text_.substr(start, place_ - start);
    if (std::find(names_.begin(), names_.end(), whole->name) == names_.end()) names_.push_back(whole->name);
    return whole;
  }

  const std::string& text_;
  std::vector<std::string>& names_;
  size_t place_ = 0;
  int depth_ = 0;
};

}  // namespace

Constraint::Constraint(const std::string& text) : text_(text) {
  Parser parser(text_, names_);
  left_ = parser.sum();
  comparison_ = parser.comparison();
  right_ = parser.sum();
  parser.end();
}

Constraint::~Constraint() = default;
Constraint::Constraint(Constraint&&) noexcept = default;
Constraint& Constraint::operator=(Constraint&&) noexcept = default;

void Constraint::rename(const std::map<std::string, std::string>& names) {
  left_->rename(names);
  right_->rename(names);
  for (std::string& name : names_) {
    const auto found = names.find(name);
    if (found != names.end()) name = found->second;
  }
}

bool Constraint::holds(const std::map<std::string, double>& values) const {
  const double left = left_->value(values), right = right_->value(values);
  if (!std::isfinite(left) || !std::isfinite(right)) return false;
  if (comparison_ == "<=") return left <= right;
  if (comparison_ == ">=") return left >= right;
  if (comparison_ == "<") return left < right;
  if (comparison_ == ">") return left > right;
  return (left == right) == (comparison_ == "==");
}

}  // namespace gatewise
