// The part of Program that runs a plan; internal to the engine.
#pragma once

#include "engine/lane_gradients.h"
#include "engine/program.h"

namespace gatewise {

// What one lane of rows gathers; lanes are added in order.
template <class T>
struct Lane {
  T* gradients = nullptr;                     // as the arena
  Aligned<T> static_gradients;                // of Static values other than parameters
  std::vector<std::vector<double>> partials;  // by reduction of the running pass
  std::vector<double> losses;
};

template <class T>
class Program<T>::Executor {
 public:
  Executor(const Plan& plan, Store<T>& store, Pool& pool);

  void begin(const Batch<T>& batch, const Run& run);
  void pack();
  void run_stages(std::span<const double> task_weights, bool with_backward);
  void collect_tables();
  void update_states();
  std::vector<TaskGradient<T>> run_task_gradients();
  std::vector<TaskGradient<T>> run_tasks_one_by_one();
  StepResult result(std::span<const double> task_weights) const;

  ConstRows<T> value(int node) const;
  ConstRows<T> gradient(int node) const;
  int64_t activation_bytes() const { return peak_bytes_; }

  Aligned<T> gradients_;
  std::vector<TableGradient<T>> table_gradients_;
  bool is_packed_ = false;

 private:
  // Operands of one call, kept per worker to avoid allocation.
  struct Worker {
    Aligned<T> tile;
    std::vector<ConstRows<T>> inputs;
    std::vector<Rows<T>> d_inputs;
    std::unique_ptr<bool[]> accumulate, masks;
    Ids ids;
  };
  struct Tile {
    const Pass* pass;
    Worker* worker;
    Lane<T>* lane;
    int64_t first_row, rows, branch;
  };

  void make_buffers();
  void run_pass(const Pass& pass);
  void run_rows(const Pass& pass);
  void run_routed(const Pass& pass);
  // run(lane, worker) for every lane, whose gradients are added to the program's.
  void run_lanes(const Pass& pass, const std::function<void(int64_t lane, int worker)>& run);
  void clear_branch(const Pass& pass, int64_t branch);
  void run_tile(const Tile& tile);
  void run_forward(const Tile& tile, const Node& node);
  void run_backward(const Tile& tile, const Step& step);
  void run_reduction(const Tile& tile, const Node& node);
  void run_seed(const Tile& tile, const Step& step);
  void run_fill(const Tile& tile, const Step& step);
  void run_deferred();
  void run_static(const std::vector<int>& nodes, bool is_backward);
  void finish_reductions(const Pass& pass);
  void add_static_lanes();
  int64_t branch_capacity(const Node& node, ConstRows<T> chosen) const;
  void build_route(const Node& node);
  Call<T> make_call(const Tile& tile, const Node& node);
  Rows<T> value_rows(const Tile& tile, int node, bool is_matrix);
  Rows<T> gradient_rows(const Tile& tile, int node, bool is_matrix, bool is_direct);
  // Adds rows [first, first + rows) of the watched gradients to those of a task.
  void keep_watched(int64_t first, int64_t rows, TaskGradient<T>& gradient) const;
  // Whether the node's rows are those of the tile, or of another domain and so addressed as a whole.
  bool is_local(const Tile& tile, const Node& node) const;
  void clear_lanes();

  const Plan& plan_;
  const Graph& graph_;
  Store<T>& store_;
  Pool& pool_;
  const Batch<T>* batch_ = nullptr;
  Run run_;
  int64_t lanes_used_ = 1;
  std::span<const double> task_weights_;
  bool with_backward_ = false;
  bool with_penalties_ = true;

  std::vector<std::vector<Signature>> input_shapes_;  // by node
  std::vector<Worker> workers_;
  std::vector<Lane<T>> lanes_;
  LaneGradients<T> lane_gradients_;
  std::vector<Aligned<T>> values_;          // by root: whole-batch buffers
  std::vector<Aligned<T>> root_gradients_;  // by root
  Aligned<T> statics_;
  Aligned<T> static_gradients_;
  std::map<int, Route> routes_;
  std::vector<std::vector<kernels::Packed<T>>> packed_, packed_transposed_;  // by node
  int64_t peak_bytes_ = 0;
};

}  // namespace gatewise
