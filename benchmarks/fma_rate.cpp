#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "benchmarks/fma_rate.cpp"
// clang-format off
#include "kernels/targets.h"
#include <hwy/foreach_target.h>
// clang-format on

#include "benchmarks/fma_rate.h"

#include "benchmarks/thread_seconds.h"
#include "kernels/vector-inl.h"

HWY_BEFORE_NAMESPACE();
namespace gatewise::kernels {
namespace HWY_NAMESPACE {

// 12 independent chains cover the latency of the operation on all machines we know.
double fused_loop(int64_t rounds) {
  const Wide d;
  hn::Vec<Wide> sums[12];
  HWY_UNROLL(12)
  for (int i = 0; i < 12; ++i) sums[i] = hn::Set(d, static_cast<float>(i));  // equal chains would become one
  const auto x = hn::Set(d, static_cast<float>(rounds) * 1e-9f), y = hn::Set(d, 0.5f);
  for (int64_t k = 0; k < rounds; ++k) {
    HWY_UNROLL(12)
    for (int i = 0; i < 12; ++i) sums[i] = hn::MulAdd(x, y, sums[i]);
  }
  auto total = hn::Zero(d);
  HWY_UNROLL(12)
  for (int i = 0; i < 12; ++i) total = hn::Add(total, sums[i]);
  return static_cast<double>(hn::GetLane(total));
}

int64_t fused_lanes() { return lanes<Wide>; }

}  // namespace HWY_NAMESPACE
}  // namespace gatewise::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE

namespace gatewise::kernels {
HWY_EXPORT(fused_loop);
HWY_EXPORT(fused_lanes);

double fma_rate() {
  const int64_t rounds = 200000;
  const double start = benchmarks::thread_seconds();
  volatile double kept = GATEWISE_DISPATCH(fused_loop)(rounds);
  static_cast<void>(kept);
  const double seconds = benchmarks::thread_seconds() - start;
  return 24.0 * static_cast<double>(rounds * GATEWISE_DISPATCH(fused_lanes)()) / seconds;
}

}  // namespace gatewise::kernels
#endif
