// An architecture: every task's tower reads the output of one shared network beside that of a network of its
// own.
#include "architectures/architecture.h"

namespace gatewise {
namespace {

class SharedAndOwn final : public Architecture {
 public:
  struct Options {
    Json expert = Json::object();
    Json tower = Json::object();
    void declare(OptionSet& set) {
      set.add("expert", &expert, "the shared network and the tasks' own: {type, units, ...}");
      set.add("tower", &tower, "the network of a task: {type, units, ...}");
    }
  };

  explicit SharedAndOwn(const Options& options)
      : expert_(make_part<Expert>(options.expert, "model.expert", "mlp")),
        tower_(make_part<Tower>(options.tower, "model.tower", "mlp")) {}

  Heads build(const ModelInputs& inputs) const override {
    const Var shared = expert_->run(inputs.x, {"shared"});                    // [1, hidden]
    const Var own = expert_->run(inputs.x, task_paths("own", inputs.tasks));  // [tasks, hidden]
    const Var repeated = concatenate(std::vector<Var>(inputs.tasks.size(), shared), 0);
    return build_towers(*tower_, concatenate({repeated, own}), inputs.tasks, inputs.row_task);
  }

 private:
  std::unique_ptr<Expert> expert_;
  std::unique_ptr<Tower> tower_;
};

const Register<Architecture, SharedAndOwn> shared_and_own_registered{
    "shared_and_own", "a shared network beside one of each task's own, under a tower per task"};

}  // namespace
}  // namespace gatewise
