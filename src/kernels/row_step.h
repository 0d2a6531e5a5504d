// One operation on a single row with everything found beforehand: a function and its operands. A row's pass
// is a list of these; nothing is looked up, chosen or checked when it runs. Each does what the kernel of its
// name does to one row, by the same code.
#pragma once

#include <cstdint>

namespace gatewise::kernels {

struct RowStep {
  void (*run)(const RowStep& step) = nullptr;
  const float* inputs[2] = {};
  float* output = nullptr;
  float* const* outputs = nullptr;  // of a function with several
  const void* object = nullptr;     // what else the function needs
  int64_t sizes[3] = {};
};

// softmax(): sizes groups, n.
RowStep softmax_step(int64_t groups, int64_t n);
// mix(): inputs experts and weights; sizes consumers, experts, hidden.
RowStep mix_step(int64_t consumers, int64_t experts, int64_t hidden);

}  // namespace gatewise::kernels
