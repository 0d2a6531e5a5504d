// Sparse gates that know which task asks. The forms are this project's reading of the idea of Gupta et al.
// 2022, whose equations are not public; no figure of theirs is claimed for them.
#include "gates/gate.h"

namespace gatewise {
namespace {

class TaskAwareGate final : public Gate {
 public:
  struct Options {
    std::string form = "per_task";
    Sparsity sparsity;
    int64_t embedding_width = 8;
    Schedule balance_weight = 0.01;
    std::string initializer = "glorot_uniform";
    double initializer_scale = 1;
    void declare(OptionSet& set) {
      set.add(
             "form", &form,
             "logits = x W (\"agnostic\"), x W_t (\"per_task\"), [x, v_t] W (\"task_embedding\"), v_t W "
             "(\"task_only\": the same experts for all rows), x W + b_t (\"additive\"), for row x and task t")
          .choices({"agnostic", "per_task", "task_embedding", "task_only", "additive"});
      sparsity.declare(set);
      set.add("embedding_width", &embedding_width, "width of v_t").range(1, 65536).search(4, 64, true);
      balance_weight.declare(set, "balance_weight",
                             "of the loss that spreads rows over experts, taken over all tasks together");
      set.add("initializer", &initializer, "of the weights").choices(Initializer::names());
      set.add("initializer_scale", &initializer_scale, "gain, or the deviation of \"normal\"").above(0);
    }
  };

  explicit TaskAwareGate(Options options) : options_(std::move(options)) {}

  void check(const std::string& path) const override {
    options_.balance_weight.check(path + ".balance_weight", 0);
  }

  Var weights(const GateRequest& request) const override {
    // Balance within each task would send every task to all experts.
    return softmax_of_largest(request, logits_of(request), active(request.experts), options_.balance_weight,
                              BalanceOver::AllConsumers);
  }
  bool is_sparse() const override { return true; }
  int64_t active(int64_t experts) const override { return options_.sparsity.kept(experts); }
  std::string routing() const override { return options_.sparsity.routing; }

 private:
  Initializer start() const { return Initializer::named(options_.initializer, options_.initializer_scale); }

  Var logits_of(const GateRequest& request) const {
    Graph& graph = request.x.graph();
    const auto consumers = static_cast<int64_t>(request.paths.size());
    const int64_t experts = request.experts;
    if (options_.form == "per_task") {
      return linear_bank(request.x, with_suffix(request.paths, "/weight"), {}, experts, start(), request.own);
    }
    const Var rows = per_consumer(request.x, request.consumers());
    if (options_.form == "agnostic") return linear(rows, shared(request, rows.shape().last()), Var());
    if (options_.form == "additive") {
      const Var bias = graph.parameter_bank(with_suffix(request.paths, "/bias"), Shape{consumers, experts},
                                            Initializer::zero());
      return add(linear(rows, shared(request, rows.shape().last()), Var()), request.of_consumers(bias));
    }
    const int64_t width = options_.embedding_width;
    const Var embeddings = graph.parameter_bank(with_suffix(request.paths, "/embedding"),
                                                Shape{consumers, width}, Initializer::normal(1));
    if (options_.form == "task_only")
      return request.of_consumers(product(embeddings, shared(request, width)));
    const Var joined = concatenate({rows, request.of_consumers(embeddings)});
    return linear(joined, shared(request, joined.shape().last()), Var());
  }

  Var shared(const GateRequest& request, int64_t in) const {
    return request.x.graph().parameter(request.scope + "gates_shared/weight", Shape{in, request.experts},
                                       start());
  }

  // One copy of the row for every consumer: [consumers, in].
  static Var per_consumer(Var x, int64_t consumers) {
    if (x.shape().rank() == 2) return x;
    const Var row = reshape(x, Shape{1, x.shape().last()});
    return concatenate(std::vector<Var>(consumers, row), 0);
  }

  Options options_;
};

const Register<Gate, TaskAwareGate> task_aware_registered{
    "task_aware",
    "top-k that depends on the task that asks, in five forms (after an idea of Gupta et al. 2022)"};

}  // namespace
}  // namespace gatewise
