#include "graph/ops.h"

namespace gatewise {
namespace {

struct RouteOptions {
  double capacity_factor = 0;
  void declare(OptionSet& set) {
    set.add("capacity_factor", &capacity_factor,
            "in training a branch takes at most this times its even share of all pairs; 0: no limit")
        .range(0);
  }
};

// The engine builds the Route itself once the phase that gives `chosen` has ended; nothing runs here.
class RouteOp final : public OpBase<RouteOp, RouteOptions> {
 public:
  static constexpr const char* op_name = "route";
  using OpBase::OpBase;

  Signature infer(std::span<const Signature> inputs) const override {
    require_inputs(inputs, 1);
    require(inputs[0].domain != Domain::Routed && inputs[0].shape.rank() == 1,
            "takes one entry per branch, got {}", inputs[0].shape.text());
    return {inputs[0].shape, Domain::Static, -1};
  }

  bool reads_whole_batch(int) const override { return true; }
  bool has_gradient(int) const override { return false; }

  template <class T>
  void run(const Call<T>&) const {}
  template <class T>
  void gradient(const Call<T>&) const {}
};

const RegisterOp<RouteOp> route_registered;

}  // namespace

Var route(Var chosen, double capacity_factor) {
  return chosen.graph().apply(std::make_shared<RouteOp>(RouteOptions{capacity_factor}), {chosen});
}

}  // namespace gatewise
