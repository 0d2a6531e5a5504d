#include "training/warnings.h"

#include <cmath>
#include <map>

#include "base/error.h"
#include "base/random.h"
#include "training/batches.h"
#include "training/labelled_rows.h"

namespace gatewise {
namespace {

constexpr int64_t sample_rows = 2048;
constexpr int64_t fewest_rows = 32;  // of fewer, units may be alike by chance
constexpr float wild_size = 50;
constexpr double stuck_margin = 0.02;

// Hash of a column of values, so that equal columns are found without comparing all pairs.
uint64_t column_hash(const ConstRows<float>& values, int64_t column, int64_t rows) {
  uint64_t state = 0;
  for (int64_t row = 0; row < rows; ++row) {
    state = mix64(state ^ std::bit_cast<uint32_t>(values.data[row * values.stride + column]));
  }
  return state;
}

bool is_constant_zero(const ConstRows<float>& values, int64_t column, int64_t rows) {
  for (int64_t row = 0; row < rows; ++row) {
    if (values.data[row * values.stride + column] != 0) return false;
  }
  return true;
}

void judge_units(const std::string& name, const Shape& shape, const ConstRows<float>& values, int64_t rows,
                 std::vector<std::string>& warnings) {
  const int64_t units = shape.last(), experts = shape.elements() / units;
  int64_t dead = 0, equal = 0;
  std::vector<int64_t> dead_experts;
  std::map<uint64_t, int64_t> expert_hashes;
  for (int64_t expert = 0; expert < experts; ++expert) {
    std::map<uint64_t, int64_t> unit_hashes;
    int64_t dead_here = 0;
    uint64_t whole = 0;
    for (int64_t unit = 0; unit < units; ++unit) {
      const int64_t column = expert * units + unit;
      const uint64_t hash = column_hash(values, column, rows);
      whole = mix64(whole ^ hash);
      if (is_constant_zero(values, column, rows)) {
        ++dead_here;
      } else if (!unit_hashes.emplace(hash, unit).second) {
        ++equal;
      }
    }
    dead += dead_here;
    if (dead_here == units) dead_experts.push_back(expert);
    const auto [first, is_new] = expert_hashes.emplace(whole, expert);
    if (!is_new && dead_here < units) {
      warnings.push_back(
          fmt::format("{}: {} and {} give the same output on every row; they start equal or are tied", name,
                      first->second, expert));
    }
  }
  if (!dead_experts.empty() && experts > 1) {
    warnings.push_back(
        fmt::format("{}: {} of {} are dead (0 on all {} sampled rows): {}; lower the learning rate or "
                    "use activation = \"leaky_relu\"",
                    name, dead_experts.size(), experts, rows, fmt::join(dead_experts, ", ")));
  } else if (4 * dead > experts * units) {
    warnings.push_back(
        fmt::format("{}: {} of {} units are dead (0 on all {} sampled rows); lower the learning rate or "
                    "use activation = \"leaky_relu\"",
                    name, dead, experts * units, rows));
  }
  if (equal > 0) {
    warnings.push_back(fmt::format(
        "{}: {} units repeat another unit of the same expert; check the initialiser", name, equal));
  }
}

}  // namespace

std::vector<std::string> find_wild_numbers(const FeatureSpace& space, const EncodedData& data) {
  std::vector<float> largest(data.numeric_width, 0);
  for (int64_t row = 0; row < data.rows; ++row) {
    for (int64_t i = 0; i < data.numeric_width; ++i) {
      largest[i] = std::max(largest[i], std::abs(data.numeric[row * data.numeric_width + i]));
    }
  }
  std::vector<std::string> warnings;
  for (const NumericFeature& feature : space.numeric) {
    const float size =
        *std::max_element(largest.begin() + feature.offset, largest.begin() + feature.offset + feature.width);
    if (size > wild_size) {
      warnings.push_back(
          fmt::format("columns.{}: values reach {:.3g} after scaling and can explode the loss; use "
                      "transform = \"log1p\" or \"quantile\"",
                      feature.name, size));
    }
  }
  return warnings;
}

std::vector<std::string> find_wild_labels(const FeatureSpace& space, const EncodedData& data) {
  std::vector<std::string> warnings;
  for (size_t task = 0; task < space.tasks.size() && !data.labels.empty(); ++task) {
    // A Poisson loss trains the logarithm.
    if (space.tasks[task].kind != "regression" || space.tasks[task].loss == "poisson") continue;
    double squares = 0, weights = 0;
    each_labelled_row(space, data, task, [&](int64_t, float label, double weight) {
      squares += weight * static_cast<double>(label) * static_cast<double>(label);
      weights += weight;
    });
    const double size = std::sqrt(squares / weights);
    if (!(size > wild_size)) continue;  // also where there is no label
    warnings.push_back(
        fmt::format("tasks.{}: labels are {:.3g} in size (root mean square) and take long to reach; use "
                    "transform = \"standardise\"",
                    space.tasks[task].name, size));
  }
  return warnings;
}

std::vector<std::string> find_broken_chain(const FeatureSpace& space, const EncodedData& data,
                                           const std::vector<int64_t>& chain) {
  std::vector<std::string> warnings;
  if (space.has_own_labels() || data.labels.empty()) return warnings;
  for (size_t i = 1; i < chain.size(); ++i) {
    int64_t later = 0, alone = 0, failed = 0, unlabelled = 0;
    for (int64_t row = 0; row < data.rows; ++row) {
      const float* labels = data.labels.data() + row * data.tasks;
      const bool has_failed = labels[chain[i - 1]] == 0;
      failed += has_failed;
      unlabelled += has_failed && std::isnan(labels[chain[i]]);
      if (labels[chain[i]] != 1) continue;
      ++later;
      alone += has_failed;
    }
    const std::string& event = space.tasks[chain[i]].name;
    const std::string& before = space.tasks[chain[i - 1]].name;
    if (unlabelled > 0) {
      warnings.push_back(
          fmt::format("tasks.{0}: {1} of the {2} rows with {3} = 0 have no label, so that {0}, which this "
                      "architecture estimates over all rows, comes out too probable; it cannot have happened "
                      "there: write 0 as their label",
                      event, unlabelled, failed, before));
    }
    if (alone == 0) continue;
    warnings.push_back(
        fmt::format("tasks.{0}: {1} of its {2} rows with label 1 have {3} = 0, but this architecture takes "
                    "{0} for an event that only follows {3}; check model.chain, or choose an architecture "
                    "without a chain",
                    event, alone, later, before));
  }
  return warnings;
}

std::vector<std::string> find_degenerate_units(const Graph& graph, Store<float>& store,
                                               const FeatureSpace& space, const EncodedData& data,
                                               Pool& pool) {
  if (data.rows < fewest_rows) return {};
  PlanOptions options;
  options.is_training = false;
  for (const auto& [name, node] : graph.named_values()) {
    const bool holds_units =
        name.ends_with("experts") || name.ends_with("bottom") || name.ends_with("bottoms");
    if (holds_units && graph.node(node).signature.domain == Domain::Row) options.watched.push_back(node);
  }
  std::vector<std::string> warnings;
  if (options.watched.empty()) return warnings;
  Program<float> program(store, pool, options);
  BatchLoader loader(graph, space);
  const int64_t rows = std::min(sample_rows, data.rows);
  std::vector<int64_t> sample(rows);
  for (int64_t i = 0; i < rows; ++i) sample[i] = i * data.rows / rows;
  program.forward(loader.gather(data, sample, pool), Run{});
  for (const auto& [name, node] : graph.named_values()) {
    if (std::find(options.watched.begin(), options.watched.end(), node) == options.watched.end()) continue;
    judge_units(name, graph.node(node).signature.shape, program.value(node), rows, warnings);
  }
  return warnings;
}

std::vector<std::string> find_stuck_tasks(const Json& validation) {
  std::vector<std::string> warnings;
  for (const auto& [task, metrics] : validation.at("tasks").items()) {
    const auto value_of = [&metrics = metrics](const char* name) {
      const bool is_known = metrics.contains(name) && !metrics[name]["value"].is_null();
      return is_known ? metrics[name]["value"].get<double>() : std::nan("");
    };
    const double r2 = value_of("r2"), auc = value_of("auc");
    if (r2 <= 0) {
      warnings.push_back(fmt::format(
          "task {}: R2 is {:.4f} on validation rows, no better than the mean of the labels; check "
          "the scale of its labels (transform = \"standardise\"), the learning rate and the number "
          "of epochs",
          task, r2));
    }
    if (std::abs(auc - 0.5) < stuck_margin) {
      warnings.push_back(
          fmt::format("task {}: AUC is {:.4f} on validation rows, no better than chance; check its labels, "
                      "the learning rate and the scale of numbers",
                      task, auc));
    }
  }
  return warnings;
}

std::vector<std::string> find_stuck_classes(const Json& validation, const FeatureSpace& space,
                                            const EncodedData& rows) {
  std::vector<std::string> warnings;
  for (size_t task = 0; task < space.tasks.size(); ++task) {
    if (space.tasks[task].kind != "multiclass") continue;
    const std::string& name = space.tasks[task].name;
    const Json& loss = validation.at("tasks").at(name).at("log_loss").at("value");
    std::map<float, double> shares;
    double weights = 0, entropy = 0;
    each_labelled_row(space, rows, task, [&](int64_t, float label, double weight) {
      shares[label] += weight;
      weights += weight;
    });
    for (const auto& [label, share] : shares) entropy -= share / weights * std::log(share / weights);
    if (loss.is_null() || shares.size() < 2 || loss.get<double>() < entropy) continue;
    warnings.push_back(
        fmt::format("task {}: log_loss is {:.4f} on validation rows, no better than predicting each class by "
                    "its share ({:.4f}); check its labels, the learning rate and the scale of numbers",
                    name, loss.get<double>(), entropy));
  }
  return warnings;
}

}  // namespace gatewise
