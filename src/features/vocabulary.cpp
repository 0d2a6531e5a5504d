#include "features/vocabulary.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/random.h"
#include "features/plain_text.h"
#include "table/parse.h"

namespace gatewise {
namespace {

constexpr int64_t most_rows = 0xfffffff0;  // of a table: an id is 32 bits

std::string escape(const std::string& text) {
  std::string line;
  for (const char c : text) {
    if (c == '\\')
      line += "\\\\";
    else if (c == '\n')
      line += "\\n";
    else if (c == '\r')
      line += "\\r";
    else
      line += c;
  }
  return line;
}

std::string unescape(std::string_view line) {
  std::string text;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '\\' || i + 1 == line.size()) {
      text += line[i];
    } else {
      const char c = line[++i];
      text += c == 'n' ? '\n' : c == 'r' ? '\r' : c;
    }
  }
  return text;
}

}  // namespace

void Vocabulary::count(const std::string& text, int64_t times) {
  if (is_hashed()) return;
  const uint32_t number = pending_texts_.add(text);
  if (number == pending_counts_.size()) pending_counts_.push_back(0);
  pending_counts_[number] += times;
}

int64_t Vocabulary::admit() {
  if (!is_fitted_) has_missing_ = has_pending_missing_;
  is_fitted_ = true;
  has_pending_missing_ = false;
  const int64_t added = is_hashed() ? 0 : has_ids_ ? admit_ids() : admit_texts();
  pending_ids_ = {};
  pending_counts_ = {};
  pending_texts_ = {};
  if (rows() > most_rows)
    data_error("an embedding table would have {} rows; expected at most {}", rows(), most_rows);
  return added;
}

int64_t Vocabulary::admit_texts() {
  std::vector<std::pair<int64_t, std::string>> fresh;
  for (size_t i = 0; i < pending_counts_.size(); ++i) {
    const std::string& text = pending_texts_.texts()[i];
    const int64_t count = pending_count(i);
    if (count >= min_count_ && count > 0 && place_of(text) == StringIndex::none)
      fresh.emplace_back(-count, text);
  }
  std::sort(fresh.begin(), fresh.end());
  for (const auto& [count, text] : fresh) texts_.add(text);
  return static_cast<int64_t>(fresh.size());
}

// How often the value of a counted text occurred in all of its spellings; 0 but for the most frequent
// spelling (of equal ones the first by text), which becomes the level.
int64_t Vocabulary::pending_count(size_t number) const {
  const std::string& text = pending_texts_.texts()[number];
  int64_t sum = 0;
  for (const std::string& spelling : spellings_of(text)) {
    const uint32_t other = pending_texts_.find(spelling);
    if (other == StringIndex::none) continue;
    sum += pending_counts_[other];
    if (std::pair(-pending_counts_[other], spelling) < std::pair(-pending_counts_[number], text)) return 0;
  }
  return sum;
}

int64_t Vocabulary::admit_ids() {
  std::sort(pending_ids_.begin(), pending_ids_.end());
  std::vector<std::pair<int64_t, uint64_t>> fresh;
  for (size_t from = 0, to = 0; from < pending_ids_.size(); from = to) {
    const uint64_t id = pending_ids_[from];
    while (to < pending_ids_.size() && pending_ids_[to] == id) ++to;
    const int64_t count = static_cast<int64_t>(to - from);
    if (count >= min_count_ && !id_index_.contains(id)) fresh.emplace_back(-count, id);
  }
  std::sort(fresh.begin(), fresh.end());
  for (const auto& [count, id] : fresh) add_id(id);
  return static_cast<int64_t>(fresh.size());
}

void Vocabulary::add_id(uint64_t id) {
  id_index_.emplace(id, static_cast<uint32_t>(ids_.size()));
  ids_.push_back(id);
}

uint32_t Vocabulary::bucket(uint64_t hash) const {
  return first_level() + static_cast<uint32_t>(mix64(hash ^ mix64(seed_)) % static_cast<uint64_t>(buckets_));
}

uint32_t Vocabulary::place_of(std::string_view text) const {
  const uint32_t exact = texts_.find(text);
  if (exact != StringIndex::none) return exact;
  for (const std::string& spelling : spellings_of(text)) {
    const uint32_t other = texts_.find(spelling);
    if (other != StringIndex::none) return other;
  }
  return StringIndex::none;
}

uint32_t Vocabulary::find(std::string_view text) const {
  if (is_hashed()) return bucket(fnv1a(text));
  const uint32_t number = place_of(text);
  return number == StringIndex::none ? 0 : first_level() + number;
}

uint32_t Vocabulary::find(uint64_t id) const {
  if (is_hashed()) return bucket(id);
  const auto found = id_index_.find(id);
  return found == id_index_.end() ? 0 : first_level() + found->second;
}

std::string Vocabulary::level_name(int64_t index) const {
  if (index == 0) return "(unknown)";
  if (index < first_level()) return "(missing)";
  const size_t level = static_cast<size_t>(index - first_level());
  if (is_hashed()) return fmt::format("(bucket {})", level);
  return has_ids_ ? std::to_string(ids_[level]) : texts_.texts()[level];
}

Json Vocabulary::to_json() const {
  Json json{{"type", has_ids_ ? "id" : "text"},
            {"has_missing", has_missing_},
            {"min_count", min_count_},
            {"levels", levels()}};
  if (is_hashed()) json.update(Json{{"hash", hash_name}, {"hash_buckets", buckets_}, {"hash_seed", seed_}});
  return json;
}

std::string Vocabulary::content() const {
  std::string content;
  for (const uint64_t id : ids_) content += std::to_string(id) + "\n";
  for (const std::string& text : texts_.texts()) content += escape(text) + "\n";
  return content;
}

Vocabulary Vocabulary::from_json(const Json& json, const std::string& content, const std::string& where) {
  if (json.value("hash", hash_name) != hash_name) {
    data_error("{}: unknown hash function \"{}\"; expected \"{}\"", where, json["hash"].get<std::string>(),
               hash_name);
  }
  const std::string type = json.at("type").get<std::string>();
  const auto buckets = json.value("hash_buckets", int64_t{0});
  if ((type != "id" && type != "text") || buckets < 0 || buckets > most_rows) {
    data_error("{}: got {} buckets for values of type \"{}\", expected 0 to {} and \"id\" or \"text\"", where,
               buckets, type, most_rows);
  }
  Vocabulary vocabulary(type == "id", json.at("min_count").get<int64_t>(), buckets,
                        json.value("hash_seed", uint64_t{0}));
  vocabulary.has_missing_ = json.at("has_missing").get<bool>();
  vocabulary.is_fitted_ = true;
  for (std::string_view rest = content; !rest.empty();) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (!vocabulary.has_ids_) {
      vocabulary.texts_.add(unescape(line));
      continue;
    }
    uint64_t id = 0;
    if (parse_id(line, id) != IdParse::Ok || vocabulary.id_index_.contains(id))
      data_error("{}: \"{}\" is not an id, or stands there twice; the vocabulary is damaged", where,
                 line.substr(0, 40));
    vocabulary.add_id(id);
  }
  if (vocabulary.levels() != json.at("levels").get<int64_t>()) {
    data_error("{}: the vocabulary is damaged; got {} levels, expected {}", where, vocabulary.levels(),
               json.at("levels").get<int64_t>());
  }
  return vocabulary;
}

int64_t default_embedding_width(int64_t levels) {
  const double width = std::ceil(2 * std::sqrt(std::sqrt(static_cast<double>(levels))));
  return static_cast<int64_t>(std::clamp(width, 2.0, 64.0));
}

}  // namespace gatewise
