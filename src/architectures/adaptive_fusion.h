// What AdaTT and AdaTT-sp (Li et al., KDD 2023) share: every unit, of a task or shared, mixes the experts of
// all units by a gate and adds its own experts by learned weights.
#pragma once

#include "architectures/mixture.h"

namespace gatewise {

struct FusionSizes {
  int64_t levels = 2;
  int64_t task_experts = 1;
  int64_t shared_experts = 0;
};

Heads build_fusion(const FusionSizes& sizes, const MixtureOptions& options, const MixtureParts& parts,
                   const ModelInputs& inputs);

}  // namespace gatewise
