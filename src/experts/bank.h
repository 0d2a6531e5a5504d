// Banks of small networks of equal shape: experts, towers and gate networks are all made of this.
#pragma once

#include <string>
#include <vector>

#include "graph/ops.h"

namespace gatewise {

// The elementwise functions that layers may end in, by name.
std::vector<std::string> activation_names();
Var activate(const std::string& name, Var x);

struct BankOptions {
  std::vector<int64_t> units;              // width of every layer; at least one
  std::string hidden_activation = "relu";  // of all layers but the last
  std::string output_activation = "relu";  // of the last
  bool has_bias = true;
  double dropout = 0;         // after every hidden layer
  bool drops_output = false;  // and after the last
  Initializer initializer;
};

// One network per path. x [in] is shared by all, x [networks, in] gives each its own. -> [networks,
// units.back()]. Parameters: <path>/layer_<j>/weight [in, out] and <path>/layer_<j>/bias [out].
Var mlp_bank(Var x, const std::vector<std::string>& paths, const BankOptions& options);

// "<prefix>/0" ... "<prefix>/<count - 1>".
std::vector<std::string> numbered_paths(const std::string& prefix, int64_t count);

}  // namespace gatewise
