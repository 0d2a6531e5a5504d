#include "experiment/gaussian_process.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "experiment/acquisition.h"
#include "experiment/quasi_random.h"
#include "experiment/value_scale.h"

namespace gatewise {
namespace {

using Places = std::vector<std::vector<double>>;

SearchSpace mixed_space() {
  return SearchSpace({Dimension::number("a", 0, 1), Dimension::number("b", 0, 1),
                      Dimension::integer("i", 1, 5), Dimension::choice("c", {"x", "y", "z"})});
}

Places places_of(const SearchSpace& space, uint64_t count) {
  Places places;
  for (uint64_t i = 0; i < count; ++i)
    places.push_back(space.to_unit(space.from_unit(quasi_random_point(1, i, space.size()))));
  return places;
}

double truth(const std::vector<double>& place) {
  return std::sin(5 * place[0]) + 0.5 * place[2] + (place[3] > 0.4 ? 0.7 : -0.2);
}

std::vector<double> values_of(const Places& places) {
  std::vector<double> values;
  for (const auto& place : places) values.push_back(truth(place));
  return standard_values(values);
}

const KernelParameters example{{-1.0, 0.3, -0.4, 0.2}, 0.4, -3.0};

TEST(GaussianProcess, DerivesItsPosteriorAsDifferencesDo) {
  const SearchSpace space = mixed_space();
  const Places places = places_of(space, 12);
  const std::vector<double> values = values_of(places);
  std::vector<double> gradient;
  GaussianProcess::negative_log_posterior(space, places, values, example, &gradient);
  ASSERT_EQ(gradient.size(), 6u);
  constexpr double step = 1e-5;
  for (size_t i = 0; i < gradient.size(); ++i) {
    const auto shifted = [&](double by) {
      KernelParameters parameters = example;
      (i < 4 ? parameters.lengths[i] : i == 4 ? parameters.signal : parameters.noise) += by;
      return GaussianProcess::negative_log_posterior(space, places, values, parameters);
    };
    EXPECT_NEAR(gradient[i], (shifted(step) - shifted(-step)) / (2 * step), 1e-6) << i;
  }
}

// The textbook's formulas with an explicit inverse, one dimension, no shared code.
TEST(GaussianProcess, PredictsAsTheFormulasSay) {
  const SearchSpace space({Dimension::number("a", 0, 1)});
  const Places places{{0.1}, {0.4}, {0.8}};
  const std::vector<double> values{0.3, -1.1, 0.6};
  const double length = 0.3, signal = 1.7, noise = 0.05;
  const auto kernel = [&](double a, double b) {
    const double r = std::abs(a - b) / length;
    return signal * (1 + std::sqrt(5.0) * r + 5 * r * r / 3) * std::exp(-std::sqrt(5.0) * r);
  };
  Eigen::Matrix3d covariance;
  for (int i = 0; i < 3; ++i) {
    for (int k = 0; k < 3; ++k) covariance(i, k) = kernel(places[i][0], places[k][0]) + (i == k ? noise : 0);
  }
  const Eigen::Matrix3d inverse = covariance.inverse();
  const Eigen::Vector3d ones = Eigen::Vector3d::Ones(), targets(values.data());
  const double mean = ones.dot(inverse * targets) / (ones.dot(inverse * ones) + 1);
  const GaussianProcess process(space, places, values,
                                {{std::log(length)}, std::log(signal), std::log(noise)});
  for (const double at : {0.0, 0.25, 0.4, 0.95}) {
    Eigen::Vector3d near;
    for (int i = 0; i < 3; ++i) near(i) = kernel(at, places[i][0]);
    const GaussianProcess::Prediction found = process.predict({at});
    EXPECT_NEAR(found.means(0), mean + near.dot(inverse * (targets - mean * ones)), 1e-7) << at;
    EXPECT_NEAR(found.variance, signal - near.dot(inverse * near), 1e-7) << at;
  }
  double smallest = 1e9;
  for (const auto& place : places) smallest = std::min(smallest, process.predict(place).means(0));
  EXPECT_NEAR(process.best_means()(0), smallest, 1e-7);
}

TEST(GaussianProcess, FindsWhatMattersAndPredictsIt) {
  const SearchSpace space = mixed_space();
  const Places places = places_of(space, 60);
  std::vector<double> values;
  for (const auto& place : places) values.push_back(truth(place));
  const GaussianProcess process = GaussianProcess::fit(space, places, standard_values(values));
  const std::vector<double>& lengths = process.parameters().lengths;
  EXPECT_GT(lengths[1], std::log(2.0)) << "the function does not depend on b";
  EXPECT_LT(lengths[0], lengths[1] - 1);
  EXPECT_LT(process.parameters().noise, std::log(1e-3)) << "there is no noise";
}

TEST(GaussianProcess, CallsRandomValuesNoise) {
  const SearchSpace space({Dimension::number("a", 0, 1)});
  const RandomStream random(3, "noise");
  Places places;
  std::vector<double> values;
  for (uint64_t i = 0; i < 50; ++i) {
    places.push_back({(static_cast<double>(i) + 0.5) / 50});
    values.push_back(random.normal(0, i, 0));
  }
  const GaussianProcess process = GaussianProcess::fit(space, places, standard_values(values));
  EXPECT_GT(process.parameters().noise, std::log(0.3));
}

TEST(GaussianProcess, TakesPendingPointsForMoreUncertainThanSeenOnesAndLessThanUnknown) {
  const SearchSpace space = mixed_space();
  const Places places = places_of(space, 10), pending{{0.5, 0.5, 0.5, 0.5}};
  const GaussianProcess process(space, places, values_of(places), example);
  const GaussianProcess with = process.with_pending(pending, 512, 7);
  const GaussianProcess::Prediction before = process.predict(pending[0]), after = with.predict(pending[0]);
  EXPECT_LT(after.variance, 0.2 * before.variance);
  // Over the samples the belief is what it was: the same mean, and the variance that went from inside.
  EXPECT_NEAR(after.means.mean(), before.means(0), 1e-9);
  const double spread = (after.means.array() - after.means.mean()).square().mean();
  EXPECT_NEAR(spread + after.variance, before.variance, 0.15 * before.variance);
}

// In one dimension the posterior of the length is known by summing its density over a grid.
TEST(GaussianProcess, DrawsParametersFromTheirPosterior) {
  const SearchSpace space({Dimension::number("a", 0, 1)});
  const Places places{{0.05}, {0.3}, {0.5}, {0.65}, {0.95}};
  const std::vector<double> values = standard_values({0.2, 0.9, 1.4, 1.1, -0.3});
  double weights = 0, mean = 0;
  for (double length = -4.5; length < 4.5; length += 0.1) {
    for (double signal = -4.5; signal < 5; signal += 0.2) {
      for (double noise = -18; noise < 0.6; noise += 0.5) {
        const double weight = std::exp(
            -GaussianProcess::negative_log_posterior(space, places, values, {{length}, signal, noise}));
        weights += weight;
        mean += weight * length;
      }
    }
  }
  mean /= weights;
  double drawn = 0;
  constexpr int64_t count = 1500;
  for (const GaussianProcess& process : GaussianProcess::fit(space, places, values).draws(count, 3))
    drawn += process.parameters().lengths[0] / count;
  EXPECT_NEAR(drawn, mean, 0.06);
}

TEST(Acquisition, FollowsTheExpectationWhereThatCanBeComputed) {
  for (double z = -7; z < 4; z += 0.37) {
    // By numerical integration of (z + t) phi(t) over t > -z.
    double sum = 0;
    constexpr double step = 1e-4;
    for (double t = -z + step / 2; t < -z + 12; t += step)
      sum += (z + t) * std::exp(-0.5 * t * t) / std::sqrt(2 * M_PI) * step;
    EXPECT_NEAR(log_improvement(z).value, std::log(sum), 1e-6) << z;
  }
}

TEST(Acquisition, StaysSmoothFarBelow) {
  for (const double z : {-1.0, -3.0, -19.99, -20.01, -50.0, -1e4}) {
    const double step = 1e-5 * std::abs(z);
    const double slope = (log_improvement(z + step).value - log_improvement(z - step).value) / (2 * step);
    EXPECT_NEAR(log_improvement(z).slope, slope, 1e-6 * std::abs(z) + 2e-6) << z;
  }
  EXPECT_NEAR(log_improvement(-20 - 1e-9).value, log_improvement(-20 + 1e-9).value, 1e-6);
}

TEST(Acquisition, DerivesTheImprovementAsDifferencesDo) {
  const SearchSpace space = mixed_space();
  const Places places = places_of(space, 10);
  const GaussianProcess example_process(space, places, values_of(places), example);
  const std::vector<GaussianProcess> processes{
      example_process.with_pending({{0.5, 0.5, 0.5, 0.5}}, 4, 7),
      GaussianProcess(space, places, values_of(places), {{0.2, -0.5, 0.6, 0.1}, 0.1, -5.0})};
  const std::vector<double> place{0.31, 0.62, 0.3, 0.5};
  std::vector<double> gradient;
  log_expected_improvement(processes, place, &gradient);
  constexpr double step = 1e-6;
  for (size_t i = 0; i < 3; ++i) {
    std::vector<double> above = place, below = place;
    above[i] += step;
    below[i] -= step;
    const double slope =
        (log_expected_improvement(processes, above) - log_expected_improvement(processes, below)) /
        (2 * step);
    EXPECT_NEAR(gradient[i], slope, 1e-5) << i;
  }
  EXPECT_EQ(gradient[3], 0);
  // An average of expectations, not of logarithms.
  double mean = 0;
  for (const GaussianProcess& process : processes)
    mean += std::exp(log_expected_improvement({process}, place)) / static_cast<double>(processes.size());
  EXPECT_NEAR(log_expected_improvement(processes, place), std::log(mean), 1e-9);
}

TEST(ValueScale, CutsTerribleValuesAndKeepsTheDistancesOfGoodOnes) {
  // The best is 1 and the median 3: what lies above 3 + 4 * 2 is cut.
  const std::vector<double> scaled = standard_values({3, 1, 1e6, 2, std::nan(""), 4, 2.5, 12});
  EXPECT_EQ(scaled[4], scaled[2]) << "a failure counts as the worst";
  EXPECT_EQ(scaled[7], scaled[2]);
  EXPECT_LT(scaled[5], scaled[2]);
  EXPECT_NEAR((scaled[2] - scaled[0]) / (scaled[0] - scaled[1]), 4, 1e-9);
  EXPECT_NEAR((scaled[6] - scaled[3]) / (scaled[0] - scaled[1]), 0.25, 1e-9);
  double sum = 0, squares = 0;
  for (const double value : scaled) {
    sum += value;
    squares += value * value;
  }
  EXPECT_NEAR(sum, 0, 1e-9);
  EXPECT_NEAR(squares, 8, 1e-9);
}

TEST(ValueScale, LeavesEqualValuesAtZero) {
  for (const double value : standard_values({2, 2, 2})) EXPECT_EQ(value, 0);
}

}  // namespace
}  // namespace gatewise
