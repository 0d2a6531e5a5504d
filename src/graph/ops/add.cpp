#include "graph/binary_op.h"
#include "graph/ops.h"

namespace gatewise {
namespace {

class AddOp final : public BinaryOp<AddOp> {
 public:
  static constexpr const char* op_name = "add";
  using BinaryOp::BinaryOp;

  template <class T>
  static T value(T a, T b) {
    return a + b;
  }
  template <class T>
  static T d_first(T /*a*/, T /*b*/) {
    return T(1);
  }
  template <class T>
  static T d_second(T /*a*/, T /*b*/) {
    return T(1);
  }

  std::string lower(const LoweringCall& call) const override {
    return call.to.add("Add", {call.aligned(0), call.aligned(1)});
  }
};

const RegisterOp<AddOp> add_registered;

}  // namespace

Var add(Var a, Var b) { return a.graph().apply(std::make_shared<AddOp>(), {a, b}); }

}  // namespace gatewise
