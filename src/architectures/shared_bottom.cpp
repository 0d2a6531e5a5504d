// One network shared by all tasks under one tower per task (Caruana 1997).
#include "architectures/architecture.h"

namespace gatewise {
namespace {

class SharedBottom final : public Architecture {
 public:
  struct Options {
    Json expert = default_bottom();
    Json tower = Json::object();
    void declare(OptionSet& set) {
      set.add("expert", &expert,
              "the shared network: {type, units, ...}; options of an mlp that are left out are as in the "
              "default");
      set.add("tower", &tower, tower_help);
    }
  };

  explicit SharedBottom(const Options& options)
      : expert_(
            make_part<Expert>(with_part_defaults(default_bottom(), options.expert), "model.expert", "mlp")),
        tower_(make_part<Tower>(options.tower, "model.tower", "mlp")) {}

  Heads build(const ModelInputs& inputs) const override {
    const Var bottom = expert_->run(inputs.x, {"bottom"});
    inputs.x.graph().name_value("bottom", bottom);
    inputs.x.graph().add_probe({"bottom", bottom.node(), {{"bottom", ""}}, {}});
    return build_towers(*tower_, reshape(bottom, Shape{bottom.shape().last()}), inputs.tasks,
                        inputs.row_task);
  }

 private:
  static Json default_bottom() { return {{"type", "mlp"}, {"units", {113}}}; }

  std::unique_ptr<Expert> expert_;
  std::unique_ptr<Tower> tower_;
};

const Register<Architecture, SharedBottom> shared_bottom_registered{"shared_bottom",
                                                                    "one shared network, one tower per task"};

}  // namespace
}  // namespace gatewise
