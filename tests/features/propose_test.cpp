#include "features/propose.h"

#include "features/column_facts.h"
#include "features/encoder.h"
#include "features/split.h"
#include "table/table_files.h"
#include "tests/table/files.h"

namespace gatewise {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// 200 rows of columns of every sort.
std::string sample_file(const Folder& folder) {
  std::string text = "row,age,gain,pm,job,zip_code,kind,constant,empty,day,name,click,stars\n";
  for (int i = 0; i < 200; ++i) {
    text += fmt::format("{},{},{},{},{},{},{},x,,2020-01-{:02},name{},{},{}\n", i, 20.5 + i % 40,
                        i == 7 ? 99999 : i % 30, i % 10 == 0 ? "NA" : fmt::format("{}.5", i),
                        i % 2 ? "NA" : "clerk", 1000 + i % 50, i % 4, 1 + i % 28, i, i % 5 == 0 ? 1 : 0,
                        i % 7 * 0.5);
  }
  return folder.write("data.csv", text);
}

TEST(Propose, GivesEveryColumnARoleWithItsReason) {
  const Folder folder;
  const Proposal proposal = propose_configuration({sample_file(folder)}, {"click", "stars"});
  const Json& columns = proposal.configuration["columns"];
  EXPECT_EQ(columns["row"], "ignore");
  EXPECT_EQ(columns["age"], "numeric");
  EXPECT_EQ(columns["gain"], Json::parse(R"({"role": "numeric", "transform": "log1p"})"));
  EXPECT_EQ(columns["pm"],
            Json::parse(R"({"role": "numeric", "null": ["", "NA"], "missing_indicator": true})"));
  EXPECT_EQ(columns["job"], "categorical");
  EXPECT_EQ(columns["zip_code"], Json::parse(R"({"role": "categorical", "type": "id"})"));
  EXPECT_EQ(columns["kind"], "categorical");
  EXPECT_EQ(columns["constant"], "ignore");
  EXPECT_EQ(columns["empty"], "ignore");
  EXPECT_EQ(columns["day"], "time");
  EXPECT_EQ(columns["name"], "ignore");
  EXPECT_FALSE(columns.contains("click") || columns.contains("stars"));
  EXPECT_EQ(proposal.configuration["tasks"]["click"], Json::parse(R"({"kind": "binary"})"));
  EXPECT_EQ(proposal.configuration["tasks"]["stars"],
            Json::parse(R"({"kind": "regression", "transform": "standardise"})"));
  for (const ColumnProposal& column : proposal.columns)
    EXPECT_FALSE(column.reason.empty()) << column.column.name;
  EXPECT_THAT(proposal.warnings(),
              testing::Contains(HasSubstr("column \"row\": nearly every row has its own value")));
  EXPECT_THAT(proposal.warnings(), testing::Contains(HasSubstr("column \"gain\": wild scale")));
  EXPECT_THAT(proposal.warnings(), testing::Contains(HasSubstr("column \"pm\": \"NA\" is taken as missing")));
}

TEST(Propose, WarnsOfAFileWithoutALineOfNames) {
  const Folder folder;
  std::string rows;
  for (int i = 0; i < 60; ++i) rows += fmt::format("{},clerk{},{}\n", 1 + i % 7, i % 3, i % 2);
  DataSpec data;
  EXPECT_THAT(propose_configuration({folder.write("bare.csv", rows)}, {}, data).warnings(),
              testing::Contains(HasSubstr("bare.csv: the line of names looks like a row")));
  data.header = false;
  EXPECT_THAT(propose_configuration({folder.write("bare.csv", rows)}, {}, data).warnings(),
              testing::Not(testing::Contains(HasSubstr("line of names"))));
  data.header = true;
  EXPECT_THAT(propose_configuration({folder.write("named.csv", "2019,job,y\n" + rows)}, {}, data).warnings(),
              testing::Not(testing::Contains(HasSubstr("line of names"))));
}

TEST(Propose, TakesInfinityForANumberThatWillBeRefused) {
  const Folder folder;
  std::string text = "few,many,y\n";
  for (int i = 0; i < 60; ++i) text += fmt::format("{},{},{}\n", i % 3, 0.5 + i, i % 2);
  const std::string file = folder.write("infinite.csv", text + "inf,-Infinity,1\n");
  const Proposal proposal = propose_configuration({file}, {"y"});
  for (const char* name : {"few", "many"}) {
    EXPECT_EQ(proposal.configuration["columns"][name], "numeric") << name;
    EXPECT_THAT(proposal.warnings(),
                testing::Contains(HasSubstr(fmt::format("column \"{}\": 1 rows hold infinity", name))));
  }
  try {
    Schema schema = resolve_schema(Schema::from_json(proposal.configuration));
    schema.split = SplitSpec();
    Encoder::fit(load_parts(schema).train, schema);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("infinite.csv:62: column \"few\": the value is infinite"));
  }
}

TEST(Propose, MakesAConfigurationThatFits) {
  const Folder folder;
  const Proposal proposal = propose_configuration({sample_file(folder)}, {"click", "stars"});
  const Schema schema = resolve_schema(Schema::from_json(proposal.configuration));
  const Parts parts = load_parts(schema);
  EXPECT_EQ(parts.train.rows() + parts.validation->rows() + parts.test->rows(), 200);
  const Encoder encoder = Encoder::fit(parts.train, schema);
  EXPECT_EQ(encoder.space().tasks.size(), 2u);
  EXPECT_EQ(encoder.encode(*parts.test).rows, parts.test->rows());
}

TEST(Propose, ReportsRatesAndCorrelations) {
  const Folder folder;
  const Json report = propose_configuration({sample_file(folder)}, {"click", "stars", "kind"}).to_json();
  EXPECT_EQ(report["labels"]["tasks"][0]["rate"], 0.2);
  EXPECT_EQ(report["labels"]["tasks"][2]["classes"]["3"], 50);
  ASSERT_EQ(report["labels"]["correlations"].size(), 1u);
  EXPECT_EQ(report["labels"]["correlations"][0]["tasks"], Json::parse(R"(["click", "stars"])"));
}

TEST(Propose, FindsLabelsByName) {
  const Folder folder;
  const Proposal proposal = propose_configuration({sample_file(folder)}, {});
  EXPECT_THAT(proposal.label_candidates, ElementsAre("click"));
  ASSERT_EQ(proposal.tasks.size(), 1u);
  const std::string plain = folder.write("plain.csv", "a,b\n1.5,7\n2.5,8\n3.5,9\n");
  EXPECT_THAT(propose_configuration({plain}, {}).label_candidates, ElementsAre("b"));
}

TaskProposal task_of(const std::vector<std::string>& values) {
  Texts texts;
  for (const std::string& value : values) {
    texts.levels.push_back(value);
    texts.codes.push_back(static_cast<uint32_t>(texts.codes.size()));
  }
  return propose_task(Table::from_columns("memory", {{"y", texts}}), "y");
}

TEST(Propose, GuessesTheKindOfTask) {
  EXPECT_TRUE(task_of({"0", "1"}).task.equals.is_null());
  EXPECT_EQ(task_of({"1", "2"}).task.equals, 2);
  EXPECT_EQ(task_of({"yes", "no"}).task.kind, "binary");
  EXPECT_EQ(task_of({"0", "1", "2"}).task.kind, "multiclass");
  EXPECT_EQ(task_of({"0", "1", "2"}).task.classes, 3);
  EXPECT_EQ(task_of({"a", "b", "c"}).task.kind, "multiclass");
  EXPECT_EQ(task_of({"1", "2", "3"}).task.kind, "regression");
  EXPECT_EQ(task_of({"1.5", "2", "NA"}).task.kind, "binary");
  EXPECT_EQ(task_of({"1.5", "2", "7", "NA"}).task.null, Json::parse(R"(["", "NA"])"));
  EXPECT_THAT(message_of([] { task_of({"1"}); }), HasSubstr("the same value in every row"));
  EXPECT_THAT(message_of([] {
                propose_task(Table::from_columns("memory", {{"y", Numbers{{1}}}}), "z");
              }),
              HasSubstr("no column \"z\""));
}

TEST(Propose, TheRarerTextIsPositive) {
  const Table table = Table::from_columns("memory", {{"y", Texts{{0, 1, 1}, {"bought", "left"}}}});
  EXPECT_EQ(propose_task(table, "y").task.equals, "bought");
}

TEST(Propose, TheAnswerYesIsPositiveHoweverFrequent) {
  for (const auto& [yes, no] : {std::pair{"yes", "no"}, {"Y", "n"}, {"T", "F"}, {"Positive", "negative"}}) {
    const Table table = Table::from_columns("memory", {{"y", Texts{{0, 1, 1}, {no, yes}}}});
    EXPECT_EQ(propose_task(table, "y").task.equals, yes);
  }
  const Table truths = Table::from_columns("memory", {{"y", Texts{{0, 1, 1, 2}, {"False", "True", "TRUE"}}}});
  EXPECT_FALSE(propose_task(truths, "y").task.compares());
  EXPECT_EQ(propose_task(truths, "y").task.kind, "binary");
  EXPECT_THAT(propose_task(truths, "y").reason, HasSubstr("true and false, read as 1 and 0"));
}

TEST(Propose, TakesTextsLikeNAForMissingLabels) {
  for (const auto& values :
       {std::vector<std::string>{"yes", "no", "NA"}, {"TRUE", "FALSE", "NA"}, {"0", "1", "NA"}}) {
    const TaskProposal proposal = task_of(values);
    EXPECT_EQ(proposal.task.kind, "binary");
    EXPECT_EQ(proposal.task.null, Json::parse(R"(["", "NA"])"));
    EXPECT_THAT(proposal.warnings, ElementsAre(HasSubstr("\"NA\" is taken as a missing label")));
  }
  EXPECT_EQ(task_of({"a", "b", "none"}).task.kind, "multiclass");
  EXPECT_TRUE(task_of({"a", "b", "none"}).task.null.is_null());
  EXPECT_EQ(task_of({"yes", "NA"}).task.kind, "binary");
  const Folder folder;
  const std::string file = folder.write("a.csv", "x,y\n1.5,0\n2.5,1\n3.5,NA\n");
  EXPECT_THAT(find_label_candidates(read_table({file},
                                               [] {
                                                 ReadOptions options;
                                                 options.all_columns = true;
                                                 return options;
                                               }())),
              ElementsAre("y"));
}

// Sentinels stay missing where a column gets null tokens of its own.
TEST(Propose, AddsToTheNullTokensOfTheTable) {
  const Folder folder;
  std::string text = "a,t,day\n";
  for (int i = 0; i < 60; ++i) {
    text += fmt::format("{},{},{}\n",
                        i % 3 == 0   ? "NA"
                        : i % 7 == 0 ? "-999"
                                     : fmt::format("{}.5", i),
                        i % 5 == 0   ? "NA"
                        : i % 4 == 0 ? "-999"
                                     : fmt::format("{}.25", i),
                        i % 9 == 0 ? "NA" : fmt::format("2020-01-{:02}", 1 + i % 28));
  }
  DataSpec data;
  data.null = {"", "-999"};
  const Proposal proposal = propose_configuration({folder.write("a.csv", text)}, {"t"}, data);
  const Json both = Json::parse(R"(["", "-999", "NA"])");
  EXPECT_EQ(proposal.configuration["columns"]["a"]["null"], both);
  EXPECT_EQ(proposal.configuration["columns"]["day"]["null"], both);
  EXPECT_EQ(proposal.configuration["tasks"]["t"]["null"], both);
  EXPECT_GT(proposal.labels.tasks[0].mean, 0);
  Schema schema = resolve_schema(Schema::from_json(proposal.configuration));
  schema.split = SplitSpec();
  EXPECT_NO_THROW(Encoder::fit(load_parts(schema).train, schema));
}

TEST(Propose, KeepsAmountsThatDifferInEveryRow) {
  const Folder folder;
  std::string text = "amount,measure,price,number,user_id,item_id,y\n";
  for (int i = 0; i < 100; ++i) {
    text += fmt::format("{},{},${}.50,{},{},{}.0,{}\n", i * 37 % 101 * 1000,
                        i == 70 ? "1.5e" : fmt::format("{}.25", i), i, 100 - i, i * 37 % 101 * 1000,
                        10 + i % 40, i % 2);
  }
  const Proposal proposal = propose_configuration({folder.write("a.csv", text)}, {"y"});
  const Json& columns = proposal.configuration["columns"];
  EXPECT_EQ(columns["amount"], "numeric");
  EXPECT_EQ(columns["number"], "ignore");
  EXPECT_EQ(columns["user_id"], "ignore");
  EXPECT_EQ(columns["item_id"], "categorical");  // floats cannot be read as ids
  EXPECT_EQ(columns["measure"]["null"], Json::parse(R"(["", "1.5e"])"));
  EXPECT_THAT(proposal.warnings(),
              testing::Contains(HasSubstr("99 of 100 values are numbers; the first other, "
                                          "\"1.5e\", stands in")));
  EXPECT_THAT(proposal.warnings(), testing::Contains(HasSubstr("a.csv:72; correct the file")));
  EXPECT_THAT(proposal.warnings(), testing::Contains(HasSubstr("\"$0.50\" and the like look like numbers")));
  EXPECT_NO_THROW(Encoder::fit(load_parts(resolve_schema(Schema::from_json(proposal.configuration))).train,
                               resolve_schema(Schema::from_json(proposal.configuration))));
}

TEST(Propose, CompletesOnlyWhatTheConfigurationLeavesOpen) {
  const Folder folder;
  const Json json{{"data", {{"train", sample_file(folder)}}},
                  {"columns", {{"age", "ignore"}}},
                  {"tasks", {{"click", Json::object()}}}};
  const Schema schema = resolve_schema(Schema::from_json(json));
  EXPECT_EQ(schema.find_column("age")->role, Role::Ignore);
  EXPECT_EQ(schema.find_column("stars")->role, Role::Numeric);
  EXPECT_EQ(schema.find_column("click"), nullptr);
  EXPECT_FALSE(schema.completes_columns);
}

TEST(Propose, WarnsOfColumnsThatGiveALabelAway) {
  const Folder folder;
  std::string text = "cause,sum,other,target\n";
  for (int i = 0; i < 100; ++i)
    text += fmt::format("{}.5,{}.25,{}.5,{}\n", i * i % 97, 2 * i, i * 37 % 89, i);
  const Proposal proposal = propose_configuration({folder.write("a.csv", text)}, {"target"});
  EXPECT_THAT(proposal.warnings(),
              ElementsAre(HasSubstr("column \"sum\": its correlation with label \"target\" is 1.000")));
}

TEST(Propose, SplitsNamesIntoWords) {
  EXPECT_THAT(words_of("userID_code Is2"), ElementsAre("user", "id", "code", "is2"));
  EXPECT_THAT(words_of("subject#"), ElementsAre("subject"));
  EXPECT_THAT(words_of("__"), IsEmpty());
}

TEST(LabelSummary, CorrelatesRowsThatHaveBoth) {
  const double none = std::nan("");
  const PairSummary pair = correlate({1, 2, 3, none, 4}, {2, 4, 7, 100, none});
  EXPECT_EQ(pair.rows, 3);
  // By hand: means 2 and 13/3; products 5; squares 2 and 38/3.
  EXPECT_NEAR(pair.pearson, 5 / std::sqrt(2 * 38.0 / 3), 1e-12);
  EXPECT_TRUE(std::isnan(correlate({1, 1}, {1, 2}).pearson));
  EXPECT_TRUE(std::isnan(correlate({none}, {none}).pearson));
  // A constant whose mean is rounded.
  EXPECT_TRUE(std::isnan(correlate({0.1, 0.1, 0.1}, {1, 2, 4}).pearson));
}

// Small tables get smaller batches, and as many epochs as make enough steps; large ones keep the defaults.
TEST(ProposeTraining, GivesSmallTablesEnoughSteps) {
  EXPECT_EQ(propose_training(400), (Json{{"batch_rows", 32}, {"epochs", 100}, {"stop", {{"patience", 20}}}}));
  EXPECT_EQ(propose_training(4096), (Json{{"batch_rows", 32}, {"epochs", 20}, {"stop", {{"patience", 4}}}}));
  EXPECT_EQ(propose_training(100'000), (Json{{"batch_rows", 512}, {"epochs", 13}}));
  EXPECT_EQ(propose_training(131'072), Json::object());
  for (const int64_t rows : {0, 1, 33}) EXPECT_EQ(propose_training(rows)["batch_rows"], 32) << rows;
}

}  // namespace
}  // namespace gatewise
