// L2-constrained networks (Duong, Cohn, Bird, Cook 2015, as used by Ma et al. 2018): a network per task, held
// together by a penalty on the squared differences of their parameters.
#include "architectures/network_per_task.h"
#include "gates/gate.h"

namespace gatewise {
namespace {

class L2Constrained final : public Architecture {
 public:
  struct Options : NetworkOptions {
    double alpha = 0.01;
    bool tie_towers = true;
    bool same_start = true;
    void declare(OptionSet& set) {
      set.add("alpha", &alpha,
              "weight of the squared differences of parameters, summed over all pairs of tasks; 0 is "
              "\"single_task\"")
          .range(0)
          .search(1e-6, 1e-1, true);
      set.add("tie_towers", &tie_towers,
              "whether towers are held together too, tensor by tensor where shapes agree");
      set.add(
          "same_start", &same_start,
          "whether all tasks start from the same numbers (where alpha is not 0): networks that start apart "
          "collapse onto each other first");
      NetworkOptions::declare(set);
    }
  };

  explicit L2Constrained(const Options& options) : options_(options), parts_(options) {}

  Heads build(const ModelInputs& inputs) const override {
    const Heads heads =
        build_towers(*parts_.tower, parts_.own_bottoms(inputs), inputs.tasks, inputs.row_task);
    if (options_.alpha == 0 || inputs.tasks.size() < 2) return heads;
    Graph& graph = inputs.x.graph();
    const std::map<std::string, std::vector<Var>> tied = tied_tensors(graph, inputs.tasks);
    Var penalty;
    for (const auto& [key, tensors] : tied) {
      if (tensors.size() < 2) continue;
      const Var part = pair_sum(tensors);
      penalty = penalty.is_valid() ? add(penalty, part) : part;
    }
    if (penalty.is_valid()) graph.add_penalty("l2_constraint", times(penalty, options_.alpha));
    return heads;
  }

 private:
  // Parameters that correspond to each other, one per task, by the rest of their path and their shape.
  std::map<std::string, std::vector<Var>> tied_tensors(Graph& graph,
                                                       const std::vector<TaskHead>& tasks) const {
    std::map<std::string, std::vector<Var>> tied;
    const size_t nodes = graph.nodes().size();
    for (size_t id = 0; id < nodes; ++id) {
      const Node node = graph.node(static_cast<int>(id));
      if (node.leaf != Leaf::Parameter) continue;
      for (size_t slice = 0; slice < node.paths.size(); ++slice) {
        const std::string rest = rest_of_path(node.paths[slice], tasks);
        if (rest.empty()) continue;
        if (options_.same_start) graph.start_alike(node.id, "alike/" + rest);
        const Var tensor = slice_of(Var(&graph, node.id), node, static_cast<int64_t>(slice));
        tied[rest + " " + tensor.shape().text()].push_back(tensor);
      }
    }
    return tied;
  }

  // "bottoms/layer_0/weight" of "bottoms/<task>/layer_0/weight"; empty for parameters of no task. Of tasks
  // "a" and "a/b", the longer name has the path "bottoms/a/b/layer_0/weight".
  std::string rest_of_path(const std::string& path, const std::vector<TaskHead>& tasks) const {
    for (const std::string kind : {"bottoms/", "towers/"}) {
      if (kind == "towers/" && !options_.tie_towers) continue;
      size_t longest = 0;
      for (const TaskHead& task : tasks) {
        const std::string prefix = kind + task.name + "/";
        if (path.starts_with(prefix)) longest = std::max(longest, prefix.size());
      }
      if (longest > 0) return kind + path.substr(longest);
    }
    return {};
  }

  static Var slice_of(Var whole, const Node& node, int64_t index) {
    const auto count = static_cast<int64_t>(node.paths.size());
    if (count == 1 && !node.is_bank) return whole;
    if (node.is_bank) {
      Shape shape = whole.shape();
      shape.sizes.erase(shape.sizes.begin());
      return reshape(slice(whole, 0, index, index + 1), shape);
    }
    const int64_t width = whole.shape().last() / count;
    return slice(whole, -1, index * width, (index + 1) * width);
  }

  static Var squared_distance(Var a, Var b) {
    const Var squares = square(subtract(a, b));
    return sum(reshape(squares, Shape{squares.shape().elements()}));
  }

  // Sum over pairs of squared distances; of more than one pair as count x the sum of squared distances to the
  // mean.
  static Var pair_sum(const std::vector<Var>& tensors) {
    if (tensors.size() == 2) return squared_distance(tensors[0], tensors[1]);
    const auto count = static_cast<double>(tensors.size());
    Var mean = tensors[0];
    for (size_t i = 1; i < tensors.size(); ++i) mean = add(mean, tensors[i]);
    mean = times(mean, 1 / count);
    Var total;
    for (const Var& tensor : tensors) {
      const Var part = squared_distance(tensor, mean);
      total = total.is_valid() ? add(total, part) : part;
    }
    return times(total, count);
  }

  Options options_;
  NetworkParts parts_;
};

const Register<Architecture, L2Constrained> l2_constrained_registered{
    "l2_constrained",
    "a network per task, held together by a penalty on their differences (Duong et al. 2015)"};

}  // namespace
}  // namespace gatewise
