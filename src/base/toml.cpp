#include "base/toml.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>

#include "base/error.h"

namespace gatewise {
namespace {

// toml++ 3.3 asserts what some broken keys do not keep; no text may end the program.
struct BrokenToml {};
[[noreturn]] void break_off() { throw BrokenToml(); }

}  // namespace
}  // namespace gatewise

#undef NDEBUG  // with it TOML_ASSERT is what the optimiser may assume
#define TOML_ENABLE_FORMATTERS 0
#define TOML_ASSERT(condition) ((condition) ? void() : ::gatewise::break_off())
#include <toml++/toml.h>

namespace gatewise {
namespace {

template <class Value>
std::string streamed(const Value& value) {
  std::ostringstream text;
  text << value;
  return text.str();
}

Json from_node(const toml::node& node);

Json from_table(const toml::table& table) {
  // toml++ sorts by name; the places in the text give the order back.
  std::vector<std::pair<const toml::key*, const toml::node*>> entries;
  for (const auto& [key, value] : table) entries.emplace_back(&key, &value);
  std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) {
    return a.first->source().begin < b.first->source().begin;
  });
  Json object = Json::object();
  for (const auto& [key, value] : entries) object[std::string(key->str())] = from_node(*value);
  return object;
}

Json from_node(const toml::node& node) {
  if (const auto* table = node.as_table()) return from_table(*table);
  if (const auto* array = node.as_array()) {
    Json items = Json::array();
    for (const toml::node& item : *array) items.push_back(from_node(item));
    return items;
  }
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* integer = node.as_integer()) return integer->get();
  if (const auto* number = node.as_floating_point()) return number->get();
  if (const auto* truth = node.as_boolean()) return truth->get();
  if (const auto* date = node.as_date()) return streamed(date->get());
  if (const auto* time = node.as_time()) return streamed(time->get());
  if (const auto* moment = node.as_date_time()) return streamed(moment->get());
  internal_error("toml: a value of unknown type");
}

std::string quoted(const std::string& text) {
  std::string json;
  try {
    json = Json(text).dump();
  } catch (const Json::exception&) {
    command_error("toml: a text is not valid UTF-8; convert it to UTF-8");
  }
  // JSON's escapes are TOML's, but for DEL, which TOML does not allow as it is.
  std::string result;
  for (const char c : json) {
    if (c == '\x7f') {
      result += "\\u007F";
    } else {
      result += c;
    }
  }
  return result;
}

std::string key_text(const std::string& key) {
  const bool is_bare = !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
  return is_bare ? key : quoted(key);
}

std::string float_text(double number) {
  if (std::isnan(number)) return "nan";
  if (std::isinf(number)) return number > 0 ? "inf" : "-inf";
  std::string text = fmt::format("{}", number);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

bool is_array_of_tables(const Json& value) {
  return value.is_array() && !value.empty() &&
         std::all_of(value.begin(), value.end(), [](const Json& item) { return item.is_object(); });
}

// On one line, tables in braces.
std::string inline_text(const Json& value, const std::string& path) {
  switch (value.type()) {
    case Json::value_t::string:
      return quoted(value.get_ref<const std::string&>());
    case Json::value_t::boolean:
      return value.get<bool>() ? "true" : "false";
    case Json::value_t::number_float:
      return float_text(value.get<double>());
    case Json::value_t::number_integer:
      return fmt::format("{}", value.get<int64_t>());
    case Json::value_t::number_unsigned: {
      const auto number = value.get<uint64_t>();
      if (number > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
        command_error("{}: {} is too large for TOML, expected at most 9223372036854775807", path, number);
      }
      return fmt::format("{}", number);
    }
    case Json::value_t::array: {
      std::vector<std::string> items;
      for (const Json& item : value) items.push_back(inline_text(item, path));
      return fmt::format("[{}]", fmt::join(items, ", "));
    }
    case Json::value_t::object: {
      std::vector<std::string> items;
      for (const auto& [key, item] : value.items()) {
        if (!item.is_null()) items.push_back(key_text(key) + " = " + inline_text(item, path + "." + key));
      }
      return items.empty() ? "{}" : fmt::format("{{ {} }}", fmt::join(items, ", "));
    }
    default:
      command_error("{}: a list holds null, which TOML cannot say; leave the entry out", path);
  }
}

// `header` is the dotted key of the table as written, empty for the outermost.
void write_table(const Json& table, const std::string& header, std::string& out) {
  const auto dotted = [&](const std::string& key) {
    return header.empty() ? key_text(key) : header + "." + key_text(key);
  };
  const auto begin = [&](std::string_view line) {
    if (!out.empty()) out += '\n';
    out += fmt::format("{}\n", line);
  };
  for (const auto& [key, value] : table.items()) {
    if (value.is_null() || value.is_object() || is_array_of_tables(value)) continue;
    out += fmt::format("{} = {}\n", key_text(key), inline_text(value, dotted(key)));
  }
  for (const auto& [key, value] : table.items()) {
    const std::string path = dotted(key);
    if (value.is_object()) {
      const bool has_only_tables =
          !value.empty() && std::all_of(value.begin(), value.end(), [](const Json& item) {
            return item.is_object() || is_array_of_tables(item);
          });
      if (!has_only_tables) begin("[" + path + "]");
      write_table(value, path, out);
    } else if (is_array_of_tables(value)) {
      for (const Json& item : value) {
        begin("[[" + path + "]]");
        write_table(item, path, out);
      }
    }
  }
}

// Each dot of a key is a table in a table, which toml++ does not count as nesting. Tables are walked by
// recursion, so a key of a hundred thousand names would need more stack than there is.
void refuse_long_keys(std::string_view text, const std::string& where) {
  constexpr int most_dots = 200;
  int64_t line = 1;
  int dots = 0;
  for (const char c : text) {
    if (c == '\n') ++line;
    if (c == '.') ++dots;
    if (std::string_view("\n=,[{#").find(c) != std::string_view::npos) dots = 0;
    if (dots > most_dots) {
      command_error("{}:{}: got more than {} dots in a row of names, expected tables less deep; shorten it",
                    where, line, most_dots);
    }
  }
}

}  // namespace

Json parse_toml(std::string_view text, const std::string& where) {
  refuse_long_keys(text, where);
  try {
    return from_table(toml::parse(text));
  } catch (const toml::parse_error& error) {
    const toml::source_position place = error.source().begin;
    command_error("{}:{}:{}: {}", where, place.line, place.column, error.description());
  } catch (const BrokenToml&) {
    command_error("{}: is not TOML; a key or a value in it breaks off or has a character too many", where);
  }
}

Json read_toml_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file.is_open() || file.bad()) {
    command_error("{}: cannot be read; check that the file exists and may be read", path);
  }
  return parse_toml(text, path);
}

std::string to_toml(const Json& object) {
  if (!object.is_object()) internal_error("to_toml: got {}, expected an object", object.type_name());
  std::string out;
  write_table(object, "", out);
  return out;
}

std::string toml_key(const std::string& key) { return key_text(key); }

std::string toml_value(const Json& value) { return inline_text(value, "toml"); }

}  // namespace gatewise
