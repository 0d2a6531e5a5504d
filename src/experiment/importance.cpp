#include "experiment/importance.h"

#include "experiment/gaussian_process.h"
#include "experiment/quasi_random.h"
#include "experiment/value_scale.h"

namespace gatewise {
namespace {

constexpr size_t sample_points = 1024, most_observations = 300;

}  // namespace

size_t fewest_observations(size_t dimensions) { return std::max<size_t>(3, 2 * dimensions); }

std::vector<Importance> importances(const SearchSpace& space, const std::vector<Observation>& observations,
                                    uint64_t seed) {
  std::vector<Observation> finished;
  for (const Observation& observation : observations) {
    if (!std::isnan(observation.value)) finished.push_back(observation);
  }
  if (finished.size() < fewest_observations(space.size())) return {};
  std::vector<std::vector<double>> places;
  std::vector<double> values;
  for (const size_t i : representative_observations(space, finished, most_observations)) {
    places.push_back(space.to_unit(finished[i].point));
    values.push_back(finished[i].value);
  }
  const auto [least, largest] = std::minmax_element(values.begin(), values.end());
  if (*least == *largest) return {};
  const GaussianProcess process = GaussianProcess::fit(space, places, standard_values(values));
  const size_t dimensions = space.size();
  std::vector<double> sums_alone(dimensions), sums_all(dimensions);
  double sum = 0, squares = 0;
  const auto mean_at = [&](const std::vector<double>& unit) {
    return process.predict(space.to_unit(space.from_unit(unit))).means(0);
  };
  for (size_t i = 0; i < sample_points; ++i) {
    const std::vector<double> both = quasi_random_point(seed, i, 2 * dimensions);
    const std::vector<double> a(both.begin(), both.begin() + static_cast<std::ptrdiff_t>(dimensions));
    const std::vector<double> b(both.begin() + static_cast<std::ptrdiff_t>(dimensions), both.end());
    const double at_a = mean_at(a), at_b = mean_at(b);
    sum += at_a + at_b;
    squares += at_a * at_a + at_b * at_b;
    for (size_t k = 0; k < dimensions; ++k) {
      std::vector<double> mixed = a;
      mixed[k] = b[k];
      const double at_mixed = mean_at(mixed);
      sums_alone[k] += at_b * (at_mixed - at_a);
      sums_all[k] += (at_a - at_mixed) * (at_a - at_mixed);
    }
  }
  constexpr double count = sample_points;
  const double variance = squares / (2 * count) - sum * sum / (4 * count * count);
  if (!(variance > 1e-12)) return {};
  std::vector<Importance> found(dimensions);
  for (size_t k = 0; k < dimensions; ++k) {
    found[k].in_all = std::clamp(sums_all[k] / (2 * count * variance), 0.0, 1.0);
    found[k].alone = std::clamp(sums_alone[k] / (count * variance), 0.0, found[k].in_all);
  }
  return found;
}

}  // namespace gatewise
