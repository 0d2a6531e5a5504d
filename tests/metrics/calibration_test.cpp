#include "metrics/calibration.h"

#include <gtest/gtest.h>

#include "tests/metrics/sample.h"

namespace gatewise {
namespace {

Sample binary(std::vector<float> predictions, std::vector<float> labels) {
  Sample sample;
  sample.predictions = std::move(predictions);
  sample.labels = std::move(labels);
  return sample;
}

TEST(Calibration, ComparesMeansInBinsOfEquallyManyRows) {
  const Sample sample = binary({0.9F, 0.1F, 0.7F, 0.2F, 0.8F, 0.3F}, {1, 0, 1, 0, 0, 1});
  const Json found = calibration(sample.input(), 2);
  ASSERT_EQ(found["bins"].size(), 2u);
  const Json &low = found["bins"][0], &high = found["bins"][1];
  EXPECT_EQ(low["rows"], 3);
  EXPECT_NEAR(low["prediction"].get<double>(), 0.2, 1e-7);
  EXPECT_NEAR(low["prediction_low"].get<double>(), 0.1, 1e-7);
  EXPECT_NEAR(low["prediction_high"].get<double>(), 0.3, 1e-7);
  EXPECT_NEAR(low["label"].get<double>(), 1.0 / 3, 1e-12);
  // Wilson's interval of 1 in 3, from its two equations solved by hand.
  EXPECT_NEAR(low["label_low"].get<double>(), 0.061492, 1e-6);
  EXPECT_NEAR(low["label_high"].get<double>(), 0.792340, 1e-6);
  EXPECT_NEAR(high["prediction"].get<double>(), 0.8, 1e-7);
  EXPECT_NEAR(found["error"].get<double>(), (1.0 / 3 - 0.2 + 0.8 - 2.0 / 3) / 2, 1e-7);
}

TEST(Calibration, KeepsEqualPredictionsTogetherAndLosesNoRow) {
  const Sample ties = binary({0.5F, 0.5F, 0.5F, 0.5F, 0.1F}, {1, 0, 1, 0, 0});
  const Json found = calibration(ties.input(), 5);
  ASSERT_EQ(found["bins"].size(), 2u);
  EXPECT_EQ(found["bins"][1]["rows"], 4);
  for (const int64_t bins : {1, 3, 7, 40, 1000}) {
    const Sample sample = make_sample(Kind::Binary, 200, 0.1);
    int64_t rows = 0, shown = 0;
    const Json any = calibration(sample.input(), bins);
    for (const Json& bin : any["bins"]) rows += bin["rows"].get<int64_t>();
    for (const Json& bin : any["predictions"]) shown += bin["rows"].get<int64_t>();
    int64_t labelled = 0;
    for (int64_t row = 0; row < sample.rows(); ++row) {
      const bool counts = sample.weights.empty() || sample.weights[row] > 0;
      labelled += !std::isnan(sample.labels[row]) && counts ? 1 : 0;
    }
    EXPECT_EQ(rows, labelled) << bins;
    EXPECT_EQ(shown, labelled) << bins;
    EXPECT_LE(static_cast<int64_t>(any["bins"].size()), bins);
  }
}

TEST(Calibration, CountsWeightsAndLeavesOutMissingLabels) {
  Sample sample = binary({0.2F, 0.4F, 0.6F}, {0, 1, missing});
  sample.weights = {1, 3, 100};
  const Json bin = calibration(sample.input(), 1)["bins"][0];
  EXPECT_EQ(bin["rows"], 2);
  EXPECT_NEAR(bin["prediction"].get<double>(), 0.35, 1e-7);
  EXPECT_NEAR(bin["label"].get<double>(), 0.75, 1e-12);
}

TEST(Calibration, JudgesTheLikeliestOfSeveralClasses) {
  Sample sample;
  sample.classes = 3;
  sample.predictions = {0.6F, 0.3F, 0.1F, 0.1F, 0.2F, 0.7F};
  sample.labels = {0, 1};
  const Json bin = calibration(sample.input(), 1)["bins"][0];
  EXPECT_NEAR(bin["prediction"].get<double>(), 0.65, 1e-7);
  EXPECT_EQ(bin["label"], 0.5);
}

TEST(Calibration, OfValuesUsesTheStandardErrorOfTheirMean) {
  const Sample sample = binary({10, 10, 20, 20}, {8, 12, 19, 25});
  const Json found = calibration(sample.input(), 2);
  EXPECT_EQ(found["bins"][0]["label"], 10.0);
  EXPECT_NEAR(found["bins"][0]["label_high"].get<double>(), 10 + 1.959964 * 2, 1e-5);
  EXPECT_EQ(found["error"], 1.0);
  EXPECT_FALSE(found["predictions"][0].contains("rows_of_label_1"));
  EXPECT_EQ(found["predictions"][0]["from"], 10.0);
}

TEST(Calibration, WithoutLabelsSaysWhyThereIsNone) {
  const Json found = calibration(binary({0.5F}, {missing}).input(), 10);
  EXPECT_TRUE(found.contains("why_undefined"));
}

}  // namespace
}  // namespace gatewise
