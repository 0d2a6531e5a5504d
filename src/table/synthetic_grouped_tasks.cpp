#include "table/synthetic_grouped_tasks.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/random.h"
#include "kernels/rows.h"
#include "kernels/sampling.h"
#include "table/row_normals.h"

namespace gatewise {
namespace {

constexpr int64_t cached_rows = 64;  // of functions of the row, so that they are still in the cache

// E[tanh(a) tanh(b)] of centred normals with these second moments. The trapezoid rule over independent (z1,
// z2) converges exponentially as the step falls below the distance of the poles of tanh, which the scale
// brings nearer.
double tanh_covariance(double aa, double ab, double bb) {
  const double step = std::min(0.25, 0.5 / std::sqrt(std::max(aa, bb)));
  const int nodes = static_cast<int>(std::ceil(8 / step));  // 8 deviations each way
  const double first = std::sqrt(aa), along = ab / first,
               across = std::sqrt(std::max(bb - along * along, 0.0));
  double sum = 0;
  for (int i = 1; i <= nodes; ++i) {  // (-z1, -z2) gives the same as (z1, z2)
    const double z1 = i * step, value = std::tanh(first * z1) * std::exp(-z1 * z1 / 2);
    for (int j = -nodes; j <= nodes; ++j) {
      const double z2 = j * step;
      sum += value * std::tanh(along * z1 + across * z2) * std::exp(-z2 * z2 / 2);
    }
  }
  return sum * step * step / std::numbers::pi;
}

Json nested(const std::vector<float>& values, int64_t width) {
  Json rows = Json::array();
  for (size_t begin = 0; begin < values.size(); begin += static_cast<size_t>(width))
    rows.push_back(std::vector<float>(values.begin() + begin, values.begin() + begin + width));
  return rows;
}

}  // namespace

void GroupedTasksOptions::declare(OptionSet& set) {
  set.add("tasks", &tasks, "number of tasks that depend on the row").range(1, 1000);
  set.add("groups", &groups, "number of groups; consecutive tasks share one").range(1, 1000);
  set.add("features", &features, "number of functions tanh(<w, x>) that the tasks of a group are sums of")
      .range(1, 256);
  set.add("dimension", &dimension, "number of columns x0, x1, ..., each standard normal").range(1, 100000);
  set.add("feature_scale", &feature_scale,
          "typical length of w: the larger, the less the functions are straight lines")
      .range(0.01, 10);
  set.add("readout_scale", &readout_scale, "deviation of the sums' coefficients between groups").above(0);
  set.add("spread", &spread, "the same between the tasks of a group, in shares of readout_scale")
      .range(0, 1e6);
  set.add("noise_variance", &noise_variance, "variance of the noise added to each label").range(0, 1e6);
  set.add("noise_tasks", &noise_tasks, "further tasks whose labels are standard normal noise").range(0, 1000);
  set.add("seed", &seed, "fixes functions, coefficients and rows").range(0);
}

GroupedTasks::GroupedTasks(const Options& options) : options_(options) {
  const int64_t tasks = options_.tasks, groups = options_.groups, count = options_.features,
                dimension = options_.dimension;
  if (groups > tasks) {
    command_error("synth.groups: got {} groups of {} tasks, expected a task for each; lower synth.groups",
                  groups, tasks);
  }
  const auto seed = static_cast<uint64_t>(options_.seed);
  const RandomStream functions(seed, "synthetic/functions"), shared(seed, "synthetic/readouts"),
      own(seed, "synthetic/spread");
  const double scale = options_.feature_scale / std::sqrt(static_cast<double>(dimension));
  for (int64_t function = 0; function < groups * count; ++function) {
    for (int64_t i = 0; i < dimension; ++i) {
      weights_.push_back(static_cast<float>(scale * functions.normal(0, function, static_cast<uint32_t>(i))));
    }
  }
  for (int64_t t = 0; t < tasks; ++t) {
    for (int64_t j = 0; j < count; ++j) {
      const auto element = static_cast<uint32_t>(j);
      const double sum = shared.normal(0, group_of(t), element) + options_.spread * own.normal(0, t, element);
      readouts_.push_back(static_cast<float>(options_.readout_scale * sum));
    }
    labels_.push_back({fmt::format("y{}", t + 1), "regression"});
  }
  for (int64_t t = 0; t < options_.noise_tasks; ++t)
    labels_.push_back({fmt::format("noise{}", t + 1), "regression"});
  for (int64_t i = 0; i < dimension; ++i) features_.push_back(fmt::format("x{}", i));
}

void GroupedTasks::fill(uint64_t step, int64_t first_row, int64_t rows, float* x, float* label_values) const {
  const int64_t all_tasks = static_cast<int64_t>(labels_.size()), width = options_.dimension;
  if (rows > cached_rows) {
    for (int64_t begin = 0; begin < rows; begin += cached_rows) {
      fill(step, first_row + begin, std::min(cached_rows, rows - begin), x + begin * width,
           label_values + begin * all_tasks);
    }
    return;
  }
  if (rows == 0) return;
  const auto seed = static_cast<uint64_t>(options_.seed);
  row_normals(seed, "synthetic/features", step, first_row, rows, width, x);
  const int64_t functions = options_.groups * options_.features;
  std::vector<float> values(static_cast<size_t>(rows * functions));
  kernels::row_scores(rows, width, functions, x, weights_.data(), values.data());
  const kernels::Rows<float> h{values.data(), functions};
  kernels::unary(kernels::Unary::Tanh, 0.0F, rows, functions, kernels::ConstRows<float>(h), h);
  // Of streams of their own, so that tasks of pure noise leave the other labels as they are.
  const int64_t tasks = options_.tasks, noise_tasks = options_.noise_tasks;
  std::vector<float> noise(static_cast<size_t>(rows * tasks)), pure(static_cast<size_t>(rows * noise_tasks));
  row_normals(seed, "synthetic/noise", step, first_row, rows, tasks, noise.data());
  row_normals(seed, "synthetic/noise_tasks", step, first_row, rows, noise_tasks, pure.data());
  const float noise_sd = static_cast<float>(std::sqrt(options_.noise_variance));
  for (int64_t row = 0; row < rows; ++row) {
    float* labels = label_values + row * all_tasks;
    for (int64_t t = 0; t < tasks; ++t) {
      const float* own = &values[row * functions + group_of(t) * options_.features];
      labels[t] = noise_sd * noise[row * tasks + t];
      for (int64_t j = 0; j < options_.features; ++j)
        labels[t] += readouts_[t * options_.features + j] * own[j];
    }
    std::copy_n(pure.begin() + row * noise_tasks, noise_tasks, labels + tasks);
  }
}

std::vector<double> GroupedTasks::covariance(int64_t group) const {
  const int64_t count = options_.features, dimension = options_.dimension;
  const float* weights = &weights_[group * count * dimension];
  const auto overlap = [&](int64_t a, int64_t b) {
    double sum = 0;
    for (int64_t i = 0; i < dimension; ++i)
      sum += double{weights[a * dimension + i]} * weights[b * dimension + i];
    return sum;
  };
  std::vector<double> matrix(static_cast<size_t>(count * count));
  for (int64_t a = 0; a < count; ++a) {
    for (int64_t b = 0; b <= a; ++b) {
      matrix[a * count + b] = matrix[b * count + a] =
          tanh_covariance(overlap(a, a), overlap(a, b), overlap(b, b));
    }
  }
  return matrix;
}

std::vector<double> GroupedTasks::label_variances() const {
  const int64_t count = options_.features;
  std::vector<double> variances;
  std::vector<double> matrix;
  for (int64_t t = 0; t < options_.tasks; ++t) {
    if (t == 0 || group_of(t) != group_of(t - 1)) matrix = covariance(group_of(t));
    double variance = options_.noise_variance;
    for (int64_t a = 0; a < count; ++a) {
      for (int64_t b = 0; b < count; ++b)
        variance += double{readouts_[t * count + a]} * readouts_[t * count + b] * matrix[a * count + b];
    }
    variances.push_back(variance);
  }
  return variances;
}

Json GroupedTasks::truth() const {
  std::vector<int64_t> group;
  for (int64_t t = 0; t < options_.tasks; ++t) group.push_back(group_of(t));
  std::vector<double> variance = label_variances(), floor(group.size(), options_.noise_variance);
  variance.resize(labels_.size(), 1);
  floor.resize(labels_.size(), 1);
  Json weights = Json::array();
  const auto rows = nested(weights_, options_.dimension);
  for (int64_t g = 0; g < options_.groups; ++g) {
    Json own = Json::array();
    for (int64_t j = 0; j < options_.features; ++j) own.push_back(rows[g * options_.features + j]);
    weights.push_back(std::move(own));
  }
  return {{"kind", "grouped_tasks"},
          {"options", write_options(options_)},
          {"group", group},
          {"feature_weights", std::move(weights)},
          {"readouts", nested(readouts_, options_.features)},
          {"label_variance", variance},
          {"noise_floor", floor}};
}

namespace {
const Register<SyntheticTable, GroupedTasks> synthetic_grouped_tasks_registered{
    "grouped_tasks",
    "regression tasks in groups that are sums of the same functions, and tasks of pure noise"};
}  // namespace

}  // namespace gatewise
