#include "table/synthetic_clusters.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/random.h"
#include "table/row_normals.h"

namespace gatewise {
namespace {

Json matrix_of(const float* values, int64_t rows, int64_t columns) {
  Json matrix = Json::array();
  for (int64_t row = 0; row < rows; ++row)
    matrix.push_back(std::vector<float>(values + row * columns, values + (row + 1) * columns));
  return matrix;
}

}  // namespace

void ClustersOptions::declare(OptionSet& set) {
  set.add("clusters", &clusters, "number of clusters").range(1, 10000);
  set.add("dimension", &dimension, "number of columns x0, x1, ...").range(1, 10000);
  set.add("tasks", &tasks, "number of labels").range(1, 1000);
  set.add("separation", &separation, "deviation of each coordinate between the centres").range(0, 1e6);
  set.add("width", &width, "deviation of each coordinate around the centre of a row's cluster").range(0, 1e6);
  set.add("zipf_exponent", &zipf_exponent,
          "the i-th cluster has a share of rows proportional to 1 / i^this; 0: equal shares")
      .range(0, 10);
  set.add("noise_variance", &noise_variance, "variance of the noise added to each label").range(0, 1e6);
  set.add("seed", &seed, "fixes centres, maps and rows").range(0);
}

Clusters::Clusters(const Options& options) : options_(options) {
  const int64_t clusters = options_.clusters, dimension = options_.dimension, tasks = options_.tasks;
  const auto seed = static_cast<uint64_t>(options_.seed);
  for (int64_t c = 0; c < clusters; ++c)
    frequencies_.push_back(std::pow(static_cast<double>(c + 1), -options_.zipf_exponent));
  const double total = std::accumulate(frequencies_.begin(), frequencies_.end(), 0.0);
  for (double& frequency : frequencies_) frequency /= total;

  const RandomStream centres(seed, "synthetic/centres"), maps(seed, "synthetic/maps");
  const double scale = 1 / std::sqrt(static_cast<double>(dimension));
  for (int64_t c = 0; c < clusters; ++c) {
    for (int64_t i = 0; i < dimension; ++i) {
      const double normal = centres.normal(0, c, static_cast<uint32_t>(i));
      centres_.push_back(static_cast<float>(options_.separation * normal));
    }
    for (int64_t element = 0; element < tasks * dimension; ++element)
      maps_.push_back(static_cast<float>(scale * maps.normal(0, c, static_cast<uint32_t>(element))));
  }
  for (int64_t i = 0; i < dimension; ++i) features_.push_back(fmt::format("x{}", i));
  for (int64_t t = 0; t < tasks; ++t) labels_.push_back({fmt::format("y{}", t + 1), "regression"});
}

void Clusters::fill(uint64_t step, int64_t first_row, int64_t rows, float* x, float* label_values) const {
  const int64_t dimension = options_.dimension, tasks = options_.tasks;
  const auto seed = static_cast<uint64_t>(options_.seed);
  row_normals(seed, "synthetic/features", step, first_row, rows, dimension, x);
  row_normals(seed, "synthetic/noise", step, first_row, rows, tasks, label_values);
  const RandomStream choices(seed, "synthetic/clusters");
  const auto width = static_cast<float>(options_.width);
  const auto noise_sd = static_cast<float>(std::sqrt(options_.noise_variance));
  for (int64_t row = 0; row < rows; ++row) {
    double left = choices.uniform(step, first_row + row, 0);
    int64_t cluster = 0;
    while (cluster + 1 < options_.clusters && left >= frequencies_[cluster]) left -= frequencies_[cluster++];
    float* own = x + row * dimension;
    for (int64_t i = 0; i < dimension; ++i) own[i] = centres_[cluster * dimension + i] + width * own[i];
    for (int64_t t = 0; t < tasks; ++t) {
      const float* map = &maps_[(cluster * tasks + t) * dimension];
      float& label = label_values[row * tasks + t];
      label = std::inner_product(map, map + dimension, own, noise_sd * label);
    }
  }
}

Json Clusters::truth() const {
  const int64_t clusters = options_.clusters, tasks = options_.tasks, dimension = options_.dimension;
  Json maps = Json::array();
  for (int64_t c = 0; c < clusters; ++c)
    maps.push_back(matrix_of(&maps_[c * tasks * dimension], tasks, dimension));
  return {{"kind", "clusters"},          {"options", write_options(options_)},
          {"frequencies", frequencies_}, {"centres", matrix_of(centres_.data(), clusters, dimension)},
          {"maps", std::move(maps)},     {"noise_floor", options_.noise_variance}};
}

namespace {
const Register<SyntheticTable, Clusters> synthetic_clusters_registered{
    "clusters", "regression on rows in clusters of unequal size, each with a linear map of its own"};
}  // namespace

}  // namespace gatewise
