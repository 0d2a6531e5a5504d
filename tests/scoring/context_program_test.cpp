// Graphs that are divided in ways that no architecture needs today, and what is left to compute for every
// candidate.
#include "scoring/context_program.h"

#include "tests/base/message_of.h"
#include "tests/scoring/ranking.h"

namespace gatewise {
namespace {

constexpr int64_t wide = 6;

std::vector<bool> mask_of(const std::string& marks) {
  std::vector<bool> mask;
  for (const char mark : marks) mask.push_back(mark == 'c');
  return mask;
}

class ContextProgramTest : public testing::Test {
 protected:
  ContextProgramTest() : x_(graph_.input("numeric", Shape{wide})), id_(graph_.ids("ids/item")) {}

  Var weight(const std::string& path, int64_t in, int64_t out) {
    return graph_.parameter(path, Shape{in, out}, Initializer{});
  }

  void expect_agreement() {
    Store<float> store(graph_);
    fill_values(store);
    Feed feed;
    feed.rows = ranked_rows;
    for (uint32_t row = 0; row < ranked_rows; ++row) feed.ids[id_.node()].ids.push_back((row + row / 7) % 3);
    feed.fill(graph_);
    for (const char* numbers : {"------", "cccccc", "c--cc-", "ccc---", "-----c"}) {
      for (const bool has_id : {false, true}) {
        const ContextCase context_case{numbers, {{"numeric", mask_of(numbers)}, {"ids/item", {has_id}}}};
        gatewise::expect_agreement(context_case, Ranking(graph_, feed, context_case.mask), store);
      }
    }
  }

  // The graph that is left for candidates.
  const Graph& divided(const std::string& numbers, bool has_id) {
    store_ = std::make_unique<Store<float>>(graph_);
    program_ = std::make_unique<ContextProgram>(
        *store_, ContextMask{{"numeric", mask_of(numbers)}, {"ids/item", {has_id}}});
    return program_->candidate_graph();
  }

  static int64_t count(const Graph& graph, const std::string& op) {
    return std::count_if(graph.nodes().begin(), graph.nodes().end(),
                         [&](const Node& node) { return node.op && node.op->name() == op; });
  }

  Graph graph_;
  Var x_, id_;
  std::unique_ptr<Store<float>> store_;
  std::unique_ptr<ContextProgram> program_;
};

TEST_F(ContextProgramTest, DividesWhatIsJoinedCutAndHandedOn) {
  const Var table = graph_.table("table", 3, 4, Initializer::normal(1));
  const Var all = concatenate({slice(x_, 0, 1, 5), embedding(id_, table), graph_.constant({0.5, 2}, Shape{2}),
                               stop_gradient(dropout(slice(x_, -1, 0, 3), 0.2, "drop"))});
  const Var bias = graph_.parameter("bias", Shape{50}, Initializer{});
  const Var second = weight("second", 50, 60);
  graph_.name_value("unread",
                    square(second));  // so that its rows lie without gaps, as they need not otherwise
  graph_.add_output("y", linear(linear(all, weight("first", 13, 50), bias, Activation::Relu), second, Var()));
  graph_.add_output("z", linear(slice(all, 0, 2, 7), weight("third", 5, 1), Var()));
  graph_.add_output("square", square(all));
  graph_.add_output("x", slice(x_, 0, 3, 4));
  expect_agreement();
}

TEST_F(ContextProgramTest, DividesProductsWithComputedWeights) {
  const Var factors = product(weight("left", wide, 2), weight("right", 2, 9));
  graph_.add_output("y", linear(x_, factors, graph_.parameter("bias", Shape{9}, Initializer{})));
  expect_agreement();
}

TEST_F(ContextProgramTest, KeepsRoutesWithTheirRows) {
  const Var first = linear(slice(x_, 0, 0, 3), weight("gate", 3, 4), Var());
  const Var way = route(top_k_mask(first, 2));
  const auto routed = [&](const Var& x, const std::string& path) {
    const Var weights = graph_.parameter(path, Shape{4, x.shape()[0], 5}, Initializer{});
    return routed_linear(gather(x, way), weights, Var(), Activation::Relu);
  };
  // Routed values of numbers that may be the context's, of a route that may be so too, for candidates.
  const Var both = add(routed(slice(x_, 0, 0, 3), "one"), routed(slice(x_, 0, 3, 6), "other"));
  graph_.add_output("y", combine(both, softmax(first), way));
  expect_agreement();
}

TEST_F(ContextProgramTest, LeavesOutWhatOnlyTrainingReads) {
  const Var scale = graph_.parameter("scale", Shape{wide}, Initializer::one());
  const Var shift = graph_.parameter("shift", Shape{wide}, Initializer{});
  const Var normed = batch_norm(x_, scale, shift, "running");
  const Var ways = alternative(square(normed), exp(normed), true, false);
  graph_.add_output("y", linear(ways, weight("w", wide, 3), Var()));
  expect_agreement();
  const Graph& candidates = divided("cccccc", true);
  EXPECT_EQ(count(candidates, "moments") + count(candidates, "exp"), 0);
  EXPECT_EQ(count(program_->context_graph(), "moments") + count(program_->context_graph(), "exp"), 0);
}

TEST_F(ContextProgramTest, LeavesCandidatesTheirOwnColumnsOfTheFirstLayers) {
  const Var table = graph_.table("table", 3, 4, Initializer::normal(1));
  const Var all = concatenate({x_, embedding(id_, table)});
  const Var hidden = linear(all, weight("first", 10, 8), graph_.parameter("bias", Shape{8}, Initializer{}),
                            Activation::Relu);
  graph_.add_output("y", linear(hidden, weight("second", 8, 1), Var()));
  graph_.add_output("gate", softmax(linear(all, weight("gate", 10, 3), Var())));
  const Graph& candidates = divided("c--cc-", true);
  // Their three numbers are what both products read; nothing is joined, and no entry looked up.
  EXPECT_EQ(count(candidates, "concatenate") + count(candidates, "embedding") + count(candidates, "slice"),
            0);
  for (const Node& node : candidates.nodes()) {
    if (!node.op || node.op->name() != "linear" || node.signature.shape[0] == 1) continue;
    EXPECT_EQ(candidates.node(node.inputs[0]).name, "numeric");
    EXPECT_EQ(candidates.node(node.inputs[0]).signature.shape, Shape{3});
    EXPECT_EQ(node.inputs.size(), 3u);
  }
  EXPECT_EQ(program_->context_graph().outputs().size(), 2u);
}

TEST_F(ContextProgramTest, DividesProductsOfInputsThatAreOnOneSideEach) {
  const Var table = graph_.table("table", 3, 4, Initializer::normal(1));
  graph_.add_output("y", linear(concatenate({x_, embedding(id_, table)}), weight("first", 10, 8), Var()));
  const Graph& candidates = divided("------", true);
  EXPECT_EQ(count(candidates, "concatenate") + count(candidates, "embedding"), 0);
  EXPECT_EQ(count(program_->context_graph(), "linear"), 1);
}

TEST_F(ContextProgramTest, ComputesNothingForCandidatesThatHaveNothing) {
  graph_.add_output("y", sigmoid(linear(x_, weight("w", wide, 2), Var())));
  const Graph& candidates = divided("cccccc", true);
  EXPECT_TRUE(std::all_of(candidates.nodes().begin(), candidates.nodes().end(),
                          [](const Node& node) { return node.op == nullptr; }));
}

TEST_F(ContextProgramTest, CutsWhatTheContextHasOutOfWhatItIsJoinedWith) {
  const Var part = slice(x_, 0, 0, 3);
  graph_.add_output("y", sigmoid(linear(part, weight("w", 3, 2), Var())));
  graph_.add_output("z", square(slice(x_, 0, 3, 6)));
  const Graph& candidates = divided("ccc---", false);
  EXPECT_EQ(count(candidates, "sigmoid"), 0);
  EXPECT_EQ(count(candidates, "square"), 1);
  EXPECT_EQ(count(program_->context_graph(), "square"), 0);
}

TEST_F(ContextProgramTest, RefusesAMaskThatDoesNotFit) {
  graph_.add_output("y", square(x_));
  EXPECT_THAT(message_of([&] { divided("cc", false); }),
              testing::HasSubstr("context: input \"numeric\" has 6 numbers, got a mask of 2"));
}

}  // namespace
}  // namespace gatewise
