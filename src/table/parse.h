// Text fields to values, and numbers to texts. No locale is consulted.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gatewise {

// Without blanks, tabs and carriage returns at both ends.
std::string_view trim_blanks(std::string_view text);

// A decimal number with optional sign, fraction and exponent; also "nan" and "inf" in any case. Too large a
// number is infinity, too small a one zero. Nothing when `text` is not a number from end to end.
std::optional<double> parse_number(std::string_view text);

// The shortest text that reads back to the number; whole numbers are "1". A float's need only read back to
// that float: 0.1f is "0.1", as files have it, and not the digits of the double it becomes.
std::string number_text(double number);
std::string number_text(float number);
// What a numeric column holds as text: a number as parse_number() reads it, or true or false in any case,
// which are 1 and 0.
std::optional<double> parse_numeric(std::string_view text);

enum class IdParse { Ok, NotAnInteger, TooLarge };

// An unsigned 64-bit id, never by way of floating point: 0 to 18446744073709551615, or a negative number down
// to -9223372036854775808, which stands for the id with the same 64 bits.
IdParse parse_id(std::string_view text, uint64_t& id);

// A number, or a date "2011-01-31" with an optional time "T23:59:59" or " 23:59:59" (fractions of a second
// and a final Z allowed), as seconds since 1970-01-01. Nothing when `text` is neither.
std::optional<double> parse_time(std::string_view text);

}  // namespace gatewise
