#include "report/numbers.h"

#include <fmt/format.h>

#include <cmath>

namespace gatewise {

std::string value_text(double value) {
  const double size = std::abs(value);
  if (!std::isfinite(value)) return fmt::format("{}", value);
  if (size != 0 && size < 0.001) return fmt::format("{:.3g}", value);
  if (size < 10) return fmt::format("{:.4f}", value);
  if (size < 1e4) return fmt::format("{:#.5g}", value);
  if (size < 1e6) return fmt::format("{:.0f}", value);
  return fmt::format("{:.5g}", value);
}

std::string count_text(int64_t count) {
  const std::string digits = fmt::format("{}", count);
  std::string text;
  for (size_t i = 0; i < digits.size(); ++i) {
    const bool starts_group = i > 0 && digits[i - 1] != '-' && (digits.size() - i) % 3 == 0;
    if (starts_group) text += ',';
    text += digits[i];
  }
  return text;
}

std::string rate_text(double per_second) {
  if (!(per_second >= 0) || !std::isfinite(per_second)) return "?";
  if (per_second >= 1e6) return fmt::format("{:.2f} million", per_second / 1e6);
  const double unit = per_second >= 10000 ? 100 : per_second >= 1000 ? 10 : 1;
  return count_text(static_cast<int64_t>(std::llround(per_second / unit) * std::llround(unit)));
}

std::string duration_text(double seconds) {
  if (!(seconds >= 0) || seconds > 1e12) return "";
  const int64_t whole = std::llround(seconds);
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
}

std::string percent_text(double share) { return fmt::format("{:.4g} %", 100 * share); }

std::string bytes_text(int64_t bytes) {
  static constexpr const char* units[] = {"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) return fmt::format("{} bytes", bytes);
  double size = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  for (; size >= 1024 && unit < 3; ++unit) size /= 1024;
  return fmt::format("{:.1f} {}", size, units[unit]);
}

}  // namespace gatewise
