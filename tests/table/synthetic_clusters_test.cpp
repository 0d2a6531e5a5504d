#include "table/synthetic_clusters.h"

#include <cmath>
#include <limits>

#include "tests/table/made_rows.h"

namespace gatewise {
namespace {

// Rows of narrow, far clusters tell their cluster: the nearest centre of the truth.
TEST(Clusters, RowsLieAroundTheirCentresWithZipfSharesAndFollowTheirMaps) {
  const Clusters table({.clusters = 5, .dimension = 4, .tasks = 3, .separation = 10, .width = .1, .seed = 3});
  const Json truth = table.truth();
  const std::vector<std::vector<double>> centres = truth["centres"];
  const std::vector<std::vector<std::vector<double>>> maps = truth["maps"];
  constexpr int64_t rows = 20000;
  const MadeRows made = made_rows(table, 2, 0, rows);
  const std::vector<float>&x = made.x, &labels = made.labels;
  std::vector<double> counts(5);
  double squares = 0;
  for (int64_t row = 0; row < rows; ++row) {
    size_t nearest = 0;
    double least = std::numeric_limits<double>::infinity();
    for (size_t c = 0; c < 5; ++c) {
      double distance = 0;
      for (int64_t i = 0; i < 4; ++i) distance += std::pow(x[row * 4 + i] - centres[c][i], 2);
      if (distance < least) least = distance, nearest = c;
    }
    counts[nearest] += 1.0 / rows;
    squares += least / (4 * rows);
    for (int64_t t = 0; t < 3; ++t) {
      double label = 0;
      for (int64_t i = 0; i < 4; ++i) label += maps[nearest][t][i] * x[row * 4 + i];
      ASSERT_NEAR(labels[row * 3 + t], label, 1e-4);
    }
  }
  EXPECT_NEAR(squares, .01, 1e-3);
  for (size_t c = 0; c < 5; ++c) {
    EXPECT_NEAR(truth["frequencies"][c], 60. / 137 / static_cast<double>(c + 1), 1e-12);
    EXPECT_NEAR(counts[c], truth["frequencies"][c], .015);
  }
}

TEST(Clusters, NoiseHasItsVarianceAndTheExponentZeroGivesEqualShares) {
  ClustersOptions options{.clusters = 4, .zipf_exponent = 0, .noise_variance = .25, .seed = 1};
  const Clusters noisy(options);
  options.noise_variance = 0;
  const Clusters clean(options);
  constexpr int64_t rows = 5000;
  const std::vector<float> labels = made_rows(noisy, 1, 0, rows).labels,
                           expected = made_rows(clean, 1, 0, rows).labels;
  double squares = 0;
  for (size_t i = 0; i < labels.size(); ++i)
    squares += std::pow(labels[i] - expected[i], 2) / static_cast<double>(labels.size());
  EXPECT_NEAR(squares, .25, .01);
  EXPECT_EQ(clean.truth()["frequencies"], Json({.25, .25, .25, .25}));
}

}  // namespace
}  // namespace gatewise
