// Graphs that come from files: whatever is written there, it is refused with a message or can be run.
#include "graph/graph.h"
#include "graph/ops.h"
#include "tests/base/message_of.h"

namespace gatewise {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// {x [3], weight [3, 2], table, ids} and an output.
Json small_graph_file() {
  Graph graph;
  const Var x = graph.input("numeric", Shape{3});
  const Var user = graph.ids("ids/user");
  const Var look_up = embedding(user, graph.table("embeddings/user", 5, 2, Initializer::zero()));
  const Var weight = graph.parameter("weight", Shape{3, 2}, Initializer::zero());
  const Var y = linear(x, weight, {});
  graph.add_output("click", add(y, look_up));
  return graph.to_json();
}

std::string fault_of(const Json& file) {
  return message_of([&] {
    try {
      Graph::from_json(file);
    } catch (const Error& error) {
      EXPECT_NE(error.fault(), Fault::Internal) << error.what();
      throw;
    }
  });
}

// The fault of the file with one value exchanged.
std::string fault_with(const char* pointer, const Json& value) {
  Json file = small_graph_file();
  file[Json::json_pointer(pointer)] = value;
  return fault_of(file);
}

TEST(GraphFile, ReadsBackAsItWasWritten) {
  const Json file = small_graph_file();
  EXPECT_EQ(Graph::from_json(file)->to_json(), file);
}

TEST(GraphFile, RefusesShapesThatAreNone) {
  EXPECT_THAT(fault_with("/nodes/0/shape", {0}), HasSubstr("\"numeric\" has shape [0]"));
  EXPECT_THAT(fault_with("/nodes/0/shape", {-3}), HasSubstr("at least 1"));
  EXPECT_THAT(fault_with("/nodes/0/shape", {int64_t{1} << 40, int64_t{1} << 40}), HasSubstr("at most"));
  EXPECT_THAT(fault_with("/nodes/1/shape", {4}), HasSubstr("does not fit"));   // ids
  EXPECT_THAT(fault_with("/nodes/2/shape", {10}), HasSubstr("does not fit"));  // the table
}

TEST(GraphFile, RefusesLeavesThatDoNotFitTheirPaths) {
  EXPECT_THAT(fault_with("/nodes/2/paths", Json::array()), HasSubstr("0 paths"));
  EXPECT_THAT(fault_with("/nodes/4/bank", true), HasSubstr("does not fit"));
  EXPECT_THAT(fault_with("/nodes/4/values", {1, 2}), HasSubstr("2 values"));
  EXPECT_THAT(fault_with("/nodes/4/paths/0", "embeddings/user"), HasSubstr("already has"));
}

// These are numbers for nobody: an operation that took them as such would read memory that is not there.
TEST(GraphFile, RefusesIdsAndRoutesAsNumbers) {
  EXPECT_THAT(fault_with("/nodes/5/inputs/0", 1),
              AllOf(HasSubstr("linear: input 0 is ids"), HasSubstr("numbers")));
  EXPECT_THAT(fault_with("/nodes/3/inputs/0", 0),
              AllOf(HasSubstr("embedding: input 0"), HasSubstr("expected ids")));
  EXPECT_THAT(fault_with("/outputs/0/node", 1), HasSubstr("no output"));
  Graph graph;
  const Var route =
      graph.apply(OpRegistry::instance().make("route", Json::object()), {graph.input("chosen", Shape{4})});
  EXPECT_THAT(message_of([&] { softmax(route); }), HasSubstr("is a route"));
}

// A routed product has a block of the weight for each branch: others would be read beyond its end.
TEST(GraphFile, RefusesARouteOfMoreBranchesThanTheWeightHas) {
  const auto compose = [](int64_t blocks) {
    Graph graph;
    const Var x = graph.input("x", Shape{3});
    const Var route =
        graph.apply(OpRegistry::instance().make("route", Json::object()), {graph.input("chosen", Shape{4})});
    const Var routed = graph.apply(OpRegistry::instance().make("gather", Json::object()), {x, route});
    const Var weight = graph.parameter("weight", Shape{blocks, 3, 2}, Initializer::zero());
    graph.apply(OpRegistry::instance().make("routed_linear", Json::object()), {routed, weight});
  };
  EXPECT_NO_THROW(compose(4));
  EXPECT_THAT(message_of([&] { compose(2); }), HasSubstr("2 blocks, expected one for each of 4 branches"));
}

TEST(GraphFile, RefusesValuesThatAreNotThereOrNotTheOutputs) {
  EXPECT_THAT(fault_with("/nodes/5/inputs/0", 7), HasSubstr("value 7 does not exist"));
  EXPECT_THAT(fault_with("/nodes/5/inputs/0", -1), HasSubstr("does not exist"));
  EXPECT_THAT(fault_with("/nodes/5/inputs/0", 0.5), HasSubstr("expected its number"));
  EXPECT_THAT(fault_with("/values/click", 0), HasSubstr("another output or value"));
  EXPECT_THAT(fault_with("/nodes", 3), HasSubstr("damaged"));
  EXPECT_THAT(fault_of(Json()), HasSubstr("damaged"));
  EXPECT_THAT(fault_of(Graph().to_json()), HasSubstr("no values"));
}

// A few bytes can ask for any amount of memory: a column times a row has as many numbers as both together.
TEST(GraphFile, RefusesRowsThatTakeTooManyNumbers) {
  Graph graph;
  const Var column = graph.parameter("column", Shape{100000, 1}, Initializer::zero());
  const Var row = graph.parameter("row", Shape{1, 100000}, Initializer::zero());
  graph.apply(OpRegistry::instance().make("product", Json::object()), {column, row});
  EXPECT_THAT(fault_of(graph.to_json()), HasSubstr("too many"));
}

}  // namespace
}  // namespace gatewise
