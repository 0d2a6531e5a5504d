// The users or the items of a made-up service: how often each occurs, and the hidden factors behind it.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/random.h"

namespace gatewise {

// Members are numbered by popularity, 0 the most frequent: member k has a share proportional to the integral
// of x^-skew from k + 1 to k + 2, a Zipf law that can be drawn from in closed form (skew 0: all alike). Ids
// are a fixed shuffle of the members, so that they say nothing of popularity. Factors are normal draws made
// exact: over rows (members weighted by share) each has mean 0 and variance 1, and no two are correlated. A
// population of n members has at most n - 1 such factors; those beyond are 0.
class Population {
 public:
  // `path` names the draws under the seed. count at least 1.
  Population(uint64_t seed, std::string_view path, int64_t count, int64_t factors, double skew);

  int64_t count() const { return count_; }
  // The member at a point of [0, 1) of the shares laid side by side.
  int64_t member(double uniform) const;
  double share(int64_t member) const { return share_below(member + 1) - share_below(member); }
  uint64_t id(int64_t member) const { return shuffle_(static_cast<uint64_t>(member)); }
  // [factors] of one member.
  const float* factors(int64_t member) const { return factors_.data() + member * width_; }

 private:
  double share_below(int64_t members) const;
  void decorrelate();

  int64_t count_, width_;
  double slope_;  // 1 - skew
  Permutation shuffle_;
  std::vector<float> factors_;  // [count, width]
};

}  // namespace gatewise
