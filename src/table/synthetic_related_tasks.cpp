#include "table/synthetic_related_tasks.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/random.h"
#include "kernels/sampling.h"
#include "table/directions.h"
#include "table/row_normals.h"

namespace gatewise {
namespace {

constexpr int64_t rows_at_once = 64;  // of features, so that they are still in the cache for their scores

SineConstants drawn_constants(double scale, uint32_t terms, uint64_t seed) {
  const RandomStream stream(seed, "synthetic/constants");
  SineConstants constants{scale, {}, {}};
  for (uint32_t j = 0; j < terms; ++j) {
    constants.alpha.push_back(stream.normal(0, 0, j));
    constants.beta.push_back(stream.normal(1, 0, j));
  }
  return constants;
}

// Lower triangular L [count][count] with L L' = 1 on the diagonal and `correlation` beside it. For two: (1,
// 0) and (p, sqrt(1 - p^2)).
std::vector<std::vector<double>> equicorrelated(int64_t count, double correlation) {
  std::vector<std::vector<double>> lower(static_cast<size_t>(count),
                                         std::vector<double>(static_cast<size_t>(count)));
  for (int64_t t = 0; t < count; ++t) {
    double rest = 1;
    for (int64_t k = 0; k < t; ++k) {
      double overlap = correlation;
      for (int64_t i = 0; i < k; ++i) overlap -= lower[t][i] * lower[k][i];
      // At the ends of the range a direction may be spent; then nothing is left for it to carry.
      lower[t][k] = lower[k][k] > 1e-7 ? overlap / lower[k][k] : 0.0;
      rest -= lower[t][k] * lower[t][k];
    }
    lower[t][t] = std::sqrt(std::max(rest, 0.0));
  }
  return lower;
}

// Covariance of z + sum of sines between two tasks of the given cosine, noise left out.
double covariance(const SineConstants& constants, double correlation) {
  const double c = constants.scale;
  double sum = c * c * correlation;
  for (size_t i = 0; i < constants.alpha.size(); ++i) {
    const double s = constants.alpha[i] * c, b = constants.beta[i];
    sum += 2 * c * correlation * s * std::cos(b) * std::exp(-s * s / 2);
    for (size_t j = 0; j < constants.alpha.size(); ++j) {
      const double other = constants.alpha[j] * c, d = constants.beta[j];
      const double squares = s * s + other * other, product = 2 * correlation * s * other;
      sum += 0.5 * std::cos(b - d) * std::exp(-(squares - product) / 2) -
             0.5 * std::cos(b + d) * std::exp(-(squares + product) / 2) -
             std::sin(b) * std::sin(d) * std::exp(-squares / 2);
    }
  }
  return sum;
}

}  // namespace

SineConstants sine_constants(const std::string& preset, uint64_t seed) {
  if (preset == "calibrated") return {0.35, {6, 11, 16, 21}, {0, 1, 2, 3}};
  if (preset == "calibrated_five") {
    constexpr double turn = 2 * std::numbers::pi;
    return {0.3, {6, 11, 16, 21, 26}, {0, turn / 5, 2 * turn / 5, 3 * turn / 5, 4 * turn / 5}};
  }
  if (preset == "keras") return drawn_constants(0.3, 5, seed);
  if (preset == "ple") return drawn_constants(1, 10, seed);
  if (preset == "gsyn") return {1, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, {0, 1, 4, 9, 16, 25, 36, 49, 64, 81}};
  const std::vector<std::string> known{"calibrated", "calibrated_five", "keras", "ple", "gsyn"};
  command_error("synth.preset: unknown preset \"{}\".{}", preset, suggestion(preset, known));
}

double label_mean(const SineConstants& constants) {
  double mean = 0;
  for (size_t j = 0; j < constants.alpha.size(); ++j) {
    const double s = constants.alpha[j] * constants.scale;
    mean += std::sin(constants.beta[j]) * std::exp(-s * s / 2);
  }
  return mean;
}

double label_variance(const SineConstants& constants, double noise_variance) {
  return covariance(constants, 1) + noise_variance;
}

double label_correlation(const SineConstants& constants, double correlation, double noise_variance) {
  return covariance(constants, correlation) / label_variance(constants, noise_variance);
}

void RelatedTasksOptions::declare(OptionSet& set) {
  set.add("correlation", &correlation,
          "cosine between the weights of any two tasks; 1 makes the tasks equal but for noise, 0 unrelated")
      .range(-1, 1);
  set.add("dimension", &dimension, "number of features, each standard normal").range(1, 100000);
  set.add("tasks", &tasks, "number of tasks, every two of the same correlation").range(1, 1000);
  set.add("noise_variance", &noise_variance, "variance of the noise added to each label").range(0, 1e6);
  set.add("preset", &preset,
          "constants of the sines: calibrated (default) and calibrated_five reproduce the label correlations "
          "of the "
          "paper's figure; keras, ple and gsyn are those of three published generators and do NOT: their "
          "tasks are far "
          "more alike, and the labels of keras can be mostly noise (their alpha and beta are drawn from the "
          "seed)")
      .choices({"calibrated", "calibrated_five", "keras", "ple", "gsyn"});
  set.add("standardise", &standardise,
          "subtract the generator's label mean and divide by its standard deviation, the same for all tasks");
  set.add("seed", &seed, "fixes weights, drawn constants and rows").range(0);
}

RelatedTasks::RelatedTasks(const Options& options)
    : options_(options), constants_(sine_constants(options.preset, static_cast<uint64_t>(options.seed))) {
  const int64_t tasks = options_.tasks, dimension = options_.dimension;
  if (tasks > dimension) {
    command_error("synth.tasks: got {}, expected at most the dimension {}; raise synth.dimension", tasks,
                  dimension);
  }
  if (tasks > 1 && options_.correlation < -1.0 / static_cast<double>(tasks - 1)) {
    command_error("synth.correlation: got {}, expected at least {:.4g} for {} tasks", options_.correlation,
                  -1.0 / static_cast<double>(tasks - 1), tasks);
  }
  rate_.assign(constants_.alpha.begin(), constants_.alpha.end());
  phase_.assign(constants_.beta.begin(), constants_.beta.end());
  const auto directions = orthonormal(
      RandomStream(static_cast<uint64_t>(options_.seed), "synthetic/directions"), tasks, dimension);
  const auto lower = equicorrelated(tasks, options_.correlation);
  weights_.resize(static_cast<size_t>(tasks * dimension));
  for (int64_t t = 0; t < tasks; ++t) {
    for (int64_t i = 0; i < dimension; ++i) {
      double sum = 0;
      for (int64_t k = 0; k <= t; ++k) sum += lower[t][k] * directions[k][i];
      weights_[t * dimension + i] = static_cast<float>(constants_.scale * sum);
    }
    labels_.push_back({fmt::format("y{}", t + 1), "regression"});
  }
  for (int64_t i = 0; i < dimension; ++i) features_.push_back(fmt::format("x{}", i));
  const double variance = label_variance(constants_, options_.noise_variance);
  if (options_.standardise) {
    mean_ = label_mean(constants_);
    inverse_sd_ = 1 / std::sqrt(variance);
  }
}

void RelatedTasks::fill(uint64_t step, int64_t first_row, int64_t rows, float* x, float* label_values) const {
  if (rows > rows_at_once) {
    for (int64_t begin = 0; begin < rows; begin += rows_at_once) {
      fill(step, first_row + begin, std::min(rows_at_once, rows - begin), x + begin * options_.dimension,
           label_values + begin * options_.tasks);
    }
    return;
  }
  if (rows == 0) return;
  const auto seed = static_cast<uint64_t>(options_.seed);
  const int64_t tasks = options_.tasks;
  row_normals(seed, "synthetic/features", step, first_row, rows, options_.dimension, x);
  kernels::row_scores(rows, options_.dimension, tasks, x, weights_.data(), label_values);
  kernels::add_sines(rows * tasks, static_cast<int64_t>(rate_.size()), rate_.data(), phase_.data(),
                     label_values, label_values);
  std::vector<float> noise(static_cast<size_t>(rows * tasks));
  row_normals(seed, "synthetic/noise", step, first_row, rows, tasks, noise.data());
  const float noise_sd = static_cast<float>(std::sqrt(options_.noise_variance));
  const float mean = static_cast<float>(mean_), inverse_sd = static_cast<float>(inverse_sd_);
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t t = 0; t < tasks; ++t) {
      float& label = label_values[row * tasks + t];
      label = (label + noise_sd * noise[row * tasks + t] - mean) * inverse_sd;
    }
  }
}

Json RelatedTasks::truth() const {
  Json weights = Json::array();
  for (int64_t t = 0; t < options_.tasks; ++t) {
    weights.push_back(std::vector<float>(weights_.begin() + t * options_.dimension,
                                         weights_.begin() + (t + 1) * options_.dimension));
  }
  return {{"kind", "related_tasks"},
          {"options", write_options(options_)},
          {"scale", constants_.scale},
          {"alpha", constants_.alpha},
          {"beta", constants_.beta},
          {"weights", std::move(weights)},
          {"label_mean", label_mean(constants_)},
          {"label_variance", label_variance(constants_, options_.noise_variance)},
          {"label_correlation", label_correlation(constants_, options_.correlation, options_.noise_variance)},
          {"noise_floor", options_.noise_variance * inverse_sd_ * inverse_sd_}};
}

namespace {
const Register<SyntheticTable, RelatedTasks> synthetic_related_tasks_registered{
    "related_tasks", "regression tasks of controlled relatedness: lines and sines of correlated directions"};
}  // namespace

}  // namespace gatewise
