// Switch routing (Fedus, Zoph and Shazeer 2022): one expert per row, scaled by its probability.
#include "base/error.h"
#include "gates/gate.h"

namespace gatewise {
namespace {

class SwitchGate final : public Gate {
 public:
  struct Options {
    GateNetwork network{false};
    Schedule balance_weight = 0.01;
    double jitter = 0.01;
    double capacity_factor = 0;
    std::string routing = "auto";
    void declare(OptionSet& set) {
      network.declare(set);
      balance_weight.declare(set, "balance_weight", "of the loss that spreads rows over experts");
      set.add("jitter", &jitter, "what the gates read is multiplied by 1 +- this at random in training")
          .range(0, 0.5)
          .search(0, 0.1);
      set.add("capacity_factor", &capacity_factor,
              "in training an expert takes at most this times its even share of the batch, in the order in "
              "which the batch draws its rows; rows beyond it do without; 0: no row is dropped. Refused with "
              "routing = \"dense\" and with experts of normalisation \"batch\", which read every row")
          .range(0, 1000);
      set.add("routing", &routing,
              "\"routed\": only chosen experts run; \"dense\": all; \"auto\": by their number")
          .choices({"auto", "dense", "routed"});
    }
  };

  explicit SwitchGate(Options options) : options_(std::move(options)) {}

  void check(const std::string& path) const override {
    options_.balance_weight.check(path + ".balance_weight", 0);
    if (options_.capacity_factor > 0 && options_.routing == "dense") {
      command_error(
          "{}.routing: got \"dense\" beside capacity_factor = {}, but only routed rows can be dropped; leave "
          "routing out, or set capacity_factor = 0",
          path, options_.capacity_factor);
    }
  }

  Var weights(const GateRequest& request) const override {
    GateRequest jittered = request;
    if (options_.jitter > 0) {
      const Var one = request.x.graph().constant({1}, Shape{});
      const Var spread =
          times(noise(request.x, "uniform", request.paths.front() + "/jitter"), options_.jitter);
      jittered.x = multiply(request.x, add(spread, one));
    }
    const Var probabilities = softmax(options_.network.logits(jittered));
    const Var chosen = top_k_mask(probabilities, 1);
    add_penalty(request, "balance", options_.balance_weight,
                [&] { return balance_loss(probabilities, chosen, 1); });
    return multiply(probabilities, chosen);
  }
  bool sums_to_one() const override { return false; }
  bool is_sparse() const override { return true; }
  int64_t active(int64_t) const override { return 1; }
  std::string routing() const override { return options_.capacity_factor > 0 ? "routed" : options_.routing; }
  double capacity_factor() const override { return options_.capacity_factor; }

 private:
  Options options_;
};

const Register<Gate, SwitchGate> switch_registered{
    "switch", "the one most probable expert, scaled by its probability (Fedus et al. 2022)"};

}  // namespace
}  // namespace gatewise
