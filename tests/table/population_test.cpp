#include "table/population.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace gatewise {
namespace {

TEST(Population, MembersAreDrawnByTheirShares) {
  for (const double skew : {0., .6, 1., 1.7}) {
    const Population population(3, "test", 50, 1, skew);
    const RandomStream stream(4, "draws");
    std::vector<double> counts(50);
    constexpr int draws = 100000;
    for (int i = 0; i < draws; ++i) counts[population.member(stream.uniform(0, i, 0))] += 1.0 / draws;
    double total = 0;
    for (int k = 0; k < 50; ++k) {
      const double share = population.share(k);
      total += share;
      EXPECT_NEAR(counts[k], share, 4.5 * std::sqrt(share / draws)) << skew << " " << k;
      // The integral of x^-skew over an interval of length 1 lies near the value in its middle.
      EXPECT_NEAR(share / population.share(20), std::pow((k + 1.5) / 21.5, -skew),
                  .12 * share / population.share(20));
    }
    EXPECT_NEAR(total, 1, 1e-12);
    EXPECT_EQ(population.member(0), 0);
    EXPECT_EQ(population.member(std::nextafter(1., 0.)), 49);
  }
}

TEST(Population, IdsAreAShuffleOfTheMembers) {
  const Population population(3, "test", 1000, 1, 1), other(4, "test", 1000, 1, 1);
  std::set<uint64_t> ids;
  int64_t unmoved = 0, alike = 0;
  for (int64_t k = 0; k < 1000; ++k) {
    ids.insert(population.id(k));
    unmoved += population.id(k) == static_cast<uint64_t>(k);
    alike += population.id(k) == other.id(k);
  }
  EXPECT_EQ(ids.size(), 1000u);
  EXPECT_EQ(*ids.rbegin(), 999u);
  EXPECT_LT(unmoved, 10);
  EXPECT_LT(alike, 10);
}

TEST(Population, FactorsHaveUnitVarianceAndNoCorrelationOverRows) {
  const Population population(3, "test", 400, 5, 1);
  for (int a = 0; a < 5; ++a) {
    for (int b = 0; b <= a; ++b) {
      double mean = 0, product = 0;
      for (int64_t k = 0; k < 400; ++k) {
        mean += population.share(k) * population.factors(k)[a];
        product += population.share(k) * population.factors(k)[a] * population.factors(k)[b];
      }
      EXPECT_NEAR(mean, 0, 1e-6);
      EXPECT_NEAR(product, a == b ? 1 : 0, 1e-6);
    }
  }
}

TEST(Population, AFewMembersHaveAsFewFactors) {
  const Population one(3, "test", 1, 2, 1), three(3, "test", 3, 4, 1);
  EXPECT_EQ(one.factors(0)[0], 0);
  EXPECT_EQ(one.id(one.member(.9)), 0u);
  EXPECT_NE(three.factors(0)[1], 0);
  for (int64_t k = 0; k < 3; ++k) {
    for (int f = 2; f < 4; ++f) EXPECT_EQ(three.factors(k)[f], 0);
  }
}

}  // namespace
}  // namespace gatewise
