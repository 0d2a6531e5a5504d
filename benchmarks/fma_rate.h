// What one core can do at most: fused multiply-adds that touch only registers, at the instruction set in use.
#pragma once

namespace gatewise::kernels {

// Floating-point operations per second (two for each multiply-add), from one short run.
double fma_rate();

}  // namespace gatewise::kernels
