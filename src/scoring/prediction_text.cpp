#include "scoring/prediction_text.h"

#include <fmt/compile.h>

namespace gatewise {

void append_prediction(std::string& to, double value) {
  char digits[40];
  const auto narrow = static_cast<float>(value);
  const char* end = static_cast<double>(narrow) == value ? fmt::format_to(digits, FMT_COMPILE("{}"), narrow)
                                                         : fmt::format_to(digits, FMT_COMPILE("{}"), value);
  to.append(digits, static_cast<size_t>(end - digits));
}

}  // namespace gatewise
