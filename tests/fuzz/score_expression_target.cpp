// Expressions over the predictions of tasks: what is read gives each row a finite score or none.
#include <cmath>

#include "scoring/score_expression.h"
#include "tests/fuzz/target.h"

namespace gatewise {
namespace {

void score_by_expression(std::string_view input) {
  static const std::vector<PredictionColumns> columns{
      {.name = "click", .kind = "binary", .offset = 0},
      {.name = "add to cart", .kind = "binary", .offset = 1},
      {.name = "grade", .kind = "multiclass", .offset = 2, .width = 3, .class_names = {"a", "b c", "]"}}};
  static const std::vector<double> predictions{0.1, 0.9, 0.2, 0.3, 0.5, 0, 1, 1, 0, 0};
  constexpr int64_t rows = 2, width = 5;
  const ScoreExpression expression(input, columns);
  double scores[rows], alone = 0;
  expression.evaluate(predictions.data(), rows, width, scores);
  expression.evaluate(predictions.data() + width, 1, width, &alone);
  for (const double score : scores)
    fuzz_require(std::isfinite(score) || std::isnan(score), "a score is infinite");
  fuzz_require(alone == scores[1] || (std::isnan(alone) && std::isnan(scores[1])),
               "a row has another score alone than among others");
  fuzz_require(best_first(scores, 1).size() == 1, "the best of two is one");
}

std::vector<std::string> expressions() {
  return {"click^0.5 * `add to cart` + 0.1 * grade[\"b c\"]",
          "-(click - 1.5e-3) / max(grade[a], 'add to cart', 2)", "log(exp(sqrt(abs(-click))))",
          "min(1, 2, 3)^-2^2", "grade[']'] - .5"};
}

std::vector<std::string> words_of_expressions() {
  return {"click", "grade[a]", "`add to cart`", "log(",     "exp(", "max(", ")",
          "^",     "-",        "1e308",         "((((((((", "\\\"", ","};
}

const RegisterFuzzTarget score_expression_registered{
    "score_expression", {score_by_expression, expressions, words_of_expressions, 3000}};

}  // namespace
}  // namespace gatewise
