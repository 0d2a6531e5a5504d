// Cross-stitch networks (Misra, Shrivastava, Gupta, Hebert; CVPR 2016): a network per task whose layers
// exchange activations through learned linear units.
#include "architectures/network_per_task.h"
#include "base/error.h"

namespace gatewise {
namespace {

class CrossStitch final : public Architecture {
 public:
  struct Options : NetworkOptions {
    std::vector<int64_t> stitched_layers;
    bool per_channel = false;
    double same_task = 0.9;
    double other_task = 0.1;
    void declare(OptionSet& set) {
      set.add("stitched_layers", &stitched_layers,
              "numbers of the layers that end in a unit, from 0; [] means all")
          .range(0, 65536);
      set.add("per_channel", &per_channel,
              "a weight for every hidden value instead of one per pair of tasks");
      set.add("same_task", &same_task, "start of what a task keeps of its own activations")
          .range(-10, 10)
          .search(0.5, 1);
      set.add("other_task", &other_task, "start of what comes from all other tasks together")
          .range(-10, 10)
          .search(0, 0.5);
      NetworkOptions::declare(set);
    }
  };

  explicit CrossStitch(const Options& options) : options_(options), parts_(options) {}

  Heads build(const ModelInputs& inputs) const override {
    Graph& graph = inputs.x.graph();
    const auto layers = parts_.expert->layers(graph, inputs.x.shape(), task_paths("bottoms", inputs.tasks));
    const auto count = static_cast<int64_t>(layers.size());
    for (const int64_t layer : options_.stitched_layers) {
      if (layer >= count)
        command_error("model.stitched_layers: got {}, expected layers from 0 to {}", layer, count - 1);
    }
    Var x = inputs.x;
    for (int64_t layer = 0; layer < count; ++layer) {
      x = layers[layer]->dense(x);
      if (is_stitched(layer)) x = stitch(x, fmt::format("stitches/layer_{}", layer), inputs.tasks);
    }
    NetworkParts::name_bottoms(inputs, x);
    return build_towers(*parts_.tower, x, inputs.tasks, inputs.row_task);
  }

 private:
  bool is_stitched(int64_t layer) const {
    const std::vector<int64_t>& chosen = options_.stitched_layers;
    return chosen.empty() || std::find(chosen.begin(), chosen.end(), layer) != chosen.end();
  }

  // x [tasks, hidden]: task j gets the sum over k of weight[j, k] * x[k].
  Var stitch(Var x, const std::string& path, const std::vector<TaskHead>& heads) const {
    Graph& graph = x.graph();
    const int64_t tasks = x.shape()[0], hidden = x.shape()[1];
    if (!options_.per_channel) {
      const Var unit = graph.parameter_from(path, Shape{tasks, tasks}, start_values(tasks, 1));
      declare(path, x, unit, heads);
      return mix(x, unit);
    }
    const Var unit = graph.parameter_from(path, Shape{tasks, tasks, hidden}, start_values(tasks, hidden));
    std::vector<Var> stitched;
    for (int64_t task = 0; task < tasks; ++task) {
      const Var own = reshape(slice(unit, 0, task, task + 1), Shape{tasks, hidden});
      stitched.push_back(reshape(sum(multiply(x, own), 0), Shape{1, hidden}));
    }
    return concatenate(stitched, 0);
  }

  // Before the unit the networks are apart: a bank of each task's own, mixed by the unit's rows.
  static void declare(const std::string& path, Var x, Var unit, const std::vector<TaskHead>& heads) {
    LevelProbe probe{path, x.node(), {}, {}};
    std::vector<int> all;
    for (const TaskHead& task : heads) {
      all.push_back(static_cast<int>(all.size()));
      probe.experts.push_back({"bottoms/" + task.name, task.name});
    }
    for (const int task : all) {
      const Var row = slice(unit, 0, task, task + 1);
      probe.gates.push_back(
          {path + "/" + heads[task].name, heads[task].name, row.node(), unit.node(), task, all});
    }
    x.graph().add_probe(std::move(probe));
  }

  std::vector<double> start_values(int64_t tasks, int64_t width) const {
    const double other = tasks > 1 ? options_.other_task / static_cast<double>(tasks - 1) : 0;
    std::vector<double> values;
    for (int64_t pair = 0; pair < tasks * tasks; ++pair) {
      values.insert(values.end(), width, pair / tasks == pair % tasks ? options_.same_task : other);
    }
    return values;
  }

  Options options_;
  NetworkParts parts_;
};

const Register<Architecture, CrossStitch> cross_stitch_registered{
    "cross_stitch", "a network per task whose layers exchange activations (Misra et al. 2016)"};

}  // namespace
}  // namespace gatewise
