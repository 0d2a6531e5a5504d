#include "experiment/searcher.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "benchmarks/search/functions.h"

namespace gatewise {
namespace {

Searcher searcher_of(const TestFunction& function, uint64_t seed) {
  SearcherOptions options;
  options.seed = seed;
  return Searcher(SearchSpace(function.dimensions), {}, {}, options);
}

std::vector<Observation> search(const Searcher& searcher, const TestFunction& function, int64_t evaluations) {
  std::vector<Observation> known;
  for (int64_t i = 0; i < evaluations; ++i) {
    const std::optional<Point> point = searcher.propose(i, known, {});
    if (!point) break;
    known.push_back({*point, function.value(*point)});
  }
  return known;
}

double best_of(const std::vector<Observation>& known) {
  double best = std::numeric_limits<double>::infinity();
  for (const Observation& observation : known) best = std::fmin(best, observation.value);
  return best;
}

TEST(Searcher, ComesCloseToTheMinimumOfBraninInThirtyEvaluations) {
  const TestFunction branin = test_functions()[0];
  for (uint64_t seed = 1; seed <= 2; ++seed)
    EXPECT_LT(best_of(search(searcher_of(branin, seed), branin, 30)) - branin.minimum, 0.1) << seed;
}

TEST(Searcher, ComesCloseToTheMinimumOverIntegersAndChoices) {
  const TestFunction mixed = test_functions()[2];
  EXPECT_LT(best_of(search(searcher_of(mixed, 1), mixed, 30)) - mixed.minimum, 0.4);
}

TEST(Searcher, IsAFunctionOfItsArguments) {
  const TestFunction mixed = test_functions()[2];
  const std::vector<Observation> known = search(searcher_of(mixed, 4), mixed, 14);
  const std::vector<Point> pending{known.back().point};
  const std::vector<Observation> seen(known.begin(), known.end() - 1);
  const Searcher one = searcher_of(mixed, 4), other = searcher_of(mixed, 4);
  EXPECT_EQ(one.propose(14, seen, pending), other.propose(14, seen, pending));
  EXPECT_NE(searcher_of(mixed, 5).propose(0, {}, {}), one.propose(0, {}, {}));
}

TEST(Searcher, SpreadsPointsThatAreUnderWayTogether) {
  const TestFunction branin = test_functions()[0];
  const Searcher searcher = searcher_of(branin, 1);
  const std::vector<Observation> known = search(searcher, branin, 12);
  std::vector<Point> pending;
  for (int64_t i = 12; i < 16; ++i) pending.push_back(*searcher.propose(i, known, pending));
  for (size_t i = 0; i < pending.size(); ++i) {
    for (size_t k = 0; k < i; ++k) {
      const std::vector<double> a = searcher.space().to_unit(pending[i]),
                                b = searcher.space().to_unit(pending[k]);
      EXPECT_GT(std::hypot(a[0] - b[0], a[1] - b[1]), 0.01) << i << " " << k;
    }
  }
}

TEST(Searcher, KeepsToItsConstraints) {
  std::vector<Constraint> constraints;
  constraints.emplace_back("experts * units <= limit");
  constraints.emplace_back("units > 20");
  const SearchSpace space({Dimension::integer("experts", 1, 64, true),
                           Dimension::integer("units", 8, 256, true),
                           Dimension::number("rate", 1e-4, 1e-1, true)});
  const Searcher searcher(space, std::move(constraints), {{"limit", 512}}, {.seed = 2, .starts = 6});
  std::vector<Observation> known;
  for (int64_t i = 0; i < 20; ++i) {
    const std::optional<Point> point = searcher.propose(i, known, {});
    ASSERT_TRUE(point);
    EXPECT_LE((*point)[0] * (*point)[1], 512);
    EXPECT_GT((*point)[1], 20);
    known.push_back({*point, -(*point)[0] * (*point)[1] + std::abs(std::log10((*point)[2] / 0.01))});
  }
  EXPECT_LE(best_of(known), -480) << "the best points lie at the constraint";
}

TEST(Searcher, RefusesConstraintsThatNothingSatisfiesAndNamesThatAreNone) {
  const auto make = [](const std::string& text) {
    std::vector<Constraint> constraints;
    constraints.emplace_back(text);
    const SearchSpace space({Dimension::integer("experts", 1, 8), Dimension::choice("kind", {"a", "b"})});
    return Searcher(space, std::move(constraints), {}, {});
  };
  EXPECT_THROW(make("experts > 9"), Error);
  EXPECT_THROW(make("kind > 9"), Error);
  EXPECT_NO_THROW(make("experts > 7"));
  std::vector<Constraint> fixed;
  fixed.emplace_back("units > 9");
  try {
    const Searcher searcher(SearchSpace({Dimension::integer("experts", 1, 8)}), std::move(fixed),
                            {{"units", 8}}, {});
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("no option in it is searched; got units = 8"));
  }
  try {
    make("expert > 7");
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("Did you mean \"experts\"?"));
  }
}

TEST(Searcher, TriesEveryPointOfASmallSpaceOnceAndEnds) {
  const SearchSpace space({Dimension::integer("i", 1, 4), Dimension::choice("c", {"a", "b", "c"})});
  std::vector<Constraint> constraints;
  constraints.emplace_back("i != 2");
  const Searcher searcher(space, std::move(constraints), {}, {.seed = 1, .starts = 3});
  std::vector<Observation> known;
  while (const std::optional<Point> point = searcher.propose(static_cast<int64_t>(known.size()), known, {})) {
    for (const Observation& before : known) EXPECT_NE(before.point, *point);
    known.push_back({*point, (*point)[0] + (*point)[1]});
    ASSERT_LE(known.size(), 9u);
  }
  EXPECT_EQ(known.size(), 9u);
}

TEST(Searcher, GoesOnAfterFailuresAndKeepsAwayFromThem) {
  TestFunction half = test_functions()[0];
  const auto branin_value = half.value;
  // Half of the space fails.
  half.value = [&](const Point& point) { return point[0] < 2 ? std::nan("") : branin_value(point); };
  const std::vector<Observation> known = search(searcher_of(half, 3), half, 30);
  EXPECT_LT(best_of(known) - half.minimum, 0.1);
  const auto failures = std::count_if(known.begin() + 10, known.end(),
                                      [](const Observation& one) { return std::isnan(one.value); });
  EXPECT_LT(failures, 8);
}

TEST(Searcher, AsksNoProcessWhileEverythingFails) {
  const Searcher searcher = searcher_of(test_functions()[0], 1);
  std::vector<Observation> known;
  const Searcher starter(searcher.space(), {}, {}, {.seed = 1, .starts = 100});
  for (int64_t i = 0; i < 12; ++i) {
    known.push_back({*searcher.propose(i, known, {}), std::nan("")});
    EXPECT_EQ(known.back().point, starter.propose(i, {}, {})) << "the even spread goes on";
  }
}

TEST(Searcher, TriesTheGivenPointFirst) {
  const TestFunction branin = test_functions()[0];
  const Searcher searcher(SearchSpace(branin.dimensions), {}, {}, {}, Point{1.5, 3.5});
  EXPECT_EQ(searcher.propose(0, {}, {}), (Point{1.5, 3.5}));
  EXPECT_EQ(searcher.propose(1, {}, {}), searcher_of(branin, 1).propose(0, {}, {}));
}

TEST(Searcher, SeesTheBestAndTheFarthestOfManyObservations) {
  const SearchSpace space({Dimension::number("a", 0, 1)});
  std::vector<Observation> observations;
  for (int i = 0; i < 100; ++i) observations.push_back({{0.5 + 0.001 * i}, 100.0 - i});
  observations.push_back({{0.0}, 1000});
  observations.push_back({{1.0}, std::nan("")});
  const std::vector<size_t> seen = representative_observations(space, observations, 12);
  EXPECT_EQ(seen.size(), 12u);
  for (const size_t best : {96u, 97u, 98u, 99u, 100u, 101u}) EXPECT_THAT(seen, testing::Contains(best));
  EXPECT_EQ(representative_observations(space, observations, 200).size(), observations.size());
}

}  // namespace
}  // namespace gatewise
