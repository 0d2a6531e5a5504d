#include "experts/expert.h"

namespace gatewise {
namespace {

class MlpExpert final : public Expert {
 public:
  struct Options {
    std::vector<int64_t> units{16};
    std::string activation = "relu";
    double dropout = 0;
    std::string initializer = "glorot_uniform";
    double initializer_scale = 1;
    void declare(OptionSet& set) {
      set.add("units", &units, "width of every layer of an expert").range(1, 65536);
      set.add("activation", &activation, "after every layer").choices(activation_names());
      set.add("dropout", &dropout, "share of values dropped in training after every layer").range(0, 0.99);
      set.add("initializer", &initializer, "of the weights").choices(Initializer::names());
      set.add("initializer_scale", &initializer_scale, "gain, or the deviation of \"normal\"").above(0);
    }
  };

  explicit MlpExpert(Options options) : options_(std::move(options)) {
    if (options_.units.empty()) command_error("expert.units: got [], expected at least one width");
  }

  Var bank(Var x, const std::vector<std::string>& paths) const override {
    return mlp_bank(x, paths,
                    {.units = options_.units,
                     .hidden_activation = options_.activation,
                     .output_activation = options_.activation,
                     .dropout = options_.dropout,
                     .drops_output = true,
                     .initializer = Initializer::named(options_.initializer, options_.initializer_scale)});
  }

 private:
  Options options_;
};

const Register<Expert, MlpExpert> mlp_registered{"mlp", "fully connected layers, each with an activation"};

}  // namespace
}  // namespace gatewise
