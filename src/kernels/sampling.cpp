#include "kernels/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/sampling.cpp"
#include <hwy/foreach_target.h>
// The line above must come before Highway's other headers.
#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include <algorithm>

#include "base/random.h"
#include "kernels/sampling.h"

HWY_BEFORE_NAMESPACE();
namespace gatewise::kernels {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using Floats = hn::ScalableTag<float>;
using Ints = hn::RebindToSigned<Floats>;
using Words = hn::RebindToUnsigned<Floats>;

// Box-Muller: words of radius and angle to two normals.
HWY_INLINE void box_muller(hn::Vec<Words> radius_word, hn::Vec<Words> angle_word, hn::Vec<Floats>& cosine,
                           hn::Vec<Floats>& sine) {
  const Floats floats;
  const Ints ints;
  // 31 bits and a half give a number above 0; the largest rounds to 1, whose radius is 0.
  const auto uniform =
      hn::Mul(hn::Add(hn::ConvertTo(floats, hn::BitCast(ints, hn::ShiftRight<1>(radius_word))),
                      hn::Set(floats, 0.5f)),
              hn::Set(floats, 0x1p-31f));
  const auto radius =
      hn::Sqrt(hn::Max(hn::Mul(hn::Set(floats, -2.0f), hn::Log(floats, uniform)), hn::Zero(floats)));
  // The upper two bits choose the quadrant, the rest an angle within a quarter turn about its middle, where
  // short Taylor series are exact to float.
  const auto quarter = hn::BitCast(ints, hn::ShiftLeft<2>(angle_word));
  const auto angle = hn::Mul(hn::ConvertTo(floats, quarter), hn::Set(floats, 0x1.921fb6p-32f));
  const auto square = hn::Mul(angle, angle);
  auto s = hn::MulAdd(square, hn::Set(floats, 1.0f / 362880), hn::Set(floats, -1.0f / 5040));
  s = hn::MulAdd(square, s, hn::Set(floats, 1.0f / 120));
  s = hn::MulAdd(square, s, hn::Set(floats, -1.0f / 6));
  s = hn::MulAdd(hn::Mul(square, angle), s, angle);
  auto c = hn::MulAdd(square, hn::Set(floats, 1.0f / 40320), hn::Set(floats, -1.0f / 720));
  c = hn::MulAdd(square, c, hn::Set(floats, 1.0f / 24));
  c = hn::MulAdd(square, c, hn::Set(floats, -0.5f));
  c = hn::MulAdd(square, c, hn::Set(floats, 1.0f));
  // Quarter turns: (cos, sin) -> (-sin, cos) -> (-cos, -sin) -> (sin, -cos). Bit 30 exchanges; the signs are
  // bit 31 for the sine and bit 31 xor bit 30 for the cosine.
  const auto high_bit = hn::Set(Words(), 0x80000000u);
  const auto exchange = hn::MaskFromVec(
      hn::BitCast(floats, hn::BroadcastSignBit(hn::BitCast(ints, hn::ShiftLeft<1>(angle_word)))));
  const auto sine_sign = hn::And(angle_word, high_bit);
  const auto cosine_sign = hn::And(hn::Xor(angle_word, hn::ShiftLeft<1>(angle_word)), high_bit);
  cosine = hn::Mul(radius, hn::Xor(hn::IfThenElse(exchange, s, c), hn::BitCast(floats, cosine_sign)));
  sine = hn::Mul(radius, hn::Xor(hn::IfThenElse(exchange, c, s), hn::BitCast(floats, sine_sign)));
}

#if HWY_TARGET == HWY_SCALAR
// One counter: writes four normals.
void normals_of_counters(uint32_t key0, uint32_t key1, uint64_t counter_high, uint64_t block, float* out) {
  const std::array<uint32_t, 4> words =
      philox({static_cast<uint32_t>(block), static_cast<uint32_t>(block >> 32),
              static_cast<uint32_t>(counter_high), static_cast<uint32_t>(counter_high >> 32)},
             {key0, key1});
  for (int pair = 0; pair < 2; ++pair) {
    hn::Vec<Floats> cosine, sine;
    box_muller(hn::Set(Words(), words[2 * pair]), hn::Set(Words(), words[2 * pair + 1]), cosine, sine);
    out[2 * pair] = hn::GetLane(cosine);
    out[2 * pair + 1] = hn::GetLane(sine);
  }
}
#else
using Wide = hn::Repartition<uint64_t, Floats>;
using WideVec = hn::Vec<Wide>;

// The four words of as many Philox states as there are 64-bit lanes; only the low halves have a meaning, so
// that no shuffles are needed.
HWY_INLINE void philox_round(WideVec key0, WideVec key1, WideVec& a, WideVec& b, WideVec& c, WideVec& d) {
  const Wide wide;
  const WideVec first =
      hn::MulEven(hn::BitCast(Words(), a), hn::BitCast(Words(), hn::Set(wide, 0xD2511F53u)));
  const WideVec second =
      hn::MulEven(hn::BitCast(Words(), c), hn::BitCast(Words(), hn::Set(wide, 0xCD9E8D57u)));
  a = hn::Xor(hn::Xor(hn::ShiftRight<32>(second), b), key0);
  c = hn::Xor(hn::Xor(hn::ShiftRight<32>(first), d), key1);
  b = second;
  d = first;
}

// Even 32-bit lanes from `even`, odd ones from the low halves of `odd`.
HWY_INLINE hn::Vec<Words> interleave(WideVec even, WideVec odd) {
  const Words words;
  return hn::OddEven(hn::BitCast(words, hn::ShiftLeft<32>(odd)), hn::BitCast(words, even));
}

// Counters first_block + 0, 1, ... in the lanes; writes 4 * Lanes(Floats()) normals.
HWY_INLINE void normals_of_counters(uint32_t key0, uint32_t key1, uint64_t counter_high, uint64_t first_block,
                                    float* HWY_RESTRICT out) {
  const Wide wide;
  const Floats floats;
  WideVec even_a = hn::Add(hn::Set(wide, first_block), hn::ShiftLeft<1>(hn::Iota(wide, 0)));
  WideVec odd_a = hn::Add(even_a, hn::Set(wide, uint64_t{1}));
  WideVec even_b = hn::ShiftRight<32>(even_a), odd_b = hn::ShiftRight<32>(odd_a);
  WideVec even_c = hn::Set(wide, counter_high & 0xFFFFFFFFu), odd_c = even_c;
  WideVec even_d = hn::Set(wide, counter_high >> 32), odd_d = even_d;
  WideVec round_key0 = hn::Set(wide, key0), round_key1 = hn::Set(wide, key1);
  for (int round = 0; round < 10; ++round) {
    philox_round(round_key0, round_key1, even_a, even_b, even_c, even_d);
    philox_round(round_key0, round_key1, odd_a, odd_b, odd_c, odd_d);
    round_key0 = hn::Add(round_key0, hn::Set(wide, 0x9E3779B9u));
    round_key1 = hn::Add(round_key1, hn::Set(wide, 0xBB67AE85u));
  }
  hn::Vec<Floats> z0, z1, z2, z3;
  box_muller(interleave(even_a, odd_a), interleave(even_b, odd_b), z0, z1);
  box_muller(interleave(even_c, odd_c), interleave(even_d, odd_d), z2, z3);
  hn::StoreInterleaved4(z0, z1, z2, z3, floats, out);
}
#endif

void normals(uint32_t key0, uint32_t key1, uint64_t counter_high, uint64_t first_block, int64_t blocks,
             float* out) {
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(Floats()));
  int64_t block = 0;
  for (; block + lanes <= blocks; block += lanes) {
    normals_of_counters(key0, key1, counter_high, first_block + block, out + 4 * block);
  }
  if (block < blocks) {
    HWY_ALIGN float rest[4 * hn::MaxLanes(Floats())];
    normals_of_counters(key0, key1, counter_high, first_block + block, rest);
    std::copy_n(rest, 4 * (blocks - block), out + 4 * block);
  }
}

void scores(int64_t rows, int64_t width, int64_t count, const float* x, const float* vectors, float* out) {
  const Floats floats;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(floats));
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t v = 0; v < count; ++v) {
      const float* a = x + row * width;
      const float* b = vectors + v * width;
      auto sum0 = hn::Zero(floats), sum1 = hn::Zero(floats);
      int64_t i = 0;
      for (; i + 2 * lanes <= width; i += 2 * lanes) {
        sum0 = hn::MulAdd(hn::LoadU(floats, a + i), hn::LoadU(floats, b + i), sum0);
        sum1 = hn::MulAdd(hn::LoadU(floats, a + i + lanes), hn::LoadU(floats, b + i + lanes), sum1);
      }
      float rest = 0;
      for (; i < width; ++i) rest += a[i] * b[i];
      out[row * count + v] = hn::GetLane(hn::SumOfLanes(floats, hn::Add(sum0, sum1))) + rest;
    }
  }
}

void sines(int64_t count, int64_t terms, const float* rate, const float* phase, const float* z, float* y) {
  const Floats floats;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(floats));
  const auto sum = [&](hn::Vec<Floats> v) HWY_ATTR {
    auto total = v;
    for (int64_t j = 0; j < terms; ++j) {
      const auto angle = hn::MulAdd(hn::Set(floats, rate[j]), v, hn::Set(floats, phase[j]));
      total = hn::Add(total, hn::Sin(floats, angle));
    }
    return total;
  };
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) hn::StoreU(sum(hn::LoadU(floats, z + i)), floats, y + i);
  if (i < count) {
    HWY_ALIGN float rest[hn::MaxLanes(Floats())] = {};
    std::copy_n(z + i, count - i, rest);
    hn::Store(sum(hn::Load(floats, rest)), floats, rest);
    std::copy_n(rest, count - i, y + i);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace gatewise::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace gatewise::kernels {

HWY_EXPORT(normals);
HWY_EXPORT(scores);
HWY_EXPORT(sines);

void standard_normals(std::array<uint32_t, 2> key, uint64_t counter_high, uint64_t first_block,
                      int64_t blocks, float* out) {
  GATEWISE_DISPATCH(normals)(key[0], key[1], counter_high, first_block, blocks, out);
}

void row_scores(int64_t rows, int64_t width, int64_t count, const float* x, const float* vectors,
                float* scores) {
  GATEWISE_DISPATCH(scores)(rows, width, count, x, vectors, scores);
}

void add_sines(int64_t count, int64_t terms, const float* rate, const float* phase, const float* z,
               float* y) {
  GATEWISE_DISPATCH(sines)(count, terms, rate, phase, z, y);
}

}  // namespace gatewise::kernels
#endif  // HWY_ONCE
