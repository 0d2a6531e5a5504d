#include "experiment/space.h"

#include "base/error.h"

namespace gatewise {

Dimension Dimension::number(std::string name, double low, double high, bool is_log) {
  Dimension dimension;
  dimension.name = std::move(name);
  dimension.low = low;
  dimension.high = high;
  dimension.is_log = is_log;
  return dimension;
}

Dimension Dimension::integer(std::string name, int64_t low, int64_t high, bool is_log) {
  Dimension dimension = number(std::move(name), static_cast<double>(low), static_cast<double>(high), is_log);
  dimension.kind = Kind::Integer;
  return dimension;
}

Dimension Dimension::choice(std::string name, std::vector<Json> choices) {
  Dimension dimension;
  dimension.name = std::move(name);
  dimension.kind = Kind::Choice;
  dimension.is_ordered_ =
      std::all_of(choices.begin(), choices.end(), [](const Json& choice) { return choice.is_number(); });
  if (dimension.is_ordered_) {
    std::sort(choices.begin(), choices.end(),
              [](const Json& a, const Json& b) { return a.get<double>() < b.get<double>(); });
  }
  dimension.choices = std::move(choices);
  return dimension;
}

int64_t Dimension::count() const {
  if (kind == Kind::Number) return 0;
  if (kind == Kind::Choice) return static_cast<int64_t>(choices.size());
  return static_cast<int64_t>(high - low) + 1;
}

void Dimension::check() const {
  if (kind == Kind::Choice) {
    if (choices.empty()) command_error("{}: got no choices, expected at least one", name);
    for (size_t i = 0; i < choices.size(); ++i) {
      if (std::find(choices.begin(), choices.begin() + static_cast<std::ptrdiff_t>(i), choices[i]) !=
          choices.begin() + static_cast<std::ptrdiff_t>(i)) {
        command_error("{}: the choice {} is there twice; drop one", name, choices[i].dump());
      }
    }
    return;
  }
  if (!std::isfinite(low) || !std::isfinite(high) || low > high)
    command_error("{}: got min = {} and max = {}, expected a minimum of at most the maximum", name, low,
                  high);
  if (is_log && low <= 0) {
    command_error("{}: got min = {} with log = true, expected one above 0; raise it, or drop log", name, low);
  }
}

namespace {

// The ends of what is spread over [0, 1]: integers have half a step on both sides.
struct Ends {
  double low, high;
};

Ends spread_ends(const Dimension& dimension) {
  const double margin = dimension.kind == Dimension::Kind::Integer ? 0.5 : 0;
  Ends ends{dimension.low - margin, dimension.high + margin};
  if (dimension.is_log) ends = {std::log(ends.low), std::log(ends.high)};
  return ends;
}

}  // namespace

double Dimension::to_unit(double value) const {
  if (kind == Kind::Choice) return (value + 0.5) / static_cast<double>(choices.size());
  const auto [from, to] = spread_ends(*this);
  if (to <= from) return 0.5;
  return std::clamp(((is_log ? std::log(value) : value) - from) / (to - from), 0.0, 1.0);
}

double Dimension::from_unit(double place) const {
  if (kind == Kind::Choice) {
    const auto choices_count = static_cast<double>(choices.size());
    return std::clamp(std::floor(place * choices_count), 0.0, choices_count - 1);
  }
  // A climb ends next to a bound, not on it: 5e-17 is meant to be 0.
  constexpr double at_bound = 1e-7;
  if (place < at_bound) return low;
  if (place > 1 - at_bound) return high;
  const auto [from, to] = spread_ends(*this);
  double value = from + place * (to - from);
  if (is_log) value = std::exp(value);
  if (kind == Kind::Integer) value = std::round(value);
  return std::clamp(value, low, high);
}

Json Dimension::json(double value) const {
  if (kind == Kind::Choice) return choices[static_cast<size_t>(value)];
  if (kind == Kind::Integer) return static_cast<int64_t>(value);
  return value;
}

SearchSpace::SearchSpace(std::vector<Dimension> dimensions) : dimensions_(std::move(dimensions)) {
  for (size_t i = 0; i < dimensions_.size(); ++i) {
    dimensions_[i].check();
    for (size_t other = 0; other < i; ++other) {
      if (dimensions_[other].name == dimensions_[i].name)
        command_error("{}: two ranges are given for it; drop one", dimensions_[i].name);
    }
  }
}

std::vector<double> SearchSpace::to_unit(const Point& point) const {
  std::vector<double> places(size());
  for (size_t i = 0; i < size(); ++i) places[i] = dimensions_[i].to_unit(point[i]);
  return places;
}

Point SearchSpace::from_unit(const std::vector<double>& places) const {
  Point point(size());
  for (size_t i = 0; i < size(); ++i) point[i] = dimensions_[i].from_unit(places[i]);
  return point;
}

Json SearchSpace::json(const Point& point) const {
  Json values = Json::object();
  for (size_t i = 0; i < size(); ++i) values[dimensions_[i].name] = dimensions_[i].json(point[i]);
  return values;
}

int64_t SearchSpace::count(int64_t limit) const {
  int64_t points = 1;
  for (const Dimension& dimension : dimensions_) {
    if (dimension.kind == Dimension::Kind::Number && dimension.low < dimension.high) return limit + 1;
    const int64_t values = std::max<int64_t>(1, dimension.count());
    if (points > limit / values) return limit + 1;
    points *= values;
  }
  return points;
}

}  // namespace gatewise
