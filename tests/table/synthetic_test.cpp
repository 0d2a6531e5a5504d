#include "table/synthetic.h"

#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/random.h"
#include "table/synthetic_related_tasks.h"
#include "tests/base/message_of.h"
#include "tests/table/made_rows.h"

namespace gatewise {
namespace {

struct Rows {
  std::vector<float> x, labels;
};

Rows fill(const SyntheticTable& table, uint64_t step, int64_t first_row, int64_t rows) {
  Rows out{std::vector<float>(static_cast<size_t>(rows * table.width())),
           std::vector<float>(static_cast<size_t>(rows * table.tasks()))};
  table.fill(step, first_row, rows, out.x.data(), out.labels.data());
  return out;
}

double label_pearson(const SyntheticTable& table, int64_t rows, int64_t a = 0, int64_t b = 1) {
  const std::vector<float> labels = fill(table, 0, 0, rows).labels;
  double sum_a = 0, sum_b = 0, aa = 0, bb = 0, ab = 0;
  for (int64_t row = 0; row < rows; ++row) {
    const double x = labels[row * table.tasks() + a], y = labels[row * table.tasks() + b];
    sum_a += x;
    sum_b += y;
    aa += x * x;
    bb += y * y;
    ab += x * y;
  }
  const double n = static_cast<double>(rows);
  return (ab - sum_a * sum_b / n) / std::sqrt((aa - sum_a * sum_a / n) * (bb - sum_b * sum_b / n));
}

// Figures of the label correlation over the whole axis, as far as they are known from outside this code.
TEST(LabelCorrelation, OfTheCalibratedConstantsMatchesTheListedValues) {
  const SineConstants constants = sine_constants("calibrated", 0);
  const double listed[][2] = {{.4, .057}, {.5, .075},  {.6, .099},  {.7, .132}, {.8, .184},
                              {.9, .296}, {.95, .446}, {.98, .670}, {1, .996}};
  for (const auto& [p, expected] : listed)
    EXPECT_NEAR(label_correlation(constants, p, .01), expected, 6e-4) << p;
  EXPECT_NEAR(label_variance(constants, .01), 2.64, .01);
}

TEST(LabelCorrelation, OfTheOtherFixedConstantsMatchesTheListedValues) {
  const SineConstants gsyn = sine_constants("gsyn", 0), five = sine_constants("calibrated_five", 0);
  EXPECT_NEAR(label_variance(gsyn, .01), 7.07, .01);
  EXPECT_NEAR(label_correlation(gsyn, .5, .01), .218, 6e-4);
  EXPECT_NEAR(label_correlation(gsyn, .9, .01), .457, 6e-4);
  EXPECT_NEAR(label_variance(five, .01), 3.19, .01);
  EXPECT_NEAR(label_correlation(five, .5, .01), .080, 6e-4);
  EXPECT_NEAR(label_correlation(five, .9, .01), .295, 6e-4);
}

TEST(LabelCorrelation, OfTheDrawnConstantsMatchesTheListedMeans) {
  const auto means = [](const std::string& preset) {
    std::array<double, 3> sums{};
    constexpr int seeds = 2000;
    for (int seed = 0; seed < seeds; ++seed) {
      const SineConstants constants = sine_constants(preset, seed);
      sums[0] += label_variance(constants, .01) / seeds;
      sums[1] += label_correlation(constants, .5, .01) / seeds;
      sums[2] += label_correlation(constants, .9, .01) / seeds;
    }
    return sums;
  };
  EXPECT_THAT(means("keras"),
              testing::ElementsAre(testing::DoubleNear(.32, .03), testing::DoubleNear(.40, .03),
                                   testing::DoubleNear(.77, .03)));
  EXPECT_THAT(means("ple"), testing::ElementsAre(testing::DoubleNear(3.2, .2), testing::DoubleNear(.33, .03),
                                                 testing::DoubleNear(.80, .03)));
}

TEST(RelatedTasks, LabelsHaveTheClosedFormCorrelation) {
  for (const std::string preset : {"calibrated", "calibrated_five", "keras", "ple", "gsyn"}) {
    for (const double p : {-.7, .5, .8, .9, 1.}) {
      const RelatedTasks table({.correlation = p, .dimension = 20, .preset = preset, .seed = 3});
      const double expected = label_correlation(sine_constants(preset, 3), p, .01);
      EXPECT_NEAR(label_pearson(table, 200000), expected, .01) << preset << " " << p;
    }
  }
}

TEST(RelatedTasks, StandardisesAllTasksByTheGeneratorsOwnMoments) {
  for (const std::string preset : {"calibrated", "keras", "gsyn"}) {
    for (const bool standardise : {true, false}) {
      const RelatedTasks table({.dimension = 8, .preset = preset, .standardise = standardise, .seed = 5});
      const SineConstants constants = sine_constants(preset, 5);
      const double variance = standardise ? 1 : label_variance(constants, .01);
      constexpr int64_t rows = 200000;
      const std::vector<float> labels = fill(table, 0, 0, rows).labels;
      for (int task = 0; task < 2; ++task) {
        double sum = 0, squares = 0;
        for (int64_t row = 0; row < rows; ++row) sum += labels[row * 2 + task];
        for (int64_t row = 0; row < rows; ++row) squares += std::pow(labels[row * 2 + task] - sum / rows, 2);
        const double mean = standardise ? 0 : label_mean(constants);
        EXPECT_NEAR(sum / rows, mean, 4 * std::sqrt(variance / rows)) << preset;
        EXPECT_NEAR(squares / rows / variance, 1, .02) << preset;
      }
    }
  }
}

TEST(RelatedTasks, LabelsFollowFromFeaturesAndTheTruth) {
  const RelatedTasks table({.correlation = .8, .dimension = 30, .tasks = 3, .noise_variance = 0, .seed = 9});
  const Json truth = table.truth();
  const std::vector<double> alpha = truth["alpha"], beta = truth["beta"];
  const std::vector<std::vector<double>> weights = truth["weights"];
  const Rows rows = fill(table, 4, 0, 50);
  for (int64_t row = 0; row < 50; ++row) {
    for (int64_t task = 0; task < 3; ++task) {
      double z = 0;
      for (int64_t i = 0; i < 30; ++i) z += weights[task][i] * rows.x[row * 30 + i];
      double y = z;
      for (size_t j = 0; j < alpha.size(); ++j) y += std::sin(alpha[j] * z + beta[j]);
      const double mean = truth["label_mean"], variance = truth["label_variance"];
      EXPECT_NEAR(rows.labels[row * 3 + task], (y - mean) / std::sqrt(variance), 1e-4);
    }
  }
}

TEST(RelatedTasks, WeightsOfEveryTwoTasksHaveTheCosineAskedFor) {
  const auto check = [](int64_t tasks, double p) {
    const std::vector<std::vector<double>> weights =
        RelatedTasks({.correlation = p, .dimension = 40, .tasks = tasks}).truth()["weights"];
    for (int64_t a = 0; a < tasks; ++a) {
      for (int64_t b = 0; b <= a; ++b) {
        double dot = 0;
        for (int64_t i = 0; i < 40; ++i) dot += weights[a][i] * weights[b][i];
        EXPECT_NEAR(dot / (.35 * .35), a == b ? 1 : p, 1e-6) << tasks << " " << p;
      }
    }
  };
  for (const double p : {-1., 0., .5, .9, 1.}) check(2, p);
  for (const double p : {-.25, 0., .5, 1.}) check(5, p);
  check(40, .3);
  check(1, .5);
}

TEST(RelatedTasks, NoiseHasItsVarianceAndIsIndependentBetweenTasks) {
  const RelatedTasksOptions options{.correlation = 1, .dimension = 5, .tasks = 5, .standardise = false};
  RelatedTasksOptions silent = options;
  silent.noise_variance = 0;
  constexpr int64_t rows = 100000;
  const Rows noisy = fill(RelatedTasks(options), 2, 0, rows), clean = fill(RelatedTasks(silent), 2, 0, rows);
  EXPECT_EQ(noisy.x, clean.x);
  double products[5][5] = {};
  for (int64_t row = 0; row < rows; ++row) {
    for (int a = 0; a < 5; ++a) {
      for (int b = 0; b < 5; ++b) {
        products[a][b] += double{noisy.labels[row * 5 + a] - clean.labels[row * 5 + a]} *
                          (noisy.labels[row * 5 + b] - clean.labels[row * 5 + b]) / rows;
      }
    }
  }
  for (int a = 0; a < 5; ++a) {
    for (int b = 0; b < 5; ++b) EXPECT_NEAR(products[a][b], a == b ? .01 : 0, 2e-4);
  }
}

TEST(RelatedTasks, ARowIsTheSameBitsWhateverIsFilledBeside) {
  for (const int64_t dimension : {100, 7}) {
    const RelatedTasks table({.dimension = dimension, .tasks = 3, .seed = 2});
    const Rows all = fill(table, 6, 1000, 300);
    for (const int64_t rows : {1, 2, 5, 32, 65, 100}) {
      for (int64_t begin = 0; begin + rows <= 300; begin += rows) {
        const Rows part = fill(table, 6, 1000 + begin, rows);
        ASSERT_EQ(std::memcmp(part.x.data(), &all.x[begin * dimension], part.x.size() * sizeof(float)), 0);
        ASSERT_EQ(std::memcmp(part.labels.data(), &all.labels[begin * 3], part.labels.size() * sizeof(float)),
                  0);
      }
    }
  }
}

TEST(RelatedTasks, SeedsStepsAndRowsGiveFreshRows) {
  const RelatedTasks table({.seed = 1}), other({.seed = 2});
  const Rows rows = fill(table, 0, 0, 10);
  EXPECT_NE(rows.x, fill(table, 1, 0, 10).x);
  EXPECT_NE(rows.x, fill(table, 0, 10, 10).x);
  EXPECT_NE(rows.x, fill(other, 0, 0, 10).x);
  EXPECT_NE(table.truth()["weights"], other.truth()["weights"]);
}

TEST(RelatedTasks, RefuseWhatCannotBe) {
  const auto refusal = [](const char* options) {
    return message_of([&] { make_synthetic_table("related_tasks", Json::parse(options)); });
  };
  EXPECT_THAT(refusal(R"({"tasks": 3, "dimension": 2})"), testing::HasSubstr("at most the dimension 2"));
  EXPECT_THAT(refusal(R"({"tasks": 3, "correlation": -0.6})"),
              testing::HasSubstr("at least -0.5 for 3 tasks"));
  EXPECT_THAT(refusal(R"({"correlation": 1.5})"), testing::HasSubstr("synth.correlation"));
  EXPECT_THAT(refusal(R"({"preset": "calibratd"})"), testing::HasSubstr("Did you mean \"calibrated\""));
  EXPECT_THAT(message_of([] { make_synthetic_table("related_task"); }),
              testing::HasSubstr("Did you mean \"related_tasks\""));
  EXPECT_NO_THROW(make_synthetic_table("related_tasks", Json::parse(R"({"tasks": 3, "correlation": -0.5})")));
}

// One column of ids beyond what floats and doubles hold.
class LongIds final : public SyntheticTable {
 public:
  const std::vector<SyntheticId>& ids() const override { return ids_; }
  const std::vector<std::string>& features() const override { return features_; }
  const std::vector<SyntheticLabel>& labels() const override { return labels_; }
  void fill(uint64_t, int64_t, int64_t rows, float*, float* label_values) const override {
    std::fill_n(label_values, rows, std::nanf(""));
  }
  void fill_ids(uint64_t, int64_t first_row, int64_t rows, uint64_t* values) const override {
    for (int64_t i = 0; i < rows; ++i) values[i] = ids_[0].count - 1 - static_cast<uint64_t>(first_row + i);
  }
  Json truth() const override { return {}; }

 private:
  std::vector<SyntheticId> ids_{{"id", ~uint64_t{0}}};
  std::vector<std::string> features_;
  std::vector<SyntheticLabel> labels_{{"y", "binary"}};
};

TEST(WriteCsv, WritesIdsExactlyAndMissingLabelsEmpty) {
  const std::string path =
      std::filesystem::temp_directory_path() / fmt::format("gatewise-{}-ids.csv", ::getpid());
  write_csv(LongIds(), 2, path);
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  EXPECT_EQ(text.str(), "id,y\n18446744073709551614,\n18446744073709551613,\n");
  std::filesystem::remove(path);
}

class EverySyntheticTable : public testing::TestWithParam<std::string> {};

INSTANTIATE_TEST_SUITE_P(Registry, EverySyntheticTable,
                         testing::ValuesIn(Registry<SyntheticTable>::instance().names()),
                         [](const auto& test) { return test.param; });

TEST_P(EverySyntheticTable, NamesItsColumnsTellsItsTruthAndRepeatsItsRows) {
  const auto table = make_synthetic_table(GetParam()), again = make_synthetic_table(GetParam());
  std::vector<std::string> names = table->features();
  for (const SyntheticId& id : table->ids()) names.push_back(id.name);
  for (const SyntheticLabel& label : table->labels()) {
    names.push_back(label.name);
    EXPECT_THAT(label.kind, testing::AnyOf("regression", "binary"));
  }
  std::sort(names.begin(), names.end());
  EXPECT_EQ(std::unique(names.begin(), names.end()), names.end());
  EXPECT_EQ(table->truth()["kind"], GetParam());
  const int64_t width = table->width(), tasks = table->tasks(), id_columns = table->id_columns();
  const MadeRows all = made_rows(*table, 3, 17, 300);
  for (const int64_t rows : {1, 7, 64, 100}) {
    for (int64_t begin = 0; begin + rows <= 300; begin += 97) {
      const MadeRows part = made_rows(*again, 3, 17 + begin, rows);
      const auto is_same = [&](const auto& values, const auto& whole, int64_t columns) {
        return values.empty() || std::memcmp(values.data(), whole.data() + begin * columns,
                                             values.size() * sizeof(values[0])) == 0;
      };
      EXPECT_TRUE(is_same(part.ids, all.ids, id_columns)) << rows << " from " << begin;
      EXPECT_TRUE(is_same(part.x, all.x, width)) << rows << " from " << begin;
      EXPECT_TRUE(is_same(part.labels, all.labels, tasks)) << rows << " from " << begin;
    }
  }
  EXPECT_NE(all.x, made_rows(*table, 4, 17, 300).x);
  EXPECT_NE(all.x, made_rows(*make_synthetic_table(GetParam(), {{"seed", 7}}), 3, 17, 300).x);
  for (int64_t i = 0; i < 300 * id_columns; ++i) ASSERT_LT(all.ids[i], table->ids()[i % id_columns].count);
}

TEST_P(EverySyntheticTable, WritesCsvThatReadsBackToTheSameFloats) {
  const auto table = make_synthetic_table(GetParam());
  const std::string path =
      std::filesystem::temp_directory_path() / fmt::format("gatewise-{}-{}.csv", ::getpid(), GetParam());
  constexpr int64_t rows = 600;
  write_csv(*table, rows, path);
  const MadeRows expected = made_rows(*table, 0, 0, rows);
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  const int64_t id_columns = table->id_columns();
  EXPECT_EQ(line.substr(0, line.find(',')),
            id_columns > 0 ? table->ids().front().name : table->features().front());
  EXPECT_EQ(line.substr(line.rfind(',') + 1), table->labels().back().name);
  int64_t row = 0;
  for (; std::getline(file, line); ++row) {
    std::istringstream cells(line);
    std::string cell;
    for (int64_t i = 0; i < id_columns; ++i) {
      std::getline(cells, cell, ',');
      ASSERT_EQ(cell, std::to_string(expected.ids[row * id_columns + i]));
    }
    for (int64_t i = 0; i < table->width() + table->tasks(); ++i) {
      std::getline(cells, cell, ',');
      const float value = i < table->width() ? expected.x[row * table->width() + i]
                                             : expected.labels[row * table->tasks() + i - table->width()];
      if (std::isnan(value)) {
        ASSERT_EQ(cell, "");
      } else {
        ASSERT_EQ(std::stof(cell), value) << row << " " << i;
      }
    }
    ASSERT_TRUE(cells.eof());
  }
  EXPECT_EQ(row, rows);
  std::filesystem::remove(path);
}

TEST_P(EverySyntheticTable, AnUnwritablePathIsAClearError) {
  const auto table = make_synthetic_table(GetParam());
  EXPECT_THAT(
      message_of([&] { write_csv(*table, 10, "/nonexistent/rows.csv"); }),
      testing::AllOf(testing::HasSubstr("/nonexistent/rows.csv"), testing::HasSubstr("No such file")));
  EXPECT_THROW(write_csv(*table, -1, "rows.csv"), Error);
}

}  // namespace
}  // namespace gatewise
