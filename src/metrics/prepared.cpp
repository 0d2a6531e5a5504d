#include "metrics/prepared.h"

#include <algorithm>
#include <cmath>

namespace gatewise {
namespace {

void check_sizes(const MetricInput& input, const std::string& metric) {
  const size_t rows = static_cast<size_t>(input.rows);
  const auto check = [&](const char* what, size_t got, size_t expected) {
    if (got != expected) internal_error("{}: got {} {}, expected {}", metric, got, what, expected);
  };
  if (input.rows < 0 || input.classes < 1) internal_error("{}: rows or classes out of range", metric);
  check("predictions", input.predictions.size(), rows * static_cast<size_t>(input.classes));
  check("labels", input.labels.size(), rows);
  if (!input.weights.empty()) check("weights", input.weights.size(), rows);
  if (!input.groups.empty()) check("groups", input.groups.size(), rows);
}

template <class Accept>
void require_labels(const PresentRows& rows, const std::string& metric, const std::string& expected,
                    Accept accept) {
  for (size_t i = 0; i < rows.labels.size(); ++i) {
    if (!accept(rows.labels[i])) {
      data_error("{}: the label of row {} does not fit the task; got {}, expected {}", metric, rows.index[i],
                 rows.labels[i], expected);
    }
  }
}

class Undefined final : public PreparedMetric {
 public:
  Undefined(int64_t units, std::string why) : units_(units), why_(std::move(why)) {}
  int64_t units() const override { return units_; }
  MetricValue value(std::span<const double>) const override { return {std::nullopt, why_, {}}; }

 private:
  int64_t units_;
  std::string why_;
};

class MeanOfRows final : public PreparedMetric {
 public:
  MeanOfRows(PresentRows rows, std::vector<double> losses, double (*finish)(double))
      : rows_(std::move(rows)), losses_(std::move(losses)), finish_(finish) {}

  int64_t units() const override { return rows_.count(); }
  MetricValue value(std::span<const double> counts) const override {
    double sum = 0, total = 0;
    for (size_t i = 0; i < losses_.size(); ++i) {
      const double weight = counts[i] * rows_.weights[i];
      sum += weight * losses_[i];
      total += weight;
    }
    const double mean = sum / total;
    return {finish_ ? finish_(mean) : mean, "", {}};
  }

 private:
  PresentRows rows_;
  std::vector<double> losses_;
  double (*finish_)(double);
};

}  // namespace

PresentRows present_rows(const MetricInput& input, const std::string& metric) {
  check_sizes(input, metric);
  PresentRows rows;
  int64_t not_finite = 0;
  for (int64_t row = 0; row < input.rows; ++row) {
    const double label = input.labels[row];
    const float weight = input.weights.empty() ? 1.0f : input.weights[row];
    if (!(weight >= 0) || std::isinf(weight)) {
      data_error("{}: the weight of row {} is {}; expected a finite number of at least 0", metric, row,
                 weight);
    }
    if (std::isnan(label) || weight == 0) continue;
    if (std::isinf(label))
      data_error("{}: the label of row {} is {}; expected a finite number", metric, row, label);
    bool is_finite = true;
    for (int64_t i = 0; i < input.classes; ++i)
      is_finite &= std::isfinite(input.predictions[row * input.classes + i]);
    if (!is_finite) ++not_finite;
    rows.index.push_back(row);
    rows.labels.push_back(label);
    rows.weights.push_back(weight);
  }
  if (rows.index.empty()) {
    rows.why_undefined = "no row has a label";
  } else if (not_finite > 0) {
    rows.why_undefined = fmt::format("the predictions of {} rows are not finite", not_finite);
  }
  return rows;
}

void require_probability_labels(const PresentRows& rows, const std::string& metric) {
  require_labels(rows, metric, "0 to 1", [](double y) { return y >= 0 && y <= 1; });
}

void require_class_labels(const PresentRows& rows, int64_t classes, const std::string& metric) {
  const std::string expected = classes == 2 ? "0 or 1" : fmt::format("a class from 0 to {}", classes - 1);
  require_labels(rows, metric, expected,
                 [&](double y) { return y >= 0 && y < static_cast<double>(classes) && std::floor(y) == y; });
}

void require_probabilities(const MetricInput& input, const PresentRows& rows, const std::string& metric) {
  for (const int64_t row : rows.index) {
    for (int64_t i = 0; i < input.classes; ++i) {
      const double p = input.predictions[row * input.classes + i];
      if (p < 0 || p > 1) {
        data_error("{}: the prediction of row {} is no probability; got {}, expected 0 to 1", metric, row,
                   static_cast<float>(p));
      }
    }
  }
}

void require_one_prediction(const MetricInput& input, const std::string& metric) {
  if (input.classes != 1) {
    command_error("{}: the metric does not fit a task of {} classes; choose accuracy, auc or log_loss",
                  metric, input.classes);
  }
}

int64_t likeliest_class(ValueSpan probabilities) {
  size_t best = 0;
  for (size_t i = 1; i < probabilities.size(); ++i) {
    if (probabilities[i] > probabilities[best]) best = i;
  }
  return static_cast<int64_t>(best);
}

std::unique_ptr<PreparedMetric> undefined_metric(const PresentRows& rows) {
  return std::make_unique<Undefined>(rows.count(), rows.why_undefined);
}

std::unique_ptr<PreparedMetric> mean_of_rows(PresentRows rows, std::vector<double> losses,
                                             double (*finish)(double)) {
  return std::make_unique<MeanOfRows>(std::move(rows), std::move(losses), finish);
}

std::vector<double> cross_entropies(const MetricInput& input, const PresentRows& rows, double clip) {
  std::vector<double> losses;
  losses.reserve(rows.index.size());
  const auto log_of = [&](double p) { return std::log(std::clamp(p, clip, 1 - clip)); };
  for (size_t i = 0; i < rows.index.size(); ++i) {
    const double label = rows.labels[i];
    if (input.classes > 1) {
      losses.push_back(
          -log_of(input.predictions[rows.index[i] * input.classes + static_cast<int64_t>(label)]));
      continue;
    }
    const double p = input.predictions[rows.index[i]];
    losses.push_back((label > 0 ? -label * log_of(p) : 0.0) -
                     (label < 1 ? (1 - label) * log_of(1 - p) : 0.0));
  }
  return losses;
}

}  // namespace gatewise
