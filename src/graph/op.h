// What an operation is: a shape rule, a forward pass and a gradient over a tile of rows, and its own test
// cases.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/options.h"
#include "base/random.h"
#include "base/registry.h"
#include "graph/lowering.h"
#include "graph/shape.h"
#include "kernels/matmul.h"
#include "kernels/row_step.h"
#include "kernels/rows.h"

namespace gatewise {

using kernels::ConstRows;
using kernels::Rows;

// What a whole run has in common.
struct Run {
  uint64_t seed = 0;
  uint64_t step = 0;
  bool is_training = false;
  int64_t batch_rows = 0;
};

// Ids of one input for the rows of a batch. Without offsets there is one id a row; otherwise row r has the
// ids [offsets[r], offsets[r + 1]). Weights belong to ids and may be null. Each id is a row of its embedding
// table.
struct Ids {
  const uint32_t* ids = nullptr;
  int64_t stride = 1;  // between the ids of neighbouring rows, without offsets
  const int64_t* offsets = nullptr;
  const float* weights = nullptr;
};

// (row, branch) pairs of a batch, sorted by branch and then by row.
struct Route {
  int64_t branches = 0;
  std::vector<int64_t> first;          // [branches + 1] into `rows`
  std::vector<int32_t> rows;           // [routed rows] batch row of each routed row
  std::vector<int64_t> row_first;      // [batch rows + 1] into `row_positions`
  std::vector<int32_t> row_branch;     // branch of each pair, by batch row
  std::vector<int32_t> row_positions;  // routed row of each pair, by batch row
  std::vector<uint8_t> taken;          // [batch rows, branches] while a capacity is shared out by turns
};

// One execution of an operation over a tile. Static operands are one row with stride 0, or, where the
// operation says reads_matrix(), a matrix with that row stride. In the backward pass a target without data is
// not wanted; targets of Static operands are added to, but for the first tile of a branch whose operation
// says owns_branch().
template <class T>
struct Call {
  int64_t rows = 0;
  int64_t first_row = 0;  // of the tile in the batch (Routed: in the route)
  const Run* run = nullptr;
  std::span<const Signature> shapes;  // of the inputs
  const Signature* shape = nullptr;   // of the output
  uint64_t stream = 0;                // identity of the node for random numbers

  std::span<const ConstRows<T>> inputs;
  Rows<T> output;
  Rows<T> auxiliary;  // Op::auxiliary_width() values a row, kept from forward to backward

  Rows<T> d_output;  // may be overwritten by the operation's own backward
  std::span<const Rows<T>> d_inputs;
  std::span<const bool> accumulate;
  // By input: its gradient has to be 0 where the input is not positive (Op::can_mask). Empty: none.
  std::span<const bool> masks;
  bool is_d_output_masked = false;  // the reader of the output has done what Op::masks_gradient says

  bool masks_input(size_t input) const { return !masks.empty() && masks[input]; }

  // The matrix operand in panels, one per group, where the engine has prepared them; otherwise empty.
  std::span<const kernels::Packed<T>> packed;
  std::span<const kernels::Packed<T>> packed_transposed;

  const Ids* ids = nullptr;      // look-ups: the ids of the tile's rows
  const Route* route = nullptr;  // routed operations
  int64_t branch = 0;            // Routed tiles belong to one branch
};

// Each of `blocks` blocks of a row times the matrix of its index modulo their number, plus a bias if there is
// a third input; then perhaps a ReLU.
struct BlockProduct {
  int64_t blocks = 0;
  bool has_relu = false;
};

// A case of an operation for its contract tests: values, gradients in double, every instruction set.
struct OpCase {
  Json options = Json::object();
  std::vector<Signature> inputs;
  double low = -1, high = 1;          // range of random inputs
  double keep_from_zero = 0;          // smallest magnitude, for kinks
  std::vector<int> no_gradient = {};  // inputs that have none by definition
};

class Op {
 public:
  virtual ~Op() = default;
  virtual std::string name() const = 0;
  virtual Json attributes() const = 0;

  // The output's signature; throws Error(Command) naming the operation when the inputs do not fit.
  virtual Signature infer(std::span<const Signature> inputs) const = 0;

  virtual void forward(const Call<float>& call) const = 0;
  virtual void forward(const Call<double>& call) const = 0;
  virtual void backward(const Call<float>& call) const = 0;
  virtual void backward(const Call<double>& call) const = 0;

  // Which values the gradient reads.
  virtual bool backward_reads_input(int) const { return true; }
  virtual bool backward_reads_output() const { return false; }
  virtual bool has_gradient(int /*input*/) const { return true; }
  // A fused ReLU: the gradient of the output counts only where the output is positive. The one reader of the
  // output may see to that while it writes the gradient, which saves a walk over it.
  virtual bool masks_gradient() const { return false; }
  virtual bool can_mask(int /*input*/) const { return false; }
  // Whether the input is read at all in this mode (batch norm reads batch moments in training only).
  virtual bool uses_input(int /*input*/, bool /*is_training*/) const { return true; }
  virtual int64_t auxiliary_width(std::span<const Signature> /*inputs*/) const { return 0; }
  // Whether the Static input is a matrix [.., in, out] whose rows may be padded; the engine then prepares
  // panels.
  virtual bool reads_matrix(int /*input*/) const { return false; }
  // That matrix consists of so many blocks side by side, which are used, and prepared, one by one.
  virtual int64_t column_blocks() const { return 1; }
  // What the operation is, if it is such a product of input 0 [.., in] with input 1 [in, out] or [matrices,
  // in, out]: scoring then has forms of its own for it.
  virtual std::optional<BlockProduct> block_product(std::span<const Signature> /*inputs*/) const {
    return {};
  }
  // The operation on a single row, if there is a step for it: sets all but operands and output, of which the
  // step has the first two as they come.
  virtual std::optional<kernels::RowStep> row_step(std::span<const Signature> /*inputs*/) const { return {}; }
  // Whether a tile of routed rows adds only to its own branch of this Static input's gradient: branches
  // belong to one worker each, so no lane is needed.
  virtual bool owns_branch(int /*input*/) const { return false; }
  // The input of ids by which rows name slices of the inputs that `defers` holds for; -1: none. The gradients
  // of those, where they are parameters, are not taken tile by tile but slice by slice once the whole batch
  // has passed: slices belong to one worker each, so no lane is needed, and slices that no row names cost
  // nothing.
  virtual int ids_of_slices() const { return -1; }
  virtual bool defers(int /*input*/) const { return false; }
  // Adds those gradients for the batch rows that name the slice, in ascending order. The operands are the
  // whole batch; only what `defers` has targets.
  virtual void slice_backward(const Call<float>&, int64_t, std::span<const int64_t>) const {}
  virtual void slice_backward(const Call<double>&, int64_t, std::span<const int64_t>) const {}
  // An operand that the operation reads for the whole batch instead of one tile (gather, combine).
  virtual bool reads_whole_batch(int /*input*/) const { return false; }
  // Views share their first input's memory at a column offset instead of running.
  virtual bool is_view() const { return false; }
  virtual int64_t view_offset(std::span<const Signature> /*inputs*/) const { return 0; }
  virtual std::vector<OpCase> cases() const { return {}; }

  // The operation as scoring needs it, in ONNX operators; the name of its value. Throws Error(Internal) for
  // operations that only training runs.
  virtual std::string lower(const LoweringCall& call) const;
};

// Row values to a Static value. Partial results of tiles are merged in tile order.
class Reduction : public Op {
 public:
  // Doubles of one partial result.
  virtual int64_t partial_width(std::span<const Signature> inputs) const = 0;
  virtual void start(const Signature& input, double* partial) const = 0;
  virtual void add(const Call<float>& call, double* partial) const = 0;
  virtual void add(const Call<double>& call, double* partial) const = 0;
  virtual void merge(const Signature& input, double* into, const double* from) const = 0;
  // Writes the result, row-major in the output's shape.
  virtual void finish(const Signature& input, const double* partial, int64_t rows, double* result) const = 0;
};

using OpFactory = std::function<std::shared_ptr<const Op>(const Json& attributes)>;

// All operations by name.
class OpRegistry {
 public:
  static OpRegistry& instance();
  void add(const std::string& name, OpFactory factory);
  std::shared_ptr<const Op> make(const std::string& name, const Json& attributes) const;
  std::vector<std::string> names() const;

 private:
  std::map<std::string, OpFactory> factories_;
};

struct NoOptions {
  void declare(OptionSet&) {}
};

// Supplies the virtual functions from templates of Derived: forward<T>(call) and backward<T>(call).
template <class Derived, class OptionsType = NoOptions, class Base = Op>
class OpBase : public Base {
 public:
  using Options = OptionsType;
  explicit OpBase(Options options = {}) : options_(std::move(options)) {}

  std::string name() const override { return Derived::op_name; }
  Json attributes() const override { return write_options(options_); }
  void forward(const Call<float>& call) const override { derived().template run<float>(call); }
  void forward(const Call<double>& call) const override { derived().template run<double>(call); }
  void backward(const Call<float>& call) const override { derived().template gradient<float>(call); }
  void backward(const Call<double>& call) const override { derived().template gradient<double>(call); }

 protected:
  const Derived& derived() const { return static_cast<const Derived&>(*this); }
  // Refuses inputs that do not fit: "softmax: ...".
  template <class... Args>
  void require(bool condition, fmt::format_string<Args...> format, Args&&... args) const {
    if (!condition) command_error("{}: {}", name(), fmt::format(format, std::forward<Args>(args)...));
  }
  void require_inputs(std::span<const Signature> inputs, size_t count) const {
    require(inputs.size() == count, "takes {} inputs, got {}", count, inputs.size());
  }

  Options options_;
};

template <class Derived>
struct RegisterOp {
  RegisterOp() {
    OpRegistry::instance().add(Derived::op_name, [](const Json& attributes) -> std::shared_ptr<const Op> {
      return std::make_shared<Derived>(read_options<typename Derived::Options>(attributes, Derived::op_name));
    });
  }
};

// The domain that results from combining inputs: Routed beats Row beats Static. Throws on two different
// routes.
Signature joined(const std::string& op, std::span<const Signature> inputs);

}  // namespace gatewise
