#include "graph/binary_op.h"
#include "graph/ops.h"

namespace gatewise {
namespace {

class MultiplyOp final : public BinaryOp<MultiplyOp> {
 public:
  static constexpr const char* op_name = "multiply";
  using BinaryOp::BinaryOp;

  template <class T>
  static T value(T a, T b) {
    return a * b;
  }
  template <class T>
  static T d_first(T /*a*/, T b) {
    return b;
  }
  template <class T>
  static T d_second(T a, T /*b*/) {
    return a;
  }

  std::string lower(const LoweringCall& call) const override {
    return call.to.add("Mul", {call.aligned(0), call.aligned(1)});
  }
};

const RegisterOp<MultiplyOp> multiply_registered;

}  // namespace

Var multiply(Var a, Var b) { return a.graph().apply(std::make_shared<MultiplyOp>(), {a, b}); }

}  // namespace gatewise
