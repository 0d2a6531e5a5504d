#include "towers/tower.h"

namespace gatewise {
namespace {

class MlpTower final : public Tower {
 public:
  struct Options {
    std::vector<int64_t> units{8};
    std::string activation = "relu";
    double dropout = 0;
    std::string initializer = "glorot_uniform";
    double initializer_scale = 1;
    void declare(OptionSet& set) {
      set.add("units", &units, "widths of hidden layers of a tower; [] gives a single linear layer")
          .range(1, 65536)
          .search(4, 64, true);
      set.add("activation", &activation, "after every hidden layer").choices(activation_names());
      set.add("dropout", &dropout, "share of hidden values dropped in training").range(0, 0.99);
      set.add("initializer", &initializer, "of the weights").choices(Initializer::names());
      set.add("initializer_scale", &initializer_scale, "gain, or the deviation of \"normal\"").above(0);
    }
  };

  explicit MlpTower(Options options) : options_(std::move(options)) {}

  Var bank(Var x, const std::vector<std::string>& paths, int64_t outputs, Var own) const override {
    std::vector<int64_t> units = options_.units;
    units.push_back(outputs);
    return mlp_bank(x, paths,
                    {.units = units,
                     .hidden_activation = options_.activation,
                     .output_activation = "none",
                     .dropout = options_.dropout,
                     .initializer = Initializer::named(options_.initializer, options_.initializer_scale)},
                    own);
  }

 private:
  Options options_;
};

const Register<Tower, MlpTower> mlp_registered{"mlp", "fully connected hidden layers and a linear output"};

}  // namespace
}  // namespace gatewise
