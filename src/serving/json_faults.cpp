#include "serving/json_faults.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <span>
#include <vector>

#include "base/json.h"
#include "serving/json_values.h"
#include "serving/refusal.h"

namespace gatewise {
namespace {

// Larger bodies are not looked at again.
constexpr size_t most_bytes = 16 << 20;
constexpr size_t most_levels = 64;
constexpr size_t most_shown = 40;

bool is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' || c == '-' ||
         c == '.' || c == '_';
}

template <class Number>
bool is_beyond(std::string_view digits) {
  Number number{};
  return std::from_chars(digits.data(), digits.data() + digits.size(), number).ec ==
         std::errc::result_out_of_range;
}

bool is_wide(std::string_view word) {
  const bool is_negative = word.starts_with('-');
  const std::string_view digits = word.substr(is_negative ? 1 : 0);
  if (digits.size() < 19 ||
      !std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; }))
    return false;
  return is_negative ? is_beyond<int64_t>(word) : is_beyond<uint64_t>(word);
}

// The first byte behind the string that begins at `at`.
size_t end_of_string(std::string_view json, size_t at) {
  for (++at; at < json.size() && json[at] != '"'; ++at) {
    if (json[at] == '\\') ++at;
  }
  return std::min(at + 1, json.size());
}

size_t end_of_word(std::string_view json, size_t at) {
  while (at < json.size() && is_word(json[at])) ++at;
  return at;
}

// Reads until the first fault and keeps where in the request that is.
class FaultFinder final : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return scalar(); }
  bool boolean(bool) override { return scalar(); }
  bool number_integer(number_integer_t) override { return scalar(); }
  bool number_unsigned(number_unsigned_t) override { return scalar(); }
  bool number_float(number_float_t, const string_t&) override { return scalar(); }
  bool string(string_t&) override { return scalar(); }
  bool binary(binary_t&) override { return scalar(); }
  bool start_object(size_t) override { return start(false); }
  bool start_array(size_t) override { return start(true); }
  bool end_object() override { return end(); }
  bool end_array() override { return end(); }
  bool key(string_t& text) override {
    levels_.back().key = text.substr(0, 200);
    levels_.back().has_key = true;
    return true;
  }
  bool parse_error(size_t position, const std::string& last_read,
                   const nlohmann::detail::exception& fault) override {
    is_found = true;
    is_out_of_range = fault.id == 406;
    behind = position;
    token = last_read;
    const std::string_view text = fault.what();
    const size_t begin = text.find(" - ");
    if (begin == std::string_view::npos) return false;
    reason = text.substr(begin + 3);
    reason = reason.substr(0, reason.find("; last read: "));
    return false;
  }

  // "row 2: column \"age\": ", or less.
  std::string place() const {
    if (levels_.empty() || levels_[0].is_list || !levels_[0].has_key) return "";
    const std::string& field = levels_[0].key;
    if (field == "columns") {
      const std::string row = number(2) > 0 ? fmt::format("row {}: ", number(2)) : "columns: ";
      return row + column(1);
    }
    const char* noun = field == "instances" ? "row" : field == "candidates" ? "candidate" : "";
    if (*noun != '\0' && number(1) > 0) return fmt::format("{} {}: ", noun, number(1)) + column(2);
    if (field == "inputs" && number(1) > 0) return fmt::format("inputs: tensor {}: ", number(1));
    return field + ": " + (field == "context" ? column(1) : "");
  }

  bool is_found = false, is_out_of_range = false;
  size_t behind = 0;  // bytes up to the end of the fault
  std::string token, reason;

 private:
  struct Level {
    bool is_list = false;
    int64_t begun = 0;     // items of a list
    bool has_key = false;  // of an object: the value of `key` is being read
    std::string key;
  };

  bool scalar() {
    if (levels_.empty()) return true;
    ++levels_.back().begun;
    levels_.back().has_key = false;
    return true;
  }
  bool start(bool is_list) {
    if (!levels_.empty()) ++levels_.back().begun;
    levels_.emplace_back().is_list = is_list;
    return levels_.size() <= most_levels;
  }
  bool end() {
    levels_.pop_back();
    if (!levels_.empty()) levels_.back().has_key = false;
    return true;
  }

  // From 1, of the item that has the fault; 0: the level is no list.
  int64_t number(size_t level) const {
    if (level >= levels_.size() || !levels_[level].is_list) return 0;
    return levels_[level].begun + (level + 1 == levels_.size() ? 1 : 0);
  }
  std::string column(size_t level) const {
    if (level >= levels_.size() || !levels_[level].has_key) return "";
    return fmt::format("column \"{}\": ", levels_[level].key);
  }

  std::vector<Level> levels_;
};

// Where the word, the string or the sign begins that ends before `behind`. What was read last begins at the
// last string or number, be it this one or not.
size_t begin_of_fault(std::string_view json, size_t behind, std::string_view last_read) {
  size_t at = behind - 1;
  if (json[at] == '"' && last_read.starts_with('"') && last_read.size() <= behind)
    return behind - last_read.size();
  while (at > 0 && is_word(json[at]) && is_word(json[at - 1])) --at;
  return at;
}

bool stands_for_missing(std::string_view word) {
  std::string lower;
  for (const char c : word) {
    if (is_word(c) && c != '+' && c != '-') lower += static_cast<char>(c | 0x20);
  }
  static constexpr std::string_view known[] = {"nan", "inf", "infinity", "none", "na", "undefined"};
  return std::find(std::begin(known), std::end(known), lower) != std::end(known);
}

}  // namespace

std::string with_wide_numbers(std::string_view json) {
  std::string rewritten;
  size_t copied = 0;
  for (size_t at = 0; at < json.size();) {
    if (json[at] == '"') {
      at = end_of_string(json, at);
    } else if (is_word(json[at])) {
      const size_t end = end_of_word(json, at);
      if (is_wide(json.substr(at, end - at))) {
        rewritten.append(json, copied, end - copied).append(".0");
        copied = end;
      }
      at = end;
    } else {
      ++at;
    }
  }
  if (copied > 0) rewritten.append(json, copied);
  return rewritten;
}

void refuse_json(std::string_view json, std::string_view reason) {
  if (json.starts_with("\xEF\xBB\xBF"))
    refuse(400, "body: is not valid JSON at byte 1; got a byte order mark; send UTF-8 without one");
  FaultFinder finder;
  if (json.size() <= most_bytes) Json::sax_parse(json.begin(), json.end(), &finder);
  if (!finder.is_found) refuse(400, "body: is not valid JSON; {}", reason);
  const bool is_end = finder.behind > json.size();
  const size_t behind = std::min(finder.behind, json.size());
  const size_t at = begin_of_fault(json, behind, finder.token);
  const size_t end = std::max(behind, is_word(json[at]) ? end_of_word(json, at) : behind);
  const std::string_view word = json.substr(at, std::min(end - at, most_shown));
  const std::string place = finder.place();
  if (finder.is_out_of_range) {
    refuse(400, "{}got {}, a number out of range; expected one that 64 bits of floating point hold, or null",
           place.empty() ? "body: " : place, word);
  }
  const auto line = 1 + std::count(json.begin(), json.begin() + static_cast<int64_t>(at), '\n');
  if (is_end) {
    refuse(400, "body: is not valid JSON; it ends at byte {}, line {}: {}; send all of it", json.size(), line,
           finder.reason);
  }
  refuse(400, "body: is not valid JSON at byte {}, line {}; {}got {}: {}{}", at + 1, line, place, word,
         finder.reason, stands_for_missing(word) ? "; write null for a missing number" : "");
}

void check_given_once(simdjson::dom::object object, std::string_view where) {
  constexpr size_t few = 16;
  std::array<std::string_view, few> in_place;
  std::vector<std::string_view> many;
  std::span<std::string_view> keys = in_place;
  if (const size_t fields = json_count(object); fields > few) {
    many.resize(fields);
    keys = many;
  }
  size_t count = 0;
  for (const simdjson::dom::key_value_pair field : object) keys[count++] = field.key;
  keys = keys.first(count);
  std::sort(keys.begin(), keys.end());
  const auto twice = std::adjacent_find(keys.begin(), keys.end());
  if (twice != keys.end())
    refuse(400, "{}: \"{}\" is given twice; give it once", where, twice->substr(0, 200));
}

}  // namespace gatewise
