// The one door to NLopt (Johnson, "The NLopt nonlinear-optimization package").
#pragma once

#include <functional>
#include <span>
#include <vector>

namespace gatewise {

// The value at `x`; writes the gradient, which has the length of `x`.
using SmoothFunction = std::function<double(std::span<const double> x, std::span<double> gradient)>;

// Moves `x` to a local minimum inside the bounds, by sequential quadratic programming (Kraft 1994), and
// returns the value there; never a worse one than at the start. Values that are not finite count as steps too
// far. Deterministic. What `function` throws is thrown on.
double minimise(const SmoothFunction& function, std::vector<double>& x, const std::vector<double>& lower,
                const std::vector<double>& upper, int evaluations);

}  // namespace gatewise
