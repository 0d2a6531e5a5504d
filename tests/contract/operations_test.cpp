// Every operation of the registry: gradients, precision, tiles and threads. Operations that need more than
// random operands (look-ups, routes) are named in `specially_tested`; operation_values_test.cpp has their
// tests.
#include <filesystem>
#include <set>

#include "base/error.h"
#include "tests/engine/graph_run.h"

namespace gatewise {
namespace {

const std::set<std::string>& specially_tested() {
  static const std::set<std::string> names{"embedding",     "route",    "gather",
                                           "routed_linear", "combine",  "branch_rows",
                                           "alternative",   "own_rows", "own_linear"};
  return names;
}

// One case of an operation as a graph: Row operands are inputs, Static operands parameters.
struct CaseGraph {
  Graph graph;
  Var output;
  Feed feed;
  double largest = 0;    // magnitude of the operands
  int64_t elements = 1;  // of the largest operand

  explicit CaseGraph(const std::string& name, const OpCase& op_case) {
    std::vector<Var> operands;
    for (size_t i = 0; i < op_case.inputs.size(); ++i) {
      const Signature& signature = op_case.inputs[i];
      const std::string operand = fmt::format("{}/{}", name, i);
      operands.push_back(signature.domain == Domain::Row ? graph.input(operand, signature.shape)
                                                         : graph.parameter(operand, signature.shape, {}));
      elements = std::max(elements, signature.shape.elements());
    }
    output = graph.apply(OpRegistry::instance().make(name, op_case.options), operands);
    graph.add_output("y", output);
    feed.fill(graph, op_case.low, op_case.high, op_case.keep_from_zero);
    // Masks and conditions need zeros too.
    for (const int index : op_case.no_gradient) {
      const Node& node = graph.node(operands[index].node());
      auto& values = node.leaf == Leaf::Input ? feed.inputs[node.id] : feed.parameters[node.name];
      for (size_t i = 0; i < values.size(); i += 3) values[i] = 0;
    }
    largest = std::max({1.0, std::abs(op_case.low), std::abs(op_case.high)});
  }

  // Gives the output a loss or a penalty; returns whether any operand has a gradient.
  bool add_objective() {
    const Node& node = graph.node(output.node());
    bool has_gradient = false;
    for (size_t i = 0; i < node.inputs.size(); ++i)
      has_gradient |= node.op->has_gradient(static_cast<int>(i));
    const Var objective = projected(output);
    output.signature().domain == Domain::Static ? graph.add_penalty("objective", objective)
                                                : graph.add_loss("objective", objective);
    feed.fill(graph);
    return has_gradient;
  }

  std::vector<int> row_inputs() const {
    std::vector<int> nodes;
    for (const Node& node : graph.nodes()) {
      if (node.leaf == Leaf::Input) nodes.push_back(node.id);
    }
    return nodes;
  }
};

template <class Visit>
void each_case(const Visit& visit) {
  int cases = 0;
  for (const std::string& name : OpRegistry::instance().names()) {
    // Options of the first case that say nothing suffice to ask for the cases only where all have defaults.
    const std::vector<OpCase> all = OpRegistry::instance().make(name, Json::object())->cases();
    for (size_t i = 0; i < all.size(); ++i) {
      SCOPED_TRACE(fmt::format("operation {}, case {}", name, i));
      visit(name, all[i]);
      ++cases;
    }
  }
  EXPECT_GT(cases, 60);
}

TEST(Operations, each_one_has_cases_or_a_test_of_its_own) {
  for (const std::string& name : OpRegistry::instance().names()) {
    const bool has_cases = !OpRegistry::instance().make(name, Json::object())->cases().empty();
    EXPECT_NE(has_cases, specially_tested().contains(name)) << name;
  }
}

TEST(Operations, each_one_is_registered_under_the_name_of_its_file) {
  std::set<std::string> stems;
  for (const auto& entry : std::filesystem::directory_iterator(GATEWISE_SOURCE_DIR "/src/graph/ops")) {
    if (entry.path().extension() == ".cpp") stems.insert(entry.path().stem().string());
  }
  const std::vector<std::string> names = OpRegistry::instance().names();
  EXPECT_EQ(stems, std::set<std::string>(names.begin(), names.end()));
}

TEST(Operations, attributes_make_the_same_operation_again) {
  each_case([](const std::string& name, const OpCase& op_case) {
    const auto op = OpRegistry::instance().make(name, op_case.options);
    EXPECT_EQ(op->name(), name);
    const auto again = OpRegistry::instance().make(name, op->attributes());
    EXPECT_EQ(again->attributes(), op->attributes());
    EXPECT_EQ(again->infer(op_case.inputs), op->infer(op_case.inputs));
  });
}

TEST(Operations, refuse_a_wrong_number_of_inputs_by_name) {
  for (const std::string& name : OpRegistry::instance().names()) {
    const auto op = OpRegistry::instance().make(name, Json::object());
    try {
      op->infer({});
      ADD_FAILURE() << name << " takes no inputs at all";
    } catch (const Error& error) {
      EXPECT_EQ(error.fault(), Fault::Command) << name;
      EXPECT_TRUE(std::string(error.what()).starts_with(name + ": ")) << error.what();
    }
  }
}

TEST(Operations, gradients_agree_with_differences) {
  each_case([](const std::string& name, const OpCase& op_case) {
    CaseGraph built(name, op_case);
    const auto& op = *built.graph.node(built.output.node()).op;
    size_t differentiable = 0;
    for (size_t i = 0; i < op_case.inputs.size(); ++i) {
      const bool is_listed =
          std::find(op_case.no_gradient.begin(), op_case.no_gradient.end(), i) != op_case.no_gradient.end();
      EXPECT_NE(op.has_gradient(static_cast<int>(i)), is_listed) << "input " << i;
      differentiable += is_listed ? 0 : 1;
    }
    if (!built.add_objective()) return;
    EXPECT_EQ(expect_gradients(built.graph, built.feed), static_cast<int>(differentiable));
  });
}

TEST(Operations, gradients_add_to_what_is_there) {
  // Every operand is also used a second time, so that one of the two gradients has to be added.
  each_case([](const std::string& name, const OpCase& op_case) {
    CaseGraph built(name, op_case);
    if (!built.add_objective()) return;
    const Node node = built.graph.node(built.output.node());
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (!node.op->has_gradient(static_cast<int>(i))) continue;
      const Var again = projected(Var(&built.graph, node.inputs[i]), "again");
      again.signature().domain == Domain::Static ? built.graph.add_penalty(fmt::format("again {}", i), again)
                                                 : built.graph.add_loss(fmt::format("again {}", i), again);
    }
    built.feed.coefficients.clear();
    built.feed.fill(built.graph);
    expect_gradients(built.graph, built.feed);
  });
}

TEST(Operations, float_agrees_with_double) {
  for (const bool is_training : {true, false}) {
    each_case([&](const std::string& name, const OpCase& op_case) {
      CaseGraph built(name, op_case);
      built.feed.run.is_training = is_training;
      PlanOptions options;
      options.is_training = false;
      GraphRun<float> narrow(built.graph, built.feed, options);
      GraphRun<double> wide(built.graph, built.feed, options);
      narrow.forward();
      wide.forward();
      const std::vector<float> actual = narrow.value(built.output.node());
      const std::vector<double> expected = wide.value(built.output.node());
      double size = built.largest;
      for (const double value : expected) size = std::max(size, std::abs(value));
      // Each element is a chain of at most `elements` operations, each rounding values of at most `size`.
      const double tolerance =
          std::numeric_limits<float>::epsilon() * size * static_cast<double>(4 + built.elements);
      for (size_t i = 0; i < expected.size(); ++i)
        ASSERT_NEAR(actual[i], expected[i], tolerance) << "element " << i;
    });
  }
}

TEST(Operations, tiles_do_not_change_rows) {
  each_case([](const std::string& name, const OpCase& op_case) {
    CaseGraph built(name, op_case);
    if (!built.add_objective()) return;
    std::vector<std::vector<float>> first;
    for (const int64_t tile_rows : {1, 3, 128}) {
      PlanOptions options{.tile_rows = tile_rows, .lanes = 1};
      options.watched_gradients = built.row_inputs();
      GraphRun<float> run(built.graph, built.feed, options);
      run.step();
      std::vector<std::vector<float>> results{run.value(built.output.node())};
      for (const int input : built.row_inputs()) {
        if (run.plan().has_gradient[input]) results.push_back(run.gradient(input));
      }
      if (first.empty()) first = results;
      for (size_t i = 0; i < results.size(); ++i) EXPECT_TRUE(same_bits(first[i], results[i])) << tile_rows;
    }
  });
}

TEST(Operations, threads_do_not_change_anything) {
  each_case([](const std::string& name, const OpCase& op_case) {
    CaseGraph built(name, op_case);
    if (!built.add_objective()) return;
    std::vector<std::vector<float>> first;
    for (const int threads : {1, 2, 4}) {
      PlanOptions options{.tile_rows = 1, .lanes = 4};
      options.watched_gradients = built.row_inputs();
      GraphRun<float> run(built.graph, built.feed, options, threads);
      run.step();
      std::vector<std::vector<float>> results{run.value(built.output.node())};
      for (const Node& node : built.graph.nodes()) {
        if (!run.plan().has_gradient[node.id]) continue;
        if (node.leaf == Leaf::Input) results.push_back(run.gradient(node.id));
        if (node.leaf == Leaf::Parameter) results.push_back(run.parameter_gradient(node.name));
      }
      if (first.empty()) first = results;
      for (size_t i = 0; i < results.size(); ++i) EXPECT_TRUE(same_bits(first[i], results[i])) << threads;
    }
  });
}

}  // namespace
}  // namespace gatewise
