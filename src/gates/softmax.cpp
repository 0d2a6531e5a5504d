#include "gates/gate.h"

namespace gatewise {
namespace {

class SoftmaxGate final : public Gate {
 public:
  struct Options {
    std::vector<int64_t> hidden;
    std::string activation = "relu";
    bool bias = true;
    double temperature = 1;
    std::string initializer = "glorot_uniform";
    double initializer_scale = 1;
    void declare(OptionSet& set) {
      set.add("hidden", &hidden, "widths of hidden layers before the weights; none in the paper")
          .range(1, 65536);
      set.add("activation", &activation, "after every hidden layer").choices(activation_names());
      set.add("bias", &bias, "whether the layers have a bias; the paper has none");
      set.add("temperature", &temperature, "divides the logits: above 1 flattens, below 1 sharpens").above(0);
      set.add("initializer", &initializer, "of the weights").choices(Initializer::names());
      set.add("initializer_scale", &initializer_scale, "gain, or the deviation of \"normal\"").above(0);
    }
  };

  explicit SoftmaxGate(Options options) : options_(std::move(options)) {}

  Var weights(Var x, const std::vector<std::string>& paths, int64_t experts) const override {
    std::vector<int64_t> units = options_.hidden;
    units.push_back(experts);
    Var logits =
        mlp_bank(x, paths,
                 {.units = units,
                  .hidden_activation = options_.activation,
                  .output_activation = "none",
                  .has_bias = options_.bias,
                  .initializer = Initializer::named(options_.initializer, options_.initializer_scale)});
    if (options_.temperature != 1) {
      logits = divide(logits, logits.graph().constant({options_.temperature}, Shape{}));
    }
    return softmax(logits);
  }

 private:
  Options options_;
};

const Register<Gate, SoftmaxGate> softmax_registered{
    "softmax", "every expert gets a share; the shares sum to one (Ma et al. 2018)"};

}  // namespace
}  // namespace gatewise
