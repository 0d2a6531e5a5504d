#include "kernels/sampling.h"

#include <cstring>
#include <numbers>

#include "base/random.h"

namespace gatewise::kernels {
namespace {

// Box-Muller in double from the words of one counter, the quarter turns spelled out.
std::array<double, 4> block_of_normals(std::array<uint32_t, 2> key, uint64_t high, uint64_t block) {
  const std::array<uint32_t, 4> words =
      philox({static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32), static_cast<uint32_t>(high),
              static_cast<uint32_t>(high >> 32)},
             key);
  std::array<double, 4> normals;
  for (int pair = 0; pair < 2; ++pair) {
    const double uniform = ((words[2 * pair] >> 1) + 0.5) * 0x1p-31;
    const uint32_t angle_word = words[2 * pair + 1];
    const double within = static_cast<int32_t>(angle_word << 2) * 0x1p-32;
    const double angle = std::numbers::pi / 2 * ((angle_word >> 30) + within);
    const double radius = std::sqrt(-2 * std::log(uniform));
    normals[2 * pair] = radius * std::cos(angle);
    normals[2 * pair + 1] = radius * std::sin(angle);
  }
  return normals;
}

TEST(StandardNormals, FollowTheDefinitionForEveryBlockAndCount) {
  const std::array<uint32_t, 2> key{0x12345678, 0x9abcdef0};
  for (const uint64_t first : {uint64_t{0}, uint64_t{0xFFFFFFFD}, uint64_t{0x123456789ABCDE}}) {
    for (int64_t blocks = 0; blocks < 40; ++blocks) {
      std::vector<float> out(static_cast<size_t>(4 * blocks + 1), -7.0f);
      standard_normals(key, 0xFEDCBA9876543210u, first, blocks, out.data());
      for (int64_t i = 0; i < 4 * blocks; ++i) {
        EXPECT_NEAR(out[i], block_of_normals(key, 0xFEDCBA9876543210u, first + i / 4)[i % 4], 2e-5);
      }
      EXPECT_EQ(out.back(), -7.0f);
    }
  }
}

TEST(StandardNormals, AreTheSameBitsWhateverIsAskedForBeside) {
  std::vector<float> all(4 * 100), part(4 * 100);
  standard_normals({1, 2}, 3, 50, 100, all.data());
  for (int64_t begin = 0; begin < 100; begin += 3) {
    const int64_t blocks = std::min<int64_t>(1 + begin % 13, 100 - begin);
    standard_normals({1, 2}, 3, 50 + begin, blocks, part.data());
    EXPECT_EQ(std::memcmp(part.data(), all.data() + 4 * begin, 16 * blocks), 0) << begin;
  }
}

TEST(StandardNormals, HaveNormalMomentsTailsAndNoCorrelation) {
  constexpr int64_t count = 4000000;
  std::vector<float> z(count);
  standard_normals({5, 6}, 0, 0, count / 4, z.data());
  double moments[5] = {}, neighbours[5] = {}, beyond3 = 0, largest = 0;
  for (int64_t i = 0; i < count; ++i) {
    double power = 1;
    for (double& moment : moments) {
      moment += power / count;
      power *= z[i];
    }
    for (int64_t lag = 1; lag < 5 && i >= lag; ++lag) neighbours[lag] += double{z[i]} * z[i - lag] / count;
    beyond3 += std::abs(z[i]) > 3 ? 1.0 / count : 0.0;
    largest = std::max(largest, std::abs(double{z[i]}));
  }
  const double error = 4 / std::sqrt(double{count});
  EXPECT_NEAR(moments[1], 0, error);
  EXPECT_NEAR(moments[2], 1, error * std::sqrt(2.0));
  EXPECT_NEAR(moments[3], 0, error * std::sqrt(15.0));
  EXPECT_NEAR(moments[4], 3, error * std::sqrt(96.0));
  for (int64_t lag = 1; lag < 5; ++lag) EXPECT_NEAR(neighbours[lag], 0, error) << lag;
  EXPECT_NEAR(beyond3, 0.0026998, error * std::sqrt(0.0027));
  EXPECT_GT(largest, 4.5);
  EXPECT_LT(largest, 6.7);
}

TEST(RowScores, AreDotProductsOfEveryWidth) {
  for (const int64_t width : {1, 3, 8, 15, 16, 17, 100, 131}) {
    std::vector<float> x(static_cast<size_t>(5 * width + 4)), vectors(static_cast<size_t>(3 * width + 4)),
        scores(15);
    standard_normals({1, 1}, 0, 0, static_cast<int64_t>(x.size()) / 4, x.data());
    standard_normals({2, 1}, 0, 0, static_cast<int64_t>(vectors.size()) / 4, vectors.data());
    row_scores(5, width, 3, x.data(), vectors.data(), scores.data());
    for (int64_t row = 0; row < 5; ++row) {
      for (int64_t v = 0; v < 3; ++v) {
        double expected = 0;
        for (int64_t i = 0; i < width; ++i) expected += double{x[row * width + i]} * vectors[v * width + i];
        EXPECT_NEAR(scores[row * 3 + v], expected, 1e-4);
      }
    }
  }
}

TEST(AddSines, AddEachSineOnceForEveryCount) {
  const std::vector<float> rate{6, 11, -20, 0}, phase{0, 1, 80, 2};
  for (int64_t count = 0; count < 20; ++count) {
    std::vector<float> z(static_cast<size_t>(count)), y(static_cast<size_t>(count + 1), -7.0f);
    for (int64_t i = 0; i < count; ++i) z[i] = static_cast<float>(i) * 0.37f - 3;
    add_sines(count, 4, rate.data(), phase.data(), z.data(), y.data());
    for (int64_t i = 0; i < count; ++i) {
      double expected = z[i];
      for (size_t j = 0; j < 4; ++j) expected += std::sin(double{rate[j]} * z[i] + phase[j]);
      EXPECT_NEAR(y[i], expected, 3e-5);
    }
    EXPECT_EQ(y.back(), -7.0f);
  }
}

}  // namespace
}  // namespace gatewise::kernels
