#include "base/error.h"

#include <algorithm>
#include <cctype>
#include <numeric>

namespace gatewise {
namespace {

// Damerau-Levenshtein distance with adjacent transpositions, ignoring case.
size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), 0);
  const auto same = [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) == std::tolower(static_cast<unsigned char>(y));
  };
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (same(a[i - 1], b[j - 1]) ? 0 : 1)});
      if (i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1])) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

}  // namespace

std::vector<std::string> nearest_names(std::string_view name, std::span<const std::string> candidates) {
  std::vector<std::pair<size_t, std::string>> scored;
  for (const std::string& candidate : candidates) {
    const size_t longest = std::max(name.size(), candidate.size());
    const size_t difference = longest - std::min(name.size(), candidate.size());
    const bool contained = name.size() >= 3 && candidate.find(name) != std::string::npos;
    // The distance is at least that; a name from a request may be very long.
    if (!contained && difference > 1 && difference * 5 > longest * 2) continue;
    const size_t distance = edit_distance(name, candidate);
    if (distance * 5 <= longest * 2 || (distance == 1 && longest > 1) || contained)
      scored.emplace_back(distance, candidate);
  }
  std::stable_sort(scored.begin(), scored.end(), [](auto& a, auto& b) { return a.first < b.first; });
  std::vector<std::string> names;
  for (size_t i = 0; i < scored.size() && i < 3; ++i) names.push_back(scored[i].second);
  return names;
}

std::string suggestion(std::string_view name, std::span<const std::string> candidates) {
  const std::vector<std::string> near = nearest_names(name, candidates);
  if (!near.empty()) return fmt::format(" Did you mean \"{}\"?", fmt::join(near, "\" or \""));
  if (candidates.empty()) return "";
  constexpr size_t shown = 30;
  const size_t count = std::min(shown, candidates.size());
  std::string known = fmt::format(" Known: {}", fmt::join(candidates.first(count), ", "));
  return known + (candidates.size() > shown ? fmt::format(" and {} more.", candidates.size() - shown) : ".");
}

}  // namespace gatewise
