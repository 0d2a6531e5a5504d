// The yardstick of this machine: OpenBLAS' rate on one large product, on the calling thread alone.
#pragma once

namespace gatewise::benchmarks {

// Floating-point operations per second of processor time: [512, 512] x [512, 1024], one call.
double product_rate();

}  // namespace gatewise::benchmarks
