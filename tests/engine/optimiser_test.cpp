// Row-wise updates of embedding tables against their formulas, one row at a time.
#include "engine/optimiser.h"

#include "tests/engine/graph_run.h"

namespace gatewise {
namespace {

constexpr int64_t table_rows = 9, width = 3;

// What each row of the table goes through: one second moment, that of the mean square over the row.
struct RowWise {
  OptimiserOptions options;
  std::vector<double> table, first = std::vector<double>(table_rows * width, 0),
                             second = std::vector<double>(table_rows, 0);

  void step(int64_t number, const std::map<uint32_t, std::vector<double>>& gradients) {
    for (const auto& [id, gradient] : gradients) {
      double mean_square = 0;
      for (const double value : gradient) mean_square += value * value / width;
      const bool is_adagrad = options.kind == "adagrad";
      second[id] = is_adagrad ? second[id] + mean_square : 0.999 * second[id] + (1 - 0.999) * mean_square;
      for (int64_t i = 0; i < width; ++i) {
        double& parameter = table[id * width + i];
        if (is_adagrad) {
          parameter -= options.rate * gradient[i] / (std::sqrt(second[id]) + options.epsilon);
          continue;
        }
        double& moment = first[id * width + i];
        moment = 0.9 * moment + (1 - 0.9) * gradient[i];
        const double power = static_cast<double>(number);
        // SparseAdam's order: epsilon is added before the correction of the second moment.
        const double size = options.rate * std::sqrt(1 - std::pow(0.999, power)) / (1 - std::pow(0.9, power));
        parameter *= 1 - options.rate * options.weight_decay;
        parameter -= size * moment / (std::sqrt(second[id]) + options.epsilon);
      }
    }
  }
};

struct OneTable {
  Graph graph;
  int ids, gradients;
  OneTable() {
    const Var id = graph.ids("ids"), gradient = graph.input("gradients", {width});
    ids = id.node();
    gradients = gradient.node();
    const Var table = graph.table("table", table_rows, width, {});
    graph.add_loss("task", sum(multiply(embedding(id, table), gradient)));
  }
};

TEST(RowWiseTables, follow_their_formulas_and_keep_one_second_moment_a_row) {
  for (const std::string kind : {"adagrad", "adam", "adamw"}) {
    RowWise expected;
    expected.options.kind = kind;
    expected.options.rate = 0.1;
    expected.options.weight_decay = kind == "adamw" ? 0.05 : 0;
    expected.options.tables = "row_wise";
    OneTable model;
    Feed feed{.rows = 4, .coefficients = {1, 1, 1, 1}};
    feed.ids[model.ids].ids = {0, 0, 0, 0};
    feed.fill(model.graph);
    expected.table = feed.parameters["table"];
    GraphRun<double> run(model.graph, feed, {}, 1, 0);
    Pool pool(1);
    Optimiser<double> optimiser(run.store(), pool, expected.options);
    int64_t seconds = 0;
    for (const StateArray<double>& array : optimiser.state()) {
      if (array.name.find("second") != std::string::npos) seconds = std::max(seconds, array.size);
    }
    EXPECT_EQ(seconds, table_rows) << kind;
    feed.parameters.clear();
    for (uint32_t step = 1; step <= 5; ++step) {
      // The second and third row of the batch look up the same id.
      const std::vector<uint32_t> ids{step, 2, 2, 8};
      feed.ids[model.ids].ids = ids;
      feed.inputs[model.gradients].clear();
      feed.run.step = step;
      std::map<uint32_t, std::vector<double>> gradients;
      for (size_t row = 0; row < ids.size(); ++row) {
        gradients[ids[row]].resize(width);
        for (int64_t i = 0; i < width; ++i) {
          const double value = std::sin(static_cast<double>(step * 12 + row * width + i));
          feed.inputs[model.gradients].push_back(value);
          gradients[ids[row]][i] += value;
        }
      }
      run.set(feed);
      run.step();
      optimiser.apply(run.program(), expected.options.rate);
      expected.step(step, gradients);
      expect_close(run.store().get("table"), expected.table, 1e-12, fmt::format("{} step {}", kind, step));
    }
  }
}

TEST(BigTables, have_the_nesterov_momentum_of_small_ones) {
  OneTable model;
  Feed feed{.rows = 3, .coefficients = {1, 1, 1}};
  feed.ids[model.ids].ids = {4, 1, 4};
  feed.fill(model.graph);
  std::vector<std::vector<double>> tables;
  for (const bool nesterov : {true, false}) {
    for (const int64_t dense_table_rows : {0, 65536}) {
      GraphRun<double> run(model.graph, feed, {}, 1, dense_table_rows);
      Pool pool(1);
      OptimiserOptions options;
      options.kind = "sgd";
      options.momentum = 0.9;
      options.nesterov = nesterov;
      Optimiser<double> optimiser(run.store(), pool, options);
      for (int step = 0; step < 3; ++step) {
        run.step();
        optimiser.apply(run.program(), 0.5);
      }
      // Only ids of the batch: rows without a gradient go on moving in small tables.
      const std::vector<double> table = run.store().get("table");
      tables.emplace_back(table.begin() + 4 * width, table.begin() + 5 * width);
    }
    expect_close(tables[tables.size() - 2], tables.back(), 1e-12, nesterov ? "nesterov" : "plain");
  }
  EXPECT_NE(tables[0], tables[2]);
}

TEST(OptimiserOptions, moments_decay) {
  for (const char* name : {"beta1", "beta2"}) {
    EXPECT_THROW(read_options<OptimiserOptions>({{name, 1}}, "optimiser"), Error);
    EXPECT_NO_THROW(read_options<OptimiserOptions>({{name, 0.9999}}, "optimiser"));
  }
}

TEST(ClippedTables, count_an_id_that_is_looked_up_twice_by_its_summed_gradient) {
  OneTable model;
  Feed feed{.rows = 3, .coefficients = {1, 1, 1}};
  feed.ids[model.ids].ids = {4, 1, 4};
  feed.inputs[model.gradients] = {3, 0, 0, 0, 8, 0, 3, 0, 0};
  feed.fill(model.graph);
  GraphRun<double> run(model.graph, feed, {}, 1, 0);
  run.step();
  Pool pool(1);
  OptimiserOptions options;
  options.kind = "sgd";
  options.clip_norm = 5;
  const double norm = Optimiser<double>(run.store(), pool, options).apply(run.program(), 1);
  EXPECT_NEAR(norm, 10, 1e-12);  // of (6, 8), not of (3, 8, 3)
  const std::vector<double> table = run.store().get("table");
  EXPECT_NEAR(feed.parameters["table"][4 * width] - table[4 * width], 3, 1e-6);
}

}  // namespace
}  // namespace gatewise
