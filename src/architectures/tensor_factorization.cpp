// Tensor factorisation (Yang and Hospedales 2017; the Tucker form used by Ma et al. 2018): every layer's
// weights of all tasks are one tensor [in, out, tasks] made of a core and three factors.
#include "architectures/network_per_task.h"
#include "base/error.h"
#include "experts/mlp_options.h"

namespace gatewise {
namespace {

class TensorFactorization final : public Architecture {
 public:
  struct Options : NetworkOptions {
    int64_t rank_in = 16;
    int64_t rank_out = 16;
    int64_t rank_tasks = 2;
    void declare(OptionSet& set) {
      set.add("rank_in", &rank_in, "rank along a layer's inputs; cut to their number")
          .range(1, 65536)
          .search(4, 64, true);
      set.add("rank_out", &rank_out, "rank along a layer's outputs; cut to their number")
          .range(1, 65536)
          .search(4, 64, true);
      set.add("rank_tasks", &rank_tasks,
              "rank along the tasks; 1: tasks share one matrix up to a factor, the number of tasks: nothing "
              "need be "
              "shared")
          .range(1, 65536)
          .search(1, 4);
      NetworkOptions::declare(set);
    }
  };

  explicit TensorFactorization(const Options& options)
      : options_(options), parts_(options), layers_(layer_options(options.expert)) {}

  Heads build(const ModelInputs& inputs) const override {
    Var x = inputs.x;
    for (size_t layer = 0; layer < layers_.units.size(); ++layer) {
      const bool is_last = layer + 1 == layers_.units.size();
      const BankOptions bank = layers_.bank();
      const std::string& activation = is_last ? bank.output_activation : bank.hidden_activation;
      x = activate(activation, add_layer(x, fmt::format("layers/{}", layer), layers_.units[layer], inputs));
    }
    NetworkParts::name_bottoms(inputs, x);
    return build_towers(*parts_.tower, x, inputs.tasks, inputs.row_task);
  }

 private:
  static MlpOptions layer_options(Json expert) {
    if (expert.is_object() && expert.value("type", "mlp") != "mlp") {
      command_error(
          "model.expert.type: got {}, expected \"mlp\": tensor factorisation builds the layers itself",
          expert["type"].dump());
    }
    if (expert.is_object()) expert.erase("type");
    const auto options = read_options<MlpOptions>(expert, "model.expert");
    if (options.dropout > 0 || options.normalisation != "none") {
      command_error(
          "model.expert: tensor factorisation has neither dropout nor normalisation; leave them out");
    }
    const MlpOptions usual;
    if (options.initializer != usual.initializer || options.initializer_scale != usual.initializer_scale) {
      command_error(
          "model.expert: tensor factorisation starts its factors from normal numbers whose variances "
          "multiply to that of a layer, 1 / inputs; leave initializer and initializer_scale out");
    }
    return options;
  }

  // x [in] shared or [tasks, in] -> [tasks, out]: h_t = (x U1) M_t U2' + b_t with M_t the sum over i of U3[t,
  // i] core[.., i], so that the tensor itself is never formed. Rows of one task have its layer alone: [out].
  Var add_layer(Var x, const std::string& path, int64_t out, const ModelInputs& model) const {
    Graph& graph = x.graph();
    const std::vector<TaskHead>& heads = model.tasks;
    const auto tasks = static_cast<int64_t>(heads.size());
    const int64_t in = x.shape().last();
    const int64_t ranks[] = {std::min(options_.rank_in, in), std::min(options_.rank_out, out),
                             std::min(options_.rank_tasks, tasks)};
    const auto start = [](int64_t fan) {
      return Initializer::normal(1 / std::sqrt(static_cast<double>(fan)));
    };
    // The variances multiply to 1 / in for an entry of the tensor.
    const Var inputs = graph.parameter(path + "/inputs", Shape{in, ranks[0]}, start(in));
    const Var core = graph.parameter(path + "/core", Shape{ranks[0], ranks[1], ranks[2]}, start(ranks[0]));
    const Var outputs = graph.parameter(path + "/outputs", Shape{out, ranks[1]}, start(ranks[1]));
    const Var of_tasks = graph.parameter(path + "/tasks", Shape{tasks, ranks[2]}, start(ranks[2]));
    const Var bias =
        graph.parameter_bank(task_paths(path + "/bias", heads), Shape{tasks, out}, Initializer::zero());
    const Var flat = transpose(reshape(core, Shape{ranks[0] * ranks[1], ranks[2]}));
    const Var matrices = reshape(product(of_tasks, flat), Shape{tasks, ranks[0], ranks[1]});
    Var z = linear(x, inputs, Var());
    if (model.row_task.is_valid()) {
      z = own_linear(z, matrices, Var(), model.row_task);
      return add(linear(z, transpose(outputs), Var()), own_rows(bias, model.row_task));
    }
    if (z.shape().rank() == 1) {
      z = concatenate(std::vector<Var>(tasks, reshape(z, Shape{1, ranks[0]})), 0);
    }
    z = grouped_linear(z, matrices, Var());
    return add(linear(z, transpose(outputs), Var()), bias);
  }

  Options options_;
  NetworkParts parts_;
  MlpOptions layers_;
};

const Register<Architecture, TensorFactorization> tensor_factorization_registered{
    "tensor_factorization", "layers of all tasks as one tensor of low rank (Yang and Hospedales 2017)"};

}  // namespace
}  // namespace gatewise
