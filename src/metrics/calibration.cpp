#include "metrics/calibration.h"

#include <algorithm>
#include <cmath>

#include "metrics/prepared.h"

namespace gatewise {
namespace {

constexpr int64_t histogram_bins = 20;
constexpr double normal_quantile = 1.959963984540054;  // of 0.975

struct Judged {
  double prediction, label, weight;
};

std::vector<Judged> judged_rows(const MetricInput& input, const PresentRows& rows) {
  std::vector<Judged> judged;
  for (int64_t i = 0; i < rows.count(); ++i) {
    const int64_t row = rows.index[i];
    const int64_t chosen =
        input.classes > 1 ? likeliest_class(input.predictions.subspan(row * input.classes, input.classes))
                          : 0;
    const double prediction = input.predictions[row * input.classes + chosen];
    const double label =
        input.classes > 1 ? (rows.labels[i] == static_cast<double>(chosen) ? 1 : 0) : rows.labels[i];
    judged.push_back({prediction, label, rows.weights[i]});
  }
  std::stable_sort(judged.begin(), judged.end(),
                   [](const Judged& a, const Judged& b) { return a.prediction < b.prediction; });
  return judged;
}

struct Interval95 {
  double low, high;
};

// Wilson's score interval of a share.
Interval95 share_interval(double share, double count) {
  const double z2 = normal_quantile * normal_quantile;
  const double middle = (share + z2 / (2 * count)) / (1 + z2 / count);
  const double half =
      normal_quantile / (1 + z2 / count) * std::sqrt(share * (1 - share) / count + z2 / (4 * count * count));
  return {std::max(0.0, middle - half), std::min(1.0, middle + half)};
}

Json bin_to_json(std::span<const Judged> rows, bool is_share, double& weight) {
  double prediction = 0, label = 0, squares = 0;
  weight = 0;
  for (const Judged& row : rows) {
    weight += row.weight;
    squares += row.weight * row.weight;
    prediction += row.weight * row.prediction;
    label += row.weight * row.label;
  }
  prediction /= weight;
  label /= weight;
  const double count = weight * weight / squares;
  Interval95 interval{label, label};
  if (is_share) {
    interval = share_interval(std::clamp(label, 0.0, 1.0), count);
  } else if (count > 1) {
    double spread = 0;
    for (const Judged& row : rows) spread += row.weight * (row.label - label) * (row.label - label);
    const double half = normal_quantile * std::sqrt(spread / weight / (count - 1));
    interval = {label - half, label + half};
  }
  return {{"rows", rows.size()},
          {"prediction_low", rows.front().prediction},
          {"prediction_high", rows.back().prediction},
          {"prediction", prediction},
          {"label", label},
          {"label_low", interval.low},
          {"label_high", interval.high}};
}

Json histogram(const std::vector<Judged>& rows, bool is_share, bool has_classes) {
  const double low = is_share ? 0 : rows.front().prediction;
  const double high = is_share ? 1 : rows.back().prediction;
  const double width = high > low ? (high - low) / histogram_bins : 1;
  std::vector<int64_t> counts(histogram_bins), ones(histogram_bins);
  for (const Judged& row : rows) {
    const auto place = static_cast<int64_t>((row.prediction - low) / width);
    const int64_t bin = std::clamp<int64_t>(place, 0, histogram_bins - 1);
    ++counts[bin];
    ones[bin] += row.label == 1 ? 1 : 0;
  }
  Json bins = Json::array();
  for (int64_t i = 0; i < histogram_bins; ++i) {
    Json bin{{"from", low + width * static_cast<double>(i)},
             {"to", low + width * static_cast<double>(i + 1)},
             {"rows", counts[i]}};
    if (has_classes) bin["rows_of_label_1"] = ones[i];
    bins.push_back(std::move(bin));
  }
  return bins;
}

}  // namespace

Json calibration(const MetricInput& input, int64_t bins) {
  const PresentRows present = present_rows(input, "calibration");
  if (!present.why_undefined.empty()) return {{"why_undefined", present.why_undefined}};
  const std::vector<Judged> rows = judged_rows(input, present);
  const auto all = [&](auto&& holds) { return std::all_of(rows.begin(), rows.end(), holds); };
  const auto is_inside = [](double value) { return value >= 0 && value <= 1; };
  const bool is_share =
      all([&](const Judged& row) { return is_inside(row.label) && is_inside(row.prediction); });
  const bool has_classes =
      is_share && all([](const Judged& row) { return row.label == 0 || row.label == 1; });

  Json found = Json::array();
  double error = 0, total = 0;
  const int64_t count = static_cast<int64_t>(rows.size());
  for (int64_t first = 0, bin = 1; first < count; ++bin) {
    int64_t end = std::max(first + 1, count * bin / bins);
    while (end < count && rows[end].prediction == rows[end - 1].prediction) ++end;
    double weight = 0;
    found.push_back(bin_to_json(std::span(rows).subspan(first, end - first), is_share, weight));
    error +=
        weight * std::abs(found.back()["prediction"].get<double>() - found.back()["label"].get<double>());
    total += weight;
    first = end;
    while (bin < bins && count * (bin + 1) / bins <= first) ++bin;
  }
  return {{"bins", found}, {"error", error / total}, {"predictions", histogram(rows, is_share, has_classes)}};
}

}  // namespace gatewise
