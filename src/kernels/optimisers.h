// One pass over the parameter arena per step. Arrays of `count` elements; formulas as in PyTorch's
// optimisers.
#pragma once

#include <cstdint>

namespace gatewise::kernels {

struct SgdStep {
  double rate = 0, momentum = 0, weight_decay = 0;
  bool nesterov = false;
  bool is_first = false;  // the momentum buffer starts as the gradient
};
struct AdagradStep {
  double rate = 0, epsilon = 1e-10, weight_decay = 0;
};
struct AdamStep {
  double rate = 0, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;
  double weight_decay = 0;
  bool is_decoupled = false;  // AdamW: decay applied to the parameter, not the gradient
  int64_t step = 1;           // counted from 1, for the bias corrections
};

// gradient_scale multiplies the gradient first (clipping). T is float or double.
template <class T>
void sgd(const SgdStep& step, int64_t count, T* parameters, const T* gradients, T gradient_scale,
         T* momentum);
template <class T>
void adagrad(const AdagradStep& step, int64_t count, T* parameters, const T* gradients, T gradient_scale,
             T* sums);
// The same for rows of a table: parameters and sums of row ids[i] with gradient [count, width].
struct TableRows {
  int64_t count = 0, width = 0;
  const uint32_t* ids = nullptr;  // [count], each once
  int64_t stride = 0;             // between rows of parameters and of sums
};
template <class T>
void adagrad_rows(const AdagradStep& step, const TableRows& rows, T* parameters, const T* gradients,
                  T gradient_scale, T* sums);
template <class T>
void adam(const AdamStep& step, int64_t count, T* parameters, const T* gradients, T gradient_scale, T* first,
          T* second);

// Sum of squares in double, in a fixed order.
double squared_norm(int64_t count, const float* values);
double squared_norm(int64_t count, const double* values);

}  // namespace gatewise::kernels
