// What a model's predictions are worth: one metric per file, registered under the file's name.
//
// A metric sees all rows of a task at once (collect batches with MetricRows), so batch size cannot matter; it
// sums in double. A row whose label is NaN is missing: it counts for nothing. A value that has no meaning,
// such as the AUC of one class, is undefined with a reason, never 0 and never an exception.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/registry.h"
#include "metrics/values.h"

namespace gatewise {

enum class Direction {
  Higher,       // higher is better
  Lower,        // lower is better
  CloserToOne,  // a ratio: 2 is as far from 1 as 0.5
};
std::string to_string(Direction direction);

struct MetricTraits {
  Direction direction = Direction::Higher;
  bool fits_binary = false;
  bool fits_multiclass = false;
  bool fits_regression = false;
  bool has_unit = false;  // that of the label, so that values of several tasks cannot be added
};

// Whether a metric has a meaning for tasks of this kind: "binary", "regression" or "multiclass".
bool fits_task(const MetricTraits& traits, const std::string& kind);

// The rows of one task. Nothing is copied: the spans must outlive what is prepared from them.
struct MetricInput {
  int64_t rows = 0;
  int64_t classes = 1;  // 1: one prediction per row (binary or regression)
  // [rows]: probabilities of class 1, or values in original units; [rows, classes]: probabilities.
  ValueSpan predictions;
  ValueSpan labels;  // [rows]; NaN: missing; binary 0 or 1; classes 0, 1, ...; values in original units
  std::span<const float>
      weights;  // [rows], not negative, or empty for 1 each; a weight of 0 leaves the row out
  std::span<const uint64_t> groups;  // [rows] or empty; no_group (features/encoded_data.h) is missing
};

struct MetricValue {
  std::optional<double> value;
  std::string why_undefined;  // set exactly when value is not
  Json details;               // counts that belong beside the value, such as groups left out; null if none
};

// A metric's view of one input, made once (sorted, checked) and then valued under many resamplings.
class PreparedMetric {
 public:
  virtual ~PreparedMetric() = default;
  // Number of units that a resampling draws: present rows, or groups.
  virtual int64_t units() const = 0;
  // The value when unit u occurs counts[u] times; counts has units() elements. No details.
  virtual MetricValue value(std::span<const double> counts) const = 0;
  virtual Json details() const { return {}; }
};

class Metric {
 public:
  virtual ~Metric() = default;
  virtual MetricTraits traits() const = 0;
  // Checks the input first. Throws Error(Data) for labels or predictions that the metric cannot mean, such as
  // a label of 2 in a binary task, and Error(Internal) for spans that do not fit `rows`.
  virtual std::unique_ptr<PreparedMetric> prepare(const MetricInput& input) const = 0;

  MetricValue evaluate(const MetricInput& input) const;
  // Whether value a is strictly better than value b.
  bool is_better(double a, double b) const;
};

// Percentile bootstrap interval.
struct Interval {
  std::optional<double> low, high;
  std::string why_undefined;  // set exactly when low and high are not
  double confidence = 0.95;
  int64_t resamples = 0;
  int64_t undefined_resamples = 0;  // resamples without a value, left out
};

// Draws units (present rows; groups for grouped metrics) with replacement `resamples` times and takes the
// central `confidence` share of the values. Undefined when the value itself is, when there is one unit only,
// or when more than half of the resamples are undefined. A pure function of its arguments. (Efron 1979.)
Interval bootstrap(const Metric& metric, const MetricInput& input, int64_t resamples = 200,
                   double confidence = 0.95, uint64_t seed = 0);
// The same intervals for several metrics of one input: those with equally many units share the drawing.
std::vector<Interval> bootstrap(std::span<const std::unique_ptr<Metric>> metrics, const MetricInput& input,
                                int64_t resamples, double confidence, uint64_t seed);

// Makes a registered metric. Throws Error(Command) for an unknown name, with the nearest known one.
std::unique_ptr<Metric> make_metric(const std::string& name, const Json& options = Json::object(),
                                    const std::string& path = "metric");

// Collects the rows of one task from batches.
class MetricRows {
 public:
  explicit MetricRows(int64_t classes = 1) : classes_(classes) {}
  // Appends the rows of `batch`; all batches must agree on having weights and groups. Throws Error(Internal).
  void append(const MetricInput& batch);
  MetricInput input() const;
  void clear();

 private:
  int64_t classes_;
  ValueList predictions_{true}, labels_{true};
  std::vector<float> weights_;
  std::vector<uint64_t> groups_;
};

}  // namespace gatewise
