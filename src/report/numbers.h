// Numbers as people read them.
#pragma once

#include <cstdint>
#include <string>

namespace gatewise {

// Four decimals below 10, five significant digits above, no exponent before a million.
std::string value_text(double value);
// 199523 -> "199,523".
std::string count_text(int64_t count);
// A rate of things per second: "950", "12,300", "1.24 million".
std::string rate_text(double per_second);
// "45 s", "3 min 5 s", "2 h 10 min"; empty for a negative or unknown time.
std::string duration_text(double seconds);
// 0.0620583 -> "6.206 %".
std::string percent_text(double share);
// 4096 -> "4.0 KiB".
std::string bytes_text(int64_t bytes);

}  // namespace gatewise
