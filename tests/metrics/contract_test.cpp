// What every registered metric promises.
#include "base/error.h"
#include "metrics/metric.h"
#include "tests/metrics/brute_force.h"
#include "tests/metrics/sample.h"

namespace gatewise {
namespace {

class EveryMetric : public testing::TestWithParam<std::string> {
 protected:
  std::unique_ptr<Metric> metric_ = make_metric(GetParam());

  double value(const MetricInput& input) const {
    const MetricValue result = metric_->evaluate(input);
    EXPECT_TRUE(result.value.has_value()) << result.why_undefined;
    return result.value.value_or(std::numeric_limits<double>::quiet_NaN());
  }
  void expect_undefined(const MetricInput& input) const {
    const MetricValue result = metric_->evaluate(input);
    EXPECT_FALSE(result.value.has_value()) << *result.value;
    EXPECT_FALSE(result.why_undefined.empty());
    const Interval interval = bootstrap(*metric_, input, 20);
    EXPECT_FALSE(interval.low.has_value());
    EXPECT_EQ(interval.why_undefined, result.why_undefined);
  }
};

INSTANTIATE_TEST_SUITE_P(Registry, EveryMetric, testing::ValuesIn(Registry<Metric>::instance().names()),
                         [](const auto& test) { return test.param; });

TEST(MetricRegistry, HoldsTheMetricsThatHaveDefinitions) {
  for (const auto& [name, definition] : brute_force::definitions()) {
    EXPECT_TRUE(Registry<Metric>::instance().entries().contains(name)) << name;
  }
  EXPECT_THROW(make_metric("auk"), Error);
}

TEST_P(EveryMetric, DeclaresSummaryDirectionAndTasks) {
  EXPECT_FALSE(Registry<Metric>::instance().find(GetParam(), "metric", "test").summary.empty());
  EXPECT_FALSE(kinds_of(*metric_).empty());
  EXPECT_FALSE(to_string(metric_->traits().direction).empty());
}

TEST_P(EveryMetric, EqualsItsDefinition) {
  const auto definition = brute_force::definitions().find(GetParam());
  ASSERT_NE(definition, brute_force::definitions().end()) << "no definition in brute_force.h";
  for (const Kind kind : kinds_of(*metric_)) {
    Sample sample = make_sample(kind, 400, 0.5);
    for (int64_t row = 0; row < sample.rows(); row += 9) sample.labels[row] = missing;
    for (int64_t row = 3; row < sample.rows(); row += 11) sample.weights[row] = 0;
    EXPECT_NEAR(value(sample.input()), definition->second(sample.input()), 1e-10);
    sample.weights.clear();
    EXPECT_NEAR(value(sample.input()), definition->second(sample.input()), 1e-10);
  }
}

TEST_P(EveryMetric, RowsWithoutLabelOrWeightCountForNothing) {
  for (const Kind kind : kinds_of(*metric_)) {
    Sample sample = make_sample(kind, 300, 0.5);
    std::vector<int64_t> kept;
    for (int64_t row = 0; row < sample.rows(); ++row) {
      if (row % 5 == 1) sample.labels[row] = missing;
      if (row % 5 == 2) sample.weights[row] = 0;
      if (row % 5 == 1 || row % 5 == 2) {
        sample.predictions[row * sample.classes] = missing;
      } else {
        kept.push_back(row);
      }
    }
    EXPECT_EQ(value(sample.input()), value(sample.take(kept).input()));
  }
}

TEST_P(EveryMetric, WeightTwoEqualsTheRowTwice) {
  for (const Kind kind : kinds_of(*metric_)) {
    Sample weighted = make_sample(kind, 300, 0.5);
    std::vector<int64_t> rows;
    for (int64_t row = 0; row < weighted.rows(); ++row) {
      weighted.weights[row] = row % 3 == 0 ? 2.0f : 1.0f;
      for (float times = 0; times < weighted.weights[row]; ++times) rows.push_back(row);
    }
    Sample repeated = weighted.take(rows);
    repeated.weights.clear();
    EXPECT_NEAR(value(weighted.input()), value(repeated.input()), 1e-12);
    weighted.weights.clear();
    EXPECT_GT(std::abs(value(weighted.input()) - value(repeated.input())), 1e-9) << "weights have no effect";
  }
}

// What makes the bootstrap right: a unit (row or whole group) drawn n times is worth n copies of it.
TEST_P(EveryMetric, CountsEqualCopiesOfRowsOrGroups) {
  for (const Kind kind : kinds_of(*metric_)) {
    const Sample sample = make_sample(kind, 300, 0.5);
    const std::unique_ptr<PreparedMetric> prepared = metric_->prepare(sample.input());
    const bool draws_rows = prepared->units() == sample.rows();
    ASSERT_TRUE(draws_rows || prepared->units() == 7);
    std::vector<double> counts;
    for (int64_t unit = 0; unit < prepared->units(); ++unit)
      counts.push_back(static_cast<double>(unit * 5 % 4));
    std::vector<int64_t> rows;
    std::vector<uint64_t> groups;
    for (int64_t row = 0; row < sample.rows(); ++row) {
      const double copies = counts[draws_rows ? row : static_cast<int64_t>(sample.groups[row])];
      for (uint64_t copy = 0; static_cast<double>(copy) < copies; ++copy) {
        rows.push_back(row);
        groups.push_back(sample.groups[row] + 100 * copy);
      }
    }
    Sample copied = sample.take(rows);
    copied.groups = groups;
    EXPECT_NEAR(*prepared->value(counts).value, value(copied.input()), 1e-12);
  }
}

TEST_P(EveryMetric, OrderOfRowsDoesNotMatter) {
  for (const Kind kind : kinds_of(*metric_)) {
    const Sample sample = make_sample(kind, 1000, 0.5);
    const Permutation permutation(1000, 5);
    std::vector<int64_t> order;
    for (uint64_t i = 0; i < 1000; ++i) order.push_back(static_cast<int64_t>(permutation(i)));
    EXPECT_NEAR(value(sample.input()), value(sample.take(order).input()), 1e-12);
  }
}

TEST_P(EveryMetric, SizeOfBatchesDoesNotMatter) {
  for (const Kind kind : kinds_of(*metric_)) {
    const Sample sample = make_sample(kind, 500, 0.5);
    for (const int64_t batch : {1, 7, 500}) {
      MetricRows rows(sample.classes);
      for (int64_t begin = 0; begin < 500; begin += batch) {
        rows.append(sample.slice(begin, std::min<int64_t>(begin + batch, 500)).input());
      }
      EXPECT_EQ(value(rows.input()), value(sample.input())) << batch;
    }
  }
}

TEST_P(EveryMetric, BetterPredictionsAreBetter) {
  for (const Kind kind : kinds_of(*metric_)) {
    const double good = value(make_sample(kind, 2000, 0.1, 0.05).input());
    const double bad = value(make_sample(kind, 2000, 1.5, 1).input());
    EXPECT_TRUE(metric_->is_better(good, bad)) << good << " " << bad;
    EXPECT_FALSE(metric_->is_better(bad, good));
    EXPECT_FALSE(metric_->is_better(good, good));
  }
}

TEST_P(EveryMetric, IsUndefinedWithoutLabelsOrWithPredictionsThatAreNotNumbers) {
  for (const Kind kind : kinds_of(*metric_)) {
    Sample sample = make_sample(kind, 100, 0.5);
    expect_undefined(sample.slice(0, 0).input());
    Sample broken = sample;
    broken.predictions[17 * sample.classes] = missing;
    expect_undefined(broken.input());
    broken.predictions[17 * sample.classes] = std::numeric_limits<float>::infinity();
    expect_undefined(broken.input());
    std::fill(sample.labels.begin(), sample.labels.end(), missing);
    expect_undefined(sample.input());
  }
}

TEST_P(EveryMetric, OneRowNeverCrashesAndHasNoInterval) {
  for (const Kind kind : kinds_of(*metric_)) {
    const Sample sample = make_sample(kind, 1, 0.5);
    const MetricValue result = metric_->evaluate(sample.input());
    EXPECT_NE(result.value.has_value(), !result.why_undefined.empty());
    EXPECT_TRUE(!result.value || std::isfinite(*result.value));
    const Interval interval = bootstrap(*metric_, sample.input(), 20);
    EXPECT_FALSE(interval.low.has_value());
    EXPECT_FALSE(interval.why_undefined.empty());
  }
}

TEST_P(EveryMetric, IntervalHoldsTheValueAndNarrowsWithRows) {
  for (const Kind kind : kinds_of(*metric_)) {
    double width_before = std::numeric_limits<double>::infinity();
    for (const int64_t rows : {200, 8000}) {
      Sample sample = make_sample(kind, rows, 0.5);
      for (int64_t row = 0; row < rows; ++row) sample.groups[row] = row / 20;
      const double whole = value(sample.input());
      const Interval interval = bootstrap(*metric_, sample.input(), 100, 0.95, 3);
      ASSERT_TRUE(interval.low && interval.high) << interval.why_undefined;
      EXPECT_LT(*interval.low, whole);
      EXPECT_GT(*interval.high, whole);
      EXPECT_LT(*interval.high - *interval.low, width_before / 4);
      width_before = *interval.high - *interval.low;
      const Interval again = bootstrap(*metric_, sample.input(), 100, 0.95, 3);
      EXPECT_EQ(again.low, interval.low);
      EXPECT_EQ(again.high, interval.high);
      EXPECT_NE(bootstrap(*metric_, sample.input(), 100, 0.95, 4).low, interval.low);
    }
  }
}

TEST_P(EveryMetric, RefusesSpansOfWrongSizeAndBadWeights) {
  for (const Kind kind : kinds_of(*metric_)) {
    Sample sample = make_sample(kind, 50, 0.5);
    MetricInput input = sample.input();
    input.labels = input.labels.subspan(0, 49);
    EXPECT_THROW(metric_->evaluate(input), Error);
    sample.weights[3] = -1;
    EXPECT_THROW(metric_->evaluate(sample.input()), Error);
    sample.weights[3] = missing;
    EXPECT_THROW(metric_->evaluate(sample.input()), Error);
  }
}

}  // namespace
}  // namespace gatewise
