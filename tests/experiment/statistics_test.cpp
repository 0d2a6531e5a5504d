#include "experiment/statistics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace gatewise {
namespace {

using testing::DoubleNear;
using testing::ElementsAre;

// Distributions with few degrees of freedom have closed forms.
TEST(StudentT, AgreesWithClosedForms) {
  for (const double t : {0.01, 0.3, 1.0, 2.5, 12.0, 400.0}) {
    EXPECT_NEAR(student_t_two_sided(t, 1), 1 - 2 * std::atan(t) / std::numbers::pi, 1e-13);
    EXPECT_NEAR(student_t_two_sided(t, 2), 1 - t / std::sqrt(2 + t * t), 1e-13);
    const double s = t / std::sqrt(3.0);
    EXPECT_NEAR(student_t_two_sided(t, 3), 1 - 2 / std::numbers::pi * (s / (1 + s * s) + std::atan(s)),
                1e-13);
    EXPECT_EQ(student_t_two_sided(-t, 7), student_t_two_sided(t, 7));
  }
  EXPECT_NEAR(student_t_two_sided(1.5, 1e7), std::erfc(1.5 / std::numbers::sqrt2), 1e-6);
}

// The values of printed tables.
TEST(StudentT, HasTheQuantilesOfTables) {
  EXPECT_NEAR(student_t_quantile(0.95, 1), 12.706, 5e-4);
  EXPECT_NEAR(student_t_quantile(0.95, 4), 2.776, 5e-4);
  EXPECT_NEAR(student_t_quantile(0.95, 19), 2.093, 5e-4);
  EXPECT_NEAR(student_t_quantile(0.99, 10), 3.169, 5e-4);
  EXPECT_NEAR(student_t_two_sided(student_t_quantile(0.9, 6), 6), 0.1, 1e-12);
}

TEST(Summaries, HaveTheIntervalOfTheMean) {
  const Summary summary = summarise({1, 2, 3, 4, 5});
  EXPECT_EQ(summary.mean, 3);
  EXPECT_NEAR(*summary.deviation, std::sqrt(2.5), 1e-14);
  EXPECT_NEAR(*summary.high - 3, 2.776445 * std::sqrt(2.5 / 5), 1e-5);
  EXPECT_NEAR(3 - *summary.low, *summary.high - 3, 1e-14);
  const Summary single = summarise({7});
  EXPECT_EQ(single.mean, 7);
  EXPECT_FALSE(single.deviation || single.low || single.high);
}

TEST(PairedTest, AsksWhetherTheMeanDifferenceIsZero) {
  // t = 2 / (sqrt(2.5) / sqrt(5)), 4 degrees: a differs from 0 by as much as {1, ..., 5} from 1.
  EXPECT_NEAR(*paired_p({0, 1, 2, 3, 4}), student_t_two_sided(2 * std::sqrt(2.0), 4), 1e-14);
  EXPECT_NEAR(*paired_p({0, 1, 2, 3, 4}), 0.0474, 1e-4);
  EXPECT_EQ(*paired_p({0, 0, 0}), 1);
  EXPECT_EQ(*paired_p({1, 1}), 0);
  EXPECT_FALSE(paired_p({1}).has_value());
}

TEST(Holm, MultipliesTheSmallestByTheNumberOfComparisonsAndKeepsTheOrder) {
  EXPECT_THAT(holm({0.01, 0.04, 0.03, 0.005}), ElementsAre(DoubleNear(0.03, 1e-12), DoubleNear(0.06, 1e-12),
                                                           DoubleNear(0.06, 1e-12), DoubleNear(0.02, 1e-12)));
  EXPECT_THAT(holm({0.9, 0.8}), ElementsAre(1, 1));
  EXPECT_THAT(holm({}), ElementsAre());
}

}  // namespace
}  // namespace gatewise
