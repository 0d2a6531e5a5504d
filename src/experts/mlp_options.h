// The options of fully connected experts, for the expert "mlp" and for architectures that build its layers
// themselves.
#pragma once

#include "base/options.h"
#include "experts/bank.h"

namespace gatewise {

struct MlpOptions {
  std::vector<int64_t> units{16};
  std::string activation = "relu";
  std::string hidden_activation = "same";
  std::string normalisation = "none";
  double dropout = 0;
  std::string initializer = "glorot_uniform";
  double initializer_scale = 1;

  void declare(OptionSet& set) {
    std::vector<std::string> or_same = activation_names();
    or_same.insert(or_same.begin(), "same");
    set.add("units", &units, "width of every layer of an expert").range(1, 65536).search(8, 128, true);
    set.add("activation", &activation, "after the last layer").choices(activation_names());
    set.add("hidden_activation", &hidden_activation,
            "after every layer before the last; \"same\" as after the last")
        .choices(or_same);
    set.add("normalisation", &normalisation,
            "of the last layer's sums before its activation; \"batch\" keeps experts alive and on one scale "
            "(Wang et al. 2024, HoME), \"layer\" does so row by row")
        .choices(normalisation_names());
    set.add("dropout", &dropout, "share of values dropped in training after every layer")
        .range(0, 0.99)
        .search(0, 0.5);
    set.add("initializer", &initializer, "of the weights").choices(Initializer::names());
    set.add("initializer_scale", &initializer_scale, "gain, or the deviation of \"normal\"").above(0);
  }

  BankOptions bank() const {
    return {.units = units,
            .hidden_activation = hidden_activation == "same" ? activation : hidden_activation,
            .output_activation = activation,
            .normalisation = normalisation,
            .dropout = dropout,
            .drops_output = true,
            .initializer = Initializer::named(initializer, initializer_scale)};
  }
};

}  // namespace gatewise
