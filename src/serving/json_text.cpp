#include "serving/json_text.h"

#include <fmt/compile.h>
#include <simdjson.h>

namespace gatewise {
namespace {

template <class Number>
void append_shortest(std::string& to, Number value) {
  char digits[40];
  const char* end = fmt::format_to(digits, FMT_COMPILE("{}"), value);
  to.append(digits, static_cast<size_t>(end - digits));
}

void append_escaped(std::string& to, char c) {
  switch (c) {
    case '"':
      to += "\\\"";
      break;
    case '\\':
      to += "\\\\";
      break;
    case '\n':
      to += "\\n";
      break;
    case '\t':
      to += "\\t";
      break;
    default:
      fmt::format_to(std::back_inserter(to), "\\u{:04x}", static_cast<unsigned char>(c));
  }
}

// At most `size` bytes, no character cut in two.
std::string_view beginning(std::string_view text, size_t size) {
  if (text.size() <= size) return text;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  return text.substr(0, size);
}

}  // namespace

void append_json_text(std::string& to, std::string_view text) {
  const bool is_utf8 = simdjson::validate_utf8(text.data(), text.size());
  to += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || c == '"' || c == '\\' || byte == 0x7F) {
      append_escaped(to, c);
    } else {
      to += byte < 0x80 || is_utf8 ? c : '?';
    }
  }
  to += '"';
}

void append_json_number(std::string& to, float value) { append_shortest(to, value); }
void append_json_number(std::string& to, double value) { append_shortest(to, value); }
void append_json_number(std::string& to, int64_t value) { append_shortest(to, value); }

std::string json_error(std::string_view message) {
  constexpr size_t longest = 1000;
  const std::string_view shown = beginning(message, longest);
  std::string body = R"({"error":)";
  append_json_text(body, shown);
  if (shown.size() < message.size()) body.insert(body.size() - 1, " ...");
  return body + "}";
}

}  // namespace gatewise
