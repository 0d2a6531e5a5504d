#include "experiment/quasi_random.h"

#include <numeric>

#include "base/random.h"

namespace gatewise {
namespace {

constexpr double finest = 0x1p-40;  // digits beyond it are left out

std::vector<uint64_t> first_primes(size_t count) {
  std::vector<uint64_t> primes;
  for (uint64_t number = 2; primes.size() < count; ++number) {
    if (std::none_of(primes.begin(), primes.end(), [&](uint64_t prime) { return number % prime == 0; }))
      primes.push_back(number);
  }
  return primes;
}

// Where a permutation of [0, base), drawn by `key`, sends `digit`.
uint64_t permuted(uint64_t digit, uint64_t base, uint64_t key) {
  std::vector<uint64_t> order(base);
  std::iota(order.begin(), order.end(), uint64_t{0});
  for (uint64_t left = base; left > 1; --left) {
    key = mix64(key);
    std::swap(order[left - 1], order[key % left]);
  }
  return order[digit];
}

double scrambled_radical_inverse(uint64_t index, uint64_t base, uint64_t key) {
  double value = 0, weight = 1.0 / static_cast<double>(base);
  for (; weight > finest; weight /= static_cast<double>(base)) {
    const uint64_t digit = index % base;
    value += static_cast<double>(permuted(digit, base, key)) * weight;
    key = mix64(key ^ (digit + 1));
    index /= base;
  }
  return value;
}

}  // namespace

std::vector<double> quasi_random_point(uint64_t seed, uint64_t index, size_t dimensions) {
  const std::vector<uint64_t> primes = first_primes(dimensions);
  std::vector<double> point(dimensions);
  for (size_t i = 0; i < dimensions; ++i)
    point[i] = scrambled_radical_inverse(index, primes[i], mix64(seed ^ mix64(i + 1)));
  return point;
}

}  // namespace gatewise
