#include "table/synthetic_behaviour_log.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "tests/base/message_of.h"
#include "tests/table/made_rows.h"

namespace gatewise {
namespace {

double sample_mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double sample_correlation(const std::vector<double>& a, const std::vector<double>& b) {
  const double mean_a = sample_mean(a), mean_b = sample_mean(b);
  double aa = 0, bb = 0, ab = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    aa += std::pow(a[i] - mean_a, 2);
    bb += std::pow(b[i] - mean_b, 2);
    ab += (a[i] - mean_a) * (b[i] - mean_b);
  }
  return ab / std::sqrt(aa * bb);
}

// By ranks; no two scores are equal.
double sample_auc(const std::vector<double>& scores, const std::vector<double>& labels) {
  std::vector<std::pair<double, double>> rows;
  for (size_t i = 0; i < scores.size(); ++i) rows.emplace_back(scores[i], labels[i]);
  std::sort(rows.begin(), rows.end());
  double negatives = 0, won = 0;
  for (const auto& [score, label] : rows) {
    won += label * negatives;
    negatives += 1 - label;
  }
  return won / negatives / (static_cast<double>(rows.size()) - negatives);
}

bool conflict(const Json& truth, const std::string& a, const std::string& b) {
  const Json &pairs = truth["conflicts"], pair{a, b};
  return std::find(pairs.begin(), pairs.end(), pair) != pairs.end();
}

TEST(BehaviourLog, RatesAndBestAucsAreThoseOfItsRows) {
  const BehaviourLog log({.seed = 4});
  constexpr int64_t rows = 60000;
  const MadeRows made = made_rows(log, 2, 0, rows);
  const std::vector<double> logits = log.logits(2, 0, rows);
  const Json truth = log.truth();
  for (int64_t b = 0; b < log.tasks(); ++b) {
    const Json& behaviour = truth["behaviours"][log.labels()[b].name];
    const double rate = behaviour["rate"], auc = behaviour["best_auc"];
    const std::vector<double> labels = column_of(made.labels, log.tasks(), b);
    // Both sides are samples.
    EXPECT_NEAR(sample_mean(labels), rate, 5 * std::sqrt(rate / rows)) << b;
    EXPECT_NEAR(sample_auc(column_of(logits, log.tasks(), b), labels), auc, 2 / std::sqrt(rate * rows)) << b;
  }
  EXPECT_NEAR(truth["behaviours"]["effective_view"]["rate"].get<double>(), .5, .005);
  EXPECT_NEAR(truth["behaviours"]["report"]["rate"].get<double>(), .001, .0001);
}

TEST(BehaviourLog, LabelsAreDrawnWithTheirTrueProbabilities) {
  const BehaviourLog log({.behaviours = {"click", "fast_skip"}, .rates = {.4, .6}, .seed = 5});
  constexpr int64_t rows = 50000;
  const MadeRows made = made_rows(log, 0, 0, rows);
  const std::vector<double> logits = log.logits(0, 0, rows);
  for (int64_t b = 0; b < 2; ++b) {
    std::map<int, std::pair<double, double>> bins;  // of the logit: sums of probabilities and of labels
    double variance = 0, together = 0;
    for (int64_t row = 0; row < rows; ++row) {
      const double chance = 1 / (1 + std::exp(-logits[row * 2 + b]));
      auto& [expected, found] = bins[static_cast<int>(std::floor(logits[row * 2 + b]))];
      expected += chance;
      found += made.labels[row * 2 + b];
      const double other = 1 / (1 + std::exp(-logits[row * 2 + 1 - b]));
      together += (made.labels[row * 2 + b] - chance) * (made.labels[row * 2 + 1 - b] - other);
      variance += chance * (1 - chance) * other * (1 - other);
    }
    for (const auto& [bin, sums] : bins)
      EXPECT_NEAR(sums.second, sums.first, 4 * std::sqrt(sums.first) + 1) << bin;
    EXPECT_LT(std::abs(together), 4 * std::sqrt(variance));  // independent given the row
  }
}

// Axes have unit variance and no correlation, so that logits correlate as their weights do.
TEST(BehaviourLog, LogitsCorrelateAsTheWeightsOfTheAxesSay) {
  const Json truth = BehaviourLog({.position_bias = 0, .seed = 6}).truth();
  for (const auto& [a, first] : truth["behaviours"].items()) {
    for (const auto& [b, second] : truth["behaviours"].items()) {
      double product = 0;
      for (const auto& [axis, weight] : first["weights"].items())
        product += weight.get<double>() * second["weights"][axis].get<double>();
      EXPECT_NEAR(truth["logit_correlation"][a][b].get<double>(), product, .03) << a << " " << b;
    }
  }
}

TEST(BehaviourLog, TruthTellsWhatItsOwnLogitsShow) {
  const BehaviourLog log({.seed = 7});
  const Json truth = log.truth();
  const std::vector<double> logits = log.logits(1, 0, 30000);
  for (int64_t a = 0; a < log.tasks(); ++a) {
    for (int64_t b = 0; b < a; ++b) {
      const double found =
          sample_correlation(column_of(logits, log.tasks(), a), column_of(logits, log.tasks(), b));
      EXPECT_NEAR(truth["logit_correlation"][log.labels()[a].name][log.labels()[b].name].get<double>(), found,
                  .03);
    }
  }
}

TEST(BehaviourLog, ConflictsAreThoseThatTheOptionAsksFor) {
  const Json truth = BehaviourLog({}).truth(), none = BehaviourLog({.conflict = 0}).truth();
  EXPECT_TRUE(conflict(truth, "click", "long_view"));
  EXPECT_TRUE(conflict(truth, "full_watch", "fast_skip"));
  EXPECT_TRUE(conflict(truth, "like", "report"));
  EXPECT_FALSE(conflict(truth, "like", "share"));
  EXPECT_FALSE(conflict(none, "click", "long_view"));
  EXPECT_GT(none["logit_correlation"]["click"]["long_view"].get<double>(), .1);
  EXPECT_TRUE(conflict(none, "full_watch", "fast_skip"));
  std::vector<std::string> members;
  for (const auto& [group, names] : truth["groups"].items()) {
    for (const auto& name : names) {
      members.push_back(name);
      EXPECT_EQ(truth["behaviours"][members.back()]["group"], group);
    }
  }
  EXPECT_EQ(members.size(), 12u);
}

TEST(BehaviourLog, PositionsTakeClicksAndFollowTheInterest) {
  constexpr int64_t rows = 30000;
  const auto click_and_position = [](const BehaviourLogOptions& options) {
    const BehaviourLog log(options);
    return sample_correlation(column_of(log.logits(0, 0, rows), log.tasks(), 0),
                              column_of(made_rows(log, 0, 0, rows).x, 2, 0));
  };
  BehaviourLogOptions options{.position_bias = 0, .exposure_bias = 0, .behaviours = {"click"}, .seed = 8};
  EXPECT_NEAR(click_and_position(options), 0, .03);
  options.position_bias = 2;  // sd of the position .32, so .64 against 1.5
  EXPECT_NEAR(click_and_position(options), -.64 / std::hypot(.64, 1.5), .03);
  options.position_bias = 0;
  options.exposure_bias = .9;
  EXPECT_LT(click_and_position(options), -.2);
}

TEST(BehaviourLog, PositionsAreAllTakenAndLengthsBelongToItems) {
  const BehaviourLog log({.items = 50, .positions = 5, .exposure_bias = 0});
  constexpr int64_t rows = 20000;
  const MadeRows made = made_rows(log, 0, 0, rows);
  std::map<float, int> positions;
  std::map<uint64_t, float> lengths;
  for (int64_t row = 0; row < rows; ++row) {
    ++positions[made.x[2 * row]];
    EXPECT_LT(made.ids[2 * row], 5000u);
    const auto [known, is_new] = lengths.emplace(made.ids[2 * row + 1], made.x[2 * row + 1]);
    ASSERT_EQ(known->second, made.x[2 * row + 1]);
  }
  EXPECT_EQ(lengths.size(), 50u);
  EXPECT_EQ(lengths.rbegin()->first, 49u);
  ASSERT_EQ(positions.size(), 5u);
  for (const auto& [position, count] : positions) EXPECT_NEAR(count, rows / 5., 4 * std::sqrt(rows / 5.));
  EXPECT_EQ(positions.rbegin()->first, 1);
}

TEST(BehaviourLog, WatchTimeIsItsExpectedValueAndNoiseOfTheShareThatItSays) {
  const BehaviourLog log({.behaviours = {"click"}, .watch_time = .3, .seed = 9});
  EXPECT_EQ(log.labels()[1].name, "watch_time");
  EXPECT_EQ(log.labels()[1].kind, "regression");
  constexpr int64_t rows = 50000;
  const std::vector<double> values = column_of(made_rows(log, 3, 0, rows).labels, 2, 1);
  const std::vector<double> expected = column_of(log.logits(3, 0, rows), 2, 1);
  double noise = 0, noise_square = 0, spread = 0, product = 0;
  for (int64_t row = 0; row < rows; ++row) {
    noise += values[row] - expected[row];
    noise_square += std::pow(values[row] - expected[row], 2);
    spread += values[row] * values[row];
    product += (values[row] - expected[row]) * expected[row];
  }
  EXPECT_NEAR(sample_mean(values), 0, .03);
  EXPECT_NEAR(spread / rows, 1, .03);
  EXPECT_NEAR(noise / rows, 0, .02);
  EXPECT_NEAR(product / rows, 0, .02);
  EXPECT_NEAR(noise_square / rows, .7, .02);
  const Json truth = log.truth(), &watch_time = truth["behaviours"]["watch_time"];
  EXPECT_NEAR(watch_time["best_r2"].get<double>(), .3, .01);
  EXPECT_NEAR(watch_time["best_r2"].get<double>(), 1 - noise_square / spread, .02);
  EXPECT_NEAR(truth["logit_correlation"]["click"]["watch_time"].get<double>(),
              sample_correlation(column_of(log.logits(3, 0, rows), 2, 0), expected), .03);
  EXPECT_EQ(truth["groups"]["watch"], (Json{"click", "watch_time"}));
}

TEST(BehaviourLog, WatchTimeLeavesTheBehavioursAsTheyAre) {
  const MadeRows without = made_rows(BehaviourLog({.behaviours = {"like"}}), 1, 0, 200);
  const BehaviourLog certain({.behaviours = {"like"}, .watch_time = 1});
  const MadeRows with = made_rows(certain, 1, 0, 200);
  EXPECT_EQ(column_of(with.labels, 2, 0), column_of(without.labels, 1, 0));
  const std::vector<double> logits = column_of(certain.logits(1, 0, 200), 2, 1);
  for (int64_t row = 0; row < 200; ++row)
    ASSERT_EQ(with.labels[2 * row + 1], static_cast<float>(logits[row]));
}

TEST(BehaviourLog, TheSmallestServiceIsStillATable) {
  const BehaviourLog log(
      {.users = 1, .items = 1, .factors = 1, .positions = 1, .signal = 0, .watch_time = .5});
  const Json truth = log.truth();
  EXPECT_NEAR(truth["behaviours"]["click"]["best_auc"].get<double>(), .5, 1e-9);
  EXPECT_NEAR(truth["behaviours"]["click"]["rate"].get<double>(), .25, 1e-9);
  const MadeRows made = made_rows(log, 0, 0, 10);
  EXPECT_EQ(made.ids, std::vector<uint64_t>(20, 0));
  EXPECT_EQ(made.x, std::vector<float>(20, 0));
  EXPECT_EQ(truth["behaviours"]["watch_time"]["best_r2"], 0);
}

TEST(BehaviourLog, RefusesWhatCannotBe) {
  const auto refusal = [](const char* options) {
    return message_of([&] { make_synthetic_table("behaviour_log", Json::parse(options)); });
  };
  EXPECT_THAT(refusal(R"({"behaviours": ["clik"]})"), testing::HasSubstr("Did you mean \"click\""));
  EXPECT_THAT(refusal(R"({"behaviours": ["like", "like"]})"), testing::HasSubstr("\"like\" twice"));
  EXPECT_THAT(refusal(R"({"behaviours": ["like"], "rates": [0.1, 0.2]})"),
              testing::HasSubstr("got 2 rates for 1 behaviours"));
  EXPECT_THAT(refusal(R"({"rates": [0.1, 1]})"), testing::HasSubstr("synth.rates"));
  EXPECT_THAT(refusal(R"({"behaviours": ["watch_time"]})"), testing::HasSubstr("synth.behaviours: unknown"));
  EXPECT_THAT(refusal(R"({"watch_time": 1.5})"), testing::HasSubstr("synth.watch_time"));
  EXPECT_THAT(refusal(R"({"users": 0})"), testing::HasSubstr("synth.users"));
  EXPECT_THAT(refusal(R"({"exposure_bias": 1.5})"), testing::HasSubstr("synth.exposure_bias"));
  EXPECT_THAT(refusal(R"({"item_skw": 1})"), testing::HasSubstr("item_skew"));
}

}  // namespace
}  // namespace gatewise
