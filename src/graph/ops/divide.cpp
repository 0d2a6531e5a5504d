#include "graph/binary_op.h"
#include "graph/ops.h"

namespace gatewise {
namespace {

class DivideOp final : public BinaryOp<DivideOp> {
 public:
  static constexpr const char* op_name = "divide";
  using BinaryOp::BinaryOp;
  static constexpr double lowest_input = 0.3;

  template <class T>
  static T value(T a, T b) {
    return a / b;
  }
  template <class T>
  static T d_first(T /*a*/, T b) {
    return 1 / b;
  }
  template <class T>
  static T d_second(T a, T b) {
    return -a / (b * b);
  }

  std::string lower(const LoweringCall& call) const override {
    return call.to.add("Div", {call.aligned(0), call.aligned(1)});
  }
};

const RegisterOp<DivideOp> divide_registered;

}  // namespace

Var divide(Var a, Var b) { return a.graph().apply(std::make_shared<DivideOp>(), {a, b}); }

}  // namespace gatewise
