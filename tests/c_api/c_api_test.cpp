// The shared library as a program of others sees it: through gatewise.h alone, against what the library's own
// functions predict for the same file.
#include <gatewise/gatewise.h>
#include <gmock/gmock.h>

#include <thread>

#include "model_file/model_directory.h"
#include "tests/features/every_kind.h"
#include "training/model.h"
#include "training/trainer.h"

namespace gatewise {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

struct FreeModel {
  void operator()(gatewise_model* model) const { gatewise_free_model(model); }
};
struct FreeScorer {
  void operator()(gatewise_scorer* scorer) const { gatewise_free_scorer(scorer); }
};
using ModelPointer = std::unique_ptr<gatewise_model, FreeModel>;
using ScorerPointer = std::unique_ptr<gatewise_scorer, FreeScorer>;

ModelPointer load(const std::string& directory) {
  gatewise_model* model = nullptr;
  EXPECT_EQ(gatewise_load(directory.c_str(), &model), GATEWISE_OK) << gatewise_last_error();
  return ModelPointer(model);
}

ScorerPointer scorer_of(const ModelPointer& model) {
  gatewise_scorer* scorer = nullptr;
  EXPECT_EQ(gatewise_new_scorer(model.get(), &scorer), GATEWISE_OK) << gatewise_last_error();
  return ScorerPointer(scorer);
}

gatewise_value text(std::string_view from) {
  gatewise_value value{};
  value.kind = GATEWISE_TEXT;
  value.as.text = {from.data(), from.size()};
  return value;
}

// A saved model over rows of every kind, and what the library predicts for them.
class CApi : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    directory_ = testing::TempDir() + "gatewise_c_api_" + std::to_string(getpid());
    const std::string file = directory_ + ".csv";
    std::ofstream(file) << every_kind_csv;
    const Encoder encoder =
        Encoder::fit(read_every_kind(file, every_kind_schema(), true), every_kind_schema());
    const auto graph = build_graph(encoder.space(), {{"type", "mmoe"}});
    Store<float> store(*graph);
    store.initialise(4);
    save_model(directory_, {.graph = *graph, .store = store, .encoder = &encoder});
    data_ = encoder.encode(read_every_kind(file, encoder.schema(), false), false);
    Pool pool(1);
    predictions_ = predict(*graph, store, encoder.space(), data_, pool);
    fields_ = fields_of(every_kind_csv);
    std::filesystem::remove(file);
  }
  static void TearDownTestSuite() { std::filesystem::remove_all(directory_); }

  // Rows [first, first + count) as texts.
  static std::vector<gatewise_value> values(const ModelPointer& model, size_t first, size_t count) {
    std::vector<gatewise_value> values;
    for (size_t row = first; row < first + count; ++row) {
      for (size_t i = 0; i < gatewise_feature_count(model.get()); ++i)
        values.push_back(text(fields_[row].at(gatewise_feature_name(model.get(), i))));
    }
    return values;
  }

  // What the library predicts for a row, outputs side by side.
  static std::vector<float> expected(size_t row) {
    std::vector<float> result;
    for (const ValueList& task : predictions_) {
      const size_t width = task.size() / fields_.size();
      for (size_t i = row * width; i < (row + 1) * width; ++i) result.push_back(static_cast<float>(task[i]));
    }
    return result;
  }

  static void expect_bits(const float* got, const std::vector<float>& wanted) {
    EXPECT_EQ(std::memcmp(got, wanted.data(), wanted.size() * sizeof(float)), 0)
        << got[0] << ", expected " << wanted[0];
  }

  inline static std::string directory_;
  inline static EncodedData data_;
  inline static std::vector<ValueList> predictions_;
  inline static std::vector<std::map<std::string, std::string>> fields_;
};

TEST_F(CApi, TellsWhatTheModelReadsAndGives) {
  const ModelPointer model = load(directory_);
  EXPECT_STREQ(gatewise_model_version(model.get()), gatewise_version());
  ASSERT_EQ(gatewise_feature_count(model.get()), 10u);
  EXPECT_STREQ(gatewise_feature_name(model.get(), 3), "colour");
  EXPECT_EQ(gatewise_find_feature(model.get(), "colour"), 3);
  EXPECT_EQ(gatewise_find_feature(model.get(), "color"), -1);
  EXPECT_EQ(gatewise_feature_name(model.get(), 10), nullptr);
  std::vector<std::string> outputs, kinds, classes;
  for (size_t i = 0; i < gatewise_output_count(model.get()); ++i) {
    outputs.emplace_back(gatewise_output_name(model.get(), i));
    kinds.emplace_back(gatewise_output_kind(model.get(), i));
  }
  EXPECT_THAT(outputs, ElementsAre("click", "amount", "grade"));
  EXPECT_THAT(kinds, ElementsAre("binary", "regression", "multiclass"));
  EXPECT_EQ(gatewise_prediction_width(model.get()), 5u);
  EXPECT_EQ(gatewise_output_offset(model.get(), 2), 2u);
  EXPECT_EQ(gatewise_output_width(model.get(), 2), 3u);
  for (size_t i = 0; const char* name = gatewise_class_name(model.get(), 2, i); ++i)
    classes.emplace_back(name);
  EXPECT_THAT(classes, ElementsAre("a", "b", "c"));
  EXPECT_EQ(gatewise_class_name(model.get(), 0, 0), nullptr);
}

TEST_F(CApi, RawRowsHaveTheBitsOfTheFileTogetherAndAlone) {
  const ModelPointer model = load(directory_);
  const ScorerPointer scorer = scorer_of(model);
  const size_t width = gatewise_prediction_width(model.get()), rows = fields_.size();
  std::vector<float> together(rows * width), alone(width);
  ASSERT_EQ(gatewise_score_rows(scorer.get(), rows, values(model, 0, rows).data(), together.data()),
            GATEWISE_OK)
      << gatewise_last_error();
  for (size_t row = 0; row < rows; ++row) {
    expect_bits(together.data() + row * width, expected(row));
    ASSERT_EQ(gatewise_score_rows(scorer.get(), 1, values(model, row, 1).data(), alone.data()), GATEWISE_OK);
    expect_bits(alone.data(), expected(row));
  }
}

TEST_F(CApi, EncodedRowsHaveTheBitsOfRawOnes) {
  const ModelPointer model = load(directory_);
  const ScorerPointer scorer = scorer_of(model);
  const Encoder encoder = *load_model(directory_).encoder;
  std::vector<gatewise_input> inputs;
  for (size_t i = 0; i < gatewise_input_count(model.get()); ++i) {
    const std::string name = gatewise_input_name(model.get(), i);
    gatewise_input& input = inputs.emplace_back();
    if (name == "numeric") {
      EXPECT_EQ(gatewise_input_width(model.get(), i), static_cast<size_t>(data_.numeric_width));
      input = {data_.numeric.data(), nullptr, nullptr, nullptr, data_.numeric_width};
    }
    for (const IdFeature& feature : encoder.space().ids) {
      if (name == "ids/" + feature.name)
        input = {nullptr, data_.ids.data() + feature.column, nullptr, nullptr, data_.id_columns};
    }
    for (const BagFeature& feature : encoder.space().bags) {
      const EncodedBag& bag = data_.bags[feature.bag];
      if (name == "bags/" + feature.name)
        input = {nullptr, bag.ids.data(), bag.offsets.data(),
                 bag.weights.empty() ? nullptr : bag.weights.data(), 1};
    }
  }
  const size_t width = gatewise_prediction_width(model.get());
  std::vector<float> predictions(fields_.size() * width);
  ASSERT_EQ(gatewise_score_encoded(scorer.get(), fields_.size(), inputs.data(), predictions.data()),
            GATEWISE_OK)
      << gatewise_last_error();
  for (size_t row = 0; row < fields_.size(); ++row)
    expect_bits(predictions.data() + row * width, expected(row));
  // An id beyond its table is refused, not read.
  const uint32_t beyond[] = {1000000, 0, 0, 0, 0, 0};
  for (gatewise_input& input : inputs) {
    if (input.ids != nullptr && input.offsets == nullptr) input.ids = beyond;
  }
  EXPECT_EQ(gatewise_score_encoded(scorer.get(), 1, inputs.data(), predictions.data()), GATEWISE_DATA_ERROR);
  EXPECT_THAT(gatewise_last_error(), HasSubstr("got the id 1000000, expected one below"));
}

TEST_F(CApi, ThreadsShareAModelAndEachGetsItsOwnAnswers) {
  ModelPointer model = load(directory_);
  const size_t width = gatewise_prediction_width(model.get());
  std::vector<ScorerPointer> scorers;
  std::vector<std::vector<std::vector<gatewise_value>>> requests(4);
  for (size_t thread = 0; thread < 4; ++thread) {
    scorers.push_back(scorer_of(model));
    for (size_t row = 0; row < fields_.size(); ++row) requests[thread].push_back(values(model, row, 1));
  }
  model.reset();  // scorers keep what they need
  std::vector<std::thread> threads;
  std::atomic<int> wrong{0};
  for (size_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&, thread] {
      std::vector<float> predictions(width);
      for (size_t round = 0; round < 200; ++round) {
        const size_t row = (round + thread) % fields_.size();
        const gatewise_status status =
            gatewise_score_rows(scorers[thread].get(), 1, requests[thread][row].data(), predictions.data());
        const std::vector<float> wanted = expected(row);
        if (status != GATEWISE_OK || predictions != wanted) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(CApi, FaultsHaveAStatusAndAMessageAndLeaveTheScorerUsable) {
  gatewise_model* none = nullptr;
  EXPECT_EQ(gatewise_load((directory_ + "_none").c_str(), &none), GATEWISE_DATA_ERROR);
  EXPECT_EQ(none, nullptr);
  EXPECT_THAT(gatewise_last_error(), HasSubstr(directory_ + "_none"));
  const ModelPointer model = load(directory_);
  const ScorerPointer scorer = scorer_of(model);
  std::vector<gatewise_value> row = values(model, 0, 1);
  std::vector<float> predictions(gatewise_prediction_width(model.get()), -1);
  row[0] = text("old");
  EXPECT_EQ(gatewise_score_rows(scorer.get(), 1, row.data(), predictions.data()), GATEWISE_DATA_ERROR);
  EXPECT_STREQ(gatewise_last_error(), "row 1: column \"age\": \"old\" is not a number");
  EXPECT_EQ(predictions[0], -1);
  row[0].kind = 77;
  EXPECT_EQ(gatewise_score_rows(scorer.get(), 1, row.data(), predictions.data()), GATEWISE_USAGE_ERROR);
  row[0] = text("1e39");
  EXPECT_EQ(gatewise_score_rows(scorer.get(), 1, row.data(), predictions.data()), GATEWISE_DATA_ERROR);
  EXPECT_THAT(gatewise_last_error(), HasSubstr("row 1: the prediction of \"amount\" is no finite number"));
  EXPECT_THAT(predictions, testing::Each(-1)) << "results of a call that fails are left alone";
  row[0] = text("20");
  ASSERT_EQ(gatewise_score_rows(scorer.get(), 1, row.data(), predictions.data()), GATEWISE_OK);
  expect_bits(predictions.data(), expected(0));
  EXPECT_EQ(gatewise_score_rows(scorer.get(), 0, nullptr, nullptr), GATEWISE_OK);
}

// Output of a command, without its last line break.
std::string output_of(const std::string& command) {
  std::string output;
  FILE* pipe = popen(command.c_str(), "r");
  char buffer[512];
  for (size_t got = 0; (got = fread(buffer, 1, sizeof buffer, pipe)) > 0;) output.append(buffer, got);
  EXPECT_EQ(pclose(pipe), 0) << command << "\n" << output;
  while (output.ends_with('\n')) output.pop_back();
  return output;
}

TEST_F(CApi, TheLibraryNeedsTheLanguagesOwnAlone) {
#ifdef GATEWISE_IS_SANITIZED
  GTEST_SKIP() << "a sanitizer's run-time library is needed too";
#endif
  const std::string needed = output_of("readelf --dynamic --wide " GATEWISE_C_LIBRARY " | grep NEEDED");
  std::istringstream lines(needed);
  for (std::string line; std::getline(lines, line);) {
    // libgcc_s belongs to libstdc++: it unwinds its exceptions. ld-linux belongs to libc.
    EXPECT_THAT(line, testing::ContainsRegex("\\[(libc|libm|libstdc\\+\\+|libgcc_s|ld-linux[^]]*)\\.so"));
  }
  const std::string exported = output_of("nm --dynamic --defined-only " GATEWISE_C_LIBRARY
                                         " | grep --invert-match ' gatewise_' || true");
  EXPECT_EQ(exported, "");
}

TEST_F(CApi, ExamplesPrintTheirPredictions) {
  const std::string arguments = directory_ +
                                " age=20 pages=1 spent=3 colour=red user=7 zip=10 'seen=7|8' 'weights=0.5|2' "
                                "'tags=new|hot' 'place=1|2'";
  const std::vector<float> wanted = expected(0);
  const std::string lines =
      fmt::format("click {:.6f}\namount {:.6f}\ngrade:a {:.6f}\ngrade:b {:.6f}\ngrade:c {:.6f}", wanted[0],
                  wanted[1], wanted[2], wanted[3], wanted[4]);
  EXPECT_EQ(output_of(GATEWISE_EXAMPLE_C " " + arguments), lines);
  const std::string file = directory_ + "_example.csv";
  std::ofstream(file) << "age,pages,spent,colour,user,zip,seen,weights,tags,place\n"
                      << "20,1,3,red,7,10,7|8,0.5|2,new|hot,1|2\n35,8,,blue,8,20,9,1,hot,3|4\n";
  std::string table = "click,amount,grade:a,grade:b,grade:c";
  for (const size_t row : {0u, 1u}) {
    table += '\n';
    for (const float value : expected(row)) table += fmt::format("{:.6f},", value);
    table.pop_back();
  }
  EXPECT_EQ(output_of(GATEWISE_EXAMPLE_CPP " " + directory_ + " < " + file), table);
  EXPECT_THAT(output_of(GATEWISE_EXAMPLE_C " " + directory_ + " height=3 2>&1 || true"),
              HasSubstr("no feature \"height\""));
  std::filesystem::remove(file);
}

}  // namespace
}  // namespace gatewise
