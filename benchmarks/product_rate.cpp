#include "benchmarks/product_rate.h"

#include <cblas.h>

#include <vector>

#include "benchmarks/thread_seconds.h"

namespace gatewise::benchmarks {

double product_rate() {
  constexpr int rows = 512, columns = 1024, depth = 512;
  static const std::vector<float> a(rows * depth, 0.5f), b(depth * columns, 0.25f);
  static std::vector<float> c(rows * columns);
  openblas_set_num_threads(1);
  const double start = thread_seconds();
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, rows, columns, depth, 1, a.data(), depth, b.data(),
              columns, 0, c.data(), columns);
  return 2.0 * rows * columns * depth / (thread_seconds() - start);
}

}  // namespace gatewise::benchmarks
