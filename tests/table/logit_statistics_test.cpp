#include "table/logit_statistics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/random.h"

namespace gatewise {
namespace {

TEST(LogitStatistics, TheBiasBringsTheMeanToTheRate) {
  const RandomStream stream(1, "test");
  for (const double sd : {0., 1., 5.}) {
    std::vector<double> scores;
    for (int i = 0; i < 2000; ++i) scores.push_back(3 + sd * stream.normal(0, i, 0));
    for (const double rate : {1e-5, .001, .3, .5, .99}) {
      const double bias = bias_for_rate(scores, rate);
      double mean = 0;
      for (const double score : scores) mean += 1 / (1 + std::exp(-bias - score)) / 2000;
      EXPECT_NEAR(mean / rate, 1, 1e-8) << sd << " " << rate;
    }
  }
}

TEST(LogitStatistics, TheBestAucIsThatOfAllPairsOfRows) {
  const RandomStream stream(2, "test");
  std::vector<double> chances, shares;
  for (int i = 0; i < 40; ++i) {
    chances.push_back(std::round(10 * stream.uniform(0, i, 0)) / 10);  // with ties
    shares.push_back(stream.uniform(0, i, 1));
  }
  for (const bool has_shares : {false, true}) {
    double won = 0, pairs = 0;
    for (int a = 0; a < 40; ++a) {
      for (int b = 0; b < 40; ++b) {
        if (a == b) continue;
        const double weight = chances[a] * (1 - chances[b]) * (has_shares ? shares[a] * shares[b] : 1);
        pairs += weight;
        won += weight * (chances[a] > chances[b] ? 1 : chances[a] == chances[b] ? .5 : 0);
      }
    }
    const double found = has_shares ? best_auc(chances, shares) : best_auc(chances);
    EXPECT_NEAR(found, won / pairs, 1e-12);
  }
  EXPECT_NEAR(best_auc(std::vector<double>(30, .2)), .5, 1e-12);
  EXPECT_TRUE(std::isnan(best_auc(std::vector<double>(3, 0.))));
}

TEST(LogitStatistics, CorrelationsOfLinesAreExact) {
  const std::vector<double> a{1, 2, 4}, b{-2, -4, -8}, flat{3, 3, 3}, other{1, 0, 1};
  EXPECT_NEAR(correlation_of(a, a), 1, 1e-12);
  EXPECT_NEAR(correlation_of(a, b), -1, 1e-12);
  EXPECT_EQ(correlation_of(a, flat), 0);
  // Means 7/3 and 2/3; sums of squares 14/3 and 2/3, of products 1/3.
  EXPECT_NEAR(correlation_of(a, other), 1 / std::sqrt(28.), 1e-12);
}

}  // namespace
}  // namespace gatewise
