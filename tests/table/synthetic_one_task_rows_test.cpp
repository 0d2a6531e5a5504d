#include "table/synthetic_one_task_rows.h"

#include <gmock/gmock.h>

#include <cmath>

#include "tests/base/message_of.h"
#include "tests/table/made_rows.h"

namespace gatewise {
namespace {

TEST(OneTaskRows, TasksHaveTheirSharesOfTheRows) {
  const auto check = [](const OneTaskRowsOptions& options, double largest_over_smallest) {
    const OneTaskRows table(options);
    constexpr int64_t rows = 40000;
    const MadeRows made = made_rows(table, 3, 0, rows);
    const Json tasks = table.truth()["tasks"];
    std::vector<double> counts(static_cast<size_t>(options.tasks));
    for (const uint64_t task : made.ids) ++counts.at(task);
    for (int64_t t = 0; t < options.tasks; ++t) {
      const double expected = rows * tasks[t]["share"].get<double>();
      EXPECT_NEAR(counts[t], expected, 4.5 * std::sqrt(expected) + 1) << t;
    }
    const double first = tasks.front()["share"], last = tasks.back()["share"];
    EXPECT_NEAR(first / last, largest_over_smallest, 1e-9 * largest_over_smallest);
    if (options.shares.empty() && options.tasks > 2) {
      const double second = tasks[1]["share"], third = tasks[2]["share"];
      EXPECT_NEAR(first / second, second / third, 1e-9);
    }
  };
  check({}, 100);
  check({.tasks = 128, .groups = 8, .imbalance = 1e4}, 1e4);
  check({.tasks = 3, .groups = 1, .imbalance = 1}, 1);
  check({.tasks = 3, .groups = 2, .shares = {2, 7, 1}}, 2);
  check({.tasks = 1, .groups = 1}, 1);
}

TEST(OneTaskRows, LabelsFollowFromTheTruth) {
  const OneTaskRows table({.tasks = 7, .groups = 3, .dimension = 9, .functions = 4, .noise_variance = 0});
  const Json truth = table.truth();
  const MadeRows made = made_rows(table, 2, 0, 300);
  for (int64_t row = 0; row < 300; ++row) {
    const Json& task = truth["tasks"][made.ids[row]];
    const std::vector<std::vector<double>> directions = truth["directions"][task["group"].get<size_t>()];
    double label = 0;
    for (size_t j = 0; j < 4; ++j) {
      double z = 0;
      for (size_t i = 0; i < 9; ++i) z += directions[j][i] * made.x[row * 9 + i];
      label += task["readout"][j].get<double>() * std::tanh(2 * z) / truth["function_sd"].get<double>();
    }
    ASSERT_NEAR(made.labels[row], label, 1e-5);
  }
}

TEST(OneTaskRows, LabelsAndNoiseHaveTheVariancesTold) {
  const OneTaskRows noisy({.tasks = 2, .groups = 2, .imbalance = 1, .noise_variance = .25}),
      clean({.tasks = 2, .groups = 2, .imbalance = 1, .noise_variance = 0});
  constexpr int64_t rows = 60000;
  const MadeRows a = made_rows(noisy, 1, 0, rows), b = made_rows(clean, 1, 0, rows);
  EXPECT_EQ(a.x, b.x);
  double noise = 0, signal[2] = {}, counts[2] = {};
  for (int64_t row = 0; row < rows; ++row) {
    noise += std::pow(a.labels[row] - b.labels[row], 2) / rows;
    signal[b.ids[row]] += std::pow(b.labels[row], 2);
    counts[b.ids[row]] += 1;
  }
  EXPECT_NEAR(noise, noisy.truth()["noise_floor"].get<double>(), .01);
  EXPECT_NEAR(noisy.truth()["label_variance"].get<double>(), 1.25, 1e-12);
  for (int task = 0; task < 2; ++task) EXPECT_NEAR(signal[task] / counts[task], 1, .03);
}

TEST(OneTaskRows, TasksOfAGroupShareWhatTheOptionLeaves) {
  const auto cosine = [](double difference) {
    const OneTaskRows table({.tasks = 128, .groups = 2, .difference = difference, .seed = 1});
    const Json truth = table.truth();
    EXPECT_EQ(truth["groups"].size(), 2u);
    double sum = 0, count = 0;
    for (const auto& a : truth["groups"][1]) {
      for (const auto& b : truth["groups"][1]) {
        if (a == b) continue;
        const std::vector<double> first = truth["tasks"][a.get<size_t>()]["readout"],
                                  second = truth["tasks"][b.get<size_t>()]["readout"];
        for (size_t j = 0; j < first.size(); ++j) sum += first[j] * second[j];
        count += 1;
      }
    }
    return sum / count;
  };
  EXPECT_NEAR(cosine(0), 1, 1e-12);
  EXPECT_NEAR(cosine(.5), 1 / 1.25, .05);  // 1 / (1 + difference^2), when the own parts are perpendicular
  EXPECT_NEAR(cosine(50), 0, .1);
}

TEST(OneTaskRows, ItsIdsNameTheTask) {
  const OneTaskRows table({.tasks = 5});
  ASSERT_EQ(table.id_columns(), 1);
  EXPECT_EQ(table.ids()[0].name, "task");
  EXPECT_EQ(table.ids()[0].count, 5u);
  EXPECT_TRUE(table.ids()[0].names_task);
}

TEST(OneTaskRows, RefusesWhatCannotBe) {
  const auto refusal = [](const char* options) {
    return message_of([&] { make_synthetic_table("one_task_rows", Json::parse(options)); });
  };
  EXPECT_THAT(refusal(R"({"tasks": 3})"), testing::HasSubstr("synth.groups: got 4, expected at most the 3"));
  EXPECT_THAT(refusal(R"({"functions": 21})"), testing::HasSubstr("at most the dimension 20"));
  EXPECT_THAT(refusal(R"({"shares": [1, 2]})"), testing::HasSubstr("got 2 shares for 16 tasks"));
  EXPECT_THAT(refusal(R"({"tasks": 4, "shares": [1, 2, 0, 1]})"), testing::HasSubstr("synth.shares"));
  EXPECT_THAT(refusal(R"({"imbalance": 0.5})"), testing::HasSubstr("synth.imbalance"));
  EXPECT_THAT(refusal(R"({"task": 5})"), testing::HasSubstr("tasks"));
}

}  // namespace
}  // namespace gatewise
