#include "experts/expert.h"

namespace gatewise {
namespace {

class MlpExperts final : public ExpertBank {
 public:
  MlpExperts(MlpBank bank, bool trains_dense) : bank_(std::move(bank)), trains_dense_(trains_dense) {}
  Var dense(Var x) const override { return bank_.dense(x); }
  Var routed(Var x, Var route) const override { return bank_.routed(x, route); }
  bool trains_dense() const override { return trains_dense_; }

 private:
  MlpBank bank_;
  bool trains_dense_;
};

std::vector<std::string> with_same(std::vector<std::string> names) {
  names.insert(names.begin(), "same");
  return names;
}

class MlpExpert final : public Expert {
 public:
  struct Options {
    std::vector<int64_t> units{16};
    std::string hidden_activation = "same";
    std::string activation = "relu";
    std::string normalisation = "none";
    double dropout = 0;
    std::string initializer = "glorot_uniform";
    double initializer_scale = 1;
    void declare(OptionSet& set) {
      set.add("units", &units, "width of every layer of an expert").range(1, 65536);
      set.add("activation", &activation, "after the last layer").choices(activation_names());
      set.add("hidden_activation", &hidden_activation,
              "after every layer before the last; \"same\" as after the last")
          .choices(with_same(activation_names()));
      set.add("normalisation", &normalisation,
              "of the last layer's sums before its activation; \"batch\" keeps experts on one scale and alive "
              "(Wang et al. 2024), \"layer\" does so row by row")
          .choices(normalisation_names());
      set.add("dropout", &dropout, "share of values dropped in training after every layer").range(0, 0.99);
      set.add("initializer", &initializer, "of the weights").choices(Initializer::names());
      set.add("initializer_scale", &initializer_scale, "gain, or the deviation of \"normal\"").above(0);
    }
  };

  explicit MlpExpert(Options options) : options_(std::move(options)) {
    if (options_.units.empty()) command_error("expert.units: got [], expected at least one width");
  }

  std::unique_ptr<ExpertBank> bank(Graph& graph, const Shape& input,
                                   const std::vector<std::string>& paths) const override {
    MlpBank bank(graph, input, paths,
                 {.units = options_.units,
                  .hidden_activation = options_.hidden_activation == "same" ? options_.activation
                                                                            : options_.hidden_activation,
                  .output_activation = options_.activation,
                  .normalisation = options_.normalisation,
                  .dropout = options_.dropout,
                  .drops_output = true,
                  .initializer = Initializer::named(options_.initializer, options_.initializer_scale)});
    return std::make_unique<MlpExperts>(std::move(bank), options_.normalisation == "batch");
  }

 private:
  Options options_;
};

const Register<Expert, MlpExpert> mlp_registered{"mlp", "fully connected layers, each with an activation"};

}  // namespace
}  // namespace gatewise
