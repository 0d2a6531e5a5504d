// Changes to inputs that keep most of their form: where a part is JSON, its values are exchanged, otherwise
// its bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <random>
#include <string>

#include "tests/fuzz/target.h"

namespace gatewise {

class Mutator {
 public:
  Mutator(const FuzzTarget& target, uint64_t seed);
  void reseed(uint64_t seed) { random_.seed(seed); }

  // One to three changes of one part. `change_bytes` may stand in for those of bytes.
  using Change = std::function<std::string(std::string)>;
  std::string operator()(std::string_view input, const Change& change_bytes = {});

 private:
  size_t below(size_t limit) { return limit == 0 ? 0 : random_() % limit; }
  std::string changed_json(const std::string& text, bool& has_changed);
  std::string changed_bytes(std::string text);
  std::string word();

  std::vector<std::string> words_;
  std::vector<std::string> seeds_;
  std::mt19937_64 random_;
};

}  // namespace gatewise
