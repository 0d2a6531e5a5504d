#include "table/synthetic_conversion_chain.h"

#include <gmock/gmock.h>

#include <cmath>

#include "tests/base/message_of.h"
#include "tests/table/made_rows.h"

namespace gatewise {
namespace {

TEST(ConversionChain, AStepHappensOnlyWhereTheStepBeforeDid) {
  const ConversionChain chain({.steps = 5, .rates = {.5, .5, .5, .5, .5}, .seed = 1});
  constexpr int64_t rows = 3000;
  const MadeRows made = made_rows(chain, 1, 0, rows);
  std::vector<int64_t> happened(5);
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t s = 0; s < 5; ++s) {
      const float label = made.labels[row * 5 + s];
      ASSERT_TRUE(label == 0 || label == 1);
      if (s > 0) {
        ASSERT_LE(label, made.labels[row * 5 + s - 1]);
      }
      happened[s] += label == 1;
    }
  }
  EXPECT_GT(happened[4], 100);
  for (int64_t s = 1; s < 5; ++s) EXPECT_LT(happened[s], happened[s - 1]);
  std::vector<std::string> names;
  for (const SyntheticLabel& label : chain.labels()) names.push_back(label.name);
  EXPECT_EQ(names, (std::vector<std::string>{"click", "cart", "checkout", "payment", "purchase"}));
  EXPECT_EQ(ConversionChain({.steps = 1}).labels()[0].name, "click");
  EXPECT_EQ(ConversionChain({}).labels()[1].name, "purchase");
}

TEST(ConversionChain, LaterLabelsCanBeMissingWhereTheStepWasNotReached) {
  const ConversionChain zero({.steps = 3, .rates = {.4, .5, .5}, .seed = 2}),
      missing({.steps = 3, .rates = {.4, .5, .5}, .later_labels = "missing", .seed = 2});
  const MadeRows a = made_rows(zero, 1, 0, 1000), b = made_rows(missing, 1, 0, 1000);
  EXPECT_EQ(a.ids, b.ids);
  EXPECT_EQ(a.x, b.x);
  for (int64_t i = 0; i < 3000; ++i) {
    const bool is_reached = i % 3 == 0 || a.labels[i - 1] == 1;
    ASSERT_EQ(std::isnan(b.labels[i]), !is_reached) << i;
    if (is_reached) {
      ASSERT_EQ(a.labels[i], b.labels[i]);
    }
  }
}

TEST(ConversionChain, RatesAndProbabilitiesAreThoseOfItsRows) {
  const ConversionChain chain({.steps = 3, .rates = {.2, .3, .4}, .seed = 3});
  constexpr int64_t rows = 60000;
  const MadeRows made = made_rows(chain, 1, 0, rows);
  const std::vector<double> logits = chain.logits(1, 0, rows);
  const Json steps = chain.truth()["steps"];
  double reached = rows;
  for (int64_t s = 0; s < 3; ++s) {
    const Json& step = steps[chain.labels()[s].name];
    double happened = 0, on_all = 0, on_reached = 0;
    for (int64_t row = 0; row < rows; ++row) {
      const double chance = 1 / (1 + std::exp(-logits[row * 3 + s]));
      happened += made.labels[row * 3 + s];
      on_all += chance / rows;
      if (s == 0 || made.labels[row * 3 + s - 1] == 1) on_reached += chance / reached;
    }
    const double rate = step["rate"], all = step["conditional_on_all_rows"],
                 among = step["conditional_on_reached_rows"];
    EXPECT_NEAR(happened / rows, rate, 5 * std::sqrt(rate / rows)) << s;
    EXPECT_NEAR(happened / reached, among, 5 * std::sqrt(among / reached)) << s;
    EXPECT_NEAR(on_reached, among, .015) << s;
    EXPECT_NEAR(on_all, all, .005) << s;
    EXPECT_NEAR(all, chain.truth()["options"]["rates"][s].get<double>(), .005) << s;
    reached = happened;
  }
}

TEST(ConversionChain, RowsThatReachAStepAreMoreLikelyToGoOn) {
  const auto purchase = [](double shared, double hidden, double signal) {
    const Json step = ConversionChain({.shared = shared, .hidden = hidden, .signal = signal, .seed = 4})
                          .truth()["steps"]["purchase"];
    return std::array<double, 3>{step["conditional_on_all_rows"], step["learnt_on_reached_rows"],
                                 step["conditional_on_reached_rows"]};
  };
  const auto [all, learnt, reached] = purchase(.5, 1, 1.5);
  EXPECT_GT(learnt, all + .05);
  EXPECT_GT(reached, learnt + .05);
  // What is shared shows in the columns: selection then changes which rows, not what is learnt of each.
  const auto [all_seen, learnt_seen, reached_seen] = purchase(.5, 0, 1.5);
  EXPECT_NEAR(learnt_seen, all_seen, 1e-9);
  EXPECT_GT(reached_seen, all_seen + .05);
  const auto [all_apart, learnt_apart, reached_apart] = purchase(0, 0, 1.5);
  EXPECT_NEAR(reached_apart, all_apart, .01);
  EXPECT_NEAR(learnt_apart, all_apart, 1e-9);
  // Without columns that tell anything, all rows look alike.
  const auto [all_blind, learnt_blind, reached_blind] = purchase(.5, 1, 0);
  EXPECT_NEAR(learnt_blind, reached_blind, 1e-9);
  EXPECT_GT(learnt_blind, all_blind + .05);
}

// E[s(b + Z) s(c + Z)] and E[s(b + Z)] by the midpoint rule, where the columns tell nothing.
TEST(ConversionChain, TheIntentIsIntegratedOut) {
  const Json steps = ConversionChain({.hidden = 2, .signal = 0}).truth()["steps"];
  const double click = steps["click"]["bias"], purchase = steps["purchase"]["bias"];
  double both = 0, first = 0, second = 0;
  constexpr double width = .01;
  for (double z = -10 + width / 2; z < 10; z += width) {
    const double density = width * std::exp(-z * z / 2) / std::sqrt(2 * std::acos(-1.));
    const double a = 1 / (1 + std::exp(-click - 2 * z)), b = 1 / (1 + std::exp(-purchase - 2 * z));
    first += density * a;
    second += density * b;
    both += density * a * b;
  }
  EXPECT_NEAR(steps["click"]["rate"].get<double>(), first, 1e-6);
  EXPECT_NEAR(steps["purchase"]["conditional_on_all_rows"].get<double>(), second, 1e-6);
  EXPECT_NEAR(steps["purchase"]["rate"].get<double>(), both, 1e-6);
}

TEST(ConversionChain, BestAucsAreThoseOfTheTrueProbabilities) {
  const ConversionChain chain({.rates = {.2, .3}, .hidden = 0, .seed = 5});
  constexpr int64_t rows = 60000;
  const MadeRows made = made_rows(chain, 1, 0, rows);
  const std::vector<double> logits = chain.logits(1, 0, rows);
  // Won pairs among sampled rows, by ranks.
  const auto auc = [&](int64_t label, bool only_reached, const auto& score) {
    std::vector<std::pair<double, float>> ranked;
    for (int64_t row = 0; row < rows; ++row) {
      if (only_reached && made.labels[2 * row] == 0) continue;
      ranked.emplace_back(score(logits[2 * row], logits[2 * row + 1]), made.labels[2 * row + label]);
    }
    std::sort(ranked.begin(), ranked.end());
    double won = 0, negatives = 0, positives = 0;
    for (const auto& [value, is_positive] : ranked) {
      won += is_positive * negatives;
      (is_positive == 1 ? positives : negatives) += 1;
    }
    return won / positives / negatives;
  };
  const auto chain_logit = [](double a, double b) {
    return -std::log1p(std::exp(-a)) - std::log1p(std::exp(-b));
  };
  const Json steps = chain.truth()["steps"];
  EXPECT_NEAR(steps["click"]["best_auc"].get<double>(), auc(0, false, [](double a, double) { return a; }),
              .01);
  EXPECT_NEAR(steps["purchase"]["best_auc"].get<double>(), auc(1, false, chain_logit), .015);
  EXPECT_NEAR(steps["purchase"]["best_auc_on_reached_rows"].get<double>(),
              auc(1, true, [](double, double b) { return b; }), .015);
}

TEST(ConversionChain, StepsShareWhatTheOptionSays) {
  for (const double shared : {0., .3, 1.}) {
    const Json correlation = ConversionChain({.steps = 3, .shared = shared, .dimension = 4, .seed = 6})
                                 .truth()["logit_correlation"];
    EXPECT_NEAR(correlation["click"]["cart"].get<double>(), shared, .02);
    EXPECT_NEAR(correlation["cart"]["purchase"].get<double>(), shared, .02);
  }
}

TEST(ConversionChain, RefusesWhatCannotBe) {
  const auto refusal = [](const char* options) {
    return message_of([&] { make_synthetic_table("conversion_chain", Json::parse(options)); });
  };
  EXPECT_THAT(refusal(R"({"rates": [0.1]})"), testing::HasSubstr("got 1 rates for 2 steps"));
  EXPECT_THAT(refusal(R"({"dimension": 2})"), testing::HasSubstr("got 2, expected at least 3"));
  EXPECT_THAT(refusal(R"({"steps": 6})"), testing::HasSubstr("synth.steps"));
  EXPECT_THAT(refusal(R"({"later_labels": "mising"})"), testing::HasSubstr("missing"));
  EXPECT_THAT(refusal(R"({"shared": -0.1})"), testing::HasSubstr("synth.shared"));
}

}  // namespace
}  // namespace gatewise
