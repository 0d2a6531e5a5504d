#include <algorithm>
#include <cmath>
#include <set>

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

// One metric and its values so far.
struct Resampled {
  std::unique_ptr<PreparedMetric> metric;
  std::vector<double> values;
  Interval interval;
};

Resampled prepare(const Metric& metric, const MetricInput& input, int64_t resamples, double confidence) {
  Resampled result{metric.prepare(input), {}, {}};
  result.interval.confidence = confidence;
  result.interval.resamples = resamples;
  const auto units = static_cast<size_t>(result.metric->units());
  const MetricValue whole = result.metric->value(std::vector<double>(units, 1.0));
  if (!whole.value) {
    result.interval.why_undefined = whole.why_undefined;
  } else if (units < 2) {
    result.interval.why_undefined = "only one row or group to draw from";
  }
  return result;
}

// Every resample of `units` units is drawn once and given to all metrics that have so many.
void draw(const RandomStream& stream, size_t units, int64_t resamples, std::vector<Resampled>& metrics) {
  std::vector<double> counts(units);
  for (int64_t resample = 0; resample < resamples; ++resample) {
    draw_counts(stream, static_cast<uint64_t>(resample), counts);
    for (Resampled& each : metrics) {
      if (!each.interval.why_undefined.empty() || static_cast<size_t>(each.metric->units()) != units)
        continue;
      if (const MetricValue drawn = each.metric->value(counts); drawn.value)
        each.values.push_back(*drawn.value);
    }
  }
}

void finish(Resampled& each) {
  Interval& interval = each.interval;
  interval.undefined_resamples = interval.resamples - static_cast<int64_t>(each.values.size());
  if (2 * interval.undefined_resamples > interval.resamples) {
    interval.why_undefined =
        fmt::format("{} of {} resamples are undefined", interval.undefined_resamples, interval.resamples);
    return;
  }
  std::sort(each.values.begin(), each.values.end());
  interval.low = quantile(each.values, (1 - interval.confidence) / 2);
  interval.high = quantile(each.values, (1 + interval.confidence) / 2);
}

// Throws Error(Command).
void check_request(int64_t resamples, double confidence) {
  if (resamples < 2) command_error("bootstrap: got {} resamples, expected at least 2", resamples);
  if (!(confidence > 0 && confidence < 1)) {
    command_error("bootstrap: got confidence {}, expected between 0 and 1, such as 0.95", confidence);
  }
}

std::vector<Interval> bootstrap_of(std::span<const Metric* const> metrics, const MetricInput& input,
                                   int64_t resamples, double confidence, uint64_t seed) {
  check_request(resamples, confidence);
  std::vector<Resampled> resampled;
  std::set<size_t> sizes;
  for (const Metric* metric : metrics) {
    resampled.push_back(prepare(*metric, input, resamples, confidence));
    if (resampled.back().interval.why_undefined.empty())
      sizes.insert(static_cast<size_t>(resampled.back().metric->units()));
  }
  const RandomStream stream(seed, "metrics/bootstrap");
  for (const size_t units : sizes) draw(stream, units, resamples, resampled);
  std::vector<Interval> intervals;
  for (Resampled& each : resampled) {
    if (each.interval.why_undefined.empty()) finish(each);
    intervals.push_back(each.interval);
  }
  return intervals;
}

}  // namespace

Interval bootstrap(const Metric& metric, const MetricInput& input, int64_t resamples, double confidence,
                   uint64_t seed) {
  const Metric* const one = &metric;
  return bootstrap_of(std::span(&one, 1), input, resamples, confidence, seed)[0];
}

std::vector<Interval> bootstrap(std::span<const std::unique_ptr<Metric>> metrics, const MetricInput& input,
                                int64_t resamples, double confidence, uint64_t seed) {
  std::vector<const Metric*> all;
  for (const std::unique_ptr<Metric>& metric : metrics) all.push_back(metric.get());
  return bootstrap_of(all, input, resamples, confidence, seed);
}

}  // namespace gatewise
