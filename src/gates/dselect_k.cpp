// DSelect-k (Hazimeh et al. 2021): k selectors that choose an expert each by a binary code through smooth
// steps.
#include "gates/gate.h"

namespace gatewise {
namespace {

int64_t bits_of(int64_t experts) {
  int64_t bits = 1;
  while (int64_t{1} << bits < experts) ++bits;
  return bits;
}

class DSelectKGate final : public Gate {
 public:
  struct Options {
    Sparsity sparsity;
    bool per_example = false;
    double gamma = 1;
    Schedule entropy_weight = 1e-6;
    void declare(OptionSet& set) {
      sparsity.declare(set);
      set.add("per_example", &per_example,
              "codes from the row; otherwise one choice of experts for all rows");
      set.add("gamma", &gamma, "width of the smooth step; beyond half of it a bit is exactly 0 or 1")
          .above(0)
          .search(0.1, 10, true);
      entropy_weight.declare(
          set, "entropy_weight",
          "of the selectors' entropy, summed over selectors (mean over rows): drives codes to "
          "single experts; too large a weight freezes choices at random");
    }
  };

  explicit DSelectKGate(Options options) : options_(std::move(options)) {}

  void check(const std::string& path) const override {
    options_.entropy_weight.check(path + ".entropy_weight", 0);
  }

  Var weights(const GateRequest& request) const override {
    // A single expert needs no bits: its code is 1, and so are the weights whatever the mixture.
    if (request.experts == 1) {
      const std::vector<double> ones(request.consumers(), 1);
      return request.x.graph().constant(ones, Shape{request.consumers(), 1});
    }
    const Selectors selectors = options_.per_example ? selectors_of_rows(request) : static_selectors(request);
    const Var codes = binary_codes(smooth_step(selectors.codes, options_.gamma), request.experts);
    add_penalty(request, "entropy", options_.entropy_weight, [&] { return total(entropy(codes)); });
    if (request.experts != int64_t{1} << bits_of(request.experts)) {
      // Codes that spell no expert are pushed back to those that do.
      add_penalty(request, "reachability", Schedule(1), [&] { return total(inverse(sum(codes))); });
    }
    const Var weights = mix(codes, softmax(selectors.mixture));
    return options_.per_example ? weights : request.of_consumers(weights);
  }
  // Codes of experts beyond a power of two may not sum to one.
  bool sums_to_one() const override { return false; }
  bool is_sparse() const override { return true; }
  // Weights become 0 one by one while the codes settle.
  bool is_sparse_in_training() const override { return false; }
  int64_t active(int64_t experts) const override { return options_.sparsity.kept(experts); }
  std::string routing() const override { return options_.sparsity.routing; }

 private:
  struct Selectors {
    Var codes;    // [consumers, k, bits]
    Var mixture;  // [consumers, k]
  };

  // Starts in the middle of the step, so that every expert has nearly the same weight.
  Initializer code_start() const { return Initializer::uniform(options_.gamma / 100); }

  Selectors static_selectors(const GateRequest& request) const {
    Graph& graph = request.x.graph();
    const auto consumers = static_cast<int64_t>(request.paths.size());
    const int64_t k = options_.sparsity.k;
    return {
        graph.parameter_bank(with_suffix(request.paths, "/codes"),
                             Shape{consumers, k, bits_of(request.experts)}, code_start()),
        graph.parameter_bank(with_suffix(request.paths, "/mixture"), Shape{consumers, k}, mixture_start())};
  }

  Selectors selectors_of_rows(const GateRequest& request) const {
    const int64_t k = options_.sparsity.k, bits = bits_of(request.experts);
    const auto layer = [&](const std::string& name, int64_t out, const Initializer& start) {
      return linear_bank(request.x, with_suffix(request.paths, name + "/weight"),
                         with_suffix(request.paths, name + "/bias"), out, start, request.own);
    };
    const Var codes = layer("/codes", k * bits, code_start());
    const Var mixture = layer("/mixture", k, mixture_start());
    return {reshape(codes, Shape{request.consumers(), k, bits}), mixture};
  }

  // 1 / x, at most a million: settled codes that spell no expert have no weight at all.
  static Var inverse(Var x) {
    const auto filled = [&](double value) {
      return x.graph().constant(std::vector<double>(x.shape().elements(), value), x.shape());
    };
    const Var least = filled(1e-6);
    return divide(filled(1), select(greater(x, least), x, least));
  }

  // -sum of r log(r + 1e-6) over the experts.
  static Var entropy(Var codes) {
    const Var small = codes.graph().constant({1e-6}, Shape{});
    return times(sum(multiply(codes, log(add(codes, small)))), -1);
  }

  // Sum over selectors and consumers, mean over rows.
  static Var total(Var of_selectors) {
    const bool has_rows = of_selectors.signature().domain != Domain::Static;
    const Var flat = reshape(of_selectors, Shape{of_selectors.shape().elements()});
    return sum(has_rows ? row_mean(flat) : flat);
  }

  static Initializer mixture_start() { return Initializer::uniform(0.05); }
  Options options_;
};

const Register<Gate, DSelectKGate> dselect_k_registered{
    "dselect_k", "at most k experts by binary codes that gradients can learn (Hazimeh et al. 2021)"};

}  // namespace
}  // namespace gatewise
