// Banks of small networks of equal shape: experts, towers and gate networks are all made of this.
#pragma once

#include <string>
#include <vector>

#include "graph/ops.h"

namespace gatewise {

// The elementwise functions that layers may end in, by name.
std::vector<std::string> activation_names();
Var activate(const std::string& name, Var x);

// "none", "batch" (Ioffe and Szegedy 2015) or "layer" (Ba et al. 2016).
std::vector<std::string> normalisation_names();

struct BankOptions {
  std::vector<int64_t> units;              // width of every layer; at least one
  std::string hidden_activation = "relu";  // of all layers but the last
  std::string output_activation = "relu";  // of the last
  std::string normalisation = "none";      // of the last layer's sums, before its activation
  bool has_bias = true;
  double dropout = 0;           // after every hidden layer
  bool drops_output = false;    // and after the last
  size_t first_layer = 0;       // number of the first layer in the parameters' paths
  bool is_only_routed = false;  // weights lie network by network; dense() is for examining the model only
  Initializer initializer;
};

// One network per path, over all rows or over the rows routed to each network. Parameters:
// <path>/layer_<j>/weight [in, out], <path>/layer_<j>/bias [out], <path>/norm/scale and shift [out]; state
// <path>/norm/running [2, out].
class MlpBank {
 public:
  // The networks read one value [in] that they share, or each its own of [networks, in].
  MlpBank(Graph& graph, const Shape& input, std::vector<std::string> paths, BankOptions options);

  // x [in] or [networks, in] -> [networks, units.back()].
  Var dense(Var x) const;
  // For every row the network that its id names: x [in] -> [units.back()]. Networks with inputs of their own
  // only, and no batch norm, whose statistics are those of all rows.
  Var own(Var x, Var ids) const;
  // x routed [in], a branch for each network -> routed [units.back()]. Batch norm uses its running
  // statistics: its batch statistics belong to all rows, so route it in scoring only.
  Var routed(Var x, Var route) const;

 private:
  struct Layer {
    Var weight, bias;
    std::string activation;
  };
  struct Norm {
    Var scale, shift;
    std::vector<Var> states;  // [2, out] of every network
    Var running;              // [2, networks, out]
  };

  void add_norm(Graph& graph);
  bool is_normed(size_t layer) const;
  Activation fused(size_t layer) const;
  Var finish(Var x, size_t layer) const;
  Var batch_normed(Var x) const;
  Var routed_norm(Var x, Var route) const;
  Var scaled_norm(Var x, Var scale, Var shift) const;

  std::vector<std::string> paths_;
  BankOptions options_;
  bool shares_input_;
  std::vector<Layer> layers_;
  Norm norm_;
};

// One linear layer per network: x [in] shared, or [networks, in] -> [networks, out], with a weight [in, out]
// for each of the paths `weights`, and a bias [out] for each of `biases` (none when empty), which starts like
// the weight. With ids `own` a row has the layer that its id names alone: x [in] -> [1, out].
Var linear_bank(Var x, const std::vector<std::string>& weights, const std::vector<std::string>& biases,
                int64_t out, const Initializer& start, Var own = {});

// The networks over all rows at once, see MlpBank; with ids `own` for every row the one that its id names: x
// [in] -> [1, units.back()].
Var mlp_bank(Var x, const std::vector<std::string>& paths, const BankOptions& options, Var own = {});

std::vector<std::string> with_suffix(std::vector<std::string> paths, const std::string& suffix);
// "<prefix>/0" ... "<prefix>/<count - 1>".
std::vector<std::string> numbered_paths(const std::string& prefix, int64_t count);

}  // namespace gatewise
