// What every architecture and every gate must declare of itself to be examined.
#include "training/probes.h"

#include <gtest/gtest.h>

#include "diagnosis/intervention.h"
#include "diagnosis/watch.h"
#include "tests/contract/feed_for.h"

namespace gatewise {
namespace {

struct Built {
  FeatureSpace space;
  std::unique_ptr<Graph> graph;
  std::unique_ptr<Store<float>> store;

  Built(FeatureSpace of, const Json& model)
      : space(std::move(of)),
        graph(build_graph(space, model)),
        store(std::make_unique<Store<float>>(*graph)) {
    store->initialise(3);
  }
};

// Largest difference of any prediction.
double difference(const std::vector<ValueList>& a, const std::vector<ValueList>& b) {
  double largest = 0;
  for (size_t task = 0; task < a.size(); ++task) {
    for (size_t i = 0; i < a[task].size(); ++i)
      largest = std::max<double>(largest, std::abs(a[task][i] - b[task][i]));
  }
  return largest;
}

// The switches are where the mixture reads: they change nothing as they stand, and every gate's do something.
void expect_switches(Built& built, const EncodedData& rows, const std::string& what) {
  SCOPED_TRACE(what);
  Pool pool(1);
  const auto expected = predict(*built.graph, *built.store, built.space, rows, pool);
  Intervention intervention(*built.graph, *built.store, built.space, pool);
  EXPECT_LT(difference(intervention.predict(rows), expected), 1e-5);
  for (size_t level = 0; level < built.graph->probes().size(); ++level) {
    const LevelProbe& probe = built.graph->probes()[level];
    if (probe.gates.empty()) continue;
    std::set<int> all;
    for (size_t expert = 0; expert < probe.experts.size(); ++expert) all.insert(static_cast<int>(expert));
    intervention.remove(level, all);
    EXPECT_GT(difference(intervention.predict(rows), expected), 1e-4) << probe.name;
    intervention.reset();
    for (size_t gate = 0; gate < probe.gates.size(); ++gate) {
      // Tasks need not listen to what the gate of an inner unit mixes.
      if (probe.gates[gate].sees.size() < 2 || probe.gates[gate].task.empty()) continue;
      intervention.make_uniform(level, gate);
      EXPECT_GT(difference(intervention.predict(rows), expected), 1e-7) << probe.gates[gate].path;
      intervention.reset();
    }
  }
  EXPECT_LT(difference(intervention.predict(rows), expected), 1e-5);
}

class EveryArchitecturesProbes : public testing::TestWithParam<std::string> {};

TEST_P(EveryArchitecturesProbes, NameExpertsWithParametersAndGatesOfTasks) {
  const Built built(sample_space(tasks_for(GetParam())), {{"type", GetParam()}});
  ASSERT_EQ(built.graph->probes().empty(), GetParam() == "linear");
  const auto blocks = expert_blocks(*built.graph, built.store->layout());
  size_t place = 0;
  for (const LevelProbe& level : built.graph->probes()) {
    for (const ExpertProbe& expert : level.experts) {
      // Its layers are those of all tasks.
      if (GetParam() != "tensor_factorization") {
        EXPECT_FALSE(blocks[place].empty()) << expert.path;
      }
      ++place;
    }
    for (const GateProbe& gate : level.gates) {
      EXPECT_EQ(built.graph->find(gate.path), gate.weights);
      std::set<int> seen(gate.sees.begin(), gate.sees.end());
      EXPECT_EQ(seen.size(), gate.sees.size());
      for (const int expert : seen) EXPECT_LT(expert, static_cast<int>(level.experts.size()));
    }
  }
  const auto copy = Graph::from_json(built.graph->to_json());
  ASSERT_EQ(copy->probes().size(), built.graph->probes().size());
  for (size_t i = 0; i < copy->probes().size(); ++i)
    EXPECT_EQ(copy->probes()[i].to_json(), built.graph->probes()[i].to_json());
}

TEST_P(EveryArchitecturesProbes, StandWhereTheMixtureReads) {
  Built built(sample_space(tasks_for(GetParam())), {{"type", GetParam()}});
  expect_switches(built, sample_rows(built.space, 40), GetParam());
}

TEST_P(EveryArchitecturesProbes, CanBeWatchedWhereRowsBelongToOneTask) {
  FeatureSpace space = sample_space(binary_tasks);
  space.task_column = "task";
  Built built(space, Json{{"type", GetParam()}});
  EncodedData rows = sample_rows(space, 30);
  std::vector<float> labels;
  for (int64_t row = 0; row < rows.rows; ++row) {
    rows.row_task.push_back(static_cast<uint32_t>(task_of_row(space, row)));
    labels.push_back(rows.labels[row * rows.tasks]);
  }
  rows.labels = labels;
  rows.tasks = 1;
  Pool pool(1);
  const std::vector<WatchedLevel> levels = watch(*built.graph, *built.store, space, rows, pool);
  std::map<std::string, std::set<int64_t>> of_task;
  for (const WatchedGate& gate : levels.empty() ? std::vector<WatchedGate>() : levels.back().gates) {
    for (const int64_t row : gate.rows) {
      if (!gate.task.empty()) {
        EXPECT_EQ(space.tasks[rows.row_task[row]].name, gate.task);
        of_task[gate.task].insert(row);
      }
    }
    EXPECT_EQ(gate.weights.size(), gate.rows.size() * gate.sees.size());
  }
  size_t watched = 0;
  for (const auto& [task, own] : of_task) watched += own.size();
  // The first task of a chain has no gate.
  if (of_task.size() == space.tasks.size()) {
    EXPECT_EQ(watched, 30U);
  }
  expect_switches(built, rows, GetParam());
}

INSTANTIATE_TEST_SUITE_P(Registry, EveryArchitecturesProbes,
                         testing::ValuesIn(Registry<Architecture>::instance().names()),
                         [](const auto& architecture) { return architecture.param; });

class EveryGatesProbes : public testing::TestWithParam<std::string> {};

TEST_P(EveryGatesProbes, StandWhereTheMixtureReads) {
  for (const char* type : {"mmoe", "ple"}) {
    // Eight experts: sparse gates route.
    const Json model = {{"type", type}, {"gate", {{"type", GetParam()}}}};
    Built built(sample_space(binary_tasks), model);
    const EncodedData rows = sample_rows(built.space, 40);
    expect_switches(built, rows, std::string(type) + " " + GetParam());
    Pool pool(1);
    for (const WatchedLevel& level : watch(*built.graph, *built.store, built.space, rows, pool)) {
      EXPECT_EQ(level.outputs.size(), 40 * level.experts.size() * static_cast<size_t>(level.hidden));
      const auto zeros = std::count(level.outputs.begin(), level.outputs.end(), 0.0F);
      // Outputs of experts that nobody chose are computed too.
      EXPECT_LT(static_cast<double>(zeros), 0.8 * static_cast<double>(level.outputs.size()));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Registry, EveryGatesProbes, testing::ValuesIn(Registry<Gate>::instance().names()),
                         [](const auto& gate) { return gate.param; });

}  // namespace
}  // namespace gatewise
