#include "experiment/constraint.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "tests/base/message_of.h"

namespace gatewise {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::string refusal_of_constraint(const std::string& text) {
  return message_of([&] { Constraint constraint(text); });
}

TEST(Constraint, ComparesSumsAndProductsWithTheUsualPrecedence) {
  const std::map<std::string, double> values{{"experts", 8}, {"model.expert.units[0]", 64}, {"rate", 0.5}};
  EXPECT_TRUE(Constraint("experts * model.expert.units[0] <= 512").holds(values));
  EXPECT_FALSE(Constraint("experts * model.expert.units[0] < 512").holds(values));
  EXPECT_TRUE(Constraint("2 + 3 * experts == 26").holds(values));
  EXPECT_TRUE(Constraint("(2 + 3) * experts == 40").holds(values));
  EXPECT_TRUE(Constraint("20 - 8 - experts == 4").holds(values));
  EXPECT_TRUE(Constraint("64 / experts / 2 == 4").holds(values));
  EXPECT_TRUE(Constraint("-experts + 10 >= 2").holds(values));
  EXPECT_TRUE(Constraint("rate != 1e-3").holds(values));
  EXPECT_TRUE(Constraint("experts>7").holds(values));
}

TEST(Constraint, KeepsNamesOnceInTheirOrder) {
  EXPECT_THAT(Constraint("b * a <= b + 3").names(), ElementsAre("b", "a"));
}

TEST(Constraint, HoldsNotWhereItDividesByZero) {
  const std::map<std::string, double> values{{"a", 0}};
  EXPECT_FALSE(Constraint("1 / a >= 2").holds(values));
  EXPECT_FALSE(Constraint("1 / a != 2").holds(values));
}

TEST(Constraint, SaysWhereATextGoesWrong) {
  EXPECT_THAT(refusal_of_constraint("experts * <= 3"), HasSubstr("at character 11: got \"<= 3\""));
  EXPECT_THAT(refusal_of_constraint("experts * 3"), HasSubstr("got the end, expected a comparison"));
  EXPECT_THAT(refusal_of_constraint("(a + 1 <= 3"), HasSubstr("expected \")\""));
  EXPECT_THAT(refusal_of_constraint("a <= 3 <= 4"), HasSubstr("got \"<= 4\""));
  EXPECT_THAT(refusal_of_constraint("a = 3"), HasSubstr("expected a comparison"));
  EXPECT_THAT(refusal_of_constraint(""), HasSubstr("expected a number, the name of an option"));
  EXPECT_THAT(refusal_of_constraint(std::string(300, '(')), HasSubstr("fewer brackets"));
}

}  // namespace
}  // namespace gatewise
