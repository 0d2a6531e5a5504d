#include "scoring/score_expression.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numeric>

#include "base/error.h"

namespace gatewise {

// Recursive descent; every rule leaves one value on the stack.
class ScoreParser {
 public:
  using Action = ScoreExpression::Action;

  ScoreParser(std::string_view text, std::span<const PredictionColumns> columns, ScoreExpression& into)
      : text_(text), columns_(columns), into_(into) {}

  void parse() {
    if (text_.size() > ScoreExpression::most_bytes) {
      command_error("score: the expression is too long; got {} bytes, expected at most {}", text_.size(),
                    ScoreExpression::most_bytes);
    }
    sum();
    if (!at_end()) fault(at_, "got {}, expected an operator or the end", what_is_here());
  }

 private:
  struct Function {
    std::string_view name;
    Action action;
    bool takes_many;
  };
  static constexpr std::array<Function, 6> functions{{{"log", Action::Log, false},
                                                      {"exp", Action::Exp, false},
                                                      {"sqrt", Action::Sqrt, false},
                                                      {"abs", Action::Abs, false},
                                                      {"min", Action::Minimum, true},
                                                      {"max", Action::Maximum, true}}};

  template <class... Args>
  [[noreturn]] void fault(size_t at, fmt::format_string<Args...> format, Args&&... args) const {
    const auto starts_character = [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; };
    const auto before =
        std::count_if(text_.begin(), text_.begin() + static_cast<std::ptrdiff_t>(at), starts_character);
    command_error("score: at character {}: {}", before + 1, fmt::format(format, std::forward<Args>(args)...));
  }

  static bool is_digit(char c) { return c >= '0' && c <= '9'; }
  static bool is_quote(char c) { return c == '"' || c == '\'' || c == '`'; }
  // Bytes of other characters than ASCII belong to names.
  static bool starts_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
  }

  char here() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool at_end() {
    skip_blanks();
    return at_ == text_.size();
  }
  void skip_blanks() {
    while (here() == ' ' || here() == '\t' || here() == '\n' || here() == '\r') ++at_;
  }
  bool takes(char wanted) {
    skip_blanks();
    if (at_ == text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }
  void expect(char wanted, size_t opened) {
    if (!takes(wanted)) {
      fault(at_, "got {}, expected \"{}\" for what opens at character {}", what_is_here(), wanted,
            opened + 1);
    }
  }
  std::string what_is_here() const {
    if (at_ >= text_.size()) return "the end";
    const char c = here();
    return c > ' ' && c < 0x7F ? fmt::format("\"{}\"", c) : "a character that has no meaning here";
  }

  void add(Action action, double number = 0, int64_t column = 0) {
    into_.instructions_.push_back({action, number, column});
    if (action == Action::Number || action == Action::Column) {
      into_.stack_height_ = std::max(into_.stack_height_, ++height_);
    } else if (action < Action::Negate) {
      --height_;
    }
  }

  class Level {
   public:
    explicit Level(ScoreParser& parser) : parser_(parser) {
      if (++parser_.depth_ > ScoreExpression::most_depth) {
        parser_.fault(parser_.at_,
                      "more than {} parentheses, signs and powers are open; simplify the expression",
                      ScoreExpression::most_depth);
      }
    }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;
    ~Level() { --parser_.depth_; }

   private:
    ScoreParser& parser_;
  };

  void sum() {
    product();
    while (true) {
      const bool adds = takes('+');
      if (!adds && !takes('-')) return;
      product();
      add(adds ? Action::Add : Action::Subtract);
    }
  }

  void product() {
    signed_power();
    while (true) {
      const bool multiplies = takes('*');
      if (!multiplies && !takes('/')) return;
      signed_power();
      add(multiplies ? Action::Multiply : Action::Divide);
    }
  }

  void signed_power() {
    const Level level(*this);
    if (takes('-')) {
      signed_power();
      add(Action::Negate);
      return;
    }
    if (takes('+')) return signed_power();
    operand();
    if (!takes('^')) return;
    signed_power();
    add(Action::Power);
  }

  void operand() {
    skip_blanks();
    const size_t begin = at_;
    const char c = here();
    if (takes('(')) {
      sum();
      expect(')', begin);
    } else if (is_digit(c) || c == '.') {
      number();
    } else if (is_quote(c)) {
      task(quoted(), begin);
    } else if (starts_name(c)) {
      while (starts_name(here()) || is_digit(here())) ++at_;
      const std::string_view name = text_.substr(begin, at_ - begin);
      skip_blanks();
      here() == '(' ? call(name, begin) : task(std::string(name), begin);
    } else {
      fault(at_, "got {}, expected a number, a task or \"(\"", what_is_here());
    }
  }

  void number() {
    double value = 0;
    const auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + text_.size(), value);
    if (error == std::errc::result_out_of_range) fault(at_, "the number is too large or too small");
    if (error != std::errc()) fault(at_, "got {}, expected a number, a task or \"(\"", what_is_here());
    at_ = static_cast<size_t>(end - text_.data());
    if (starts_name(here()) || here() == '.') fault(at_, "got {} behind a number", what_is_here());
    add(Action::Number, value);
  }

  std::string quoted() {
    const size_t begin = at_;
    const char quote = text_[at_++];
    std::string name;
    for (; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      name += text_[at_];
    }
    if (at_ == text_.size()) fault(begin, "the quote is not closed");
    ++at_;
    return name;
  }

  void call(std::string_view name, size_t begin) {
    const auto* function = std::find_if(functions.begin(), functions.end(),
                                        [&](const Function& known) { return known.name == name; });
    if (function == functions.end()) {
      std::vector<std::string> known;
      for (const Function& one : functions) known.emplace_back(one.name);
      fault(begin, "no function \"{}\".{}", name, suggestion(name, known));
    }
    const size_t opened = at_++;
    sum();
    int64_t values = 1;
    for (; takes(','); ++values) {
      if (!function->takes_many) fault(at_ - 1, "{} takes one value", name);
      sum();
      add(function->action);
    }
    if (function->takes_many && values < 2) fault(at_, "{} takes two values or more", name);
    expect(')', opened);
    if (!function->takes_many) add(function->action);
  }

  void task(const std::string& name, size_t begin) {
    const auto found = std::find_if(columns_.begin(), columns_.end(),
                                    [&](const PredictionColumns& known) { return known.name == name; });
    if (found == columns_.end()) {
      std::vector<std::string> known;
      for (const PredictionColumns& one : columns_) known.push_back(one.name);
      fault(begin, "no task \"{}\".{}", name, suggestion(name, known));
    }
    const size_t bracket = at_;
    if (!takes('[')) {
      if (found->width != 1) {
        fault(begin, "\"{}\" has {} classes; write {}[class]", name, found->width,
              text_.substr(begin, bracket - begin));
      }
      return add(Action::Column, 0, found->offset);
    }
    if (found->class_names.empty()) fault(at_ - 1, "\"{}\" has no classes; leave the brackets out", name);
    add(Action::Column, 0, found->offset + class_of(*found));
  }

  // The place of the class in brackets, the first of which has been read.
  int64_t class_of(const PredictionColumns& task) {
    const size_t opened = at_ - 1;
    skip_blanks();
    const size_t begin = at_;
    std::string name;
    if (is_quote(here())) {
      name = quoted();
    } else {
      const size_t end = std::min(text_.find(']', at_), text_.size());
      std::string_view bare = text_.substr(at_, end - at_);
      bare = bare.substr(0, bare.find_last_not_of(" \t\r\n") + 1);
      name = bare;
      at_ = end;
    }
    expect(']', opened);
    const auto found = std::find(task.class_names.begin(), task.class_names.end(), name);
    if (found == task.class_names.end()) {
      fault(begin, "\"{}\" has no class \"{}\".{}", task.name, name, suggestion(name, task.class_names));
    }
    return found - task.class_names.begin();
  }

  std::string_view text_;
  std::span<const PredictionColumns> columns_;
  ScoreExpression& into_;
  size_t at_ = 0;
  int depth_ = 0;
  int64_t height_ = 0;
};

namespace {

// Rows that are taken through all instructions together: their stack stays in the first cache.
constexpr int64_t block_rows = 64;

template <class Function>
void combine_top(double*& top, int64_t rows, const Function& function) {
  top -= block_rows;
  double* below = top - block_rows;
  for (int64_t row = 0; row < rows; ++row) below[row] = function(below[row], top[row]);
}

template <class Function>
void change_top(double* top, int64_t rows, const Function& function) {
  double* value = top - block_rows;
  for (int64_t row = 0; row < rows; ++row) value[row] = function(value[row]);
}

}  // namespace

ScoreExpression::ScoreExpression(std::string_view text, std::span<const PredictionColumns> columns) {
  ScoreParser(text, columns, *this).parse();
}

void ScoreExpression::run(const double* predictions, int64_t rows, int64_t width, double* stack) const {
  double* top = stack;  // one past the last value
  for (const Instruction& instruction : instructions_) {
    switch (instruction.action) {
      case Action::Number:
        std::fill_n(top, rows, instruction.number);
        top += block_rows;
        break;
      case Action::Column:
        for (int64_t row = 0; row < rows; ++row) top[row] = predictions[row * width + instruction.column];
        top += block_rows;
        break;
      case Action::Add:
        combine_top(top, rows, [](double a, double b) { return a + b; });
        break;
      case Action::Subtract:
        combine_top(top, rows, [](double a, double b) { return a - b; });
        break;
      case Action::Multiply:
        combine_top(top, rows, [](double a, double b) { return a * b; });
        break;
      case Action::Divide:
        combine_top(top, rows, [](double a, double b) { return a / b; });
        break;
      case Action::Power:
        combine_top(top, rows, [](double a, double b) { return std::pow(a, b); });
        break;
      // What is no number stays so, on either side.
      case Action::Minimum:
        combine_top(top, rows, [](double a, double b) { return a < b || std::isnan(a) ? a : b; });
        break;
      case Action::Maximum:
        combine_top(top, rows, [](double a, double b) { return a > b || std::isnan(a) ? a : b; });
        break;
      case Action::Negate:
        change_top(top, rows, [](double a) { return -a; });
        break;
      case Action::Log:
        change_top(top, rows, [](double a) { return std::log(a); });
        break;
      case Action::Exp:
        change_top(top, rows, [](double a) { return std::exp(a); });
        break;
      case Action::Sqrt:
        change_top(top, rows, [](double a) { return std::sqrt(a); });
        break;
      case Action::Abs:
        change_top(top, rows, [](double a) { return std::abs(a); });
        break;
    }
  }
}

void ScoreExpression::evaluate(const double* predictions, int64_t rows, int64_t width, double* scores) const {
  std::vector<double> stack(static_cast<size_t>(stack_height_ * block_rows));
  for (int64_t first = 0; first < rows; first += block_rows) {
    const int64_t count = std::min(block_rows, rows - first);
    run(predictions + first * width, count, width, stack.data());
    for (int64_t row = 0; row < count; ++row)
      scores[first + row] = std::isfinite(stack[row]) ? stack[row] : std::nan("");
  }
}

std::vector<int64_t> best_first(std::span<const double> scores, int64_t top) {
  std::vector<int64_t> order(scores.size());
  std::iota(order.begin(), order.end(), int64_t{0});
  const auto is_before = [&](int64_t a, int64_t b) {
    const double first = scores[a], second = scores[b];
    if (std::isnan(first) || std::isnan(second)) {
      return std::isnan(first) == std::isnan(second) ? a < b : std::isnan(second);
    }
    return first != second ? first > second : a < b;
  };
  const auto kept =
      static_cast<std::ptrdiff_t>(std::clamp<int64_t>(top, 0, static_cast<int64_t>(order.size())));
  std::partial_sort(order.begin(), order.begin() + kept, order.end(), is_before);
  order.resize(static_cast<size_t>(kept));
  return order;
}

}  // namespace gatewise
