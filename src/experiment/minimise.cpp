#include "experiment/minimise.h"

#include <nlopt.h>

#include <exception>

#include "base/error.h"

namespace gatewise {
namespace {

constexpr double too_far = 1e30;

struct Search {
  const SmoothFunction& function;
  nlopt_opt optimiser;
  std::vector<double> gradient, best_x;
  double best = std::numeric_limits<double>::infinity();
  std::exception_ptr failure;
};

// No exception may cross the library, which is C.
double evaluate_point(unsigned size, const double* x, double* gradient, void* data) {
  Search& search = *static_cast<Search*>(data);
  try {
    const double value = search.function({x, size}, search.gradient);
    bool is_finite = std::isfinite(value);
    for (const double part : search.gradient) is_finite = is_finite && std::isfinite(part);
    if (gradient != nullptr) {
      for (unsigned i = 0; i < size; ++i) gradient[i] = is_finite ? search.gradient[i] : 0;
    }
    if (!is_finite) return too_far;
    if (value < search.best) {
      search.best = value;
      search.best_x.assign(x, x + size);
    }
    return value;
  } catch (...) {
    search.failure = std::current_exception();
    nlopt_force_stop(search.optimiser);
    return too_far;
  }
}

}  // namespace

double minimise(const SmoothFunction& function, std::vector<double>& x, const std::vector<double>& lower,
                const std::vector<double>& upper, int evaluations) {
  const auto size = static_cast<unsigned>(x.size());
  const std::unique_ptr<nlopt_opt_s, void (*)(nlopt_opt)> optimiser(nlopt_create(NLOPT_LD_SLSQP, size),
                                                                    nlopt_destroy);
  if (optimiser == nullptr) throw std::bad_alloc();
  Search search{.function = function,
                .optimiser = optimiser.get(),
                .gradient = std::vector<double>(size),
                .best_x = x,
                .failure = {}};
  nlopt_set_lower_bounds(optimiser.get(), lower.data());
  nlopt_set_upper_bounds(optimiser.get(), upper.data());
  nlopt_set_min_objective(optimiser.get(), evaluate_point, &search);
  nlopt_set_maxeval(optimiser.get(), evaluations);
  nlopt_set_ftol_rel(optimiser.get(), 1e-9);
  nlopt_set_xtol_rel(optimiser.get(), 1e-7);
  for (unsigned i = 0; i < size; ++i) x[i] = std::clamp(x[i], lower[i], upper[i]);
  double last = 0;
  // Its verdict is of no use here: rounding at the end of a search is reported as a failure, and the best
  // point is kept anyway.
  nlopt_optimize(optimiser.get(), x.data(), &last);
  if (search.failure) std::rethrow_exception(search.failure);
  if (std::isfinite(search.best)) x = search.best_x;
  return search.best;
}

}  // namespace gatewise
