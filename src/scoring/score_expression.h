// One number per row out of the predictions of several tasks, as ranking requests ask for it:
//
//   click^0.5 * buy + 0.1 * grade["good"]
//
// Numbers; tasks by name, in quotes of any kind ("add to cart", 'add to cart', `add to cart`) where the name
// is no identifier, with \ before a quote inside; classes of multiclass tasks in brackets, bare or quoted;
// + - * / ^, the last from the right and before a sign on its left (-a^2 is -(a^2)); parentheses; log
// (natural), exp, sqrt and abs of one value, min and max of two or more.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "scoring/predictor.h"

namespace gatewise {

class ScoreExpression {
 public:
  // Longer texts, and texts that open more at once (parentheses, signs, powers), are refused.
  static constexpr size_t most_bytes = 4096;
  static constexpr int most_depth = 64;

  // `columns`: Predictor::columns(). Throws Error(Command) "score: ... at character N ...", N counted from 1,
  // with the nearest name of a task or class that is not known.
  ScoreExpression(std::string_view text, std::span<const PredictionColumns> columns);

  // scores [rows] from predictions [rows, width], in double; a row's score depends on no other row. What is
  // not finite (log(0), 1 / 0, too large) is NaN: no score, which best_first() puts last. Any number of
  // threads may evaluate one expression.
  void evaluate(const double* predictions, int64_t rows, int64_t width, double* scores) const;

 private:
  friend class ScoreParser;
  enum class Action : uint8_t {
    Number,
    Column,
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    Minimum,
    Maximum,
    Negate,
    Log,
    Exp,
    Sqrt,
    Abs
  };
  // Of a machine with a stack of values: numbers and columns are put on top, the rest takes from there.
  struct Instruction {
    Action action;
    double number = 0;
    int64_t column = 0;
  };

  void run(const double* predictions, int64_t rows, int64_t width, double* stack) const;

  std::vector<Instruction> instructions_;
  int64_t stack_height_ = 0;
};

// The `top` rows of the highest scores, highest first; rows of equal scores in their order, those without a
// score (NaN) behind all others.
std::vector<int64_t> best_first(std::span<const double> scores, int64_t top);

}  // namespace gatewise
