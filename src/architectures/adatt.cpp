// Adaptive task-to-task fusion (Li et al., KDD 2023) with a shared unit.
#include "architectures/adaptive_fusion.h"

namespace gatewise {
namespace {

class AdaptiveFusion final : public Architecture {
 public:
  struct Options : MixtureOptions {
    FusionSizes sizes{2, 2, 1};
    void declare(OptionSet& set) {
      set.add("levels", &sizes.levels, "levels of experts").range(1, 16);
      set.add("task_experts", &sizes.task_experts, "experts of each task in every level")
          .range(1, 4096)
          .search(1, 8, true);
      set.add("shared_experts", &sizes.shared_experts, "experts of the shared unit in every level")
          .range(1, 4096)
          .search(1, 8, true);
      MixtureOptions::declare(set);
    }
  };

  explicit AdaptiveFusion(const Options& options) : options_(options), parts_(options) {}

  Heads build(const ModelInputs& inputs) const override {
    return build_fusion(options_.sizes, options_, parts_, inputs);
  }

 private:
  Options options_;
  MixtureParts parts_;
};

const Register<Architecture, AdaptiveFusion> adatt_registered{
    "adatt", "each task mixes all tasks' and shared experts and adds its own (Li et al. 2023)"};

}  // namespace
}  // namespace gatewise
