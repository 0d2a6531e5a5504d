// Scores over tasks: values against the same sums in C++, and texts that are refused where they go wrong.
#include "scoring/score_expression.h"

#include <cmath>

#include "base/error.h"
#include "base/random.h"

namespace gatewise {
namespace {

std::vector<PredictionColumns> columns() {
  return {{.name = "click", .kind = "binary", .offset = 0},
          {.name = "buy", .kind = "binary", .offset = 1},
          {.name = "grade",
           .kind = "multiclass",
           .offset = 2,
           .width = 3,
           .class_names = {"low", "4.5", "a]\"b"}},
          {.name = "add-to-cart", .kind = "binary", .offset = 5},
          {.name = "log", .kind = "regression", .offset = 6},
          {.name = "größe", .kind = "regression", .offset = 7}};
}
constexpr int64_t width = 8;

// click, buy, grade (3), add-to-cart, log, größe
const std::vector<double> row{0.25, 0.5, 0.125, 0.75, 0.0625, 0.375, -3, 11};

double score(std::string_view text, const std::vector<double>& predictions = row) {
  double result = 0;
  ScoreExpression(text, columns()).evaluate(predictions.data(), 1, width, &result);
  return result;
}

std::string fault_of(std::string_view text) {
  try {
    const ScoreExpression parsed(text, columns());
  } catch (const Error& fault) {
    EXPECT_EQ(fault.fault(), Fault::Command);
    return fault.what();
  }
  return "taken";
}

TEST(ScoreExpression, ComputesWhatItSays) {
  EXPECT_EQ(score("click"), 0.25);
  EXPECT_EQ(score("click^0.5 * buy"), 0.25);
  EXPECT_EQ(score(" 1+2 * 3 -\t4/8\n"), 6.5);
  EXPECT_EQ(score("10 - 4 - 3"), 3);
  EXPECT_EQ(score("64 / 4 / 2"), 8);
  EXPECT_EQ(score("2^3^2"), 512);
  EXPECT_EQ(score("-2^2"), -4);
  EXPECT_EQ(score("(-2)^2"), 4);
  EXPECT_EQ(score("2^-1"), 0.5);
  EXPECT_EQ(score("2^-2^0"), 0.5);
  EXPECT_EQ(score("--+-5"), -5);
  EXPECT_EQ(score("3 * -2"), -6);
  EXPECT_EQ(score("(1 + 2) * (3 - (4 - 5))"), 12);
  EXPECT_EQ(score("1e3 + .5 + 2.5E-1 + 1."), 1001.75);
  EXPECT_EQ(score("max(click, buy, 0.375)"), 0.5);
  EXPECT_EQ(score("min(buy, click) + max(-1, -2)"), -0.75);
  EXPECT_EQ(score("sqrt(click) + abs(-buy)"), 1);
  EXPECT_EQ(score("log(buy)"), std::log(0.5));
  EXPECT_EQ(score("exp(click - 1)"), std::exp(-0.75));
}

TEST(ScoreExpression, TakesNamesOfAnyKindAndClasses) {
  EXPECT_EQ(score("\"add-to-cart\" + `add-to-cart` + 'add-to-cart'"), 1.125);
  EXPECT_EQ(score("log + abs(log)"), 0);  // a task may be called like a function
  EXPECT_EQ(score("größe - 1"), 10);
  EXPECT_EQ(score("grade[low] + grade[ 4.5 ]"), 0.875);
  EXPECT_EQ(score("grade [\"a]\\\"b\"]"), 0.0625);
  EXPECT_EQ(score("'grade'['low']"), 0.125);
}

TEST(ScoreExpression, SaysWhereATextGoesWrong) {
  EXPECT_EQ(fault_of("clik * 2"), "score: at character 1: no task \"clik\". Did you mean \"click\"?");
  EXPECT_EQ(fault_of("größe * byu"), "score: at character 9: no task \"byu\". Did you mean \"buy\"?");
  EXPECT_EQ(fault_of("grade"), "score: at character 1: \"grade\" has 3 classes; write grade[class]");
  EXPECT_EQ(fault_of("1 + `grade` * 2"),
            "score: at character 5: \"grade\" has 3 classes; write `grade`[class]");
  EXPECT_EQ(fault_of("grade[lo]"),
            "score: at character 7: \"grade\" has no class \"lo\". Did you mean \"low\"?");
  EXPECT_EQ(fault_of("click[1]"), "score: at character 6: \"click\" has no classes; leave the brackets out");
  EXPECT_EQ(fault_of("(click + buy"),
            "score: at character 13: got the end, expected \")\" for what opens at character 1");
  EXPECT_EQ(fault_of("max(1"), "score: at character 6: max takes two values or more");
  EXPECT_EQ(fault_of("sqrt(1, 2)"), "score: at character 7: sqrt takes one value");
  EXPECT_EQ(fault_of("sqr(2)"), "score: at character 1: no function \"sqr\". Did you mean \"sqrt\"?");
  EXPECT_EQ(fault_of("'click"), "score: at character 1: the quote is not closed");
  EXPECT_EQ(fault_of("click buy"), "score: at character 7: got \"b\", expected an operator or the end");
  EXPECT_EQ(fault_of("1e999"), "score: at character 1: the number is too large or too small");
}

TEST(ScoreExpression, RefusesWhatIsNoExpression) {
  for (const char* text :
       {"",          "  ",         "+",          "1 +",    "* 2",   "1 ** 2",   "()",     "max()",  "max(1,)",
        "max(,1)",   "2x",         "1.2.3",      ".",      "1e",    "0x10",     "click)", "grade[", "grade[]",
        "grade[low", "grade['low", "click;",     "\"\"",   "'a\\",  "click(1)", "1,2",    "\xff",   "2^",
        "-",         "min 1, 2",   "click == 1", "sqrt 4", "[low]", "\x01"}) {
    EXPECT_TRUE(fault_of(text).starts_with("score: at character ")) << text << ": " << fault_of(text);
  }
  EXPECT_TRUE(fault_of(std::string_view("click\0+1", 8)).starts_with("score: at character 6"));
}

TEST(ScoreExpression, BoundsLengthAndDepth) {
  const auto nested = [](int depth, const char* open, const char* close) {
    std::string text;
    for (int i = 0; i < depth; ++i) text += open;
    text += "1";
    for (int i = 0; i < depth; ++i) text += close;
    return text;
  };
  EXPECT_EQ(score(nested(60, "(", ")")), 1);
  for (const std::string& deep : {nested(70, "(", ")"), nested(70, "-", ""), nested(70, "2^", ""),
                                  nested(70, "max(1,", ")"), nested(4000, "(", "")}) {
    EXPECT_NE(fault_of(deep).find("are open; simplify the expression"), std::string::npos) << deep;
  }
  std::string sum = "1";
  while (sum.size() + 2 <= ScoreExpression::most_bytes) sum += "+1";
  EXPECT_EQ(score(sum), static_cast<double>(sum.size() / 2 + 1));
  EXPECT_EQ(fault_of(sum + "    "),
            fmt::format("score: the expression is too long; got {} bytes, expected at "
                        "most 4096",
                        sum.size() + 4));
}

// Any bytes are refused or taken, never more.
TEST(ScoreExpression, TakesOrRefusesAnyText) {
  const std::string letters = "click buy[low]'`\"()+-*/^.,0e1\\max";
  const RandomStream stream(3, "texts");
  for (uint64_t i = 0; i < 20000; ++i) {
    std::string text;
    const uint64_t length = stream.below(24, 0, i, 0);
    for (uint32_t k = 0; k < length; ++k) text += letters[stream.below(letters.size(), 1, i, k)];
    const std::string fault = fault_of(text);
    EXPECT_TRUE(fault == "taken" || fault.starts_with("score: at character ")) << text << ": " << fault;
  }
}

TEST(ScoreExpression, GivesEachRowItsOwnScore) {
  constexpr int64_t rows = 333;
  const RandomStream stream(5, "predictions");
  std::vector<double> predictions;
  for (uint64_t i = 0; i < rows * width; ++i) predictions.push_back(stream.uniform(0, i, 0));
  const ScoreExpression expression("click^0.5 * (buy + 2 * grade[4.5]) - max(`add-to-cart`, log)", columns());
  std::vector<double> scores(rows);
  expression.evaluate(predictions.data(), rows, width, scores.data());
  for (int64_t i = 0; i < rows; ++i) {
    const double* of = predictions.data() + i * width;
    const double wanted = std::pow(of[0], 0.5) * (of[1] + 2 * of[3]) - std::max(of[5], of[6]);
    EXPECT_NEAR(scores[i], wanted, 1e-14) << i;
    double alone = 0;
    expression.evaluate(of, 1, width, &alone);
    EXPECT_EQ(alone, scores[i]) << i;
  }
}

TEST(ScoreExpression, HasNoScoreWhereTheResultIsNotFinite) {
  for (const char* text : {"log(0)", "1 / 0", "-1 / 0", "0 / 0", "exp(1000)", "sqrt(-1)", "(-1)^0.5",
                           "max(0 / 0, 1)", "min(1, 0 / 0)", "min(0 / 0, 1)", "max(1, 0 / 0)"}) {
    EXPECT_TRUE(std::isnan(score(text))) << text;
  }
  EXPECT_EQ(score("exp(log(0))"), 0);
}

TEST(BestFirst, OrdersByScoreThenByPlaceAndPutsRowsWithoutScoreLast) {
  const std::vector<double> scores{1, NAN, 3, 1, NAN, 7, 3};
  EXPECT_EQ(best_first(scores, 100), (std::vector<int64_t>{5, 2, 6, 0, 3, 1, 4}));
  EXPECT_EQ(best_first(scores, 3), (std::vector<int64_t>{5, 2, 6}));
  EXPECT_TRUE(best_first(scores, 0).empty());
  EXPECT_TRUE(best_first({}, 5).empty());
}

}  // namespace
}  // namespace gatewise
