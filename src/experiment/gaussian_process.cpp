#include "experiment/gaussian_process.h"

#include "base/random.h"
#include "experiment/minimise.h"

namespace gatewise {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;
using Places = std::vector<std::vector<double>>;

constexpr double root_5 = 2.23606797749979;
constexpr double jitter = 1e-9;  // of the diagonal, so that places that coincide do not make it singular

// Priors of the logarithms, as normal densities.
constexpr double length_deviation = 1.0;
constexpr double signal_mean = 0, signal_deviation = 1.0;
constexpr double noise_mean = -9, noise_deviation = 4;

double length_mean(size_t dimensions) { return -0.7 + 0.5 * std::log(static_cast<double>(dimensions)); }

// The difference along one dimension; of choices without an order, 1 where they differ.
double difference(const Dimension& dimension, double a, double b) {
  return dimension.has_order() ? a - b : (a == b ? 0.0 : 1.0);
}

double matern(double distance) {
  return (1 + root_5 * distance + 5.0 / 3.0 * distance * distance) * std::exp(-root_5 * distance);
}

// -(derivative / distance), which stays finite at 0.
double matern_slope(double distance) {
  return 5.0 / 3.0 * (1 + root_5 * distance) * std::exp(-root_5 * distance);
}

std::vector<double> inverse_squares(const std::vector<double>& log_lengths) {
  std::vector<double> inverse(log_lengths.size());
  for (size_t i = 0; i < inverse.size(); ++i) inverse[i] = std::exp(-2 * log_lengths[i]);
  return inverse;
}

double scaled_distance(const SearchSpace& space, const std::vector<double>& inverse, const double* a,
                       const double* b) {
  double sum = 0;
  for (size_t i = 0; i < inverse.size(); ++i) {
    const double gap = difference(space[i], a[i], b[i]);
    sum += gap * gap * inverse[i];
  }
  return std::sqrt(sum);
}

MatrixXd scaled_distances(const SearchSpace& space, const Places& places,
                          const std::vector<double>& inverse) {
  const auto count = static_cast<Eigen::Index>(places.size());
  MatrixXd distances = MatrixXd::Zero(count, count);
  for (Eigen::Index row = 0; row < count; ++row) {
    for (Eigen::Index column = 0; column < row; ++column) {
      distances(row, column) = distances(column, row) =
          scaled_distance(space, inverse, places[row].data(), places[column].data());
    }
  }
  return distances;
}

// The constant mean that is most likely a posteriori, under a standard normal prior.
double constant_mean(const Eigen::LLT<MatrixXd>& factor, const VectorXd& values) {
  const VectorXd ones = VectorXd::Ones(values.size());
  const VectorXd solved = factor.solve(ones);
  return solved.dot(values) / (solved.sum() + 1);
}

double add_prior(double value, double mean, double deviation, double& gradient) {
  const double z = (value - mean) / deviation;
  gradient += z / deviation;
  return 0.5 * z * z;
}

}  // namespace

double GaussianProcess::negative_log_posterior(const SearchSpace& space, const Places& places,
                                               const std::vector<double>& values,
                                               const KernelParameters& parameters,
                                               std::vector<double>* gradient) {
  const size_t dimensions = space.size();
  const auto count = static_cast<Eigen::Index>(places.size());
  const std::vector<double> inverse = inverse_squares(parameters.lengths);
  const double signal = std::exp(parameters.signal), noise = std::exp(parameters.noise);
  const MatrixXd distances = scaled_distances(space, places, inverse);
  const MatrixXd kernel = signal * distances.unaryExpr(&matern);
  MatrixXd covariance = kernel;
  covariance.diagonal().array() += noise + jitter;
  const Eigen::LLT<MatrixXd> factor(covariance);
  if (factor.info() != Eigen::Success) return std::numeric_limits<double>::infinity();

  const VectorXd targets = Eigen::Map<const VectorXd>(values.data(), count);
  const double mean = constant_mean(factor, targets);
  const VectorXd centred = targets.array() - mean;
  const VectorXd weights = factor.solve(centred);
  const double log_determinant = 2 * factor.matrixLLT().diagonal().array().log().sum();
  std::vector<double> slopes(dimensions + 2, 0);
  double sum = 0.5 * centred.dot(weights) + 0.5 * log_determinant + 0.5 * mean * mean;
  for (size_t i = 0; i < dimensions; ++i)
    sum += add_prior(parameters.lengths[i], length_mean(dimensions), length_deviation, slopes[i]);
  sum += add_prior(parameters.signal, signal_mean, signal_deviation, slopes[dimensions]);
  sum += add_prior(parameters.noise, noise_mean, noise_deviation, slopes[dimensions + 1]);
  if (gradient == nullptr) return sum;

  // The derivative along a parameter is half the sum of `residual` times that of the covariance.
  MatrixXd residual = factor.solve(MatrixXd::Identity(count, count));
  residual.noalias() -= weights * weights.transpose();
  const MatrixXd near = signal * distances.unaryExpr(&matern_slope).cwiseProduct(residual);
  for (Eigen::Index row = 0; row < count; ++row) {
    for (Eigen::Index column = 0; column < row; ++column) {
      for (size_t i = 0; i < dimensions; ++i) {
        const double gap = difference(space[i], places[row][i], places[column][i]);
        slopes[i] += near(row, column) * gap * gap * inverse[i];
      }
    }
  }
  slopes[dimensions] += 0.5 * residual.cwiseProduct(kernel).sum();
  slopes[dimensions + 1] += 0.5 * residual.trace() * noise;
  *gradient = std::move(slopes);
  return sum;
}

namespace {

KernelParameters unpacked(std::span<const double> packed) {
  const size_t dimensions = packed.size() - 2;
  return {{packed.begin(), packed.begin() + static_cast<std::ptrdiff_t>(dimensions)},
          packed[dimensions],
          packed[dimensions + 1]};
}

struct Bounds {
  std::vector<double> lower, upper;
};

Bounds bounds_of(size_t dimensions) {
  Bounds bounds{std::vector<double>(dimensions, std::log(0.01)),
                std::vector<double>(dimensions, std::log(100.0))};
  bounds.lower.insert(bounds.lower.end(), {std::log(0.01), std::log(1e-8)});
  bounds.upper.insert(bounds.upper.end(), {std::log(1000.0), std::log(2.0)});
  return bounds;
}

}  // namespace

GaussianProcess GaussianProcess::fit(const SearchSpace& space, const Places& places,
                                     const std::vector<double>& values) {
  const size_t dimensions = space.size();
  const auto [lower, upper] = bounds_of(dimensions);
  const SmoothFunction objective = [&](std::span<const double> x, std::span<double> gradient) {
    std::vector<double> slope;
    const double value = negative_log_posterior(space, places, values, unpacked(x), &slope);
    if (std::isfinite(value)) std::copy(slope.begin(), slope.end(), gradient.begin());
    return value;
  };
  // What is most likely can have several peaks: "smooth", "rough", and "mostly noise".
  struct Start {
    double length, noise;
  };
  double best = std::numeric_limits<double>::infinity();
  std::vector<double> chosen;
  for (const Start start : {Start{0.5, 1e-5}, Start{0.15, 1e-4}, Start{1.0, 0.2}}) {
    const double scale = 0.5 * std::log(static_cast<double>(dimensions));
    std::vector<double> x(dimensions, std::log(start.length) + scale);
    x.insert(x.end(), {0.0, std::log(start.noise)});
    const double found = minimise(objective, x, lower, upper, 60);
    if (chosen.empty() || found < best) {
      best = found;
      chosen = x;
    }
  }
  return {space, places, values, unpacked(chosen)};
}

namespace {

constexpr int sweeps_per_draw = 2;
constexpr double slice_width = 1.5;

// Steps of slice sampling along single coordinates, for a density given by its negative logarithm.
class SliceSampler {
 public:
  using NegativeLog = std::function<double(const std::vector<double>&)>;

  SliceSampler(NegativeLog negative_log, uint64_t seed)
      : negative_log_(std::move(negative_log)), random_(seed, "search/slices") {}

  // Moves x[coordinate] within the bounds; `value` is that at x, before and after.
  void step(std::vector<double>& x, double& value, size_t coordinate, double lower, double upper) {
    const double level = value - std::log(1 - uniform());  // the slice is what lies below
    const double start = x[coordinate];
    const auto at = [&](double place) {
      x[coordinate] = place;
      return negative_log_(x);
    };
    double left = std::max(lower, start - slice_width * uniform());
    double right = std::min(upper, left + slice_width);
    while (left > lower && at(left) < level) left = std::max(lower, left - slice_width);
    while (right < upper && at(right) < level) right = std::min(upper, right + slice_width);
    for (int tries = 0; tries < 50; ++tries) {
      const double place = left + uniform() * (right - left);
      const double found = at(place);
      if (found <= level) {
        value = found;
        return;
      }
      (place < start ? left : right) = place;
    }
    value = at(start);
  }

 private:
  double uniform() { return random_.uniform(0, drawn_++, 0); }

  NegativeLog negative_log_;
  RandomStream random_;
  uint64_t drawn_ = 0;
};

}  // namespace

std::vector<GaussianProcess> GaussianProcess::draws(int64_t count, uint64_t seed) const {
  const std::vector<double> values(values_.col(0).begin(), values_.col(0).end());
  const auto negative_log = [&](const std::vector<double>& x) {
    return negative_log_posterior(*space_, places_, values, unpacked(x));
  };
  std::vector<double> x = parameters_.lengths;
  x.insert(x.end(), {parameters_.signal, parameters_.noise});
  const auto [lower, upper] = bounds_of(space_->size());
  double value = negative_log(x);
  SliceSampler sampler(negative_log, seed);
  std::vector<GaussianProcess> drawn;
  for (int64_t draw = 0; draw < count; ++draw) {
    for (int sweep = 0; sweep < sweeps_per_draw; ++sweep) {
      for (size_t coordinate = 0; coordinate < x.size(); ++coordinate)
        sampler.step(x, value, coordinate, lower[coordinate], upper[coordinate]);
    }
    drawn.emplace_back(*space_, places_, values, unpacked(x));
  }
  return drawn;
}

GaussianProcess::GaussianProcess(const SearchSpace& space, const Places& places,
                                 const std::vector<double>& values, KernelParameters parameters)
    : GaussianProcess(space, std::move(parameters)) {
  places_ = places;
  factorise();
  const VectorXd targets =
      Eigen::Map<const VectorXd>(values.data(), static_cast<Eigen::Index>(values.size()));
  mean_ = constant_mean(factor_, targets);
  set_values(targets);
}

void GaussianProcess::factorise() {
  const MatrixXd distances = scaled_distances(*space_, places_, inverse_squares(parameters_.lengths));
  const double signal = std::exp(parameters_.signal), noise = std::exp(parameters_.noise);
  const MatrixXd kernel = signal * distances.unaryExpr(&matern);
  for (double added = jitter;; added *= 100) {
    MatrixXd covariance = kernel;
    covariance.diagonal().array() += noise + added * signal;
    factor_.compute(covariance);
    if (factor_.info() == Eigen::Success || added > 1) return;
  }
}

void GaussianProcess::set_values(const MatrixXd& values) {
  values_ = values;
  weights_ = factor_.solve((values.array() - mean_).matrix());
  // The mean at a seen place is its value less the share that is taken for noise.
  const double noise = std::exp(parameters_.noise);
  best_means_ = (values - noise * weights_).colwise().minCoeff().transpose();
}

VectorXd GaussianProcess::covariances(const std::vector<double>& place, MatrixXd* gradients) const {
  const auto count = static_cast<Eigen::Index>(places_.size());
  const auto dimensions = static_cast<Eigen::Index>(space_->size());
  const std::vector<double> inverse = inverse_squares(parameters_.lengths);
  const double signal = std::exp(parameters_.signal);
  VectorXd result(count);
  if (gradients != nullptr) gradients->setZero(dimensions, count);
  for (Eigen::Index i = 0; i < count; ++i) {
    const double distance = scaled_distance(*space_, inverse, place.data(), places_[i].data());
    result(i) = signal * matern(distance);
    if (gradients == nullptr) continue;
    const double slope = signal * matern_slope(distance);
    for (Eigen::Index k = 0; k < dimensions; ++k) {
      if ((*space_)[k].has_order()) (*gradients)(k, i) = -slope * (place[k] - places_[i][k]) * inverse[k];
    }
  }
  return result;
}

GaussianProcess::Prediction GaussianProcess::predict(const std::vector<double>& place,
                                                     bool with_gradients) const {
  Prediction prediction;
  MatrixXd gradients;
  const VectorXd near = covariances(place, with_gradients ? &gradients : nullptr);
  const double signal = std::exp(parameters_.signal);
  prediction.means = (weights_.transpose() * near).array() + mean_;
  const VectorXd half = factor_.matrixL().solve(near);
  prediction.variance = std::max(signal * 1e-12, signal - half.squaredNorm());
  if (with_gradients) {
    prediction.mean_gradients = gradients * weights_;
    prediction.variance_gradient = -2 * (gradients * factor_.matrixU().solve(half));
  }
  return prediction;
}

GaussianProcess GaussianProcess::with_pending(const Places& pending, int64_t samples, uint64_t seed) const {
  const auto seen = static_cast<Eigen::Index>(places_.size());
  const auto added = static_cast<Eigen::Index>(pending.size());
  MatrixXd near(seen, added);
  VectorXd means(added);
  for (Eigen::Index i = 0; i < added; ++i) {
    near.col(i) = covariances(pending[i], nullptr);
    means(i) = weights_.col(0).dot(near.col(i)) + mean_;
  }
  const double signal = std::exp(parameters_.signal), noise = std::exp(parameters_.noise);
  const MatrixXd own =
      signal * scaled_distances(*space_, pending, inverse_squares(parameters_.lengths)).unaryExpr(&matern);
  const MatrixXd half = factor_.matrixL().solve(near);
  MatrixXd spread = own - half.transpose() * half;
  spread.diagonal().array() += noise + jitter * signal;
  const Eigen::LLT<MatrixXd> root(spread);
  const RandomStream random(seed, "search/pending");
  MatrixXd draws(added, samples);
  for (Eigen::Index i = 0; i < added; ++i) {
    for (Eigen::Index sample = 0; sample < samples; ++sample) {
      // In pairs of opposite signs, so that their mean is exactly what is expected.
      const double draw = random.normal(0, i, static_cast<uint32_t>(sample / 2));
      draws(i, sample) = sample % 2 == 0 ? draw : -draw;
    }
  }
  MatrixXd values(seen + added, samples);
  values.topRows(seen) = values_.col(0).replicate(1, samples);
  values.bottomRows(added) = (root.matrixL() * draws).colwise() + means;

  GaussianProcess with(*space_, parameters_);
  with.places_ = places_;
  with.places_.insert(with.places_.end(), pending.begin(), pending.end());
  with.mean_ = mean_;
  with.factorise();
  with.set_values(values);
  return with;
}

}  // namespace gatewise
