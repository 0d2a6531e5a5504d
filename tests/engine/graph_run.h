// Runs small graphs for tests: data in double, a program of either scalar type, gradients against
// differences.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <map>

#include "engine/program.h"
#include "graph/ops.h"

namespace gatewise {

struct IdFeed {
  std::vector<uint32_t> ids;
  std::vector<int64_t> offsets;  // empty: one id a row
  std::vector<float> weights;
};

// Everything that a graph reads. All numbers are exact in float, so that both scalar types get the same.
struct Feed {
  int64_t rows = 7;
  Run run{.seed = 5, .step = 3, .is_training = true, .batch_rows = 0};
  std::map<int, std::vector<double>> inputs = {};  // by node
  std::map<int, IdFeed> ids = {};                  // by node
  std::map<int, double> scalars = {};              // by node
  std::map<std::string, std::vector<double>> parameters = {};
  std::vector<double> coefficients = {};  // [rows, losses]
  std::vector<double> task_weights = {};

  // Fills inputs, parameters and coefficients that are not set.
  void fill(const Graph& graph, double low = -1, double high = 1, double keep_from_zero = 0) {
    const auto draw = [&](std::vector<double>& values, int64_t count, const std::string& name) {
      if (!values.empty()) return;
      const RandomStream stream(11, name);
      for (int64_t i = 0; i < count; ++i) {
        double value = low + (high - low) * stream.uniform(0, static_cast<uint64_t>(i), 0);
        if (std::abs(value) < keep_from_zero) value = value < 0 ? -keep_from_zero : keep_from_zero;
        values.push_back(static_cast<float>(value));
      }
    };
    for (const Node& node : graph.nodes()) {
      const int64_t elements = node.signature.shape.elements();
      if (node.leaf == Leaf::Input) draw(inputs[node.id], rows * elements, node.name);
      if (node.leaf != Leaf::Parameter && node.leaf != Leaf::Table) continue;
      for (const std::string& path : node.paths) {
        draw(parameters[path], elements / static_cast<int64_t>(node.paths.size()), path);
      }
    }
    const auto losses = static_cast<int64_t>(graph.losses().size());
    const RandomStream stream(12, "coefficients");
    for (int64_t i = static_cast<int64_t>(coefficients.size()); i < rows * losses; ++i) {
      coefficients.push_back(static_cast<float>(0.5 + stream.uniform(0, static_cast<uint64_t>(i), 0)));
    }
  }
};

// The gradient of the last step, row-major in the saved shape; rows of big tables that the batch did not
// touch are 0.
template <class T>
std::vector<T> parameter_gradient(const Store<T>& store, Program<T>& program, const std::string& path) {
  const PathBlock& block = store.block(path);
  const ParameterPlace& place = store.layout().places[block.place];
  std::vector<T> result(block.rows * block.columns, T(0));
  if (place.is_big_table) {
    for (const TableGradient<T>& table : program.table_gradients()) {
      if (table.place != block.place) continue;
      for (size_t i = 0; i < table.ids.size(); ++i) {
        std::copy_n(table.sums.begin() + i * table.width, table.width,
                    result.begin() + table.ids[i] * table.width);
      }
    }
    return result;
  }
  const T* data = program.gradients().data() + place.offset + block.offset;
  for (int64_t row = 0; row < block.rows; ++row) {
    std::copy_n(data + row * block.row_stride, block.columns, result.begin() + row * block.columns);
  }
  return result;
}

template <class T>
class GraphRun {
 public:
  GraphRun(const Graph& graph, const Feed& feed, PlanOptions options, int threads = 1,
           int64_t dense_table_rows = 65536)
      : graph_(graph),
        store_(graph, dense_table_rows),
        pool_(threads),
        program_(store_, pool_, std::move(options)) {
    store_.initialise(1);
    set(feed);
  }

  void set(const Feed& feed) {
    feed_ = feed;
    for (const auto& [path, values] : feed_.parameters) {
      store_.set(path, std::vector<T>(values.begin(), values.end()));
    }
    batch_.rows = feed_.rows;
    for (const auto& [node, values] : feed_.inputs) {
      inputs_[node].assign(values.begin(), values.end());
      batch_.inputs[node] = {inputs_[node].data(), graph_.node(node).signature.shape.elements()};
    }
    for (const auto& [node, given] : feed_.ids) {
      batch_.ids[node] = {given.ids.data(), 1, given.offsets.empty() ? nullptr : given.offsets.data(),
                          given.weights.empty() ? nullptr : given.weights.data()};
    }
    for (const auto& [node, value] : feed_.scalars) batch_.scalars[node] = static_cast<T>(value);
    coefficients_.assign(feed_.coefficients.begin(), feed_.coefficients.end());
    batch_.coefficients = {coefficients_.data(), static_cast<int64_t>(graph_.losses().size())};
    program_.parameters_changed();
  }

  StepResult step() { return program_.step(batch_, feed_.run, feed_.task_weights); }
  std::vector<TaskGradient<T>> task_gradients() { return program_.task_gradients(batch_, feed_.run); }
  void forward() { program_.forward(batch_, feed_.run); }

  // Values as [rows, width] without padding; Static values are one row.
  std::vector<T> value(int node, int64_t rows = -1) { return copy(node, program_.value(node), rows); }
  std::vector<T> gradient(int node) { return copy(node, program_.gradient(node), -1); }
  std::vector<T> parameter_gradient(const std::string& path) {
    return gatewise::parameter_gradient(store_, program_, path);
  }

  Program<T>& program() { return program_; }
  Store<T>& store() { return store_; }
  const Plan& plan() const { return program_.plan(); }

 private:
  std::vector<T> copy(int node, ConstRows<T> from, int64_t rows) const {
    const Signature& signature = graph_.node(node).signature;
    if (rows < 0) rows = signature.domain == Domain::Static ? 1 : feed_.rows;
    const int64_t width = signature.shape.elements();
    std::vector<T> result;
    for (int64_t row = 0; row < rows; ++row) {
      result.insert(result.end(), from.data + row * from.stride, from.data + row * from.stride + width);
    }
    return result;
  }

  const Graph& graph_;
  Feed feed_;
  Store<T> store_;
  Pool pool_;
  Program<T> program_;
  Batch<T> batch_;
  std::map<int, std::vector<T>> inputs_;
  std::vector<T> coefficients_;
};

// A linear layer with its parameters under `path`.
inline Var layer(Var x, const std::string& path, int64_t out, Activation activation = Activation::Relu) {
  Graph& graph = x.graph();
  return linear(x, graph.parameter(path + "/weight", {x.shape().last(), out}, {}),
                graph.parameter(path + "/bias", {out}, {}), activation);
}

// y times fixed constants, summed to one number.
inline Var projected(Var y, const std::string& name = "projection") {
  const int64_t elements = y.shape().elements();
  const RandomStream stream(13, name);
  std::vector<double> values;
  for (int64_t i = 0; i < elements; ++i) {
    values.push_back(static_cast<float>(0.3 + stream.uniform(0, static_cast<uint64_t>(i), 0)));
  }
  const Var constants = y.graph().constant(values, Shape{elements});
  return sum(multiply(reshape(y, Shape{elements}), constants));
}

inline void expect_close(const std::vector<double>& actual, const std::vector<double>& expected,
                         double tolerance, const std::string& what) {
  ASSERT_EQ(actual.size(), expected.size()) << what;
  double size = 1e-3;
  for (const double value : expected) size = std::max(size, std::abs(value));
  for (size_t i = 0; i < actual.size(); ++i) {
    EXPECT_LE(std::abs(actual[i] - expected[i]), tolerance * size)
        << what << " at " << i << ": " << actual[i] << ", expected " << expected[i];
  }
}

// Gradients of the total loss of every trainable parameter and of every real input whose gradient exists,
// against central differences. Returns how many tensors were compared.
inline int expect_gradients(const Graph& graph, const Feed& feed, PlanOptions options = {},
                            double tolerance = 1e-6, int64_t dense_table_rows = 65536) {
  for (const Node& node : graph.nodes()) {
    if (node.leaf == Leaf::Input) options.watched_gradients.push_back(node.id);
  }
  GraphRun<double> run(graph, feed, options, 1, dense_table_rows);
  run.step();
  constexpr double distance = 1e-5;
  const auto differences = [&](const std::function<std::vector<double>&(Feed&)>& tensor) {
    Feed moved = feed;
    std::vector<double> result;
    for (size_t i = 0; i < tensor(moved).size(); ++i) {
      const double start = tensor(moved)[i];
      tensor(moved)[i] = start + distance;
      run.set(moved);
      const double above = run.step().total;
      tensor(moved)[i] = start - distance;
      run.set(moved);
      const double below = run.step().total;
      tensor(moved)[i] = start;
      result.push_back((above - below) / (2 * distance));
    }
    return result;
  };
  // Read before the differences run other steps.
  std::map<std::string, std::vector<double>> parameters;
  std::map<int, std::vector<double>> rows;
  for (const Node& node : graph.nodes()) {
    if (!run.plan().has_gradient[node.id]) continue;
    if (node.leaf == Leaf::Parameter || node.leaf == Leaf::Table) {
      for (const std::string& path : node.paths) parameters[path] = run.parameter_gradient(path);
    }
    if (node.leaf == Leaf::Input) rows[node.id] = run.gradient(node.id);
  }
  int compared = 0;
  for (const auto& [path, gradient] : parameters) {
    const auto expected =
        differences([&key = path](Feed& moved) -> std::vector<double>& { return moved.parameters[key]; });
    expect_close(gradient, expected, tolerance, "gradient of " + path);
    ++compared;
  }
  for (const auto& [node, gradient] : rows) {
    const auto expected =
        differences([key = node](Feed& moved) -> std::vector<double>& { return moved.inputs[key]; });
    expect_close(gradient, expected, tolerance, "gradient of the input " + graph.node(node).name);
    ++compared;
  }
  return compared;
}

template <class T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0;
}

}  // namespace gatewise
