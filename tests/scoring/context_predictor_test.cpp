// Ranking requests over raw values: what context and candidates give apart, whole rows give too.
#include "scoring/context_predictor.h"

#include <thread>

#include "tests/base/message_of.h"
#include "tests/features/every_kind.h"
#include "tests/features/schema_of.h"
#include "training/model.h"

namespace gatewise {
namespace {

using testing::HasSubstr;

std::shared_ptr<const ServableModel> model_over(Encoder encoder, const std::string& type) {
  LoadedModel loaded;
  loaded.graph = build_graph(encoder.space(), {{"type", type}});
  loaded.store = std::make_unique<Store<float>>(*loaded.graph);
  loaded.store->initialise(3);
  loaded.encoder = std::move(encoder);
  return std::make_shared<const ServableModel>(std::move(loaded));
}

// Whole rows of texts, and which of their columns are the context's.
class RankedRows {
 public:
  RankedRows(const ServableModel& model, const std::vector<std::map<std::string, std::string>>& rows,
             const std::vector<std::string>& context)
      : rows_(static_cast<int64_t>(rows.size())) {
    for (const auto& row : rows) {
      for (const std::string& column : model.encoder->columns()) {
        const bool is_context = std::find(context.begin(), context.end(), column) != context.end();
        const std::string_view value = (is_context ? rows[0] : row).at(column);
        whole_.emplace_back(value);
        if (!is_context) candidates_.emplace_back(value);
        if (is_context && &row == &rows[0]) context_.emplace_back(value);
      }
    }
    EncodedData encoded;
    model.encoder->encode(whole_, rows_, encoded);
    expected_.resize(static_cast<size_t>(rows_ * model.predictor->width()));
    PredictionRun(model.predictor).predict(encoded, 0, rows_, expected_.data());
  }

  void expect_agreement(const std::shared_ptr<const ContextPredictor>& predictor) {
    const auto width = predictor->model().predictor->width();
    const auto columns = static_cast<int64_t>(predictor->candidate_columns().size());
    ContextRun run(predictor);
    std::vector<float> got(expected_.size());
    run.predict(context_, candidates_, rows_, got.data());
    for (size_t i = 0; i < got.size(); ++i)
      ASSERT_NEAR(got[i], expected_[i], 1e-6 * std::max(1.0f, std::abs(expected_[i]))) << i;
    std::vector<float> alone(static_cast<size_t>(width));
    for (int64_t row = 0; row < rows_; ++row) {
      run.predict(context_, std::span(candidates_).subspan(row * columns, columns), 1, alone.data());
      ASSERT_TRUE(std::equal(alone.begin(), alone.end(), got.begin() + row * width)) << row;
    }
    run.predict(context_, {}, 0, got.data());
  }

 private:
  int64_t rows_;
  std::vector<RawValue> whole_, context_, candidates_;
  std::vector<float> expected_;
};

class ContextPredictorTest : public testing::Test {
 protected:
  ContextPredictorTest()
      : model_(model_over(Encoder::fit(read_every_kind(folder_.write("rows.csv", every_kind_csv),
                                                       every_kind_schema(), true),
                                       every_kind_schema()),
                          "mmoe")) {}

  Folder folder_;
  std::shared_ptr<const ServableModel> model_;
};

TEST_F(ContextPredictorTest, AgreesWithWholeRowsWhicheverColumnsAreTheContext) {
  std::vector<std::vector<std::string>> contexts{{},
                                                 model_->encoder->columns(),
                                                 {"seen", "weights", "user"},
                                                 {"place", "spent", "zip"},
                                                 {"age", "colour", "tags"}};
  for (const std::string& column : model_->encoder->columns()) {
    if (column != "seen" && column != "weights") contexts.push_back({column});
  }
  for (const std::vector<std::string>& context : contexts) {
    SCOPED_TRACE(fmt::format("{}", fmt::join(context, ", ")));
    RankedRows(*model_, fields_of(every_kind_csv), context)
        .expect_agreement(std::make_shared<const ContextPredictor>(model_, context));
  }
}

TEST_F(ContextPredictorTest, NamesTheColumnsOfBothSidesInTheirOrder) {
  const ContextPredictor predictor(model_, std::vector<std::string>{"place", "age"});
  EXPECT_EQ(predictor.context_columns(), (std::vector<std::string>{"age", "place"}));
  EXPECT_EQ(predictor.find_context("place"), 1);
  EXPECT_EQ(predictor.find_candidate("place"), -1);
  EXPECT_EQ(predictor.find_candidate("pages"), 0);
  EXPECT_EQ(predictor.candidate_columns().size() + 2, model_->encoder->columns().size());
}

TEST_F(ContextPredictorTest, SaysWhichSideAndColumnIsAtFault) {
  const auto divided = [&](const std::vector<std::string>& context) {
    return std::make_shared<const ContextPredictor>(model_, context);
  };
  EXPECT_THAT(message_of([&] {
                divided({"age", "plce"});
              }),
              HasSubstr("context: no column \"plce\". Did you mean \"place\"?"));
  EXPECT_THAT(message_of([&] { divided({"seen"}); }),
              HasSubstr("context: column \"weights\" holds the weights of \"seen\""));
  ContextRun run(divided({"age"}));
  std::vector<RawValue> candidates(2 * run.predictor().candidate_columns().size());
  std::vector<float> predictions(static_cast<size_t>(2 * model_->predictor->width()));
  const std::vector<RawValue> bad{"old"}, good{30.0};
  EXPECT_THAT(message_of([&] { run.predict(bad, candidates, 2, predictions.data()); }),
              testing::StartsWith("context: column \"age\": \"old\" is not a number"));
  candidates[run.predictor().candidate_columns().size()] = "many";
  EXPECT_THAT(message_of([&] { run.predict(good, candidates, 2, predictions.data()); }),
              testing::StartsWith("candidate 2: column \"pages\": \"many\" is not a number"));
  EXPECT_THAT(message_of([&] { run.predict({}, candidates, 2, predictions.data()); }),
              HasSubstr("context: got 0 values"));
}

TEST_F(ContextPredictorTest, RefusesAModelWithoutEncoder) {
  LoadedModel loaded;
  loaded.graph = build_graph(model_->loaded.encoder->space(), {{"type", "mmoe"}});
  loaded.store = std::make_unique<Store<float>>(*loaded.graph);
  const auto bare = std::make_shared<const ServableModel>(std::move(loaded));
  EXPECT_THAT(message_of([&] { ContextPredictor(bare, {}); }), HasSubstr("takes encoded rows only"));
}

// The scaling of an output that tasks share is that of the row's task, on whichever side that is named.
TEST(ContextPredictor, TakesTheTaskOfRowsFromEitherSide) {
  Numbers x, z, y;
  for (double row = 0; row < 12; ++row) {
    x.values.push_back(row);
    z.values.push_back(row * row);
    y.values.push_back(row < 6 ? row : 1000 * row);
  }
  const Texts domain{{0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1}, {"cents", "dollars"}};
  const Table table = Table::from_columns("memory", {{"x", x}, {"z", z}, {"domain", domain}, {"y", y}});
  const Schema schema =
      schema_of(R"({"columns": {"x": "numeric", "z": "numeric", "domain": "task"}, "tasks": {
    "cents": {"column": "y", "kind": "regression", "transform": "standardise"},
    "dollars": {"column": "y", "kind": "regression", "transform": "standardise"}}})");
  for (const char* type : {"mmoe", "single_task"}) {
    const auto model = model_over(Encoder::fit(table, schema), type);
    ASSERT_TRUE(model->loaded.encoder->space().has_own_labels());
    const std::vector<std::map<std::string, std::string>> rows{
        {{"x", "4"}, {"z", "9"}, {"domain", "dollars"}},
        {{"x", "7"}, {"z", "2"}, {"domain", "cents"}},
        {{"x", "1"}, {"z", "50"}, {"domain", "dollars"}}};
    for (const std::vector<std::string>& context : std::vector<std::vector<std::string>>{
             {}, {"domain"}, {"x"}, {"x", "domain"}, {"x", "z"}, {"x", "z", "domain"}}) {
      SCOPED_TRACE(fmt::format("{}: {}", type, fmt::join(context, ", ")));
      RankedRows(*model, rows, context)
          .expect_agreement(std::make_shared<const ContextPredictor>(model, context));
    }
  }
}

TEST_F(ContextPredictorTest, KeepsTheDivisionsLastAskedFor) {
  ContextPredictors predictors(model_, 2);
  const auto get = [&](std::vector<std::string> context) { return predictors.get(context); };
  const auto first = get({"age", "place"});
  EXPECT_EQ(get({"place", "age", "place"}), first);
  const auto second = get({"age"});
  EXPECT_EQ(get({"age", "place"}), first);
  get({"zip"});  // in the place of the second
  EXPECT_EQ(get({"age", "place"}), first);
  EXPECT_NE(get({"age"}), second);
  EXPECT_THAT(message_of([&] { get({"none"}); }), HasSubstr("context: no column \"none\""));
}

TEST_F(ContextPredictorTest, SharesDivisionsBetweenThreads) {
  ContextPredictors predictors(model_, 2);
  const auto rows = fields_of(every_kind_csv);
  const std::vector<std::vector<std::string>> contexts{{"age"}, {"zip", "user"}, {}};
  std::vector<std::thread> threads;
  for (size_t thread = 0; thread < 3; ++thread) {
    threads.emplace_back([&, thread] {
      for (size_t i = 0; i < 6; ++i) {
        const std::vector<std::string>& context = contexts[(thread + i) % contexts.size()];
        RankedRows(*model_, rows, context).expect_agreement(predictors.get(context));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace gatewise
