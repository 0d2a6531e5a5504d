// What every registered architecture must keep, whatever it is.
#include <filesystem>

#include "losses/loss.h"
#include "model_file/model_directory.h"
#include "tests/base/message_of.h"
#include "tests/contract/feed_for.h"

namespace gatewise {
namespace {

class EveryArchitecture : public testing::TestWithParam<std::string> {};

TEST_P(EveryArchitecture, HasTheGradientsOfItsLoss) {
  const std::vector<TaskSpace> several = tasks_for(GetParam());
  for (const std::vector<TaskSpace>& tasks :
       {several, {make_task("click", "binary"), make_task("buy", "binary")}, {several[1]}}) {
    const FeatureSpace space = sample_space(tasks);
    const Json smooth = {{"units", {4}}, {"activation", "tanh"}};
    Json model = {{"type", GetParam()}, {"expert", smooth}, {"tower", smooth}};
    leave_out_foreign_options(model);
    const auto graph = build_graph(space, model);
    EXPECT_GT(expect_gradients(*graph, feed_for(*graph, space)), 5);
  }
}

TEST_P(EveryArchitecture, StartsWithUnitsThatDiffer) {
  const FeatureSpace space = sample_space(tasks_for(GetParam()));
  const auto graph = build_graph(space, {{"type", GetParam()}});
  Store<float> store(*graph);
  store.initialise(1);
  for (const PathBlock& block : store.layout().blocks) {
    if (!block.path.ends_with("weight") || block.columns < 2) continue;
    const std::vector<float> values = store.get(block.path);
    EXPECT_NE(values[0], values[1]) << block.path;
  }
  const std::vector<std::string> paths = store.paths();
  EXPECT_EQ(std::set<std::string>(paths.begin(), paths.end()).size(), paths.size());
}

TEST_P(EveryArchitecture, IgnoresRowsWithoutCoefficient) {
  const FeatureSpace space = sample_space(tasks_for(GetParam()));
  const auto graph = build_graph(space, {{"type", GetParam()}});
  Feed feed = feed_for(*graph, space);
  for (size_t task = 0; task < 3; ++task) feed.coefficients[3 * 2 + task] = 0;  // row 2 has no label
  GraphRun<float> run(*graph, feed, {});
  run.step();
  const std::vector<float> expected(run.program().gradients().data(),
                                    run.program().gradients().data() + run.program().gradients().size());
  const int labels = [&] {
    for (const Node& node : graph->nodes()) {
      if (node.leaf == Leaf::Input && node.name == "labels") return node.id;
    }
    return -1;
  }();
  for (size_t task = 0; task < 3; ++task) feed.inputs[labels][3 * 2 + task] = 1;
  run.set(feed);
  run.step();
  EXPECT_EQ(expected,
            std::vector<float>(run.program().gradients().data(),
                               run.program().gradients().data() + run.program().gradients().size()));
}

TEST_P(EveryArchitecture, SavesLoadsAndScoresTheSame) {
  const FeatureSpace space = sample_space(tasks_for(GetParam()));
  const auto graph = build_graph(space, {{"type", GetParam()}});
  PlanOptions scoring;
  scoring.is_training = false;
  const Feed feed = feed_for(*graph, space, 9);
  GraphRun<float> run(*graph, feed, scoring);
  run.forward();
  const std::string directory = testing::TempDir() + "gatewise_contract_" + GetParam();
  std::filesystem::remove_all(directory);
  save_model(directory, {.graph = *graph, .store = run.store()});
  const LoadedModel loaded = load_model(directory);
  EXPECT_EQ(loaded.graph->to_json(), graph->to_json());
  GraphRun<float> again(*loaded.graph, feed, scoring);
  for (const std::string& path : run.store().paths()) {
    EXPECT_EQ(loaded.store->get(path), run.store().get(path)) << path;
    again.store().set(path, loaded.store->get(path));
  }
  again.program().parameters_changed();
  again.forward();
  for (const TaskSpace& task : space.tasks) {
    EXPECT_EQ(again.value(loaded.graph->find(task.name)), run.value(graph->find(task.name)));
  }
  std::filesystem::remove_all(directory);
}

TEST_P(EveryArchitecture, RefusesUnknownOptionsAndDescribesItself) {
  const FeatureSpace space = sample_space(tasks_for(GetParam()));
  EXPECT_THROW(build_graph(space, {{"type", GetParam()}, {"no_such_option", 1}}), Error);
  EXPECT_THROW(build_graph(space, {{"type", GetParam()}, {"tower", {{"units", {0}}}}}), Error);
  const auto& entry = Registry<Architecture>::instance().find(GetParam(), "architecture", "test");
  EXPECT_FALSE(entry.summary.empty());
  for (const Json& option : entry.options) EXPECT_FALSE(option["help"].get<std::string>().empty());
}

TEST_P(EveryArchitecture, GradientsPerTaskAddUpToTheWhole) {
  const FeatureSpace space = sample_space({make_task("click", "binary"), make_task("buy", "binary")});
  const auto graph = build_graph(space, {{"type", GetParam()}});
  Feed feed = feed_for(*graph, space, 300);
  feed.task_weights = {0.5, 2};
  GraphRun<double> run(*graph, feed, {.keeps_values = true});
  run.step();
  Store<double>& store = run.store();
  std::vector<double> expected(run.program().gradients().data(),
                               run.program().gradients().data() + store.layout().arena_size);
  const auto gradients = run.task_gradients();
  // Penalties belong to no task.
  feed.task_weights = {0, 0};
  run.set(feed);
  run.step();
  const double* penalties = run.program().gradients().data();
  const Layout& layout = store.layout();
  for (const ParameterPlace& place : layout.places) {
    if (place.is_table) continue;  // tables take part after the tiles, for all tasks together
    for (int64_t i = place.offset; i < place.offset + place.extent(); ++i) {
      ASSERT_NEAR(0.5 * gradients[0].arena[i] + 2 * gradients[1].arena[i] + penalties[i], expected[i], 1e-11);
    }
  }
}

// One expert of one unit, one task, one row.
TEST_P(EveryArchitecture, TakesDegenerateShapes) {
  Json model = {{"type", GetParam()}, {"expert", {{"units", {1}}}}, {"tower", {{"units", {1}}}}};
  // Its batch norm refuses to train on one row.
  if (GetParam() == "home") model["expert"]["normalisation"] = "layer";
  leave_out_foreign_options(model);
  for (const Json& option :
       Registry<Architecture>::instance().find(GetParam(), "architecture", "model.type").options) {
    const std::string name = option.at("name").get<std::string>();
    if (name.ends_with("experts")) model[name] = 1;
  }
  const std::vector<TaskSpace> several = tasks_for(GetParam());
  for (const std::vector<TaskSpace>& tasks : {several, {several[1]}}) {
    const FeatureSpace space = sample_space(tasks);
    const auto graph = build_graph(space, model);
    for (const int64_t rows : {1, 5}) {
      GraphRun<float> run(*graph, feed_for(*graph, space, rows), {});
      EXPECT_TRUE(std::isfinite(run.step().total)) << tasks.size() << " tasks, " << rows << " rows";
      for (int64_t i = 0; i < run.program().gradients().size(); ++i)
        ASSERT_TRUE(std::isfinite(run.program().gradients()[i])) << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Registry, EveryArchitecture,
                         testing::ValuesIn(Registry<Architecture>::instance().names()),
                         [](const auto& architecture) { return architecture.param; });

// A plug-in's name is its file's; the documented gate is made from CONTRIBUTING.md.
template <class Interface>
void expect_files(const std::string& folder) {
  for (const std::string& name : Registry<Interface>::instance().names()) {
    const bool is_file =
        std::filesystem::exists(fmt::format("{}/src/{}/{}.cpp", GATEWISE_SOURCE_DIR, folder, name));
    const bool is_documented =
        std::filesystem::exists(fmt::format("{}/documented/{}.cpp", GATEWISE_BINARY_DIR, name));
    EXPECT_TRUE(is_file || is_documented) << folder << "/" << name;
  }
}

TEST(Registry, NamesAreFiles) {
  expect_files<Architecture>("architectures");
  expect_files<Expert>("experts");
  expect_files<Gate>("gates");
  expect_files<Tower>("towers");
  expect_files<Loss>("losses");
}

TEST(ChainsOfEvents, RefuseTasksOnAPartOfTheRows) {
  std::vector<TaskSpace> tasks = binary_tasks;
  tasks[1].only_where = "click";
  for (const std::string type : {"esmm", "aitm"}) {
    EXPECT_THAT(message_of([&] {
                  build_graph(sample_space(tasks), {{"type", type}});
                }),
                testing::HasSubstr("tasks.like.only_where: got \"click\", but " + type + " estimates every"));
  }
}

// Parameters of the model, of which the expert's options are given.
int64_t parameters_with(const std::string& type, const Json& expert) {
  const Json model = {{"type", type}, {"expert", expert}};
  const auto count = [](const Json& options) {
    return Store<float>(*build_graph(sample_space(binary_tasks), options)).parameter_count();
  };
  EXPECT_EQ(count(complete_model_options(model)), count(model)) << expert;
  return count(model);
}

TEST(ExpertsWithDefaultsOfTheirOwn, KeepThemBesideOtherOptions) {
  const int64_t usual = parameters_with("shared_bottom", Json::object());
  EXPECT_EQ(parameters_with("shared_bottom", {{"dropout", 0.1}}), usual);
  EXPECT_EQ(parameters_with("shared_bottom", {{"type", "mlp"}, {"activation", "tanh"}}), usual);
  EXPECT_EQ(parameters_with("shared_bottom", {{"units", {113}}}), usual);
  EXPECT_LT(parameters_with("shared_bottom", {{"units", {16}}}), usual);
  const int64_t normed = parameters_with("home", Json::object());
  EXPECT_EQ(parameters_with("home", {{"activation", "relu"}}), normed);
  EXPECT_LT(parameters_with("home", {{"normalisation", "none"}}), normed);
}

TEST(TensorFactorization, RefusesOptionsOfExpertsThatItDoesNotFollow) {
  for (const Json& expert :
       {Json{{"initializer", "he_normal"}}, Json{{"initializer_scale", 2.0}}, Json{{"dropout", 0.1}}}) {
    EXPECT_THAT(
        message_of([&] {
          build_graph(sample_space(binary_tasks), {{"type", "tensor_factorization"}, {"expert", expert}});
        }),
        testing::HasSubstr("model.expert: tensor factorisation"));
  }
}

TEST(Home, RefusesAGroupWithoutTasks) {
  EXPECT_THAT(message_of([&] {
                build_graph(sample_space({make_task("click", "binary")}),
                            {{"type", "home"}, {"groups", {{"a", {"click"}}, {"b", Json::array()}}}});
              }),
              testing::HasSubstr("model.groups.b: got [], expected at least one task"));
}

// Of a shared network of two layers, cut below its top: the mixture reads the first, gates too.
TEST(Mmoe, ReplacesTheTopOfASharedBottomBelowOneExpert) {
  const FeatureSpace space = sample_space({make_task("click", "binary"), make_task("buy", "binary")});
  const auto plain = build_graph(space, {{"type", "shared_bottom"}, {"expert", {{"units", {7, 5}}}}});
  const Feed feed = feed_for(*plain, space, 18);
  GraphRun<double> run(*plain, feed, {.is_training = false});
  run.forward();
  for (const char* type : {"mmoe", "omoe"}) {
    const auto mixed =
        build_graph(space, {{"type", type}, {"bottom", {7}}, {"experts", 1}, {"expert", {{"units", {5}}}}});
    Feed same = feed_for(*mixed, space, 18);
    for (auto& [path, values] : same.parameters) {
      if (path.starts_with("gates/")) {
        EXPECT_EQ(values.size(), path.ends_with("weight") ? 7u : 1u) << path;
        continue;
      }
      const std::string leaf = path.substr(path.rfind('/'));
      const auto found =
          feed.parameters.find(path.starts_with("experts/0/") ? "bottom/layer_1" + leaf : path);
      ASSERT_NE(found, feed.parameters.end()) << path;
      values = found->second;
    }
    GraphRun<double> other(*mixed, same, {.is_training = false});
    other.forward();
    for (const TaskSpace& task : space.tasks) {
      expect_close(other.value(mixed->find(task.name)), run.value(plain->find(task.name)), 1e-12, task.name);
    }
  }
}

TEST(Mmoe, WithEqualGatesIsOmoe) {
  const FeatureSpace space = sample_space({make_task("click", "binary"), make_task("buy", "binary")});
  const auto one = build_graph(space, {{"type", "omoe"}});
  const auto many = build_graph(space, {{"type", "mmoe"}});
  const Feed feed = feed_for(*one, space, 17);
  GraphRun<double> run(*one, feed, {.is_training = false});
  Feed tied = feed_for(*many, space, 17);
  for (auto& [path, values] : tied.parameters) {
    const auto shared = feed.parameters.find(
        path.starts_with("gates/") ? "gates/shared" + path.substr(path.rfind("/layer")) : path);
    ASSERT_NE(shared, feed.parameters.end()) << path;
    values = shared->second;
  }
  GraphRun<double> other(*many, tied, {.is_training = false});
  run.forward();
  other.forward();
  for (const TaskSpace& task : space.tasks) {
    expect_close(other.value(many->find(task.name)), run.value(one->find(task.name)), 1e-12, task.name);
  }
}

}  // namespace
}  // namespace gatewise
