// Random numbers as a pure function of (seed, path, step, row, element): nothing is carried from draw to
// draw, so results do not depend on threads, tiles or resumption. Philox4x32-10 (Salmon et al. 2011,
// "Parallel random numbers: as easy as 1, 2, 3").
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace gatewise {

// FNV-1a, 64 bits: the recorded function that names and strings are hashed with.
constexpr uint64_t fnv1a(std::string_view text, uint64_t state = 0xcbf29ce484222325u) {
  for (const char c : text) state = (state ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return state;
}

// A bijective mixer of 64 bits (the finaliser of SplitMix64).
constexpr uint64_t mix64(uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

std::array<uint32_t, 4> philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

class RandomStream {
 public:
  RandomStream(uint64_t seed, std::string_view path) : key_(mix64(seed ^ mix64(fnv1a(path)))) {}

  // Four independent words for one (step, row, block).
  std::array<uint32_t, 4> words(uint64_t step, uint64_t row, uint32_t block) const;
  uint64_t bits(uint64_t step, uint64_t row, uint32_t element) const;
  // In [0, 1), with 53 random bits.
  double uniform(uint64_t step, uint64_t row, uint32_t element) const;
  // Standard normal (Box-Muller).
  double normal(uint64_t step, uint64_t row, uint32_t element) const;
  // In [0, count), without bias worth mentioning (64-bit multiply-high).
  uint64_t below(uint64_t count, uint64_t step, uint64_t row, uint32_t element) const;

 private:
  uint64_t key_;
};

// A pseudo-random bijection of [0, count): position -> item, without a table (a Feistel network with cycle
// walking), so a shuffled order can be entered anywhere.
class Permutation {
 public:
  Permutation(uint64_t count, uint64_t seed);
  uint64_t operator()(uint64_t position) const;

 private:
  uint64_t encrypt(uint64_t x) const;

  uint64_t count_;
  uint32_t half_bits_;
  uint64_t keys_[6];
};

}  // namespace gatewise
