// The meaning of the optimisers' steps, as plain loops over a scalar type.
#pragma once

#include <cmath>

#include "kernels/optimisers.h"

namespace gatewise::kernels::reference {

template <class T>
void sgd(const SgdStep& s, int64_t count, T* parameters, const T* gradients, T gradient_scale, T* momentum) {
  const T rate = static_cast<T>(s.rate), factor = static_cast<T>(s.momentum),
          decay = static_cast<T>(s.weight_decay);
  for (int64_t i = 0; i < count; ++i) {
    T change = gradients[i] * gradient_scale + decay * parameters[i];
    if (factor != 0) {
      momentum[i] = s.is_first ? change : factor * momentum[i] + change;
      change = s.nesterov ? change + factor * momentum[i] : momentum[i];
    }
    parameters[i] -= rate * change;
  }
}

template <class T>
void adagrad(const AdagradStep& s, int64_t count, T* parameters, const T* gradients, T gradient_scale,
             T* sums) {
  const T rate = static_cast<T>(s.rate), epsilon = static_cast<T>(s.epsilon),
          decay = static_cast<T>(s.weight_decay);
  for (int64_t i = 0; i < count; ++i) {
    const T gradient = gradients[i] * gradient_scale + decay * parameters[i];
    sums[i] += gradient * gradient;
    parameters[i] -= rate * gradient / (std::sqrt(sums[i]) + epsilon);
  }
}

// Adam's coefficients for one step, worked out in double.
template <class T>
struct AdamCoefficients {
  T beta1, rest1, beta2, rest2, size, root, epsilon, decay, keep;

  explicit AdamCoefficients(const AdamStep& s)
      : beta1(static_cast<T>(s.beta1)),
        rest1(static_cast<T>(1 - s.beta1)),
        beta2(static_cast<T>(s.beta2)),
        rest2(static_cast<T>(1 - s.beta2)),
        size(static_cast<T>(s.rate / (1 - std::pow(s.beta1, static_cast<double>(s.step))))),
        root(static_cast<T>(1 / std::sqrt(1 - std::pow(s.beta2, static_cast<double>(s.step))))),
        epsilon(static_cast<T>(s.epsilon)),
        decay(s.is_decoupled ? T(0) : static_cast<T>(s.weight_decay)),
        keep(s.is_decoupled ? static_cast<T>(1 - s.rate * s.weight_decay) : T(1)) {}
};

template <class T>
void adam(const AdamStep& s, int64_t count, T* parameters, const T* gradients, T gradient_scale, T* first,
          T* second) {
  const AdamCoefficients<T> k(s);
  for (int64_t i = 0; i < count; ++i) {
    const T gradient = gradients[i] * gradient_scale + k.decay * parameters[i];
    first[i] = k.beta1 * first[i] + k.rest1 * gradient;
    second[i] = k.beta2 * second[i] + k.rest2 * gradient * gradient;
    parameters[i] = k.keep * parameters[i] - k.size * first[i] / (std::sqrt(second[i]) * k.root + k.epsilon);
  }
}

}  // namespace gatewise::kernels::reference
