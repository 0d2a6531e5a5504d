#include <algorithm>
#include <cmath>

#include "base/random.h"
#include "metrics/metric.h"

namespace gatewise {
namespace {

// Draws units with replacement, as many as there are, and counts how often each came.
void draw_counts(const RandomStream& stream, uint64_t resample, std::span<double> counts) {
  std::fill(counts.begin(), counts.end(), 0.0);
  const uint64_t units = counts.size();
  for (uint64_t drawn = 0; drawn < units; drawn += 2) {
    const std::array<uint32_t, 4> four = stream.words(resample, drawn, 0);
    // A random 64-bit fraction times the number of units (below 2^32), rounded down.
    const auto pick = [&](uint32_t high, uint32_t low) {
      return (high * units + ((low * units) >> 32)) >> 32;
    };
    counts[pick(four[0], four[1])] += 1;
    if (drawn + 1 < units) counts[pick(four[2], four[3])] += 1;
  }
}

// Linear interpolation between order statistics.
double quantile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const size_t below = static_cast<size_t>(place);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

}  // namespace

Interval bootstrap(const Metric& metric, const MetricInput& input, int64_t resamples, double confidence,
                   uint64_t seed) {
  if (resamples < 2) command_error("bootstrap: got {} resamples, expected at least 2", resamples);
  if (!(confidence > 0 && confidence < 1)) {
    command_error("bootstrap: got confidence {}, expected between 0 and 1, such as 0.95", confidence);
  }
  Interval interval;
  interval.confidence = confidence;
  interval.resamples = resamples;
  const std::unique_ptr<PreparedMetric> prepared = metric.prepare(input);
  std::vector<double> counts(static_cast<size_t>(prepared->units()), 1.0);
  const MetricValue whole = prepared->value(counts);
  if (!whole.value) {
    interval.why_undefined = whole.why_undefined;
    return interval;
  }
  if (counts.size() < 2) {
    interval.why_undefined = "only one row or group to draw from";
    return interval;
  }
  const RandomStream stream(seed, "metrics/bootstrap");
  std::vector<double> values;
  for (int64_t resample = 0; resample < resamples; ++resample) {
    draw_counts(stream, static_cast<uint64_t>(resample), counts);
    if (const MetricValue drawn = prepared->value(counts); drawn.value) values.push_back(*drawn.value);
  }
  interval.undefined_resamples = resamples - static_cast<int64_t>(values.size());
  if (2 * interval.undefined_resamples > resamples) {
    interval.why_undefined =
        fmt::format("{} of {} resamples are undefined", interval.undefined_resamples, resamples);
    return interval;
  }
  std::sort(values.begin(), values.end());
  interval.low = quantile(values, (1 - confidence) / 2);
  interval.high = quantile(values, (1 + confidence) / 2);
  return interval;
}

}  // namespace gatewise
