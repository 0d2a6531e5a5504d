#include "table/directions.h"

#include <cmath>

namespace gatewise {

// Gram-Schmidt on normal draws, passed twice against rounding.
std::vector<std::vector<double>> orthonormal(const RandomStream& stream, int64_t count, int64_t dimension,
                                             uint64_t first_row) {
  std::vector<std::vector<double>> vectors;
  for (int64_t v = 0; v < count; ++v) {
    std::vector<double> u(static_cast<size_t>(dimension));
    for (int64_t i = 0; i < dimension; ++i)
      u[i] = stream.normal(0, first_row + static_cast<uint64_t>(v), static_cast<uint32_t>(i));
    for (int pass = 0; pass < 2; ++pass) {
      for (const std::vector<double>& before : vectors) {
        double overlap = 0;
        for (int64_t i = 0; i < dimension; ++i) overlap += u[i] * before[i];
        for (int64_t i = 0; i < dimension; ++i) u[i] -= overlap * before[i];
      }
      double square = 0;
      for (const double element : u) square += element * element;
      for (double& element : u) element /= std::sqrt(square);
    }
    vectors.push_back(std::move(u));
  }
  return vectors;
}

}  // namespace gatewise
