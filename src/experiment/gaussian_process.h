// Gaussian-process regression over a search space (Rasmussen and Williams 2006), with a Matern 5/2 kernel
// that has one length per dimension (automatic relevance determination).
#pragma once

#include <Eigen/Dense>
#include <cstdint>
#include <vector>

#include "experiment/space.h"

namespace gatewise {

// Logarithms. Lengths are in units of [0, 1]; two choices without an order are 1 apart. Variances are in
// units of the values' variance.
struct KernelParameters {
  std::vector<double> lengths;
  double signal = 0;
  double noise = 0;
};

class GaussianProcess {
 public:
  // At one place: a mean for each sample of the pending values, and the variance of the function itself,
  // without noise, which all samples share. Gradients along the place: [dimensions, samples], [dimensions].
  struct Prediction {
    Eigen::VectorXd means;
    double variance = 0;
    Eigen::MatrixXd mean_gradients;
    Eigen::VectorXd variance_gradient;
  };

  // Chooses the parameters that are most likely a posteriori for `values`, which should have mean 0 and
  // variance 1, at `places` of the unit cube. Lengths have a log-normal prior that grows with the square root
  // of the number of dimensions (Hvarfner, Hellsten and Nardi 2024), so that few points do not look like
  // noise in many dimensions. Deterministic. Time grows with the cube of the number of places.
  static GaussianProcess fit(const SearchSpace& space, const std::vector<std::vector<double>>& places,
                             const std::vector<double>& values);

  GaussianProcess(const SearchSpace& space, const std::vector<std::vector<double>>& places,
                  const std::vector<double>& values, KernelParameters parameters);

  // Processes with parameters drawn from their posterior distribution, by slice sampling (Neal 2003) from
  // those of this one on: few values leave open how long the lengths are, and a single guess that is too long
  // would be sure of what was never tried. Deterministic.
  std::vector<GaussianProcess> draws(int64_t count, uint64_t seed) const;

  // The same process that has also seen `samples` sets of values at `pending`, drawn together from what it
  // believes of them.
  GaussianProcess with_pending(const std::vector<std::vector<double>>& pending, int64_t samples,
                               uint64_t seed) const;

  // Gradients are left empty unless they are asked for, and are 0 along choices.
  Prediction predict(const std::vector<double>& place, bool with_gradients = false) const;

  // The smallest mean over the places that were seen, for each sample.
  const Eigen::VectorXd& best_means() const { return best_means_; }
  const KernelParameters& parameters() const { return parameters_; }

  // The negative logarithm of the posterior density of the parameters, up to a constant; writes its gradient
  // along (lengths, signal, noise) if it is asked for.
  static double negative_log_posterior(const SearchSpace& space,
                                       const std::vector<std::vector<double>>& places,
                                       const std::vector<double>& values, const KernelParameters& parameters,
                                       std::vector<double>* gradient = nullptr);

 private:
  GaussianProcess(const SearchSpace& space, KernelParameters parameters)
      : space_(&space), parameters_(std::move(parameters)) {}
  // [places] covariances with `place`; with gradients also [dimensions, places].
  Eigen::VectorXd covariances(const std::vector<double>& place, Eigen::MatrixXd* gradients) const;
  void factorise();
  void set_values(const Eigen::MatrixXd& values);

  const SearchSpace* space_;
  KernelParameters parameters_;
  std::vector<std::vector<double>> places_;
  Eigen::LLT<Eigen::MatrixXd> factor_;
  double mean_ = 0;
  Eigen::MatrixXd values_, weights_;  // [places, samples]
  Eigen::VectorXd best_means_;
};

}  // namespace gatewise
