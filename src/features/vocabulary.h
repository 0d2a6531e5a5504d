// The rows of one embedding table: which text or id has which index.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/json.h"
#include "table/string_index.h"

namespace gatewise {

// Index 0 is the unknown id. Index 1 is the missing value if the training part had one; otherwise missing is
// 0 too. After these come the levels, the most frequent first (equal ones in the order of their text or
// number), and the levels admitted later; or, when hashing, the buckets.
class Vocabulary {
 public:
  // The hash of ids is mix64(id ^ mix64(seed)), of texts mix64(fnv1a(text) ^ mix64(seed)); the bucket is the
  // remainder by `buckets`.
  static constexpr const char* hash_name = "fnv1a64+splitmix64";

  Vocabulary() = default;
  Vocabulary(bool has_ids, int64_t min_count, int64_t hash_buckets, uint64_t hash_seed)
      : has_ids_(has_ids), min_count_(min_count), buckets_(hash_buckets), seed_(hash_seed) {}

  // Counts training values; admit() then takes those that are frequent enough and new, and forgets the
  // counts. Spellings of the same value (features/plain_text.h) are counted together and become one level.
  void count(const std::string& text, int64_t times);
  void count(uint64_t id) { pending_ids_.push_back(id); }
  void count_missing() { has_pending_missing_ = true; }
  // Returns how many levels were added. The missing index is only made by the first call.
  int64_t admit();

  bool has_ids() const { return has_ids_; }
  bool is_hashed() const { return buckets_ > 0; }
  // Rows of the embedding table.
  int64_t rows() const { return first_level() + (is_hashed() ? buckets_ : levels()); }
  int64_t levels() const {
    return has_ids_ ? static_cast<int64_t>(ids_.size()) : static_cast<int64_t>(texts_.size());
  }
  int64_t buckets() const { return buckets_; }
  // The levels in the order of their indices, of the kind that has_ids() says.
  const std::vector<std::string>& texts() const { return texts_.texts(); }
  const std::vector<uint64_t>& ids() const { return ids_; }
  uint32_t missing_index() const { return has_missing_ ? 1 : 0; }
  // A text finds another of its spellings (features/plain_text.h) where its own is no level; not when
  // hashing.
  uint32_t find(std::string_view text) const;
  uint32_t find(uint64_t id) const;
  // What an index stands for: "(unknown)", "(missing)", the level, or "(bucket 7)".
  std::string level_name(int64_t index) const;

  // All but the levels.
  Json to_json() const;
  // The levels, one a line in the order of their indices; line breaks and backslashes are written \n, \r and
  // \\.
  std::string content() const;
  // Throws Error(Data) when they do not belong together.
  static Vocabulary from_json(const Json& json, const std::string& content, const std::string& where);

 private:
  uint32_t first_level() const { return has_missing_ ? 2 : 1; }
  uint32_t bucket(uint64_t hash) const;
  uint32_t place_of(std::string_view text) const;
  int64_t admit_texts();
  int64_t pending_count(size_t number) const;
  int64_t admit_ids();
  void add_id(uint64_t id);

  bool has_ids_ = false;
  bool has_missing_ = false;
  bool is_fitted_ = false;
  int64_t min_count_ = 1;
  int64_t buckets_ = 0;
  uint64_t seed_ = 0;
  StringIndex texts_;
  std::vector<uint64_t> ids_;
  std::unordered_map<uint64_t, uint32_t> id_index_;
  StringIndex pending_texts_;
  std::vector<int64_t> pending_counts_;
  std::vector<uint64_t> pending_ids_;
  bool has_pending_missing_ = false;
};

// Width of an embedding where none is given: twice the fourth root of the levels, rounded up, from 2 to 64.
int64_t default_embedding_width(int64_t levels);

}  // namespace gatewise
