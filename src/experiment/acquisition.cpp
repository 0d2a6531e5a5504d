#include "experiment/acquisition.h"

#include <numbers>

#include "base/random.h"
#include "experiment/minimise.h"
#include "experiment/quasi_random.h"

namespace gatewise {
namespace {

constexpr double far_below = -20;  // from there on the series is used
constexpr int64_t small_space = 2000;
constexpr int64_t spread_candidates = 768, near_candidates = 768;
constexpr size_t climbs = 8;
constexpr int64_t climbed_choices = 8;     // of one option
constexpr int64_t listed_neighbours = 24;  // of an integer or a choice: up to as many values all are tried

double log_density(double z) { return -0.5 * z * z - 0.5 * std::log(2 * std::numbers::pi); }

}  // namespace

LogImprovement log_improvement(double z) {
  if (z < far_below) {
    // phi(z) / z^2 (1 - 3 / z^2 + 15 / z^4 - ...), and the same kind of series for Phi(z).
    const double s = 1 / (z * z);
    const double series = 1 - s * (3 - s * (15 - s * (105 - s * 945)));
    const double tail = 1 - s * (1 - s * (3 - s * (15 - s * 105)));
    return {log_density(z) + std::log(s) + std::log(series), -z * tail / series};
  }
  const double density = std::exp(log_density(z));
  const double below = 0.5 * std::erfc(-z / std::numbers::sqrt2);
  if (z > -1) {
    const double value = density + z * below;
    return {std::log(value), below / value};
  }
  const double share = 1 + z * below / density;  // of the density; the ratio keeps its digits far below 0
  return {log_density(z) + std::log(share), below / (density * share)};
}

namespace {

// Under one process, averaged over its samples.
double log_improvement_of(const GaussianProcess& process, const std::vector<double>& place,
                          std::vector<double>* gradient) {
  const GaussianProcess::Prediction at = process.predict(place, gradient != nullptr);
  const double deviation = std::sqrt(at.variance);
  const auto samples = at.means.size();
  std::vector<LogImprovement> parts(samples);
  std::vector<double> z(samples);
  double largest = -std::numeric_limits<double>::infinity();
  for (Eigen::Index sample = 0; sample < samples; ++sample) {
    z[sample] = (process.best_means()(sample) - at.means(sample)) / deviation;
    parts[sample] = log_improvement(z[sample]);
    largest = std::max(largest, parts[sample].value);
  }
  double sum = 0;
  for (const LogImprovement& part : parts) sum += std::exp(part.value - largest);
  if (gradient != nullptr) {
    const Eigen::VectorXd deviation_gradient = at.variance_gradient / (2 * deviation);
    Eigen::VectorXd slope = deviation_gradient / deviation;
    for (Eigen::Index sample = 0; sample < samples; ++sample) {
      const double share = std::exp(parts[sample].value - largest) / sum * parts[sample].slope;
      slope -= share / deviation * (at.mean_gradients.col(sample) + z[sample] * deviation_gradient);
    }
    gradient->assign(slope.begin(), slope.end());
  }
  return std::log(deviation) + largest + std::log(sum / static_cast<double>(samples));
}

}  // namespace

double log_expected_improvement(const std::vector<GaussianProcess>& processes,
                                const std::vector<double>& place, std::vector<double>* gradient) {
  std::vector<double> values;
  std::vector<std::vector<double>> gradients(processes.size());
  for (size_t i = 0; i < processes.size(); ++i)
    values.push_back(log_improvement_of(processes[i], place, gradient != nullptr ? &gradients[i] : nullptr));
  const double largest = *std::max_element(values.begin(), values.end());
  double sum = 0;
  for (const double value : values) sum += std::exp(value - largest);
  if (gradient != nullptr) {
    gradient->assign(place.size(), 0);
    for (size_t i = 0; i < processes.size(); ++i) {
      for (size_t k = 0; k < place.size(); ++k)
        (*gradient)[k] += std::exp(values[i] - largest) / sum * gradients[i][k];
    }
  }
  return largest + std::log(sum / static_cast<double>(values.size()));
}

namespace {

struct Candidate {
  Point point;
  double value = -std::numeric_limits<double>::infinity();
  bool is_spread = false;  // drawn from all over the space
};

class Climber {
 public:
  Climber(const std::vector<GaussianProcess>& processes, const AcquisitionSearch& search)
      : processes_(processes),
        search_(search),
        space_(*search.space),
        random_(search.seed, "search/candidates") {
    for (size_t i = 0; i < space_.size(); ++i) {
      if (space_[i].kind == Dimension::Kind::Number) numbers_.push_back(i);
    }
  }

  std::optional<Point> run() {
    std::vector<Candidate> candidates = first_candidates();
    if (candidates.empty()) return {};
    std::stable_sort(candidates.begin(), candidates.end(),
                     [](const Candidate& a, const Candidate& b) { return a.value > b.value; });
    const bool is_whole = space_.count(small_space) <= small_space;
    Candidate best = candidates[0];
    if (is_whole) return best.point;
    for (const size_t start : starts_of(candidates)) {
      const Candidate top = climbed(candidates[start]);
      if (top.value > best.value) best = top;
    }
    return best.point;
  }

 private:
  // Where to climb from, among candidates by falling value: the best ones, the best of those all over the
  // space, which may lie in the basins of other peaks, and the best with each choice, since a choice often
  // moves the best place of the numbers, so that no step from the old place shows what it is worth.
  std::vector<size_t> starts_of(const std::vector<Candidate>& candidates) const {
    std::vector<size_t> starts;
    const auto add_best = [&](size_t count, const std::function<bool(const Candidate&)>& is_wanted) {
      for (size_t i = 0; i < candidates.size() && count > 0; ++i) {
        if (!is_wanted(candidates[i])) continue;
        --count;
        if (std::find(starts.begin(), starts.end(), i) == starts.end()) starts.push_back(i);
      }
    };
    add_best(climbs / 2, [](const Candidate&) { return true; });
    add_best(climbs / 2, [](const Candidate& candidate) { return candidate.is_spread; });
    for (size_t i = 0; i < space_.size(); ++i) {
      if (space_[i].has_order()) continue;
      for (int64_t choice = 0; choice < std::min(space_[i].count(), climbed_choices); ++choice) {
        add_best(1, [&](const Candidate& candidate) {
          return candidate.is_spread && candidate.point[i] == static_cast<double>(choice);
        });
      }
    }
    return starts;
  }

  double judge(const Point& point) const {
    return log_expected_improvement(processes_, space_.to_unit(point));
  }

  void add(std::vector<Candidate>& candidates, Point point, bool is_spread) const {
    if (!search_.is_allowed(point)) return;
    const double value = judge(point);
    candidates.push_back({std::move(point), value, is_spread});
  }

  std::vector<Candidate> first_candidates() const {
    std::vector<Candidate> candidates;
    if (space_.count(small_space) <= small_space) {
      for (Point& point : all_points(space_)) add(candidates, std::move(point), true);
      return candidates;
    }
    for (int64_t i = 0; i < spread_candidates; ++i)
      add(candidates, space_.from_unit(quasi_random_point(search_.seed, i, space_.size())), true);
    const auto centres = static_cast<int64_t>(search_.promising.size());
    for (int64_t i = 0; i < near_candidates && centres > 0; ++i)
      add(candidates, space_.from_unit(near(search_.promising[i % centres], i)), false);
    return candidates;
  }

  // A place near `centre`: some dimensions are moved, by steps of many sizes.
  std::vector<double> near(std::vector<double> centre, int64_t index) const {
    const auto row = static_cast<uint64_t>(index);
    const double share = std::min(1.0, 2.0 / static_cast<double>(space_.size()) + 0.2);
    const double width = std::pow(10.0, -3 * random_.uniform(1, row, 0)) * 0.5;
    for (size_t i = 0; i < space_.size(); ++i) {
      const auto element = static_cast<uint32_t>(i);
      if (random_.uniform(2, row, element) > share) continue;
      const bool is_free = !space_[i].has_order();
      centre[i] = is_free ? random_.uniform(3, row, element)
                          : std::clamp(centre[i] + width * random_.normal(4, row, element), 0.0, 1.0);
    }
    return centre;
  }

  Candidate climbed(Candidate candidate) const {
    constexpr int rounds = 5;
    for (int round = 0; round < rounds; ++round) {
      const double before = candidate.value;
      climb_numbers(candidate);
      const bool has_moved = try_neighbours(candidate);
      if (!has_moved || candidate.value <= before) break;
    }
    return candidate;
  }

  void climb_numbers(Candidate& candidate) const {
    if (numbers_.empty()) return;
    std::vector<double> place = space_.to_unit(candidate.point);
    const std::vector<double> start = place;
    std::vector<double> x;
    for (const size_t i : numbers_) x.push_back(place[i]);
    const SmoothFunction objective = [&](std::span<const double> at, std::span<double> gradient) {
      for (size_t i = 0; i < numbers_.size(); ++i) place[numbers_[i]] = at[i];
      std::vector<double> slope;
      const double value = log_expected_improvement(processes_, place, &slope);
      for (size_t i = 0; i < numbers_.size(); ++i) gradient[i] = -slope[numbers_[i]];
      return -value;
    };
    const std::vector<double> lower(x.size(), 0), upper(x.size(), 1);
    minimise(objective, x, lower, upper, 60);
    // Where a constraint forbids the top, as far on the way to it as is allowed.
    for (double part = 1; part > 0.05; part *= 0.7) {
      for (size_t i = 0; i < numbers_.size(); ++i)
        place[numbers_[i]] = start[numbers_[i]] + part * (x[i] - start[numbers_[i]]);
      if (move(candidate, space_.from_unit(place))) return;
    }
  }

  bool move(Candidate& candidate, Point point) const {
    if (!search_.is_allowed(point)) return false;
    const double value = judge(point);
    if (value <= candidate.value) return false;
    candidate = {std::move(point), value, false};
    return true;
  }

  std::vector<double> neighbours(const Dimension& dimension, double value) const {
    std::vector<double> values;
    if (dimension.count() <= listed_neighbours || dimension.kind == Dimension::Kind::Choice) {
      for (int64_t i = 0; i < dimension.count(); ++i)
        values.push_back(dimension.kind == Dimension::Kind::Choice ? static_cast<double>(i)
                                                                   : dimension.low + static_cast<double>(i));
    } else {
      for (double step = 1; step < dimension.high - dimension.low; step *= 2) {
        values.push_back(value + step);
        values.push_back(value - step);
      }
    }
    std::erase_if(values, [&](double other) {
      const bool is_outside =
          dimension.kind == Dimension::Kind::Integer && (other < dimension.low || other > dimension.high);
      return is_outside || other == value;
    });
    return values;
  }

  bool try_neighbours(Candidate& candidate) const {
    bool has_moved = false;
    for (size_t i = 0; i < space_.size(); ++i) {
      if (space_[i].kind == Dimension::Kind::Number) continue;
      for (const double value : neighbours(space_[i], candidate.point[i])) {
        Point point = candidate.point;
        point[i] = value;
        has_moved = move(candidate, std::move(point)) || has_moved;
      }
    }
    return has_moved;
  }

  const std::vector<GaussianProcess>& processes_;
  const AcquisitionSearch& search_;
  const SearchSpace& space_;
  RandomStream random_;
  std::vector<size_t> numbers_;
};

}  // namespace

std::optional<Point> maximise_improvement(const std::vector<GaussianProcess>& processes,
                                          const AcquisitionSearch& search) {
  return Climber(processes, search).run();
}

std::vector<Point> all_points(const SearchSpace& space) {
  std::vector<Point> points{Point()};
  for (const Dimension& dimension : space.dimensions()) {
    std::vector<Point> longer;
    for (const Point& point : points) {
      for (int64_t i = 0; i < std::max<int64_t>(1, dimension.count()); ++i) {
        longer.push_back(point);
        longer.back().push_back(dimension.kind == Dimension::Kind::Choice
                                    ? static_cast<double>(i)
                                    : dimension.low + static_cast<double>(i));
      }
    }
    points = std::move(longer);
  }
  return points;
}

}  // namespace gatewise
