// Adaptive information transfer (Xi, Chen, Yan, Zhang, Zhu, Zhuang, Chen; KDD 2021) along a chain of events:
// every task weighs its own representation against what the task before it passes on.
#include "architectures/network_per_task.h"
#include "gates/gate.h"

namespace gatewise {
namespace {

class AdaptiveTransfer final : public Architecture {
 public:
  struct Options : NetworkOptions {
    std::vector<std::string> chain;
    double calibrator = 0.6;
    void declare(OptionSet& set) {
      set.add("chain", &chain,
              "tasks in the order of the events; [] means as declared. The output of a task is, for every "
              "row, the probability that its event happened, and all before it with it; its loss is taken on "
              "all rows with a label, which must be 1 only where the earlier labels are 1 and 0 where an "
              "earlier event failed; tasks with only_where are refused, since they leave those rows out");
      set.add("calibrator", &calibrator,
              "weight of the penalty on a later event that is more probable than the one before it, averaged "
              "over rows")
          .range(0)
          .search(0.01, 10, true);
      NetworkOptions::declare(set);
    }
  };

  explicit AdaptiveTransfer(const Options& options) : options_(options), parts_(options) {}

  std::vector<int64_t> chain(const std::vector<TaskHead>& tasks) const override {
    return chain_order(options_.chain, tasks);
  }

  Heads build(const ModelInputs& inputs) const override {
    const std::vector<int64_t> order = chain(inputs.tasks);
    refuse_only_where(inputs.tasks, "aitm");
    const Var bottoms = parts_.expert->run(inputs.x, task_paths("bottoms", inputs.tasks));
    const int64_t tasks = bottoms.shape()[0], width = bottoms.shape()[1];
    std::vector<Var> of_task(tasks);
    std::vector<GateProbe> gates;
    Var before;
    for (size_t i = 0; i < order.size(); ++i) {
      const int64_t task = order[i];
      const Var own = reshape(slice(bottoms, 0, task, task + 1), Shape{width});
      if (i > 0) {
        const std::string &name = inputs.tasks[task].name, path = "transfers/" + name;
        const auto [passed, weights] = transfer(before, own, path);
        before = passed;
        // What the task before passes on stands for that task's network.
        gates.push_back({path,
                         name,
                         weights.node(),
                         weights.node(),
                         0,
                         {static_cast<int>(order[i - 1]), static_cast<int>(task)}});
      } else {
        before = own;
      }
      of_task[task] = reshape(before, Shape{1, width});
    }
    NetworkParts::name_bottoms(inputs, bottoms, std::move(gates));
    Heads heads = build_towers(*parts_.tower, concatenate(of_task, 0), inputs.tasks);
    if (options_.calibrator > 0 && tasks > 1) calibrate(inputs.x.graph(), heads, order);
    return heads;
  }

 private:
  // Attention over {what the task before passes on, own}, each [width]: the mixture and its weights [2].
  static std::pair<Var, Var> transfer(Var before, Var own, const std::string& path) {
    Graph& graph = own.graph();
    const int64_t width = own.shape().last();
    const auto matrix = [&](const std::string& name) {
      return graph.parameter(path + "/" + name, Shape{width, width}, Initializer());
    };
    const Var bias = graph.parameter(path + "/information/bias", Shape{width}, Initializer::zero());
    const Var passed = linear(before, matrix("information/weight"), bias, Activation::Relu);
    const Var both = concatenate({reshape(passed, Shape{1, width}), reshape(own, Shape{1, width})}, 0);
    const Var keys = linear(both, matrix("key"), Var()), queries = linear(both, matrix("query"), Var());
    const Var scores = times(sum(multiply(keys, queries)), 1 / std::sqrt(static_cast<double>(width)));
    const Var weights = softmax(scores);
    return {mix(linear(both, matrix("value"), Var()), weights), weights};
  }

  void calibrate(Graph& graph, const Heads& heads, const std::vector<int64_t>& order) const {
    Var total;
    for (size_t i = 1; i < order.size(); ++i) {
      const Var excess =
          relu(subtract(sigmoid(heads.of_task[order[i]]), sigmoid(heads.of_task[order[i - 1]])));
      total = total.is_valid() ? add(total, excess) : excess;
    }
    graph.add_penalty("calibrator", times(reshape(row_mean(total), Shape{}), options_.calibrator));
  }

  Options options_;
  NetworkParts parts_;
};

const Register<Architecture, AdaptiveTransfer> aitm_registered{
    "aitm", "a chain of events whose tasks pass on what they know (Xi et al. 2021)"};

}  // namespace
}  // namespace gatewise
