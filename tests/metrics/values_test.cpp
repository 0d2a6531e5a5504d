// Particular values, undefined cases and intervals.
#include "base/error.h"
#include "features/encoded_data.h"
#include "metrics/metric.h"
#include "metrics/pearson.h"
#include "tests/metrics/brute_force.h"
#include "tests/metrics/sample.h"

namespace gatewise {
namespace {

Sample plain(std::vector<float> predictions, std::vector<float> labels) {
  Sample sample;
  sample.classes = labels.empty() ? 1 : static_cast<int64_t>(predictions.size() / labels.size());
  sample.predictions = std::move(predictions);
  sample.labels = std::move(labels);
  return sample;
}

MetricValue evaluate(const std::string& name, const Sample& sample, const Json& options = Json::object()) {
  return make_metric(name, options)->evaluate(sample.input());
}

TEST(Auc, CountsTiesAsHalfAndIgnoresScale) {
  EXPECT_DOUBLE_EQ(*evaluate("auc", plain({.1f, .4f, .35f, .8f}, {0, 0, 1, 1})).value, 0.75);
  EXPECT_DOUBLE_EQ(*evaluate("auc", plain({.5f, .5f, .5f}, {0, 1, 1})).value, 0.5);
  EXPECT_DOUBLE_EQ(*evaluate("auc", plain({-30, 0.0f, -0.0f, 70}, {0, 0, 1, 1})).value, 0.875);
}

TEST(Auc, OfOneClassIsUndefinedAndSaysWhichClass) {
  const MetricValue ones = evaluate("auc", plain({.1f, .9f}, {1, 1}));
  EXPECT_FALSE(ones.value);
  EXPECT_EQ(ones.why_undefined, "all labels are 1");
  EXPECT_EQ(evaluate("auc", plain({.1f, .9f}, {0, missing})).why_undefined, "all labels are 0");
}

TEST(Auc, LeavesOutAndCountsAbsentClasses) {
  const MetricValue value = evaluate("auc", plain({.8f, .1f, .1f, .3f, .6f, .1f, .2f, .7f, .1f}, {0, 1, 0}));
  EXPECT_DOUBLE_EQ(*value.value, (0.5 + 0.5) / 2);
  EXPECT_EQ(value.details["classes_left_out"], 1);
  EXPECT_FALSE(evaluate("auc", plain({.8f, .2f, .3f, .7f}, {1, 1})).value);
}

TEST(GroupedAuc, WeighsGroupsAsAskedAndCountsThoseLeftOut) {
  Sample sample = make_sample(Kind::Binary, 300, 1.0);
  for (int64_t row = 0; row < 20; ++row) {
    sample.groups[row] = 100 + row / 10;
    sample.labels[row] = row < 10 ? 1.0f : 0.0f;
  }
  std::vector<double> values;
  for (const std::string weight : {"rows", "positives", "none"}) {
    const MetricValue value = evaluate("grouped_auc", sample, {{"weight", weight}});
    EXPECT_NEAR(*value.value, brute_force::grouped_auc(sample.input(), weight), 1e-12);
    EXPECT_EQ(value.details["groups"], 9);
    EXPECT_EQ(value.details["one_class_groups_left_out"], 2);
    EXPECT_EQ(value.details["rows_left_out"], 20);
    values.push_back(*value.value);
  }
  EXPECT_NE(values[0], values[1]);
  EXPECT_NE(values[0], values[2]);
  EXPECT_THROW(evaluate("grouped_auc", sample, {{"weight", "row"}}), Error);
}

TEST(GroupedAuc, IsUndefinedWithoutGroupsOrWithOneClassGroupsOnly) {
  Sample sample = plain({.1f, .2f, .8f, .9f}, {0, 0, 1, 1});
  EXPECT_EQ(evaluate("grouped_auc", sample).why_undefined, "the rows have no group");
  sample.groups = {1, 1, 2, 2};
  const MetricValue value = evaluate("grouped_auc", sample);
  EXPECT_EQ(value.why_undefined, "no group has both classes");
  EXPECT_EQ(value.details["one_class_groups_left_out"], 2);
}

TEST(GroupedAuc, LeavesRowsWithoutAGroupOut) {
  Sample sample = plain({.1f, .2f, .8f, .9f, .3f, .4f}, {0, 1, 1, 0, 0, 1});
  sample.groups = {0, 0, no_group, no_group, 0, 5};
  const MetricValue value = evaluate("grouped_auc", sample);
  EXPECT_EQ(*value.value, 0.5);
  EXPECT_EQ(value.details["groups"], 2);
  EXPECT_EQ(value.details["rows_without_group"], 2);
}

TEST(GroupedAuc, IntervalDrawsWholeGroups) {
  // Within every group all rows repeat one pair, so drawing rows would give far too narrow an interval.
  Sample sample;
  const RandomStream stream(4, "groups");
  for (uint64_t group = 0; group < 40; ++group) {
    const bool is_right = stream.uniform(0, group, 0) < 0.7;
    for (int repeat = 0; repeat < 50; ++repeat) {
      for (const float label : {0.0f, 1.0f}) {
        sample.labels.push_back(label);
        sample.predictions.push_back((label == 1.0f) == is_right ? 0.8f : 0.2f);
        sample.groups.push_back(group);
      }
    }
  }
  const Interval interval = bootstrap(*make_metric("grouped_auc"), sample.input(), 1000);
  const double p = *evaluate("grouped_auc", sample).value;
  EXPECT_NEAR(*interval.high - *interval.low, 2 * 1.96 * std::sqrt(p * (1 - p) / 40), 0.05);
}

TEST(LogLoss, KeepsSureProbabilitiesFinite) {
  EXPECT_NEAR(*evaluate("log_loss", plain({0, 1}, {1, 1})).value, -std::log(1e-7) / 2, 1e-6);
  EXPECT_NEAR(*evaluate("log_loss", plain({0, 1}, {1, 1}), {{"clip", 0.01}}).value,
              -(std::log(0.01) + std::log(0.99)) / 2, 1e-9);
  EXPECT_NEAR(*evaluate("log_loss", plain({0, 0, 1, 1, 0, 0}, {0, 0})).value, -std::log(1e-7) / 2, 1e-6);
}

TEST(NormalisedEntropy, IsOneForTheBaseRateAndUndefinedForOneClass) {
  EXPECT_NEAR(*evaluate("normalised_entropy", plain({.25f, .25f, .25f, .25f}, {0, 0, 1, 0})).value, 1, 1e-12);
  EXPECT_EQ(evaluate("normalised_entropy", plain({.2f, .3f}, {0, 0})).why_undefined, "all labels are 0");
  EXPECT_EQ(evaluate("normalised_entropy", plain({.2f, .3f}, {1, 1})).why_undefined, "all labels are 1");
}

TEST(CalibrationRatio, IsUndefinedWithoutPositivesAndBestAtOne) {
  EXPECT_DOUBLE_EQ(*evaluate("calibration_ratio", plain({.5f, .25f}, {1, 0})).value, 0.75);
  EXPECT_EQ(evaluate("calibration_ratio", plain({.5f, .25f}, {0, 0})).why_undefined, "all labels are 0");
  const std::unique_ptr<Metric> metric = make_metric("calibration_ratio");
  EXPECT_TRUE(metric->is_better(1.1, 0.8));
  EXPECT_TRUE(metric->is_better(0.9, 1.2));
  EXPECT_FALSE(metric->is_better(0.5, 2.0));
  EXPECT_FALSE(metric->is_better(0.0, 3.0));
}

TEST(R2, IsUndefinedForEqualLabels) {
  EXPECT_EQ(evaluate("r2", plain({1, 2, 3}, {.1f, .1f, .1f})).why_undefined, "all labels are equal");
  EXPECT_FALSE(evaluate("r2", plain({1, 2}, {5, missing})).value);
  EXPECT_DOUBLE_EQ(*evaluate("r2", plain({1, 2, 3}, {1, 2, 3})).value, 1);
  EXPECT_DOUBLE_EQ(*evaluate("r2", plain({2, 2, 2}, {1, 2, 3})).value, 0);
}

TEST(Metrics, RefuseLabelsAndPredictionsTheyCannotMean) {
  EXPECT_THROW(evaluate("auc", plain({.1f, .2f}, {0, 2})), Error);
  EXPECT_THROW(evaluate("accuracy", plain({.1f, .2f}, {0, .5f})), Error);
  EXPECT_THROW(evaluate("log_loss", plain({.1f, 1.2f}, {0, 1})), Error);
  EXPECT_THROW(evaluate("log_loss", plain({.1f, .2f}, {0, -1})), Error);
  EXPECT_THROW(evaluate("log_loss", plain({.1f, .9f, .5f, .5f}, {0, 2})), Error);
  EXPECT_THROW(evaluate("rmse", plain({.1f, .9f, .5f, .5f}, {0, 1})), Error);
  try {
    evaluate("auc", plain({.1f, .2f}, {0, 2}));
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "auc: the label of row 1 does not fit the task; got 2, expected 0 or 1");
    EXPECT_EQ(error.fault(), Fault::Data);
  }
}

TEST(Bootstrap, AgreesWithTheKnownSpreadOfAMean) {
  // 95 % of a share's draws lie within 1.96 standard errors.
  Sample sample;
  for (int row = 0; row < 4000; ++row) {
    sample.labels.push_back(1);
    sample.predictions.push_back(row % 4 == 0 ? 0.1f : 0.9f);
  }
  const Interval interval = bootstrap(*make_metric("accuracy"), sample.input(), 2000);
  const double error = std::sqrt(0.75 * 0.25 / 4000);
  EXPECT_NEAR((*interval.high - *interval.low) / (2 * 1.96 * error), 1, 0.1);
  EXPECT_NEAR((*interval.high + *interval.low) / 2, 0.75, 0.2 * error);
  const Interval half = bootstrap(*make_metric("accuracy"), sample.input(), 2000, 0.5);
  EXPECT_NEAR((*half.high - *half.low) / (2 * 0.6745 * error), 1, 0.1);
}

TEST(Bootstrap, CoversTheTruthAboutAsOftenAsItSays) {
  const double truth = *evaluate("auc", make_sample(Kind::Binary, 200000, 0.5, 0, 99)).value;
  int covered = 0;
  constexpr int experiments = 200;
  for (int i = 0; i < experiments; ++i) {
    Sample sample = make_sample(Kind::Binary, 200, 0.5, 0, 1000 + i);
    sample.weights.clear();
    const Interval interval = bootstrap(*make_metric("auc"), sample.input(), 200, 0.9, i);
    covered += *interval.low <= truth && truth <= *interval.high;
  }
  EXPECT_NEAR(covered / double{experiments}, 0.9, 0.07);
}

TEST(Bootstrap, GivesSeveralMetricsTheIntervalsOfEachAlone) {
  const Sample sample = make_sample(Kind::Binary, 300, 0.5, 20, 7);
  std::vector<std::unique_ptr<Metric>> metrics;
  for (const char* name : {"auc", "grouped_auc", "log_loss"}) metrics.push_back(make_metric(name));
  const std::vector<Interval> together = bootstrap(metrics, sample.input(), 50, 0.9, 3);
  ASSERT_EQ(together.size(), metrics.size());
  for (size_t i = 0; i < metrics.size(); ++i) {
    const Interval alone = bootstrap(*metrics[i], sample.input(), 50, 0.9, 3);
    EXPECT_EQ(together[i].low, alone.low);
    EXPECT_EQ(together[i].high, alone.high);
    EXPECT_EQ(together[i].why_undefined, alone.why_undefined);
  }
}

TEST(Bootstrap, CountsResamplesWithoutAValue) {
  const Interval some =
      bootstrap(*make_metric("auc"), plain({.1f, .3f, .2f, .4f}, {0, 1, 0, 1}).input(), 400);
  EXPECT_GT(some.undefined_resamples, 20);  // 2 / 16 expected
  EXPECT_LT(some.undefined_resamples, 90);
  EXPECT_TRUE(some.low);
  const Interval most = bootstrap(*make_metric("r2"), plain({.1f, .3f}, {0, 1}).input(), 3, 0.9, 2);
  EXPECT_EQ(most.low.has_value(), 2 * most.undefined_resamples <= 3);
  EXPECT_THROW(bootstrap(*make_metric("auc"), plain({}, {}).input(), 1), Error);
  EXPECT_THROW(bootstrap(*make_metric("auc"), plain({}, {}).input(), 10, 1.0), Error);
}

TEST(Metrics, JudgeNumbersOf64BitsAsTheyAre) {
  const Sample near = make_sample(Kind::Regression, 300, 0.5);
  std::vector<double> predictions, labels;
  for (size_t row = 0; row < near.labels.size(); ++row) {
    predictions.push_back(1.7e9 + near.predictions[row]);
    labels.push_back(1.7e9 + near.labels[row]);
  }
  MetricInput far = near.input();
  far.predictions = predictions;
  far.labels = labels;
  for (const char* name : {"rmse", "mae", "r2"}) {
    const auto metric = make_metric(name);
    EXPECT_NEAR(*metric->evaluate(far).value, *metric->evaluate(near.input()).value, 1e-6) << name;
    EXPECT_NEAR(*bootstrap(*metric, far, 20).low, *bootstrap(*metric, near.input(), 20).low, 1e-6) << name;
    MetricRows rows;
    rows.append(far);
    EXPECT_EQ(*metric->evaluate(rows.input()).value, *metric->evaluate(far).value) << name;
  }
}

TEST(MetricRows, RefuseBatchesThatDiffer) {
  MetricRows rows;
  rows.append(make_sample(Kind::Binary, 5, 1).input());
  EXPECT_THROW(rows.append(plain({.5f}, {1}).input()), Error);
  EXPECT_THROW(rows.append(make_sample(Kind::Multiclass, 5, 1).input()), Error);
  rows.clear();
  rows.append(plain({.5f}, {1}).input());
  EXPECT_EQ(rows.input().rows, 1);
}

TEST(Pearson, UsesRowsWhereBothArePresent) {
  const std::vector<float> a{1, 2, 3, missing, 5}, b{2, 4, 7, 1, missing}, c{1, 1, 1, 2, 2};
  EXPECT_NEAR(*pearson(a, b), 5 / std::sqrt(2.0 * 38 / 3), 1e-12);
  EXPECT_FALSE(pearson(a, std::vector<float>{missing, missing, missing, 1, 2}));
  EXPECT_FALSE(pearson(std::vector<float>{1, 2, 3}, std::vector<float>{.1f, .1f, .1f}));
  EXPECT_DOUBLE_EQ(*pearson(a, std::vector<float>{-1, -2, -3, 0, -5}), -1);
  EXPECT_THROW(pearson(a, std::vector<float>{1}), Error);
}

}  // namespace
}  // namespace gatewise
