#include "table/parse.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>
#include <limits>

namespace gatewise {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

// std::from_chars leaves the value alone when it is out of range; the exponent or, without one, a zero before
// the point tells which end was passed.
double out_of_range(std::string_view text) {
  const double sign = text.front() == '-' ? -1.0 : 1.0;
  const size_t exponent = text.find_first_of("eE");
  const bool is_tiny = exponent != std::string_view::npos ? text.substr(exponent + 1).starts_with('-')
                                                          : text.find_first_of("123456789") > text.find('.');
  return is_tiny ? sign * 0.0 : sign * std::numeric_limits<double>::infinity();
}

// Reads exactly `digits` digits from the front of `text`.
bool take_digits(std::string_view& text, size_t digits, int& value) {
  if (text.size() < digits) return false;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + digits, value);
  if (fault != std::errc{} || end != text.data() + digits || text.front() == '-') return false;
  text.remove_prefix(digits);
  return true;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

// Seconds of the day from "hh:mm[:ss[.fraction]][Z]", which must be all that is left.
std::optional<double> parse_clock(std::string_view text) {
  int hour = 0, minute = 0, second = 0;
  double fraction = 0;
  if (!take_digits(text, 2, hour) || !take(text, ':') || !take_digits(text, 2, minute)) return std::nullopt;
  if (take(text, ':')) {
    if (!take_digits(text, 2, second)) return std::nullopt;
    if (take(text, '.')) {
      double unit = 0.1;
      for (int digit = 0; take_digits(text, 1, digit); unit *= 0.1) fraction += digit * unit;
    }
  }
  take(text, 'Z');
  if (!text.empty() || hour > 24 || minute > 59 || second > 60) return std::nullopt;
  return hour * 3600.0 + minute * 60.0 + second + fraction;
}

}  // namespace

std::string_view trim_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

std::optional<double> parse_number(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  double value = 0;
  const char* last = text.data() + text.size();
  const auto [end, fault] = std::from_chars(text.data(), last, value);
  if (end != last || fault == std::errc::invalid_argument) return std::nullopt;
  return fault == std::errc::result_out_of_range ? out_of_range(text) : value;
}

std::string number_text(double number) { return fmt::format("{}", number); }

std::string number_text(float number) {
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.begin(), digits.end(), number, std::chars_format::scientific).ptr;
  const std::optional<double> same = parse_number({digits.data(), static_cast<size_t>(end - digits.data())});
  return number_text(same.value_or(number));
}

std::optional<double> parse_numeric(std::string_view text) {
  if (const std::optional<double> number = parse_number(text)) return number;
  const auto is_word = [text](std::string_view word) {
    return std::equal(text.begin(), text.end(), word.begin(), word.end(),
                      [](char c, char lower) { return c == lower || c == lower - 'a' + 'A'; });
  };
  if (is_word("true")) return 1.0;
  if (is_word("false")) return 0.0;
  return std::nullopt;
}

IdParse parse_id(std::string_view text, uint64_t& id) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const char* last = text.data() + text.size();
  std::from_chars_result result{};
  if (text.starts_with('-')) {
    int64_t value = 0;
    result = std::from_chars(text.data(), last, value);
    id = static_cast<uint64_t>(value);
  } else {
    result = std::from_chars(text.data(), last, id);
  }
  if (result.ec == std::errc::invalid_argument || result.ptr != last) return IdParse::NotAnInteger;
  return result.ec == std::errc::result_out_of_range ? IdParse::TooLarge : IdParse::Ok;
}

std::optional<double> parse_time(std::string_view text) {
  if (const std::optional<double> number = parse_number(text)) return number;
  int year = 0, month = 0, day = 0;
  if (!take_digits(text, 4, year) || !take(text, '-') || !take_digits(text, 2, month) || !take(text, '-') ||
      !take_digits(text, 2, day)) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{std::chrono::year(year),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  const double midnight =
      86400.0 * static_cast<double>(std::chrono::sys_days(date).time_since_epoch().count());
  if (text.empty()) return midnight;
  if (!take(text, 'T') && !take(text, ' ')) return std::nullopt;
  const std::optional<double> clock = parse_clock(text);
  return clock ? std::optional<double>(midnight + *clock) : std::nullopt;
}

}  // namespace gatewise
