// The real tables, where they are at hand.
#include "features/encoder.h"
#include "features/label_summary.h"
#include "features/propose.h"
#include "features/split.h"
#include "tests/table/files.h"

namespace gatewise {
namespace {

Json census_configuration(const std::string& train, const std::string& test) {
  Json json = Json::parse(R"json({
    "split": {"kind": "fraction", "of": "test", "fractions": {"validation": 0.5, "test": 0.5}, "seed": 1},
    "columns": {"embedding": 4},
    "tasks": {
      "income": {"equals": "50000+."},
      "never_married": {"column": "marital_stat", "equals": "Never married"},
      "some_college": {"column": "education", "in": ["Some college but no degree",
        "Associates degree-occup /vocational", "Associates degree-academic program", "Bachelors degree(BA AB BS)",
        "Masters degree(MA MS MEng MEd MSW MBA)", "Prof school degree (MD DDS DVM LLB JD)",
        "Doctorate degree(PhD EdD)"]},
      "bachelor": {"column": "education", "in": ["Bachelors degree(BA AB BS)",
        "Masters degree(MA MS MEng MEd MSW MBA)", "Prof school degree (MD DDS DVM LLB JD)",
        "Doctorate degree(PhD EdD)"]}}})json");
  json["data"] = {{"train", train}, {"test", test}};
  return json;
}

std::vector<double> rates(const Table& table, const Schema& schema) {
  std::vector<double> result;
  for (const TaskSummary& task : summarise_labels(table, schema.tasks).tasks)
    result.push_back(100 * task.mean);
  return result;
}

TEST(RealData, CensusLabelRatesAreThePublishedOnes) {
  const std::string train = real_data("census-income-kdd/census_income_train.csv.xz");
  const std::string test = real_data("census-income-kdd/census_income_test.csv.xz");
  if (train.empty() || test.empty()) GTEST_SKIP() << "the census data are not there; set GATEWISE_DATA";
  Json json = census_configuration(train, test);
  const Schema schema = resolve_schema(Schema::from_json(json));
  const Parts parts = load_parts(schema);
  EXPECT_EQ(parts.train.rows(), 199523);
  EXPECT_EQ(parts.validation->rows() + parts.test->rows(), 99762);
  const std::vector<double> published{6.2058, 43.3459, 33.5816, 14.7662};
  const std::vector<double> found = rates(parts.train, schema);
  for (size_t task = 0; task < 4; ++task) EXPECT_NEAR(found[task], published[task], 0.00005) << task;

  json["split"] = {{"kind", "files"}};
  const Schema whole = resolve_schema(Schema::from_json(json));
  const std::vector<double> published_test{6.2008, 43.2459, 33.4897, 14.7220};
  const std::vector<double> found_test = rates(*load_parts(whole).test, whole);
  for (size_t task = 0; task < 4; ++task)
    EXPECT_NEAR(found_test[task], published_test[task], 0.00005) << task;

  const Encoder encoder = Encoder::fit(parts.train, schema);
  const EncodedData data = encoder.encode(*parts.test);
  EXPECT_EQ(data.numeric_width + data.id_columns, 38);
  EXPECT_EQ(encoder.encode(parts.train).rows, 199523);
}

TEST(RealData, CensusDistinctValuesAreThePublishedOnes) {
  const std::string train = real_data("census-income-kdd/census_income_train.csv.xz");
  if (train.empty()) GTEST_SKIP() << "the census data are not there; set GATEWISE_DATA";
  ReadOptions options;
  options.all_columns = true;
  const Table table = read_table({train}, options);
  const auto distinct = [&](const char* name) {
    return std::get<Texts>(table.column(name).data).levels.size();
  };
  EXPECT_EQ(distinct("age"), 91u);
  EXPECT_EQ(distinct("wage_per_hour"), 1240u);
  EXPECT_EQ(distinct("capital_gains"), 132u);
  EXPECT_EQ(distinct("dividends_from_stocks"), 1478u);
}

TEST(RealData, AdultTestLabelsEndWithAPointAndItsFirstLineIsNoRow) {
  const std::string train = real_data("adult/adult.data.xz"), test = real_data("adult/adult.test.xz");
  if (train.empty() || test.empty()) GTEST_SKIP() << "the adult data are not there; set GATEWISE_DATA";
  Json json = Json::parse(R"({
    "data": {"header": false, "skip_rows": {"test": 1}, "null": ["", "?"], "column_names": ["age", "workclass",
      "fnlwgt", "education", "education_num", "marital_status", "occupation", "relationship", "race", "sex",
      "capital_gain", "capital_loss", "hours_per_week", "native_country", "income"]},
    "columns": {"fnlwgt": "ignore"},
    "tasks": {"income": {"in": [">50K", ">50K."]},
              "never_married": {"column": "marital_status", "equals": "Never-married"},
              "college": {"column": "education_num", "at_least": 10}}})");
  json["data"]["train"] = train;
  json["data"]["test"] = test;
  const Schema schema = resolve_schema(Schema::from_json(json));
  const Parts parts = load_parts(schema);
  EXPECT_EQ(parts.train.rows(), 32561);
  EXPECT_EQ(parts.test->rows(), 16281);
  const std::vector<double> published[] = {{24.0810, 32.8092, 54.6881}, {23.6226, 33.3763, 54.3148}};
  for (size_t task = 0; task < 3; ++task) {
    EXPECT_NEAR(rates(parts.train, schema)[task], published[0][task], 0.00005);
    EXPECT_NEAR(rates(*parts.test, schema)[task], published[1][task], 0.00005);
  }
  const Encoder encoder = Encoder::fit(parts.train, schema);
  EXPECT_EQ(encoder.encode(*parts.test).rows, 16281);
}

TEST(RealData, BeijingHasMissingLabelsAndMovesInTime) {
  const std::string file = real_data("beijing-air/beijing_multisite_air.csv.xz");
  if (file.empty()) GTEST_SKIP() << "the Beijing data are not there; set GATEWISE_DATA";
  Json json = Json::parse(R"({
    "data": {"null": ["", "NA"]},
    "split": {"kind": "column", "column": "year", "values": {"train": [2013, 2014, 2015], "validation": [2016], "test": [2017]}},
    "columns": {"No": "ignore"},
    "tasks": {"PM2.5": {"kind": "regression", "transform": "log1p"}, "CO": {"kind": "regression", "transform": "standardise"}}})");
  json["data"]["train"] = file;
  const Schema schema = resolve_schema(Schema::from_json(json));
  const Parts parts = load_parts(schema);
  EXPECT_EQ(parts.train.rows() + parts.validation->rows() + parts.test->rows(), 420768);
  const Encoder encoder = Encoder::fit(parts.train, schema);
  EXPECT_EQ(encoder.encode(*parts.test).tasks, 2);
  json["split"] = {{"kind", "files"}};
  const Schema whole = Schema::from_json(json);
  const LabelSummary summary = summarise_labels(load_parts(whole).train, whole.tasks);
  EXPECT_NEAR(100 * (1 - static_cast<double>(summary.tasks[0].present) / 420768), 2.08, 0.005);
  EXPECT_NEAR(summary.tasks[0].mean, 79.79, 0.005);
  EXPECT_NEAR(summary.tasks[0].deviation, 80.82, 0.005);
  EXPECT_NEAR(summary.tasks[1].mean, 1230.77, 0.005);
}

TEST(RealData, ProposalsFitEveryTable) {
  const std::pair<const char*, std::vector<std::string>> tables[] = {
      {"census-income-kdd/census_income_train.csv.xz", {"income", "marital_stat"}},
      {"bike-sharing/hour.csv.xz", {"casual", "registered"}},
      {"beijing-air/beijing_multisite_air.csv.xz", {"PM2.5", "O3"}},
      {"gas-turbine/gas_turbine_2011_2015.csv.xz", {"CO", "NOX"}},
      {"parkinsons-telemonitoring/parkinsons_updrs.data.xz", {"motor_UPDRS", "total_UPDRS"}}};
  for (const auto& [name, labels] : tables) {
    const std::string file = real_data(name);
    if (file.empty()) GTEST_SKIP() << name << " is not there; set GATEWISE_DATA";
    const Proposal proposal = propose_configuration({file}, labels);
    const Schema schema = resolve_schema(Schema::from_json(proposal.configuration));
    const Parts parts = load_parts(schema);
    const Encoder encoder = Encoder::fit(parts.train, schema);
    EXPECT_EQ(encoder.encode(*parts.test).tasks, 2) << name;
  }
}

}  // namespace
}  // namespace gatewise
