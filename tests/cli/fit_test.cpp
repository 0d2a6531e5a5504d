// fit, evaluate and predict belong together: one model, the same numbers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <sstream>
#include <thread>

#include "tests/cli/people_fixture.h"

namespace gatewise {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::vector<std::vector<double>> numbers_of(const std::string& csv) {
  std::vector<std::vector<double>> rows;
  std::istringstream lines(csv);
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    std::istringstream fields(line);
    std::vector<double>& row = rows.emplace_back();
    for (std::string field; std::getline(fields, field, ',');) {
      row.push_back(std::isdigit(static_cast<unsigned char>(field[0])) || field[0] == '-' ? std::stod(field)
                                                                                          : 0);
    }
  }
  return rows;
}

using FitTest = PeopleTest;

TEST_F(FitTest, PrintsJsonWithHistoryAndMetricsOfBothParts) {
  const Json result = Json::parse(fitted_->output);
  EXPECT_EQ(result["model"], "people.model");
  EXPECT_GE(result["history"]["epochs"].size(), 1u);
  for (const char* part : {"validation", "test"}) {
    const Json& auc = result["metrics"][part]["tasks"]["clicked"]["auc"];
    EXPECT_GT(auc["value"].get<double>(), 0.7) << part;
    EXPECT_LE(auc["low"].get<double>(), auc["value"].get<double>()) << part;
    EXPECT_GE(auc["high"].get<double>(), auc["value"].get<double>()) << part;
  }
  EXPECT_GT(result["metrics"]["test"]["tasks"]["spent"]["r2"]["value"].get<double>(), 0.5);
}

TEST_F(FitTest, ChangingTheTypeOfTheModelIsEnough) {
  for (const std::string type :
       {"single_task", "shared_bottom", "omoe", "cgc", "ple", "adatt", "adatt_sp", "home", "cross_stitch",
        "tensor_factorization", "l2_constrained", "linear"}) {
    const Result result = gatewise({"fit", "people.toml", "--model.experts", "4", "--model.type", type,
                                    "--output", "other.model", "--training.epochs", "1", "--json"});
    EXPECT_EQ(result.code, 0) << type << ": " << result.errors;
    const std::string line = "model.experts: \"" + type + "\" has no such option, which is one of mmoe, omoe";
    if (type != "omoe") {
      EXPECT_THAT(result.errors, HasSubstr(line));
    }
  }
  const Result nonsense = gatewise({"fit", "people.toml", "--model.expertz", "4", "--model.type", "home"});
  EXPECT_EQ(nonsense.code, 2);
  EXPECT_THAT(nonsense.errors, HasSubstr("unknown option \"expertz\""));
}

TEST_F(FitTest, LeavesAModelAndNoCheckpoint) {
  EXPECT_TRUE(std::filesystem::is_directory(file("people.model")));
  EXPECT_FALSE(std::filesystem::exists(file("people.model.checkpoint")));
}

TEST_F(FitTest, EvaluateFindsTheNumbersThatFitPrinted) {
  const Result result = gatewise({"evaluate", "people.model", "test.csv", "--json"});
  ASSERT_EQ(result.code, 0) << result.errors;
  EXPECT_EQ(Json::parse(result.output), Json::parse(fitted_->output)["metrics"]["test"]);
}

TEST_F(FitTest, PredictionsGiveTheLogLossThatEvaluatePrints) {
  const Result result = gatewise({"predict", "people.model", "test.csv"});
  ASSERT_EQ(result.code, 0) << result.errors;
  EXPECT_EQ(result.output.substr(0, result.output.find('\n')), "clicked,bought,spent");
  const auto predictions = numbers_of(result.output);
  const auto rows = numbers_of(read_text(file("test.csv")));
  ASSERT_EQ(predictions.size(), rows.size());
  double loss = 0, squares = 0;
  for (size_t row = 0; row < rows.size(); ++row) {
    loss -= std::log(rows[row][3] == 1 ? predictions[row][0] : 1 - predictions[row][0]);
    squares += std::pow(rows[row][5] - predictions[row][2], 2);
  }
  const auto count = static_cast<double>(rows.size());
  const Json tasks = Json::parse(fitted_->output)["metrics"]["test"]["tasks"];
  EXPECT_NEAR(loss / count, tasks["clicked"]["log_loss"]["value"].get<double>(), 1e-6);
  EXPECT_NEAR(std::sqrt(squares / count), tasks["spent"]["rmse"]["value"].get<double>(), 1e-5);
}

TEST_F(FitTest, PredictWritesTheSameTextToAFileAndNeedsNoLabels) {
  std::string bare;
  std::istringstream lines(read_text(file("test.csv")));
  for (std::string line; std::getline(lines, line);) {
    size_t end = 0;
    for (int field = 0; field < 3; ++field) end = line.find(',', end + 1);
    bare += line.substr(0, end) + "\n";
  }
  write_text(file("bare.csv"), bare);
  const Result printed = gatewise({"predict", "people.model", "test.csv"});
  const Result written = gatewise({"predict", "people.model", "bare.csv", "--output", "scores.csv"});
  ASSERT_EQ(written.code, 0) << written.errors;
  EXPECT_EQ(written.output, "");
  EXPECT_EQ(read_text(file("scores.csv")), printed.output);
}

TEST_F(FitTest, PredictGivesValuesInsideTheModel) {
  const Result result = gatewise(
      {"predict", "people.model", "test.csv", "--value", "logits/clicked", "--value", "gates/bought"});
  ASSERT_EQ(result.code, 0) << result.errors;
  EXPECT_THAT(result.output,
              ::testing::StartsWith("clicked,bought,spent,logits/clicked[0],gates/bought[0],"));
  const auto rows = numbers_of(result.output);
  ASSERT_EQ(rows.size(), 500u);
  bool differs = false;
  for (const std::vector<double>& row : rows) {
    EXPECT_NEAR(row[0], 1 / (1 + std::exp(-row[3])), 1e-5);
    double sum = 0;
    for (size_t i = 4; i < row.size(); ++i) sum += row[i];
    EXPECT_NEAR(sum, 1, 1e-5);
    differs |= row[4] != rows[0][4];
  }
  EXPECT_TRUE(differs);
  const Result unknown = gatewise({"predict", "people.model", "test.csv", "--value", "gates/bougt"});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_THAT(unknown.errors, HasSubstr("gates/bought"));
}

TEST_F(FitTest, TheThreadCountChangesNoBit) {
  const std::vector<std::string> fit{"fit", "people.toml", "--quiet", "--output"};
  const auto with = [&](const char* output, const char* threads) {
    std::vector<std::string> arguments = fit;
    arguments.insert(arguments.end(), {output, "--threads", threads});
    return gatewise(arguments);
  };
  ASSERT_EQ(with("one.model", "1").code, 0);
  ASSERT_EQ(with("three.model", "3").code, 0);
  const std::string weights = read_text(file("one.model/weights.safetensors"));
  EXPECT_FALSE(weights.empty());
  EXPECT_TRUE(weights == read_text(file("three.model/weights.safetensors")));
  EXPECT_TRUE(weights == read_text(file("people.model/weights.safetensors")));
}

TEST_F(FitTest, StandardOutputHoldsOnlyTheTable) {
  const Result result = gatewise({"fit", "people.toml", "--output", "table.model", "--training.epochs", "1"});
  ASSERT_EQ(result.code, 0) << result.errors;
  EXPECT_THAT(result.output, HasSubstr("test, 500 rows\ntask "));
  EXPECT_THAT(result.output, HasSubstr("95 % interval"));
  EXPECT_THAT(result.output, Not(HasSubstr("epoch")));
  EXPECT_THAT(result.output, Not(HasSubstr("\x1b")));
  EXPECT_THAT(result.errors, HasSubstr("epoch 1"));
  EXPECT_THAT(result.errors, Not(HasSubstr("\x1b")));
  EXPECT_THAT(result.errors, HasSubstr("model: table.model"));
}

TEST_F(FitTest, WorksWithNoConfigurationAtAll) {
  const Result result = gatewise({"fit", "train.csv", "--labels", "clicked,bought", "--quiet", "--json",
                                  "--training.epochs", "1", "--output", "bare.model"});
  ASSERT_EQ(result.code, 0) << result.errors;
  const Json tasks = Json::parse(result.output)["metrics"]["test"]["tasks"];
  EXPECT_TRUE(tasks.contains("clicked") && tasks.contains("bought"));
  EXPECT_EQ(tasks.size(), 2u);
}

// Counts are proposed as classes or as standardised numbers; the loss decides.
TEST_F(FitTest, AProposalGivesWayToTheLossThatIsAskedFor) {
  std::string small = "x,visits\n", large = small, negative = small;
  for (int row = 0; row < 120; ++row) {
    small += fmt::format("{}.5,{}\n", row % 11, row % 4);
    large += fmt::format("{}.5,{}\n", row % 11, 3 + row % 40);
    negative += fmt::format("{}.5,{}\n", row % 11, row % 40 - 1);
  }
  write_text(file("small.csv"), small);
  write_text(file("large.csv"), large);
  write_text(file("negative.csv"), negative);
  const auto fit = [&](const char* data) {
    return gatewise({"fit", data, "--labels", "visits", "--tasks.visits.loss", "poisson", "--training.epochs",
                     "1", "--json", "--output", "counts.model"});
  };
  for (const char* data : {"small.csv", "large.csv"}) {
    const Result result = fit(data);
    ASSERT_EQ(result.code, 0) << result.errors;
    const Json task = Json::parse(result.output)["configuration"]["tasks"]["visits"];
    EXPECT_EQ(task["kind"], "regression");
    EXPECT_EQ(task["transform"], "none");
  }
  const Result refused = fit("negative.csv");
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.errors, HasSubstr("-1 is outside the range of task \"visits\"; expected at least 0"));
  const Result transformed = gatewise({"fit", "large.csv", "--labels", "visits", "--tasks.visits.loss",
                                       "poisson", "--tasks.visits.transform", "standardise"});
  EXPECT_EQ(transformed.code, 2);
  EXPECT_THAT(transformed.errors,
              HasSubstr("tasks.visits.loss: \"poisson\" is of labels in their own units"));
}

TEST_F(FitTest, SaysWhichTextIsPositiveAndFindsItInOtherSpellings) {
  std::string rows = "x,answer\n", truths = "x,answer\n", upper = truths, other = truths;
  for (int row = 0; row < 120; ++row) {
    const bool is_true = row * 7 % 10 > 2;
    rows += fmt::format("{}.5,{}\n", row % 11, is_true ? "yes" : "no");
    truths += fmt::format("{}.5,{}\n", row % 11, is_true);
    upper += fmt::format("{}.5,{}\n", row % 11, is_true ? "TRUE" : "FALSE");
    other += fmt::format("{}.5,{}\n", row % 11, is_true ? "on" : "off");
  }
  for (const auto& [name, text] :
       {std::pair{"answers.csv", rows}, {"truths.csv", truths}, {"upper.csv", upper}, {"other.csv", other}})
    write_text(file(name), text);
  const Result answers =
      gatewise({"fit", "answers.csv", "--labels", "answer", "--training.epochs", "1", "--output", "a.model"});
  EXPECT_THAT(answers.errors, HasSubstr("label \"answer\": binary (two texts; \"yes\" is positive)"));
  const Result fitted = gatewise({"fit", "truths.csv", "--labels", "answer", "--tasks.answer.equals",
                                  "'false'", "--training.epochs", "1", "--output", "t.model"});
  ASSERT_EQ(fitted.code, 0) << fitted.errors;
  const Result same = gatewise({"evaluate", "t.model", "truths.csv"});
  EXPECT_EQ(gatewise({"evaluate", "t.model", "upper.csv"}).output, same.output);
  EXPECT_THAT(same.errors, Not(HasSubstr("no row has")));
  EXPECT_THAT(gatewise({"evaluate", "t.model", "other.csv"}).errors,
              HasSubstr("task \"answer\": none of 120 labels is 1: no row has the text \"false\""));
}

TEST_F(FitTest, TheSavedConfigurationTrainsTheSameModelAgain) {
  std::filesystem::copy_file(file("people.model/model.toml"), file("again.toml"));
  const Result result = gatewise({"fit", "again.toml", "--quiet", "--output", "again.model"});
  ASSERT_EQ(result.code, 0) << result.errors;
  EXPECT_TRUE(read_text(file("again.model/weights.safetensors")) ==
              read_text(file("people.model/weights.safetensors")));
}

TEST_F(FitTest, StreamedSyntheticRowsTrainAModelThatScoresSynthesisedFiles) {
  const Result fit =
      gatewise({"fit", "--synthetic.kind", "related_tasks", "--synthetic.options.dimension", "8",
                "--synthetic.test_rows", "500", "--synthetic.validation_rows", "500", "--training.epochs",
                "2", "--training.steps_per_epoch", "200", "--training.batch_rows", "64",
                "--training.optimiser.rate", "0.01", "--quiet", "--json"});
  ASSERT_EQ(fit.code, 0) << fit.errors;
  const Json result = Json::parse(fit.output);
  EXPECT_EQ(result["model"], "related_tasks.model");
  const double r2 = result["metrics"]["test"]["tasks"]["y1"]["r2"]["value"].get<double>();
  EXPECT_GT(r2, 0.3);
  ASSERT_EQ(
      gatewise({"synth", "related_tasks", "--dimension", "8", "--rows", "400", "--output", "s.csv"}).code, 0);
  const Result evaluated = gatewise({"evaluate", "related_tasks.model", "s.csv", "--json"});
  ASSERT_EQ(evaluated.code, 0) << evaluated.errors;
  EXPECT_NEAR(Json::parse(evaluated.output)["tasks"]["y1"]["r2"]["value"].get<double>(), r2, 0.2);
  // What was saved as its configuration can be read again.
  const Result diagnosed = gatewise({"diagnose", "related_tasks.model", "--no-single", "--json"});
  ASSERT_EQ(diagnosed.code, 0) << diagnosed.errors;
  EXPECT_EQ(Json::parse(diagnosed.output)["rows"], 500);
}

TEST_F(FitTest, GoingOnFromAModelTakesInNewValuesAndKeepsTheOldOnes) {
  std::string more = people_csv(300, 5);
  for (size_t place; (place = more.find("Rome")) != std::string::npos;) more.replace(place, 4, "Graz");
  write_text(file("more.csv"), more);
  // At a rate of 1e-30 nothing moves: what was learnt is still there.
  const Result still = gatewise({"fit", "people.toml", "--from", "people.model", "--data.train", "more.csv",
                                 "--quiet", "--json", "--training.optimiser.rate", "1e-30",
                                 "--training.epochs", "1", "--output", "still.model"});
  ASSERT_EQ(still.code, 0) << still.errors;
  const Json before = Json::parse(fitted_->output)["metrics"]["test"]["tasks"];
  const Json after = Json::parse(still.output)["metrics"]["test"]["tasks"];
  EXPECT_NEAR(after["clicked"]["auc"]["value"].get<double>(), before["clicked"]["auc"]["value"].get<double>(),
              1e-9);
  const Result described = gatewise({"describe", "still.model", "--json"});
  const Json embeddings = Json::parse(described.output)["embeddings"];
  const Json old = Json::parse(gatewise({"describe", "people.model", "--json"}).output)["embeddings"];
  EXPECT_EQ(embeddings[0]["rows"].get<int>(), old[0]["rows"].get<int>() + 1);

  const Result files =
      gatewise({"fit", "more.csv", "--from", "people.model", "--quiet", "--training.epochs", "1"});
  EXPECT_EQ(files.code, 0) << files.errors;

  const Result other = gatewise({"fit", "people.toml", "--from", "people.model", "--model.experts", "3"});
  EXPECT_EQ(other.code, 2);
  EXPECT_THAT(other.errors, HasSubstr("model.experts"));
}

TEST_F(FitTest, AnInterruptLeavesACheckpointAndResumeGivesTheSameBits) {
  const std::vector<std::string> slow{
      "fit", "people.toml", "--output", "cut.model", "--training.epochs", "300", "--training.stop.patience",
      "0"};
  {
    // With a checkpoint after every step it does not end before the signal arrives.
    std::vector<std::string> slower = slow;
    slower.insert(slower.end(), {"--training.checkpoint_seconds", "0"});
    Process process(slower, {folder_->path()});
    while (process.is_running() && process.errors_so_far().find("epoch 1 ") == std::string::npos)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    process.send(SIGINT);
    const Result result = process.wait();
    if (result.code == 0) GTEST_SKIP() << "the run ended before the signal arrived";
    ASSERT_EQ(result.code, 130) << result.errors;
    EXPECT_THAT(result.errors, HasSubstr("--resume"));
    EXPECT_EQ(result.output, "");
    EXPECT_FALSE(std::filesystem::exists(file("cut.model")));
  }
  std::vector<std::string> resumed = slow, whole = slow;
  resumed.push_back("--resume");
  // Another run does not go on from it.
  for (const auto& [option, value, named] :
       std::vector<std::array<const char*, 3>>{{"--data.train", "test.csv", "files.train[0].bytes"},
                                               {"--model.gate.type", "sigmoid", "model.gate.type"},
                                               {"--tasks.bought.weight", "0.5", "tasks.bought.weight"}}) {
    std::vector<std::string> other = resumed;
    other.insert(other.end(), {option, value});
    const Result refused = gatewise(other);
    EXPECT_EQ(refused.code, 2) << option;
    EXPECT_THAT(refused.errors, HasSubstr(named));
  }
  whole[3] = "whole.model";
  const Result second_half = gatewise(resumed);
  ASSERT_EQ(second_half.code, 0) << second_half.errors;
  EXPECT_THAT(second_half.errors, Not(HasSubstr("epoch 1 ")));
  const Result both_halves = gatewise(whole);
  ASSERT_EQ(both_halves.code, 0) << both_halves.errors;
  EXPECT_THAT(both_halves.errors, HasSubstr("epoch 1 "));
  EXPECT_TRUE(read_text(file("cut.model/weights.safetensors")) ==
              read_text(file("whole.model/weights.safetensors")));
  EXPECT_TRUE(read_text(file("cut.model/metrics.json")) == read_text(file("whole.model/metrics.json")));
}

}  // namespace
}  // namespace gatewise
