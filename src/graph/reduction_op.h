// Reductions over the rows of a batch, and the plain sums among them.
#pragma once

#include "graph/op.h"

namespace gatewise {

// Supplies the virtual functions from templates of Derived: gather<T>(call, partial) and gradient<T>(call).
template <class Derived>
class ReductionOp : public OpBase<Derived, NoOptions, Reduction> {
 public:
  using OpBase<Derived, NoOptions, Reduction>::OpBase;

  void add(const Call<float>& call, double* partial) const override {
    this->derived().template gather<float>(call, partial);
  }
  void add(const Call<double>& call, double* partial) const override {
    this->derived().template gather<double>(call, partial);
  }

  // The reduction of a batch that is one tile.
  template <class T>
  void run(const Call<T>& call) const {
    std::vector<double> partial(this->partial_width(call.shapes)), result(call.shape->shape.elements());
    this->start(call.shapes[0], partial.data());
    this->derived().template gather<T>(call, partial.data());
    this->finish(call.shapes[0], partial.data(), call.rows, result.data());
    for (size_t i = 0; i < result.size(); ++i) call.output.data[i] = static_cast<T>(result[i]);
  }

 protected:
  void require_rows(std::span<const Signature> inputs) const {
    this->require_inputs(inputs, 1);
    this->require(inputs[0].domain == Domain::Row, "takes a value that exists once per row, got {} of the {}",
                  inputs[0].shape.text(),
                  inputs[0].domain == Domain::Static ? "batch as a whole" : "routed rows");
  }
};

// Derived has op_name and factor(rows): the result is factor times the sum over rows.
template <class Derived>
class RowSumOp : public ReductionOp<Derived> {
 public:
  using ReductionOp<Derived>::ReductionOp;

  Signature infer(std::span<const Signature> inputs) const override {
    this->require_rows(inputs);
    return {inputs[0].shape, Domain::Static, -1};
  }

  bool backward_reads_input(int) const override { return false; }
  int64_t partial_width(std::span<const Signature> inputs) const override {
    return inputs[0].shape.elements();
  }
  void start(const Signature& input, double* partial) const override {
    std::fill(partial, partial + input.shape.elements(), 0.0);
  }
  void merge(const Signature& input, double* into, const double* from) const override {
    for (int64_t i = 0; i < input.shape.elements(); ++i) into[i] += from[i];
  }
  void finish(const Signature& input, const double* partial, int64_t rows, double* result) const override {
    for (int64_t i = 0; i < input.shape.elements(); ++i) result[i] = Derived::factor(rows) * partial[i];
  }

  template <class T>
  void gather(const Call<T>& call, double* partial) const {
    const int64_t width = call.shapes[0].shape.elements();
    for (int64_t row = 0; row < call.rows; ++row) {
      const T* x = call.inputs[0].data + row * call.inputs[0].stride;
      for (int64_t i = 0; i < width; ++i) partial[i] += static_cast<double>(x[i]);
    }
  }

  template <class T>
  void gradient(const Call<T>& call) const {
    kernels::scaled_add(call.rows, call.shapes[0].shape.elements(),
                        static_cast<T>(Derived::factor(call.run->batch_rows)),
                        ConstRows<T>(call.d_output.data, 0), call.d_inputs[0], call.accumulate[0]);
  }

  std::vector<OpCase> cases() const override {
    return {{.inputs = {{Shape{5}, Domain::Row}}}, {.inputs = {{Shape{2, 3}, Domain::Row}}}};
  }
};

}  // namespace gatewise
