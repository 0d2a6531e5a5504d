#include "experiment/space.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "experiment/quasi_random.h"

namespace gatewise {
namespace {

TEST(SearchSpace, GivesEveryIntegerAndChoiceAnEqualShare) {
  for (const Dimension& dimension :
       {Dimension::integer("a", 3, 7), Dimension::choice("b", {"u", "v", "w", "x", "y"})}) {
    std::map<std::string, int> counts;
    for (int i = 0; i < 1000; ++i) ++counts[dimension.json(dimension.from_unit((i + 0.5) / 1000)).dump()];
    EXPECT_EQ(counts.size(), 5u) << dimension.name;
    for (const auto& [value, count] : counts) EXPECT_EQ(count, 200) << dimension.name << " " << value;
  }
}

TEST(SearchSpace, SpreadsLogarithmsByRatio) {
  const Dimension rate = Dimension::number("rate", 1e-4, 1e-2, true);
  EXPECT_NEAR(rate.from_unit(0.5), 1e-3, 1e-12);
  const Dimension units = Dimension::integer("units", 8, 128, true);
  // The shares of 8 and of 16 are as wide as log(8.5 / 7.5) and log(16.5 / 15.5).
  const double all = std::log(128.5 / 7.5);
  EXPECT_EQ(units.from_unit(std::log(8.49 / 7.5) / all), 8);
  EXPECT_EQ(units.from_unit(std::log(8.51 / 7.5) / all), 9);
  EXPECT_EQ(units.from_unit(0), 8);
  EXPECT_EQ(units.from_unit(1), 128);
}

TEST(SearchSpace, TakesPlacesNextToABoundForTheBound) {
  const Dimension dropout = Dimension::number("dropout", 0, 0.5),
                  rate = Dimension::number("rate", 1e-4, 0.1, true);
  EXPECT_EQ(dropout.from_unit(1e-16), 0);
  EXPECT_EQ(rate.from_unit(1 - 1e-12), 0.1);
  EXPECT_EQ(rate.from_unit(1e-12), 1e-4);
  EXPECT_GT(dropout.from_unit(1e-5), 0);
}

TEST(SearchSpace, ComesBackFromTheUnitCubeToTheSamePoint) {
  const SearchSpace space({Dimension::number("n", -2, 6), Dimension::number("l", 1e-5, 3, true),
                           Dimension::integer("i", -3, 200), Dimension::integer("k", 1, 4096, true),
                           Dimension::choice("c", {"a", true, 3})});
  for (uint64_t i = 0; i < 200; ++i) {
    const Point point = space.from_unit(quasi_random_point(1, i, space.size()));
    const Point again = space.from_unit(space.to_unit(point));
    for (size_t k = 0; k < space.size(); ++k) EXPECT_NEAR(again[k], point[k], 1e-12 * std::abs(point[k]));
  }
}

TEST(SearchSpace, OrdersChoicesThatAreNumbers) {
  const Dimension batch = Dimension::choice("batch", {1024, 256, 512.5});
  EXPECT_TRUE(batch.has_order());
  EXPECT_EQ(batch.json(0), Json(256));
  EXPECT_EQ(batch.json(2), Json(1024));
  EXPECT_FALSE(Dimension::choice("kind", {"adam", 3}).has_order());
}

TEST(SearchSpace, CountsItsPointsWhereThatIsPossible) {
  const SearchSpace space({Dimension::integer("i", 1, 4), Dimension::choice("c", {"a", "b", "c"})});
  EXPECT_EQ(space.count(100), 12);
  EXPECT_EQ(space.count(12), 12);
  EXPECT_EQ(space.count(9), 10);
  EXPECT_EQ(space.count(5), 6);
  EXPECT_EQ(SearchSpace({Dimension::number("n", 0, 1)}).count(100), 101);
}

TEST(SearchSpace, RefusesWhatIsNoRange) {
  EXPECT_THROW(SearchSpace({Dimension::number("n", 2, 1)}), Error);
  EXPECT_THROW(SearchSpace({Dimension::number("n", 0, 1, true)}), Error);
  EXPECT_THROW(SearchSpace({Dimension::choice("c", {})}), Error);
  EXPECT_THROW(SearchSpace({Dimension::choice("c", {"a", "b", "a"})}), Error);
  EXPECT_THROW(SearchSpace({Dimension::number("n", 0, 1), Dimension::integer("n", 1, 2)}), Error);
}

// The largest difference, over boxes that begin at 0, between the share of points inside and the volume.
double discrepancy(const std::vector<std::vector<double>>& points) {
  double largest = 0;
  for (const auto& corner : points) {
    double inside = 0, volume = 1;
    for (const double side : corner) volume *= side;
    for (const auto& point : points) {
      bool is_inside = true;
      for (size_t k = 0; k < corner.size(); ++k) is_inside = is_inside && point[k] <= corner[k];
      inside += is_inside;
    }
    largest = std::max(largest, std::abs(inside / static_cast<double>(points.size()) - volume));
  }
  return largest;
}

TEST(QuasiRandom, FillsTheCubeMoreEvenlyThanChance) {
  // Chance gives about 1.2 / sqrt(256) = 0.08 in two dimensions, and more in six.
  for (const size_t dimensions : {2u, 6u}) {
    for (uint64_t seed = 1; seed <= 5; ++seed) {
      std::vector<std::vector<double>> points;
      for (uint64_t i = 0; i < 256; ++i) points.push_back(quasi_random_point(seed, i, dimensions));
      EXPECT_LT(discrepancy(points), dimensions == 2 ? 0.03 : 0.08) << dimensions << " " << seed;
    }
  }
}

TEST(QuasiRandom, HasOnePointInEveryIntervalOfItsBase) {
  // The first b^k points of base b have one coordinate in each interval of width b^-k, however scrambled.
  const uint64_t seed = 3;
  for (const auto& [dimension, count] : {std::pair{0u, 64u}, std::pair{1u, 81u}, std::pair{2u, 125u}}) {
    std::vector<int> hits(count);
    for (uint64_t i = 0; i < count; ++i) {
      const double place = quasi_random_point(seed, i, 3)[dimension];
      ASSERT_GE(place, 0);
      ASSERT_LT(place, 1);
      ++hits[static_cast<size_t>(place * count)];
    }
    EXPECT_THAT(hits, testing::Each(1)) << dimension;
  }
}

TEST(QuasiRandom, DrawsTheOrderOfLaterDigitsAnewForEveryFirstOne) {
  // The second digit, in base 3, of the points that begin with each first digit, in the order of the points.
  bool has_differed = false;
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    std::map<int, std::vector<int>> second_digits;
    for (uint64_t i = 0; i < 9; ++i) {
      const auto digits = static_cast<int>(quasi_random_point(seed, i, 2)[1] * 9);
      second_digits[digits / 3].push_back(digits % 3);
    }
    has_differed =
        has_differed || second_digits[0] != second_digits[1] || second_digits[0] != second_digits[2];
  }
  EXPECT_TRUE(has_differed);
}

TEST(QuasiRandom, DependsOnTheSeedAlone) {
  EXPECT_EQ(quasi_random_point(5, 9, 4), quasi_random_point(5, 9, 4));
  EXPECT_NE(quasi_random_point(5, 9, 4), quasi_random_point(6, 9, 4));
}

}  // namespace
}  // namespace gatewise
