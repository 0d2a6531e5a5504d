// Logistic and linear regression: one linear layer per task straight over the encoded features, nothing
// between. Values of a categorical column enter through its embedding, so tasks share as much as the
// embedding's width makes them: at a width of at least the number of tasks every task can have any weight for
// every value, as in a regression of its own.
#include "architectures/architecture.h"

namespace gatewise {
namespace {

class Linear final : public Architecture {
 public:
  struct Options {
    std::string initializer = "glorot_uniform";
    void declare(OptionSet& set) {
      set.add("initializer", &initializer, "of the weights").choices(Initializer::names());
    }
  };

  explicit Linear(const Options& options)
      : layer_(make_part<Tower>({{"units", Json::array()}, {"initializer", options.initializer}}, "model",
                                "mlp")) {}

  Heads build(const ModelInputs& inputs) const override {
    return build_towers(*layer_, inputs.x, inputs.tasks, inputs.row_task);
  }

 private:
  std::unique_ptr<Tower> layer_;
};

const Register<Architecture, Linear> linear_registered{
    "linear", "logistic or linear regression of each task, no hidden layer"};

}  // namespace
}  // namespace gatewise
