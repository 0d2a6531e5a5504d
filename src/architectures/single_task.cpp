// One network per task, nothing shared but the embeddings: the baseline of every comparison.
#include "architectures/network_per_task.h"

namespace gatewise {
namespace {

class SingleTask final : public Architecture {
 public:
  using Options = NetworkOptions;

  explicit SingleTask(const Options& options) : parts_(options) {}

  Heads build(const ModelInputs& inputs) const override {
    return build_towers(*parts_.tower, parts_.own_bottoms(inputs), inputs.tasks, inputs.row_task);
  }

 private:
  NetworkParts parts_;
};

const Register<Architecture, SingleTask> single_task_registered{"single_task",
                                                                "a network of its own for every task"};

}  // namespace
}  // namespace gatewise
