// The checks and the weighted mean that metrics share.
#pragma once

#include <string>
#include <vector>

#include "metrics/metric.h"

namespace gatewise {

// Rows with a label and a weight above 0, in their order.
struct PresentRows {
  std::vector<int64_t> index;  // into the input
  std::vector<double> labels;
  std::vector<double> weights;
  std::string why_undefined;  // no present rows, or predictions that are not finite; empty if neither

  int64_t count() const { return static_cast<int64_t>(index.size()); }
};

// Throws Error(Internal) for spans that do not fit input.rows and Error(Data) for a weight that is negative
// or NaN, or a label that is infinite. `metric` is the name used in messages.
PresentRows present_rows(const MetricInput& input, const std::string& metric);

// These throw Error(Data), naming the first row at fault.
void require_probability_labels(const PresentRows& rows, const std::string& metric);  // from 0 to 1
void require_class_labels(const PresentRows& rows, int64_t classes,
                          const std::string& metric);  // 0 .. classes - 1
void require_probabilities(const MetricInput& input, const PresentRows& rows, const std::string& metric);
// Throws Error(Command) if the task has several classes.
void require_one_prediction(const MetricInput& input, const std::string& metric);

// The place of the largest of some probabilities; the first of equals.
int64_t likeliest_class(ValueSpan probabilities);

// Undefined under every resampling.
std::unique_ptr<PreparedMetric> undefined_metric(const PresentRows& rows);

// finish(sum of count * weight * loss / sum of count * weight) over `losses`, one per present row.
std::unique_ptr<PreparedMetric> mean_of_rows(PresentRows rows, std::vector<double> losses,
                                             double (*finish)(double) = nullptr);

// Cross entropy in nats of each present row against its label, probabilities kept within [clip, 1 - clip].
std::vector<double> cross_entropies(const MetricInput& input, const PresentRows& rows, double clip);

}  // namespace gatewise
