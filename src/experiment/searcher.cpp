#include "experiment/searcher.h"

#include <numeric>

#include "base/error.h"
#include "base/random.h"
#include "experiment/acquisition.h"
#include "experiment/quasi_random.h"
#include "experiment/value_scale.h"

namespace gatewise {
namespace {

constexpr int64_t start_attempts = 20000;  // quasi-random points looked at for one that is allowed
constexpr int64_t enumerable = 100000;
constexpr int64_t pending_samples = 8;  // of each draw
// Draws of the parameters; fewer of more observations, which leave less open and take longer.
constexpr int64_t most_draws = 10, drawn_observations = 100;
constexpr size_t promising_points = 6;

bool contains(const std::vector<Point>& points, const Point& point) {
  return std::find(points.begin(), points.end(), point) != points.end();
}

double number_of(const Dimension& dimension, double value) {
  if (dimension.kind != Dimension::Kind::Choice) return value;
  const Json& choice = dimension.choices[static_cast<size_t>(value)];
  return choice.is_boolean() ? (choice.get<bool>() ? 1 : 0) : choice.get<double>();
}

bool has_number(const Dimension& dimension) {
  return std::all_of(dimension.choices.begin(), dimension.choices.end(),
                     [](const Json& choice) { return choice.is_number() || choice.is_boolean(); });
}

// Observations by rising value, failures last.
std::vector<size_t> order_of(const std::vector<Observation>& observations) {
  std::vector<size_t> order(observations.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const double left = observations[a].value, right = observations[b].value;
    return std::isnan(right) ? !std::isnan(left) : left < right;
  });
  return order;
}

}  // namespace

Searcher::Searcher(SearchSpace space, std::vector<Constraint> constraints,
                   std::map<std::string, double> constants, SearcherOptions options,
                   std::optional<Point> first)
    : space_(std::move(space)),
      constraints_(std::move(constraints)),
      constants_(std::move(constants)),
      options_(options),
      first_(std::move(first)) {
  for (const Constraint& constraint : constraints_) check_names(constraint);
  const auto dimensions = static_cast<int64_t>(space_.size());
  starts_ = options_.starts > 0 ? options_.starts : std::min<int64_t>(10, 4 + 2 * dimensions);
  if (const Constraint* broken = first_ ? broken_by(*first_) : nullptr) {
    broken_by_first_ = broken->text();
    first_.reset();
  }
  if (!first_ && !start_point(0, {})) {
    command_error(
        "tune.constraints: none of {} points of the space satisfies all of them; widen the ranges or loosen "
        "the constraints",
        start_attempts);
  }
}

void Searcher::check_names(const Constraint& constraint) const {
  bool is_searched = false;
  std::vector<std::string> fixed;
  for (const std::string& name : constraint.names()) {
    const auto found = std::find_if(space_.dimensions().begin(), space_.dimensions().end(),
                                    [&](const Dimension& dimension) { return dimension.name == name; });
    const bool is_dimension = found != space_.dimensions().end();
    is_searched = is_searched || is_dimension;
    if (is_dimension && !has_number(*found)) {
      command_error("tune.constraints: \"{}\": {} has choices that are no numbers; leave it out",
                    constraint.text(), name);
    }
    if (is_dimension) continue;
    if (!constants_.contains(name)) {
      std::vector<std::string> known;
      for (const Dimension& dimension : space_.dimensions()) known.push_back(dimension.name);
      for (const auto& [constant, value] : constants_) known.push_back(constant);
      command_error("tune.constraints: \"{}\": no option \"{}\" with a number.{}", constraint.text(), name,
                    suggestion(name, known));
    }
    fixed.push_back(fmt::format("{} = {}", name, constants_.at(name)));
  }
  if (!is_searched && !constraint.holds(constants_)) {
    command_error(
        "tune.constraints: \"{}\": does not hold, and no option in it is searched; got {}; give one a range, "
        "or change it",
        constraint.text(), fixed.empty() ? "no option" : fmt::format("{}", fmt::join(fixed, ", ")));
  }
}

// A constraint that the point does not satisfy, or null.
const Constraint* Searcher::broken_by(const Point& point) const {
  if (constraints_.empty()) return nullptr;
  std::map<std::string, double> values = constants_;
  for (size_t i = 0; i < space_.size(); ++i) {
    if (has_number(space_[i])) values[space_[i].name] = number_of(space_[i], point[i]);
  }
  const auto broken = std::find_if(constraints_.begin(), constraints_.end(),
                                   [&](const Constraint& constraint) { return !constraint.holds(values); });
  return broken == constraints_.end() ? nullptr : &*broken;
}

std::optional<Point> Searcher::start_point(int64_t index, const std::vector<Point>& tried) const {
  int64_t left = index;
  for (int64_t i = 0; i < start_attempts + 16 * index; ++i) {
    const Point point = space_.from_unit(quasi_random_point(options_.seed, i, space_.size()));
    if (!is_allowed(point)) continue;
    if (left-- > 0 || contains(tried, point)) continue;
    return point;
  }
  if (space_.count(enumerable) > enumerable) return {};
  for (Point& point : all_points(space_)) {
    if (is_allowed(point) && !contains(tried, point)) return std::move(point);
  }
  return {};
}

std::optional<Point> Searcher::propose(int64_t index, const std::vector<Observation>& known,
                                       const std::vector<Point>& pending) const {
  std::vector<Point> tried = pending;
  for (const Observation& observation : known) tried.push_back(observation.point);
  if (index == 0 && first_) return first_;
  const auto successes = std::count_if(known.begin(), known.end(), [](const Observation& observation) {
    return !std::isnan(observation.value);
  });
  if (index >= starts_ && successes >= 2) return improving_point(index, known, pending, tried);
  return start_point(first_ ? index - 1 : index, tried);
}

std::optional<Point> Searcher::improving_point(int64_t index, const std::vector<Observation>& known,
                                               const std::vector<Point>& pending,
                                               const std::vector<Point>& tried) const {
  std::vector<Observation> seen;
  for (const size_t i :
       representative_observations(space_, known, static_cast<size_t>(options_.exact_points)))
    seen.push_back(known[i]);
  std::vector<std::vector<double>> places, pending_places;
  std::vector<double> values;
  for (const Observation& observation : seen) {
    places.push_back(space_.to_unit(observation.point));
    values.push_back(observation.value);
  }
  for (const Point& point : pending) pending_places.push_back(space_.to_unit(point));
  const uint64_t seed = mix64(options_.seed ^ mix64(static_cast<uint64_t>(index) + 1));
  const auto seen_count = static_cast<int64_t>(seen.size());
  const int64_t draws = most_draws * drawn_observations / std::max(drawn_observations, seen_count);
  std::vector<GaussianProcess> processes =
      GaussianProcess::fit(space_, places, standard_values(values)).draws(draws, seed);
  for (GaussianProcess& process : processes) {
    if (!pending.empty()) process = process.with_pending(pending_places, pending_samples, seed);
  }

  AcquisitionSearch search;
  search.space = &space_;
  search.seed = seed;
  search.is_allowed = [&](const Point& point) { return is_allowed(point) && !contains(tried, point); };
  for (const size_t i : order_of(seen)) {
    if (search.promising.size() < promising_points) search.promising.push_back(places[i]);
  }
  std::optional<Point> best = maximise_improvement(processes, search);
  return best ? best : start_point(index, tried);
}

std::vector<size_t> representative_observations(const SearchSpace& space,
                                                const std::vector<Observation>& observations, size_t limit) {
  std::vector<size_t> order = order_of(observations);
  if (order.size() > limit) {
    std::vector<std::vector<double>> places;
    for (const Observation& observation : observations) places.push_back(space.to_unit(observation.point));
    std::vector<double> gap(observations.size(), std::numeric_limits<double>::infinity());
    std::vector<size_t> chosen;
    const auto choose = [&](size_t index) {
      chosen.push_back(index);
      gap[index] = -1;
      for (size_t i = 0; i < gap.size(); ++i) {
        double distance = 0;
        for (size_t k = 0; k < space.size(); ++k) distance += std::abs(places[i][k] - places[index][k]);
        gap[i] = std::min(gap[i], distance);
      }
    };
    for (size_t i = 0; i < limit / 3; ++i) choose(order[i]);
    while (chosen.size() < limit)
      choose(static_cast<size_t>(std::max_element(gap.begin(), gap.end()) - gap.begin()));
    order = std::move(chosen);
  }
  std::sort(order.begin(), order.end());
  return order;
}

}  // namespace gatewise
