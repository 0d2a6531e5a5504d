#include "features/column_facts.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <unordered_map>

#include "base/error.h"
#include "features/plain_text.h"
#include "table/parse.h"
#include "table/string_index.h"

namespace gatewise {
namespace {

constexpr size_t most_levels = 1000;

bool means_missing(const std::string& text) {
  static const std::vector<std::string> tokens{"na", "n/a", "nan", "null",    "none", "nil",
                                               "?",  "-",   ".",   "missing", ""};
  return std::find(tokens.begin(), tokens.end(), lower_case(text)) != tokens.end();
}

// Distinct texts with the number of their rows.
std::vector<std::pair<int64_t, std::string>> count_texts(const Texts& texts, int64_t& missing) {
  std::vector<int64_t> counts(texts.levels.size());
  for (const uint32_t code : texts.codes) ++(code == missing_code ? missing : counts[code]);
  std::vector<std::pair<int64_t, std::string>> result;
  for (size_t level = 0; level < counts.size(); ++level) {
    if (counts[level] > 0) result.emplace_back(counts[level], texts.levels[level]);
  }
  return result;
}

// Under the first spelling of each value.
std::vector<std::pair<int64_t, std::string>> merge_spellings(
    const std::vector<std::pair<int64_t, std::string>>& levels) {
  StringIndex index;
  std::vector<std::pair<int64_t, std::string>> merged;
  for (const auto& [rows, text] : levels) {
    const uint32_t number = index.add(plain_text(text));
    if (number == merged.size()) merged.emplace_back(0, text);
    merged[number].first += rows;
  }
  return merged;
}

std::vector<std::pair<int64_t, std::string>> count_values(const std::vector<uint64_t>& values) {
  std::unordered_map<uint64_t, int64_t> counts;
  for (const uint64_t value : values) ++counts[value];
  std::vector<std::pair<int64_t, std::string>> result;
  for (const auto& [value, count] : counts) result.emplace_back(count, fmt::format("{}", value));
  return result;
}

std::vector<std::pair<int64_t, std::string>> count_all(const Column& column, int64_t& missing) {
  if (const auto* texts = std::get_if<Texts>(&column.data)) return count_texts(*texts, missing);
  if (const auto* ids = std::get_if<IdValues>(&column.data)) {
    std::vector<uint64_t> present;
    for (size_t row = 0; row < ids->values.size(); ++row) {
      if (ids->is_present(static_cast<int64_t>(row))) present.push_back(ids->values[row]);
    }
    missing = static_cast<int64_t>(ids->values.size() - present.size());
    return count_values(present);
  }
  internal_error("column \"{}\": a list is not looked at", column.name);
}

// What values are like, while they are counted.
struct Tally {
  explicit Tally(ColumnFacts& of) : facts(of) {
    facts.are_numbers = facts.are_integers = facts.are_times = facts.are_ids = true;
    facts.least = std::numeric_limits<double>::infinity();
    facts.greatest = -facts.least;
  }
  void add(double number, int64_t rows) {
    facts.number_rows += rows;
    if (std::isinf(number)) {
      facts.infinite += rows;
      return;
    }
    facts.are_times = false;
    facts.are_integers = facts.are_integers && std::floor(number) == number;
    facts.least = std::min(facts.least, number);
    facts.greatest = std::max(facts.greatest, number);
    sum += number * static_cast<double>(rows);
    count += static_cast<double>(rows);
  }

  ColumnFacts& facts;
  double sum = 0, count = 0;
};

// Numbers are sorted and only few of them become texts: a column may hold millions.
void tally_numbers(const Numbers& numbers, Tally& tally) {
  ColumnFacts& facts = tally.facts;
  std::vector<double> present;
  std::copy_if(numbers.values.begin(), numbers.values.end(), std::back_inserter(present),
               [](double value) { return !std::isnan(value); });
  facts.missing = static_cast<int64_t>(numbers.values.size() - present.size());
  std::sort(present.begin(), present.end());
  for (auto first = present.begin(); first != present.end();) {
    const auto end = std::upper_bound(first, present.end(), *first);
    tally.add(*first, end - first);
    if (facts.levels.size() <= most_levels) facts.levels.emplace_back(end - first, fmt::format("{}", *first));
    ++facts.distinct;
    first = end;
  }
}

void tally_texts(const Column& column, Tally& tally) {
  ColumnFacts& facts = tally.facts;
  facts.levels = count_all(column, facts.missing);
  for (const auto& [rows, text] : facts.levels) {
    uint64_t id = 0;
    facts.are_ids = facts.are_ids && (means_missing(text) || parse_id(text, id) == IdParse::Ok);
  }
  if (column.type() == ColumnType::Text) facts.levels = merge_spellings(facts.levels);
  facts.distinct = static_cast<int64_t>(facts.levels.size());
  for (const auto& [rows, text] : facts.levels) {
    const std::optional<double> number = parse_number(text);
    const bool is_number = number && !std::isnan(*number);
    if (is_number) {
      tally.add(*number, rows);
    } else if (means_missing(text)) {
      facts.null_tokens.push_back(text);
    } else {
      facts.are_numbers = facts.are_integers = false;
      if (++facts.others <= ColumnFacts::few_others) facts.other_texts.push_back(text);
      facts.are_times = facts.are_times && parse_time(text).has_value();
    }
  }
}

}  // namespace

Json with_null_tokens(const std::vector<std::string>& null, const std::vector<std::string>& tokens) {
  Json all(null);
  for (const std::string& token : tokens) {
    if (std::find(null.begin(), null.end(), token) == null.end()) all.push_back(token);
  }
  return all;
}

ColumnFacts look_at(const Column& column) {
  ColumnFacts facts;
  facts.rows = column.rows();
  Tally tally(facts);
  const Numbers* numbers = std::get_if<Numbers>(&column.data);
  if (numbers != nullptr) {
    tally_numbers(*numbers, tally);
  } else {
    tally_texts(column, tally);
  }
  const bool has_values = facts.distinct > static_cast<int64_t>(facts.null_tokens.size());
  if (numbers != nullptr && numbers->are_times) facts.are_numbers = false;
  facts.are_numbers = facts.are_numbers && has_values && tally.count > 0;
  facts.are_integers = facts.are_integers && facts.are_numbers;
  facts.are_times = (facts.are_times && has_values && !facts.are_numbers && facts.infinite == 0) ||
                    (numbers != nullptr && numbers->are_times);
  facts.mean = tally.sum / tally.count;
  std::sort(facts.levels.begin(), facts.levels.end());
  if (facts.levels.size() > most_levels) facts.levels.clear();
  return facts;
}

std::string lower_case(const std::string& text) {
  std::string lower;
  for (const char c : text) lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

std::vector<std::string> words_of(const std::string& name) {
  std::vector<std::string> words(1);
  bool was_lower = false;
  for (const char c : name) {
    const unsigned char byte = static_cast<unsigned char>(c);
    const bool is_word = std::isalnum(byte) != 0;
    if ((!is_word || (was_lower && std::isupper(byte) != 0)) && !words.back().empty()) words.emplace_back();
    if (is_word) words.back() += static_cast<char>(std::tolower(byte));
    was_lower = std::islower(byte) != 0;
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

bool is_named_like_id(const std::string& name) {
  constexpr std::string_view known[] = {"id",      "ids",      "code",    "recode", "zip",
                                        "zipcode", "postcode", "subject", "user",   "item"};
  const std::vector<std::string> words = words_of(name);
  return std::any_of(words.begin(), words.end(), [&](const std::string& word) {
    return std::find(std::begin(known), std::end(known), word) != std::end(known);
  });
}

}  // namespace gatewise
