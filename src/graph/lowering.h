// How operations are written in terms of another runtime's: each names the ONNX operators that compute it.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/json.h"
#include "graph/shape.h"

namespace gatewise {

// Takes ONNX operators (opset 17) and the constants they need; values go by name.
class Lowering {
 public:
  virtual ~Lowering() = default;
  // Adds an operator and returns the names of its outputs. Attributes are whole numbers, real numbers, texts,
  // or lists of whole numbers.
  virtual std::vector<std::string> operators(const std::string& type, const std::vector<std::string>& inputs,
                                             const Json& attributes, int outputs) = 0;
  virtual std::string reals(const std::vector<double>& values, const Shape& shape) = 0;
  virtual std::string integers(const std::vector<int64_t>& values) = 0;

  // An operator of one output.
  std::string add(const std::string& type, const std::vector<std::string>& inputs,
                  const Json& attributes = Json::object()) {
    return operators(type, inputs, attributes, 1)[0];
  }
  std::string real(double value) { return reals({value}, Shape{}); }
  static constexpr int64_t real_type = 1;  // of the attribute "to" of a cast
};

// An operation to be written. Values have axes before those of their shape: none when Static, [rows] when
// Row. Routed values have [rows, branches] where every branch is computed for every row; where only chosen
// branches are, an operation is written branch by branch, and its Routed values have [rows of the branch].
struct LoweringCall {
  // What a branch computed, for the operation that joins them.
  struct Part {
    std::string rows;   // the batch rows, as whole numbers
    std::string value;  // [rows of the branch, ..]
  };

  Lowering& to;
  std::vector<std::string> inputs;
  std::vector<Signature> shapes;  // of the inputs
  Signature shape;                // of the output
  std::vector<int64_t> leading;   // by input: how many axes stand before the shape
  int64_t out_leading = 0;
  std::string lead_sizes = {};   // the sizes of the output's leading axes: [out_leading] whole numbers
  int64_t branch = -1;           // the one branch, or -1: all of them
  std::string rows = {};         // batch rows of the branch's rows, as whole numbers
  std::vector<Part> parts = {};  // by branch, where they were computed one by one
  std::string bag_weights =
      {};  // of a look-up whose ids are bags: [rows, longest bag], 0 behind the end of one

  // The axis of the written value that is `axis` of the input's shape; negative counts from the end.
  int64_t axis_of(size_t input, int64_t axis) const {
    return leading[input] + (axis < 0 ? axis + shapes[input].shape.rank() : axis);
  }
  // The input with as many axes as the output has, ready to be broadcast against it.
  std::string aligned(size_t input) const;
  // The input with the leading sizes of the output.
  std::string expanded(size_t input) const;
  // The slice of the branch of a Static input [branches, ..]; the input itself where all branches are
  // computed.
  std::string of_branch(size_t input) const;
  // With other axes behind the leading ones.
  std::string reshaped(const std::string& value, const Shape& own) const;
  // Leading sizes followed by these.
  std::string sizes(const Shape& own) const;
};

}  // namespace gatewise
