#include "graph/lowering.h"

namespace gatewise {

std::string LoweringCall::aligned(size_t input) const {
  const int64_t own = shapes[input].shape.rank(),
                missing = out_leading + shape.shape.rank() - leading[input] - own;
  // Axes are added from the left, which is right where the input has no rows of its own.
  if (leading[input] == 0 && missing >= 0) return inputs[input];
  if (missing == 0) return inputs[input];
  if (missing < 0) {
    // A single number with more axes than the output.
    std::vector<int64_t> axes;
    for (int64_t axis = missing; axis < 0; ++axis) axes.push_back(leading[input] + axis - missing);
    return to.add("Squeeze", {inputs[input], to.integers(axes)});
  }
  std::vector<int64_t> axes;
  for (int64_t axis = 0; axis < missing; ++axis) axes.push_back(leading[input] + axis);
  return to.add("Unsqueeze", {inputs[input], to.integers(axes)});
}

std::string LoweringCall::sizes(const Shape& own) const {
  if (out_leading == 0) return to.integers(own.sizes);
  if (own.rank() == 0) return lead_sizes;
  return to.add("Concat", {lead_sizes, to.integers(own.sizes)}, {{"axis", 0}});
}

std::string LoweringCall::expanded(size_t input) const {
  if (leading[input] == out_leading) return inputs[input];
  std::string value = inputs[input];
  if (leading[input] > 0) {
    std::vector<int64_t> axes;
    for (int64_t axis = leading[input]; axis < out_leading; ++axis) axes.push_back(axis);
    value = to.add("Unsqueeze", {value, to.integers(axes)});
  }
  return to.add("Expand", {value, sizes(shapes[input].shape)});
}

std::string LoweringCall::of_branch(size_t input) const {
  if (branch < 0) return inputs[input];
  const std::string slice =
      to.add("Slice", {inputs[input], to.integers({branch}), to.integers({branch + 1}), to.integers({0})});
  return to.add("Squeeze", {slice, to.integers({0})});
}

std::string LoweringCall::reshaped(const std::string& value, const Shape& own) const {
  // A 0 keeps the size that is there.
  std::vector<int64_t> kept(out_leading, 0);
  kept.insert(kept.end(), own.sizes.begin(), own.sizes.end());
  return to.add("Reshape", {value, to.integers(kept)});
}

}  // namespace gatewise
