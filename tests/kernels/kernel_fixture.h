// Runs every kernel test at every instruction set; those that this machine lacks are skipped.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "kernels/instruction_set.h"
#include "kernels/rows.h"

namespace gatewise::kernels {

constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();
constexpr float infinity = std::numeric_limits<float>::infinity();

class KernelTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const std::vector<std::string> supported = instruction_sets();
    if (std::find(supported.begin(), supported.end(), GetParam()) == supported.end()) {
      GTEST_SKIP() << "this machine lacks " << GetParam();
    }
    use_instruction_set(GetParam());
    ASSERT_EQ(instruction_set_name(), GetParam());
  }
  void TearDown() override { use_instruction_set(""); }
};

inline std::string level_name(const testing::TestParamInfo<std::string>& level) { return level.param; }

// Rows of floats with a gap between them and an odd address. The gaps hold a mark that nobody may change, and
// nothing follows the last row: the address sanitizer sees what is read beyond it.
class Tile {
 public:
  static constexpr float mark = -77.25f;

  Tile(int64_t rows, int64_t width, int64_t gap = 3)
      : rows_(rows),
        width_(width),
        stride_(width + gap),
        values_(1 + rows * stride_ - (rows > 0 ? gap : 0), mark) {
    for (int64_t r = 0; r < rows; ++r) std::fill_n(row(r), width, 0.0f);
  }

  static Tile random(int64_t rows, int64_t width, unsigned seed, float low = -1, float high = 1,
                     int64_t gap = 3) {
    Tile tile(rows, width, gap);
    std::mt19937 engine(seed);
    std::uniform_real_distribution<float> distribution(low, high);
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t i = 0; i < width; ++i) tile.at(r, i) = distribution(engine);
    }
    return tile;
  }

  float* row(int64_t r) { return values_.data() + 1 + r * stride_; }
  const float* row(int64_t r) const { return values_.data() + 1 + r * stride_; }
  float& at(int64_t r, int64_t i) { return row(r)[i]; }
  float at(int64_t r, int64_t i) const { return row(r)[i]; }
  int64_t rows() const { return rows_; }
  int64_t width() const { return width_; }
  int64_t stride() const { return stride_; }
  Rows<float> all() { return {row(0), stride_}; }
  ConstRows<float> all() const { return {row(0), stride_}; }

  // Dense copy in double.
  std::vector<double> wide() const {
    std::vector<double> copy;
    for (int64_t r = 0; r < rows_; ++r) copy.insert(copy.end(), row(r), row(r) + width_);
    return copy;
  }

  bool gaps_are_intact() const {
    if (values_.front() != mark) return false;
    for (int64_t r = 0; r + 1 < rows_; ++r) {
      if (std::any_of(row(r) + width_, row(r) + stride_, [](float v) { return v != mark; })) return false;
    }
    return true;
  }

 private:
  int64_t rows_, width_, stride_;
  std::vector<float> values_;
};

// A dense double matrix as rows.
inline Rows<double> rows_of(std::vector<double>& values, int64_t width) { return {values.data(), width}; }
inline ConstRows<double> rows_of(const std::vector<double>& values, int64_t width) {
  return {values.data(), width};
}

inline void expect_close(const Tile& got, const std::vector<double>& expected, double tolerance) {
  ASSERT_EQ(expected.size(), static_cast<size_t>(got.rows() * got.width()));
  for (int64_t r = 0; r < got.rows(); ++r) {
    for (int64_t i = 0; i < got.width(); ++i) {
      const double want = expected[r * got.width() + i];
      ASSERT_NEAR(got.at(r, i), want, tolerance * std::max(1.0, std::abs(want)))
          << "row " << r << ", column " << i;
    }
  }
  EXPECT_TRUE(got.gaps_are_intact());
}

inline bool same_bits(const float* a, const float* b, int64_t count) {
  return std::memcmp(a, b, count * sizeof(float)) == 0;
}

}  // namespace gatewise::kernels
