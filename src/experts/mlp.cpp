#include "experts/expert.h"
#include "experts/mlp_options.h"

namespace gatewise {
namespace {

class MlpExperts final : public ExpertBank {
 public:
  explicit MlpExperts(MlpBank bank) : bank_(std::move(bank)) {}
  Var dense(Var x) const override { return bank_.dense(x); }
  Var routed(Var x, Var route) const override { return bank_.routed(x, route); }

 private:
  MlpBank bank_;
};

class MlpExpert final : public Expert {
 public:
  using Options = MlpOptions;

  explicit MlpExpert(Options options) : options_(std::move(options)) {}

  void check(const std::string& path) const override {
    if (options_.units.empty()) command_error("{}.units: got [], expected at least one width", path);
  }

  std::unique_ptr<ExpertBank> bank(Graph& graph, const Shape& input, const std::vector<std::string>& paths,
                                   bool is_only_routed) const override {
    BankOptions options = options_.bank();
    options.is_only_routed = is_only_routed;
    return make_bank(graph, input, paths, options);
  }

  bool trains_dense() const override { return options_.normalisation == "batch"; }

  Var run_own(Var x, const std::vector<std::string>& paths, Var ids) const override {
    if (options_.normalisation == "batch") return Expert::run_own(x, paths, ids);
    const Shape input{static_cast<int64_t>(paths.size()), x.shape().last()};
    return MlpBank(x.graph(), input, paths, options_.bank()).own(x, ids);
  }

  std::vector<std::unique_ptr<ExpertBank>> layers(Graph& graph, const Shape& input,
                                                  const std::vector<std::string>& paths) const override {
    std::vector<std::unique_ptr<ExpertBank>> layers;
    Shape shape = input;
    for (size_t layer = 0; layer < options_.units.size(); ++layer) {
      BankOptions options = options_.bank();
      const bool is_last = layer + 1 == options_.units.size();
      options.units = {options_.units[layer]};
      options.first_layer = layer;
      if (!is_last) {
        options.output_activation = options.hidden_activation;
        options.normalisation = "none";
      }
      layers.push_back(make_bank(graph, shape, paths, options));
      shape = Shape{static_cast<int64_t>(paths.size()), options_.units[layer]};
    }
    return layers;
  }

 private:
  static std::unique_ptr<ExpertBank> make_bank(Graph& graph, const Shape& input,
                                               const std::vector<std::string>& paths,
                                               const BankOptions& options) {
    return std::make_unique<MlpExperts>(MlpBank(graph, input, paths, options));
  }

  Options options_;
};

const Register<Expert, MlpExpert> mlp_registered{"mlp", "fully connected layers, each with an activation"};

}  // namespace
}  // namespace gatewise
