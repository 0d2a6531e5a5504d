// fit --from with new tasks, copied and frozen parameters.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.h"
#include "configuration/warm_start.h"
#include "model_file/model_directory.h"
#include "tests/cli/program.h"
#include "training/model.h"

namespace gatewise {
namespace {

using testing::HasSubstr;

// Rows of the domains a and b, and with `third` of c, whose label is that of a.
std::string domain_csv(int64_t rows, bool third, uint64_t seed) {
  const RandomStream stream(seed, "domains");
  std::string text = "x,z,domain,y\n";
  for (uint64_t row = 0; row < static_cast<uint64_t>(rows); ++row) {
    const double x = stream.normal(0, row, 0), z = stream.normal(0, row, 1);
    const uint64_t domain = row % (third ? 3 : 2);
    text += fmt::format("{:.4f},{:.4f},{},{}\n", x, z, static_cast<char>('a' + domain),
                        (domain == 1 ? z - x : x + z) > 0 ? 1 : 0);
  }
  return text;
}

constexpr const char* domain_toml = R"(
[data]
train = "two.csv"
[columns]
domain = "task"
[tasks."*"]
column = "y"
[model]
type = "mmoe"
experts = 3
expert = {units = [8], normalisation = "batch"}
[training]
epochs = 6
batch_rows = 128
optimiser = {kind = "adamw", weight_decay = 0.1, rate = 0.02, clip_norm = 0.5}
)";

class ContinueTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TemporaryFolder>();
    write_text(file("two.csv"), domain_csv(2000, false, 1));
    write_text(file("three.csv"), domain_csv(900, true, 2));
    write_text(file("old.csv"), domain_csv(300, false, 3));
    write_text(file("domains.toml"), domain_toml);
    const Result fitted = gatewise({"fit", "domains.toml", "--quiet", "--output", "two.model"});
    ASSERT_EQ(fitted.code, 0) << fitted.errors;
  }
  static void TearDownTestSuite() { folder_.reset(); }

  static Result gatewise(const std::vector<std::string>& arguments) {
    return run(arguments, {folder_->path()});
  }
  static std::string file(const std::string& name) { return folder_->file(name); }

  // Goes on from the model of two domains with the rows of three.
  static Result go_on(const std::string& output, const std::string& table,
                      const std::vector<std::string>& more = {}) {
    write_text(file(output + ".toml"), "[data]\ntrain = \"three.csv\"\n" + table);
    std::vector<std::string> arguments{"fit",     output + ".toml", "--from",   "two.model",
                                       "--quiet", "--json",         "--output", output};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return gatewise(arguments);
  }

  static std::vector<float> values(const std::string& model, const std::string& path) {
    return load_model(file(model)).store->get(path);
  }

  inline static std::unique_ptr<TemporaryFolder> folder_;
};

TEST_F(ContinueTest, AFrozenModelKeepsItsBitsWhileANewTaskIsLearnt) {
  const Result result = go_on("more.model", "[continue]\nfreeze = [\"experts/*\", \"*/a/*\", \"*/b/*\"]\n");
  ASSERT_EQ(result.code, 0) << result.errors;
  EXPECT_EQ(gatewise({"predict", "two.model", "old.csv"}).output,
            gatewise({"predict", "more.model", "old.csv"}).output);
  const LoadedModel before = load_model(file("two.model")), after = load_model(file("more.model"));
  for (const std::string& path : before.store->paths())
    EXPECT_EQ(after.store->get(path), before.store->get(path)) << path;
  EXPECT_EQ(after.encoder->space().tasks.size(), 3u);
  const Json metrics = Json::parse(result.output)["metrics"]["train"]["tasks"];
  EXPECT_GT(metrics["c"]["auc"]["value"].get<double>(), 0.9);
}

TEST_F(ContinueTest, ANewTaskStartsFromTheParametersOfAnother) {
  const Result result =
      go_on("copied.model", "[continue]\ncopy = {c = \"a\"}\nfreeze = [\"*\"]\n[training]\nepochs = 1\n");
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.errors, HasSubstr("no trainable parameter influences any loss"));
  const Result rest = go_on(
      "copied.model",
      "[continue]\ncopy = {c = \"a\"}\nfreeze = [\"experts/*\", \"gates/*\", \"towers/?/layer_0/*\"]\n");
  ASSERT_EQ(rest.code, 0) << rest.errors;
  EXPECT_EQ(values("copied.model", "gates/c/layer_0/weight"), values("two.model", "gates/a/layer_0/weight"));
  EXPECT_EQ(values("copied.model", "towers/c/layer_0/weight"),
            values("two.model", "towers/a/layer_0/weight"));
  EXPECT_NE(values("copied.model", "towers/c/layer_1/weight"),
            values("two.model", "towers/a/layer_1/weight"));
  EXPECT_NE(values("copied.model", "towers/b/layer_1/weight"),
            values("two.model", "towers/b/layer_1/weight"));
}

TEST_F(ContinueTest, OneSettingChangesNoOther) {
  write_text(file("bare.toml"), "[data]\ntrain = \"old.csv\"\n");
  for (const char* input : {"old.csv", "bare.toml"}) {
    const Result result = gatewise({"fit", input, "--from", "two.model", "--quiet", "--output", "kept.model",
                                    "--training.epochs", "1", "--training.optimiser.clip_norm", "0.25"});
    ASSERT_EQ(result.code, 0) << result.errors;
    Json expected = load_model(file("two.model")).configuration["training"];
    expected["epochs"] = 1;
    expected["optimiser"]["clip_norm"] = 0.25;
    EXPECT_EQ(load_model(file("kept.model")).configuration["training"], expected) << input;
  }
}

TEST_F(ContinueTest, AnOrdinaryModelTakesInATaskToo) {
  std::string table = "x,z,y,w\n";
  for (int row = 0; row < 300; ++row) {
    const int x = row * 7 % 11 - 5, z = row * 5 % 13 - 6;
    table += fmt::format("{},{},{},{}\n", x, z, x > 0 ? 1 : 0, z > 0 ? 1 : 0);
  }
  write_text(file("both.csv"), table);
  write_text(
      file("one.toml"),
      "[data]\ntrain = \"both.csv\"\n[columns]\nx = \"numeric\"\nz = \"numeric\"\ndefault = \"ignore\"\n"
      "[tasks.y]\n[training]\nepochs = 1\n");
  ASSERT_EQ(gatewise({"fit", "one.toml", "--quiet", "--output", "one.model"}).code, 0);
  write_text(file("and.toml"),
             "[data]\ntrain = \"both.csv\"\n[tasks.w]\n[continue]\nfreeze = [\"experts/*\", \"*/y/*\"]\n"
             "[training]\nepochs = 40\n");
  const Result result =
      gatewise({"fit", "and.toml", "--from", "one.model", "--quiet", "--json", "--output", "and.model"});
  ASSERT_EQ(result.code, 0) << result.errors;
  EXPECT_EQ(values("and.model", "towers/y/layer_0/weight"), values("one.model", "towers/y/layer_0/weight"));
  EXPECT_EQ(values("and.model", "experts/0/layer_0/weight"), values("one.model", "experts/0/layer_0/weight"));
  EXPECT_TRUE(Json::parse(result.output)["metrics"]["train"]["tasks"].contains("w"));
}

TEST_F(ContinueTest, ATaskJoinsAGroupOrAChainOfTheModel) {
  std::string table = "x,u,v,w\n";
  for (int row = 0; row < 300; ++row) {
    const int x = row * 7 % 11 - 5;
    table += fmt::format("{},{},{},{}\n", x, x > 0 ? 1 : 0, x > 1 ? 1 : 0, x > 2 ? 1 : 0);
  }
  write_text(file("chain.csv"), table);
  const auto fit = [&](const std::string& name, const std::string& tables, std::vector<std::string> more) {
    write_text(file(name + ".toml"),
               "[data]\ntrain = \"chain.csv\"\n" + tables + "[training]\nepochs = 1\nbatch_rows = 100\n");
    more.insert(more.begin(), {"fit", name + ".toml", "--quiet", "--output", name + ".model"});
    return gatewise(more);
  };
  const std::string columns = "[columns]\ndefault = \"ignore\"\nx = \"numeric\"\n[tasks.u]\n[tasks.v]\n";
  const struct {
    std::string type, before, after, wrong;
  } cases[] = {
      {"home", "groups = {g = [\"u\"], h = [\"v\"]}\n", "groups = {g = [\"u\"], h = [\"v\", \"w\"]}\n",
       "groups = {g = [\"u\", \"v\"], h = [\"w\"]}\n"},
      {"aitm", "chain = [\"u\", \"v\"]\n", "chain = [\"u\", \"v\", \"w\"]\n",
       "chain = [\"v\", \"u\", \"w\"]\n"},
      {"esmm", "", "chain = [\"u\", \"v\", \"w\"]\n", "chain = [\"w\", \"v\", \"u\"]\n"}};
  for (const auto& [type, before, after, wrong] : cases) {
    SCOPED_TRACE(type);
    const Result first = fit(type, columns + "[model]\ntype = \"" + type + "\"\n" + before, {});
    ASSERT_EQ(first.code, 0) << first.errors;
    const std::vector<std::string> from{"--from", type + ".model"};
    const Result grown = fit(type + "_and", "[tasks.w]\n[model]\n" + after, from);
    EXPECT_EQ(grown.code, 0) << grown.errors;
    const Result refused = fit(type + "_wrong", "[tasks.w]\n[model]\n" + wrong, from);
    EXPECT_THAT(refused.errors, HasSubstr("and only new tasks can be added; got"));
    EXPECT_EQ(refused.code, 2);
    const Result foreign = fit(type + "_wrong", "[tasks.w]\n[model]\nlevels = 2\n" + after, from);
    EXPECT_THAT(foreign.errors,
                HasSubstr("model.levels: a model that goes on from " + type + ".model keeps"));
  }
}

// The gate of task 1 in the last level, not that of expert 1 below it.
TEST(CopyParameters, TellsNumberedTasksFromLevelsAndExperts) {
  const auto graph_of = [](const std::vector<std::string>& names) {
    FeatureSpace space;
    space.numeric = {{"x", 0, 3}};
    for (const std::string& name : names) {
      space.tasks.emplace_back();
      space.tasks.back().name = name;
      space.tasks.back().kind = "binary";
    }
    return build_graph(space, {{"type", "mmoe"}, {"levels", 2}, {"experts", 2}});
  };
  const auto old_graph = graph_of({"0", "2"}), new_graph = graph_of({"0", "2", "1"});
  Store<float> from(*old_graph), to(*new_graph);
  from.initialise(1);
  to.initialise(2);
  copy_parameters(from, to, {"1"}, {{"1", "2"}});
  EXPECT_EQ(to.get("levels/1/gates/1/layer_0/weight"), from.get("levels/1/gates/2/layer_0/weight"));
  EXPECT_EQ(to.get("levels/0/gates/1/layer_0/weight"), from.get("levels/0/gates/1/layer_0/weight"));
  EXPECT_EQ(to.get("towers/1/layer_0/weight"), from.get("towers/2/layer_0/weight"));
}

TEST_F(ContinueTest, FaultsAreNamed) {
  const auto refusal = [&](const std::string& table) {
    const Result result = go_on("refused.model", "[continue]\n" + table + "\n");
    EXPECT_EQ(result.code, 2);
    return result.errors;
  };
  EXPECT_THAT(refusal("freeze = [\"expert/*\"]"),
              HasSubstr("continue.freeze: no parameter matches \"expert/*\""));
  EXPECT_THAT(refusal("copy = {d = \"a\"}"),
              HasSubstr("continue.copy: \"d\" is no task that the model to start from lacks"));
  EXPECT_THAT(refusal("copy = {c = \"e\"}"),
              HasSubstr("continue.copy.c: \"e\" is no task of the model to start from"));
  EXPECT_THAT(refusal("copy = {c = 1}"), HasSubstr("continue.copy.c: got 1, expected a task's name"));
  write_text(file("alone.toml"), std::string(domain_toml) + "[continue]\nfreeze = [\"*\"]\n");
  const Result alone = gatewise({"fit", "alone.toml", "--output", "alone.model"});
  EXPECT_EQ(alone.code, 2);
  EXPECT_THAT(alone.errors, HasSubstr("name the model by --from"));
}

}  // namespace
}  // namespace gatewise
