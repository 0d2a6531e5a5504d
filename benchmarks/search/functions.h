// Functions to search, with known minima: the same as in optuna_search.py.
#pragma once

#include <array>
#include <cmath>
#include <functional>
#include <numbers>
#include <string>
#include <vector>

#include "experiment/space.h"

namespace gatewise {

struct TestFunction {
  std::string name;
  std::vector<Dimension> dimensions;
  double minimum = 0;
  std::function<double(const Point&)> value;
};

// Branin: three minima of 0.397887 in two dimensions.
inline double branin(const Point& point) {
  constexpr double pi = std::numbers::pi;
  const double x = point[0];
  const double curve = point[1] - 5.1 / (4 * pi * pi) * x * x + 5 / pi * x - 6;
  return curve * curve + 10 * (1 - 1 / (8 * pi)) * std::cos(x) + 10;
}

// Hartmann's function in six dimensions (Dixon and Szego 1978): six local minima, the least -3.32237.
inline double hartmann6(const Point& point) {
  constexpr std::array<double, 4> scale{1.0, 1.2, 3.0, 3.2};
  constexpr double width[4][6] = {{10, 3, 17, 3.5, 1.7, 8},
                                  {0.05, 10, 17, 0.1, 8, 14},
                                  {3, 3.5, 1.7, 10, 17, 8},
                                  {17, 8, 0.05, 10, 0.1, 14}};
  constexpr double peak[4][6] = {{0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886},
                                 {0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991},
                                 {0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650},
                                 {0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381}};
  double sum = 0;
  for (size_t i = 0; i < 4; ++i) {
    double distance = 0;
    for (size_t k = 0; k < 6; ++k)
      distance += width[i][k] * (point[k] - peak[i][k]) * (point[k] - peak[i][k]);
    sum -= scale[i] * std::exp(-distance);
  }
  return sum;
}

// Shaped like the tuning of a network: a learning rate whose best value depends on the optimiser and the
// width, a depth whose best value depends on the activation. The minimum is 0.
inline double tuning_like(const Point& point) {
  const double size = std::log2(point[1] / 48);
  const auto activation = static_cast<size_t>(point[4]);
  const bool is_sgd = point[5] == 1;
  const double rate = (is_sgd ? -1.7 : -3) - 0.2 * size;
  const double layers = std::array{3, 2, 4}[activation];
  const double dropout = std::clamp(0.2 + 0.08 * size, 0.0, 0.8);
  const double offset = std::array{0.0, 0.3, 0.1}[activation] + (is_sgd ? 0.15 : 0);
  return 0.5 * std::pow(std::log10(point[0]) - rate, 2) + 0.15 * size * size +
         0.12 * std::pow(point[2] - layers, 2) + 2 * std::pow(point[3] - dropout, 2) + offset;
}

inline std::vector<TestFunction> test_functions() {
  std::vector<Dimension> six;
  for (int i = 0; i < 6; ++i) six.push_back(Dimension::number("x" + std::to_string(i), 0, 1));
  return {
      {"branin", {Dimension::number("x", -5, 10), Dimension::number("y", 0, 15)}, 0.39788735772974, branin},
      {"hartmann6", six, -3.32236801141551, hartmann6},
      {"mixed",
       {Dimension::number("rate", 1e-5, 1e-1, true), Dimension::integer("units", 4, 256, true),
        Dimension::integer("layers", 1, 6), Dimension::number("dropout", 0, 0.8),
        Dimension::choice("activation", {"relu", "tanh", "gelu"}),
        Dimension::choice("optimiser", {"adam", "sgd"})},
       0,
       tuning_like}};
}

}  // namespace gatewise
