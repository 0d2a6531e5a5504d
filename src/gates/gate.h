// A gate: which experts a consumer (a task, or an expert of the next level) listens to, row by row.
#pragma once

#include "experts/expert.h"
#include "gates/schedule.h"

namespace gatewise {

// Consumers that choose from equally many experts.
struct GateRequest {
  Var x;                           // what the gates read: [in] shared, or [consumers, in]
  std::vector<std::string> paths;  // one per consumer ("gates/income"); parameters lie below
  int64_t experts = 1;
  std::string scope;  // before the names of losses, and of parameters that the consumers share ("levels/0/")
  // Ids of the one consumer that each row has, or empty. Gates then give weights [1, experts], and auxiliary
  // losses see every row once, by the gate of its own consumer.
  Var own = {};

  // Of the weights: one per path, or 1.
  int64_t consumers() const { return own.is_valid() ? 1 : static_cast<int64_t>(paths.size()); }
  // What belongs to the consumers, of a value with a slice per path: [paths, ..] -> [consumers, ..].
  Var of_consumers(Var slices) const;
};

class Gate {
 public:
  virtual ~Gate() = default;
  // Throws Error(Command) where its options do not fit; `path` is their place ("model.gate").
  virtual void check(const std::string& /*path*/) const {}
  // Weights of every consumer over the experts -> [consumers, experts]; Static where they depend on no row.
  // Of what a gate adds to the graph, the banks (mlp_bank, linear_bank) take request.own, and parameters with
  // a slice per path go through request.of_consumers(). A gate that does neither gives the weights of all
  // paths, and the row's own are taken. Auxiliary losses go into the graph as penalties
  // "<scope><name>", averaged over the consumers.
  virtual Var weights(const GateRequest& request) const = 0;
  virtual bool sums_to_one() const { return true; }
  // Whether some weights are exactly 0, so that those experts need not run; in training, and otherwise.
  virtual bool is_sparse() const { return false; }
  virtual bool is_sparse_in_training() const { return is_sparse(); }
  // At most so many experts of `experts` have a weight.
  virtual int64_t active(int64_t experts) const { return experts; }
  // "auto", "dense" or "routed": whether only chosen experts run.
  virtual std::string routing() const { return "auto"; }
  // In training an expert takes at most this times its even share of what is routed; 0: no limit.
  virtual double capacity_factor() const { return 0; }
};

// The network before the weights, the same for all gates that have one.
struct GateNetwork {
  std::vector<int64_t> hidden;
  std::string activation = "relu";
  bool bias = true;
  std::string initializer = "glorot_uniform";
  double initializer_scale = 1;

  explicit GateNetwork(bool has_bias = true, std::string initializer_name = "glorot_uniform")
      : bias(has_bias), initializer(std::move(initializer_name)) {}
  void declare(OptionSet& set);
  // One logit per expert and consumer -> [consumers, experts].
  Var logits(const GateRequest& request) const;
  Var logits(const GateRequest& request, const std::string& suffix, int64_t outputs) const;
};

// What every gate that leaves experts out offers.
struct Sparsity {
  int64_t k = 2;
  std::string routing = "auto";

  void declare(OptionSet& set);
  int64_t kept(int64_t experts) const { return std::min(k, experts); }
};

// Mean over the consumers of [consumers] or [consumers, ..]: a Static value.
Var mean_of_consumers(Var x);
// Squared coefficient of variation over the last axis of a Static [consumers, experts] -> [consumers].
Var squared_variation(Var x);
// Switch balance (Fedus et al. 2022): experts x sum over them of the share of rows sent there times the mean
// probability, averaged over consumers; 1 when both are uniform. probabilities and mask [consumers, experts]
// per row; the mask, with k ones, has no gradient.
Var balance_loss(Var probabilities, Var mask, int64_t k);
Var times(Var x, double factor);

// Adds the auxiliary loss weight x loss() to the graph under its name; nothing where the weight is always 0.
template <class Loss>
void add_penalty(const GateRequest& request, const std::string& name, const Schedule& weight,
                 const Loss& loss) {
  if (weight.is(0)) return;
  Graph& graph = request.x.graph();
  const std::string path = request.scope + name;
  graph.add_penalty(path, multiply(reshape(loss(), Shape{}), weight.value(graph, path)));
}

// Whether each consumer shall use all experts alike, or only all consumers together.
enum class BalanceOver : uint8_t { EachConsumer, AllConsumers };
// The softmax over the k largest logits [consumers, experts], 0 elsewhere, with the loss "balance".
Var softmax_of_largest(const GateRequest& request, Var logits, int64_t k, const Schedule& balance_weight,
                       BalanceOver over = BalanceOver::EachConsumer);

}  // namespace gatewise
