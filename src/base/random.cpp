#include "base/random.h"

#include <bit>
#include <cmath>
#include <numbers>

namespace gatewise {

std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t first = uint64_t{0xD2511F53u} * counter[0];
    const uint64_t second = uint64_t{0xCD9E8D57u} * counter[2];
    counter = {static_cast<uint32_t>(second >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(second),
               static_cast<uint32_t>(first >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(first)};
    key = {key[0] + 0x9E3779B9u, key[1] + 0xBB67AE85u};
  }
  return counter;
}

std::array<uint32_t, 4> RandomStream::words(uint64_t step, uint64_t row, uint32_t block) const {
  const uint64_t key = key_ ^ mix64(step);
  return philox(
      {block, static_cast<uint32_t>(row), static_cast<uint32_t>(row >> 32), static_cast<uint32_t>(step)},
      {static_cast<uint32_t>(key), static_cast<uint32_t>(key >> 32)});
}

uint64_t RandomStream::bits(uint64_t step, uint64_t row, uint32_t element) const {
  const std::array<uint32_t, 4> four = words(step, row, element / 2);
  const uint32_t first = 2 * (element % 2);
  return uint64_t{four[first]} << 32 | four[first + 1];
}

double RandomStream::uniform(uint64_t step, uint64_t row, uint32_t element) const {
  return static_cast<double>(bits(step, row, element) >> 11) * 0x1p-53;
}

double RandomStream::normal(uint64_t step, uint64_t row, uint32_t element) const {
  const std::array<uint32_t, 4> four = words(step, row, element / 2);
  const double radius_uniform = (static_cast<double>(four[0]) + 0.5) * 0x1p-32;
  const double fine = static_cast<double>(four[2]) * 0x1p-64;
  const double angle_uniform =
      static_cast<double>(four[1]) * 0x1p-32 + static_cast<double>(four[3]) * 0x1p-64;
  const double radius = std::sqrt(-2.0 * std::log(radius_uniform + fine));
  const double angle = 2.0 * std::numbers::pi * angle_uniform;
  return radius * (element % 2 == 0 ? std::cos(angle) : std::sin(angle));
}

uint64_t RandomStream::below(uint64_t count, uint64_t step, uint64_t row, uint32_t element) const {
  __extension__ using Wide = unsigned __int128;
  return static_cast<uint64_t>((static_cast<Wide>(bits(step, row, element)) * count) >> 64);
}

Permutation::Permutation(uint64_t count, uint64_t seed) : count_(count) {
  const uint32_t bits = count > 1 ? static_cast<uint32_t>(std::bit_width(count - 1)) : 1;
  half_bits_ = (bits + 1) / 2;
  for (uint64_t& key : keys_) key = seed = mix64(seed + 1);
}

uint64_t Permutation::encrypt(uint64_t x) const {
  const uint64_t mask = (uint64_t{1} << half_bits_) - 1;
  uint64_t left = x >> half_bits_, right = x & mask;
  for (const uint64_t key : keys_) {
    const uint64_t next = left ^ (mix64(right ^ key) & mask);
    left = right;
    right = next;
  }
  return left << half_bits_ | right;
}

uint64_t Permutation::operator()(uint64_t position) const {
  if (count_ <= 1) return 0;
  uint64_t x = encrypt(position);
  while (x >= count_) x = encrypt(x);
  return x;
}

}  // namespace gatewise
