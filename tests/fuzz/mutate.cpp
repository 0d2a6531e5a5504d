#include "tests/fuzz/mutate.h"

#include "base/json.h"

namespace gatewise {
namespace {

// Numbers at which something changes.
const Json& odd_values() {
  static const Json values = Json::array({0,
                                          1,
                                          -1,
                                          2,
                                          3,
                                          255,
                                          65536,
                                          2147483647,
                                          -2147483648LL,
                                          4294967295LL,
                                          1LL << 40,
                                          9223372036854775807LL,
                                          std::numeric_limits<int64_t>::min(),
                                          18446744073709551615ULL,
                                          0.5,
                                          -0.0,
                                          1e-300,
                                          1e300,
                                          1e20,
                                          true,
                                          false,
                                          nullptr,
                                          "",
                                          "*",
                                          "a\nb",
                                          "\u0000",
                                          Json::array(),
                                          Json::object(),
                                          Json::array({0}),
                                          Json::array({1, 2, 3})});
  return values;
}

void collect(Json& value, std::vector<Json*>& into) {
  constexpr size_t most = 5000;
  if (into.size() >= most) return;
  into.push_back(&value);
  if (value.is_structured()) {
    for (Json& child : value) collect(child, into);
  }
}

}  // namespace

Mutator::Mutator(const FuzzTarget& target, uint64_t seed)
    : words_(target.words()), seeds_(target.seeds()), random_(seed) {}

std::string Mutator::word() { return words_.empty() ? "null" : words_[below(words_.size())]; }

std::string Mutator::operator()(std::string_view input, const Change& change_bytes) {
  std::vector<std::string> parts = fuzz_parts(input);
  std::string& part = parts[below(parts.size())];
  bool is_json = below(8) != 0;
  for (size_t change = 1 + below(3); change > 0; --change) {
    if (is_json) part = changed_json(part, is_json);
    if (!is_json) part = change_bytes && below(2) == 0 ? change_bytes(part) : changed_bytes(part);
  }
  return join_fuzz_parts(parts);
}

std::string Mutator::changed_json(const std::string& text, bool& has_changed) {
  Json json = Json::parse(text, nullptr, false);
  has_changed = json.is_structured();
  if (!has_changed) return text;
  std::vector<Json*> values;
  collect(json, values);
  Json& value = *values[below(values.size())];
  const Json other = *values[below(values.size())];
  switch (below(8)) {
    case 0:
    case 1:
      value = odd_values()[below(odd_values().size())];
      break;
    case 2:
      value = other;
      break;
    case 3:
      value = word();
      break;
    case 4:
      if (value.is_array() && !value.empty()) {
        value.erase(below(value.size()));
      } else if (value.is_object() && !value.empty()) {
        value.erase(std::next(value.begin(), static_cast<std::ptrdiff_t>(below(value.size()))).key());
      }
      break;
    case 5:
      if (value.is_array() && !value.empty()) {
        const Json twice = value[below(value.size())];
        value.insert(value.begin() + static_cast<std::ptrdiff_t>(below(value.size() + 1)), twice);
      } else if (value.is_object()) {
        value[word()] = other;
      }
      break;
    case 6:
      if (value.is_number_integer()) {
        // Around the ends of the range too.
        const uint64_t number =
            value.is_number_unsigned() ? value.get<uint64_t>() : static_cast<uint64_t>(value.get<int64_t>());
        value = static_cast<int64_t>(number + below(7) - 3);
      }
      if (value.is_string()) value = value.get<std::string>() + word();
      break;
    default:
      if (value.is_array()) value.push_back(other);
      if (value.is_number_integer()) value = static_cast<int64_t>(below(40));
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string Mutator::changed_bytes(std::string text) {
  const size_t at = below(text.size() + 1), length = std::min(text.size() - at, 1 + below(16));
  switch (below(7)) {
    case 0:
      if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
      return text;
    case 1:
      if (at < text.size()) text[at] = static_cast<char>(below(256));
      return text;
    case 2:
      return text.erase(at, length);
    case 3:
      return text.insert(at, text.substr(at, length));
    case 4:
      return text.insert(at, word());
    case 5:
      return text.substr(0, at);
    default: {
      const std::vector<std::string> others = fuzz_parts(seeds_[below(seeds_.size())]);
      const std::string& other = others[below(others.size())];
      return text.substr(0, at) + other.substr(below(other.size() + 1));
    }
  }
}

}  // namespace gatewise
