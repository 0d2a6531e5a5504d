#include "features/plain_text.h"

#include <algorithm>

namespace gatewise {
namespace {

const std::vector<std::string> truth_spellings[] = {{"true", "True", "TRUE"}, {"false", "False", "FALSE"}};

// The truth values that have this spelling, or null.
const std::vector<std::string>* truths_like(std::string_view text) {
  for (const std::vector<std::string>& spellings : truth_spellings) {
    if (std::find(spellings.begin(), spellings.end(), text) != spellings.end()) return &spellings;
  }
  return nullptr;
}

// Digits behind an optional minus, without a final ".0"; empty for all other texts.
std::string_view whole_number(std::string_view text) {
  if (text.ends_with(".0")) text.remove_suffix(2);
  const size_t sign = text.starts_with('-') ? 1 : 0;
  return text.size() > sign && text.find_first_not_of("0123456789", sign) == std::string_view::npos
             ? text
             : std::string_view();
}

}  // namespace

std::string plain_text(std::string_view text) {
  if (const std::vector<std::string>* truths = truths_like(text)) return truths->front();
  const std::string_view whole = whole_number(text);
  return std::string(whole.empty() ? text : whole);
}

std::vector<std::string> spellings_of(std::string_view text) {
  if (const std::vector<std::string>* truths = truths_like(text)) return *truths;
  const std::string plain = plain_text(text);
  if (whole_number(text).empty()) return {plain};
  return {plain, plain + ".0"};
}

}  // namespace gatewise
