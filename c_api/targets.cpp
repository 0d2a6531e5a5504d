// The part of Highway that its headers leave to its shared library: which targets the processor has, and
// which one was chosen. Compiled into ours, which depends on no other library, and seen by none
// (exports.map).
#include "kernels/targets.h"

#include <atomic>

namespace hwy {
namespace {

std::atomic<int64_t> forced{0};

int64_t detected() {
  int64_t targets = HWY_BASELINE_SCALAR;
#if HWY_ARCH_X86
  const bool sse4 = __builtin_cpu_supports("ssse3") && __builtin_cpu_supports("sse4.2") &&
                    __builtin_cpu_supports("aes") && __builtin_cpu_supports("pclmul");
  const bool avx2 = sse4 && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                    __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
  if (sse4) targets |= HWY_SSE4;
  if (avx2) targets |= HWY_AVX2;
  if (avx512) targets |= HWY_AVX3;
#elif HWY_ARCH_ARM
  targets |= HWY_NEON;
#endif
  return targets;
}

}  // namespace

ChosenTarget& GetChosenTarget() {
  static ChosenTarget chosen;
  return chosen;
}

int64_t SupportedTargets() {
  static const int64_t targets = detected();
  const int64_t only = forced.load();
  return only == 0 ? targets : only;
}

void SetSupportedTargetsForTest(int64_t targets) { forced.store(targets); }

}  // namespace hwy
