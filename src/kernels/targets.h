// Included before any Highway header by every source with vector code: which targets are compiled, and the
// call that goes to the chosen one.
#pragma once

// SSSE3 alone is not worth a copy of every kernel; scalable vectors cannot be kept in arrays as the kernels
// do. Builds with sanitizers have AVX2 (or NEON) and the plain code only.
#ifdef GATEWISE_FEW_INSTRUCTION_SETS
#define HWY_DISABLED_TARGETS \
  (HWY_SSSE3 | HWY_SSE4 | HWY_AVX3 | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#else
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#endif

#include <hwy/targets.h>

namespace gatewise::kernels {

// Chooses the level at first use; throws what use_instruction_set throws.
void choose_instruction_set();

inline void ensure_instruction_set() {
  if (!hwy::GetChosenTarget().IsInitialized()) choose_instruction_set();
}

}  // namespace gatewise::kernels

// Highway's dispatch, preceded by our own choice of the level (its own would not see the environment
// variable).
#define GATEWISE_DISPATCH(function) \
  (gatewise::kernels::ensure_instruction_set(), HWY_DYNAMIC_DISPATCH(function))
