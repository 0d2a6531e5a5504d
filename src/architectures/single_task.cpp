// One network per task, nothing shared but the embeddings: the baseline of every comparison.
#include "architectures/architecture.h"

namespace gatewise {
namespace {

class SingleTask final : public Architecture {
 public:
  struct Options {
    Json expert = Json::object();
    Json tower = Json::object();
    void declare(OptionSet& set) {
      set.add("expert", &expert, "the network under each tower: {type, units, ...}");
      set.add("tower", &tower, "the network of a task: {type, units, ...}");
    }
  };

  explicit SingleTask(const Options& options)
      : expert_(make_part<Expert>(options.expert, "model.expert", "mlp")),
        tower_(make_part<Tower>(options.tower, "model.tower", "mlp")) {}

  Heads build(const ModelInputs& inputs) const override {
    const Var bottoms = expert_->run(inputs.x, task_paths("bottoms", inputs.tasks));
    inputs.x.graph().name_value("bottoms", bottoms);
    return build_towers(*tower_, bottoms, inputs.tasks);
  }

 private:
  std::unique_ptr<Expert> expert_;
  std::unique_ptr<Tower> tower_;
};

const Register<Architecture, SingleTask> single_task_registered{"single_task",
                                                                "a network of its own for every task"};

}  // namespace
}  // namespace gatewise
