// One-gate mixture of experts: all tasks read the same mixture (Ma et al. 2018, the control of MMoE).
#include "architectures/mixture.h"

namespace gatewise {
namespace {

class OneGateMixture final : public Architecture {
 public:
  struct Options : MixtureOptions, BottomOptions {
    int64_t experts = 8;
    void declare(OptionSet& set) {
      set.add("experts", &experts, "number of experts").range(1, 4096).search(2, 16, true);
      BottomOptions::declare(set);
      MixtureOptions::declare(set);
    }
  };

  explicit OneGateMixture(const Options& options) : options_(options), parts_(options) {}

  Heads build(const ModelInputs& inputs) const override {
    const MixtureReads reads = read_bottom(inputs, options_, options_.gate_features);
    const std::vector<ExpertGroup> groups{{reads.experts, numbered_paths("experts", options_.experts)}};
    const std::vector<Consumer> consumers{{"gates/shared", reads.gates, {0}, {}}};
    const LevelOutput level = build_level(*parts_.expert, *parts_.gate, groups, consumers, "");
    name_level(inputs.x.graph(), level, "");
    return build_towers(*parts_.tower, level.of(0), inputs.tasks, inputs.row_task);
  }

 private:
  Options options_;
  MixtureParts parts_;
};

const Register<Architecture, OneGateMixture> omoe_registered{
    "omoe", "shared experts mixed by one gate for all tasks"};

}  // namespace
}  // namespace gatewise
