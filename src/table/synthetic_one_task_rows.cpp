#include "table/synthetic_one_task_rows.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "table/directions.h"

namespace gatewise {
namespace {

// The standard deviation of tanh(scale * z) for a standard normal z, by the trapezoidal rule.
double sd_of_tanh(double scale) {
  constexpr double spacing = 1.0 / 64;
  double sum = 0, total = 0;
  for (double z = -8; z <= 8; z += spacing) {
    const double density = std::exp(-z * z / 2), value = std::tanh(scale * z);
    sum += density * value * value;
    total += density;
  }
  return std::sqrt(sum / total);
}

}  // namespace

void OneTaskRowsOptions::declare(OptionSet& set) {
  set.add("tasks", &tasks, "number of tasks").range(1, 1024);
  set.add("groups", &groups, "number of groups of tasks; task t is of group t modulo groups").range(1, 1024);
  set.add("dimension", &dimension, "number of features, each standard normal").range(1, 10000);
  set.add("functions", &functions, "functions of the features that the tasks of a group share")
      .range(1, 1024);
  set.add("scale", &scale, "steepness of the functions: near 0 lines, large steps").above(0);
  set.add("difference", &difference,
          "how far the tasks of a group differ: the length of what is a task's own in its readout, against a "
          "common part of length 1")
      .range(0, 100);
  set.add(
         "imbalance", &imbalance,
         "rows of the largest task, the first, over those of the smallest, the last; those between shrink by "
         "equal factors")
      .range(1, 1e9);
  set.add("shares", &shares,
          "rows of each task relative to the others, in place of imbalance; [] means imbalance")
      .above(0);
  set.add("noise_variance", &noise_variance, "variance of the noise added to labels of variance 1")
      .range(0, 1e6);
  set.add("seed", &seed, "fixes functions, readouts and rows").range(0);
}

OneTaskRows::OneTaskRows(const Options& options)
    : options_(options),
      task_draws_(static_cast<uint64_t>(options.seed), "one_task_rows/tasks"),
      feature_draws_(static_cast<uint64_t>(options.seed), "one_task_rows/features"),
      noise_draws_(static_cast<uint64_t>(options.seed), "one_task_rows/noise"),
      ids_{{"task", static_cast<uint64_t>(options.tasks), true}} {
  if (options_.groups > options_.tasks) {
    command_error("synth.groups: got {}, expected at most the {} tasks", options_.groups, options_.tasks);
  }
  if (options_.functions > options_.dimension) {
    command_error("synth.functions: got {}, expected at most the dimension {}; raise synth.dimension",
                  options_.functions, options_.dimension);
  }
  for (int64_t i = 0; i < options_.dimension; ++i) features_.push_back(fmt::format("x{}", i));
  set_shares();
  draw_functions();
}

void OneTaskRows::set_shares() {
  const int64_t tasks = options_.tasks;
  shares_ = options_.shares;
  if (shares_.empty()) {
    for (int64_t t = 0; t < tasks; ++t) {
      const double place = tasks == 1 ? 0 : static_cast<double>(t) / static_cast<double>(tasks - 1);
      shares_.push_back(std::pow(options_.imbalance, -place));
    }
  }
  if (static_cast<int64_t>(shares_.size()) != tasks)
    command_error("synth.shares: got {} shares for {} tasks, expected one for each", shares_.size(), tasks);
  double total = 0, sum = 0;
  for (const double share : shares_) total += share;
  for (double& share : shares_) {
    share /= total;
    shares_up_to_.push_back(sum += share);
  }
}

void OneTaskRows::draw_functions() {
  const auto seed = static_cast<uint64_t>(options_.seed);
  const RandomStream directions(seed, "one_task_rows/directions"), common(seed, "one_task_rows/groups"),
      own(seed, "one_task_rows/readouts");
  const int64_t functions = options_.functions;
  for (int64_t g = 0; g < options_.groups; ++g) {
    directions_.push_back(
        orthonormal(directions, functions, options_.dimension, static_cast<uint64_t>(g * functions)));
  }
  for (int64_t t = 0; t < options_.tasks; ++t) {
    const auto group = static_cast<uint64_t>(t % options_.groups);
    std::vector<double> readout = orthonormal(common, 1, functions, group).front();
    const std::vector<double> rest = orthonormal(own, 1, functions, static_cast<uint64_t>(t)).front();
    double square = 0;
    for (int64_t j = 0; j < functions; ++j) {
      readout[j] += options_.difference * rest[j];
      square += readout[j] * readout[j];
    }
    for (double& weight : readout) weight /= std::sqrt(square);
    readouts_.push_back(std::move(readout));
  }
  function_sd_ = sd_of_tanh(options_.scale);
}

int64_t OneTaskRows::task_of(uint64_t step, int64_t row) const {
  const double at = task_draws_.uniform(step, static_cast<uint64_t>(row), 0);
  const auto found = std::upper_bound(shares_up_to_.begin(), shares_up_to_.end(), at);
  return std::min<int64_t>(found - shares_up_to_.begin(), options_.tasks - 1);
}

void OneTaskRows::fill_ids(uint64_t step, int64_t first_row, int64_t rows, uint64_t* values) const {
  for (int64_t i = 0; i < rows; ++i) values[i] = static_cast<uint64_t>(task_of(step, first_row + i));
}

void OneTaskRows::fill(uint64_t step, int64_t first_row, int64_t rows, float* x, float* label_values) const {
  const double noise_sd = std::sqrt(options_.noise_variance);
  for (int64_t i = 0; i < rows; ++i) {
    const auto number = static_cast<uint64_t>(first_row + i);
    const int64_t task = task_of(step, first_row + i), group = task % options_.groups;
    float* features = x + i * options_.dimension;
    for (int64_t d = 0; d < options_.dimension; ++d)
      features[d] = static_cast<float>(feature_draws_.normal(step, number, static_cast<uint32_t>(d)));
    double label = noise_sd * noise_draws_.normal(step, number, 0);
    for (int64_t j = 0; j < options_.functions; ++j) {
      const std::vector<double>& direction = directions_[group][j];
      double z = 0;
      for (int64_t d = 0; d < options_.dimension; ++d) z += direction[d] * double{features[d]};
      label += readouts_[task][j] * std::tanh(options_.scale * z) / function_sd_;
    }
    label_values[i] = static_cast<float>(label);
  }
}

Json OneTaskRows::truth() const {
  Json tasks = Json::array(), groups = Json::array();
  for (int64_t t = 0; t < options_.tasks; ++t) {
    const int64_t group = t % options_.groups;
    tasks.push_back({{"group", group}, {"share", shares_[t]}, {"readout", readouts_[t]}});
    if (t < options_.groups) groups.push_back(Json::array());
    groups[group].push_back(t);
  }
  return {{"kind", "one_task_rows"},
          {"options", write_options(options_)},
          {"tasks", std::move(tasks)},
          {"groups", std::move(groups)},
          {"directions", directions_},
          {"function_sd", function_sd_},
          {"label_variance", 1 + options_.noise_variance},
          {"noise_floor", options_.noise_variance}};
}

namespace {
const Register<SyntheticTable, OneTaskRows> synthetic_one_task_rows_registered{
    "one_task_rows", "regression rows of one task each out of many, in groups, with many rows or few"};
}  // namespace

}  // namespace gatewise
