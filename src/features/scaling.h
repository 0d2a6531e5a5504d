// How numbers are scaled; fitted on the training part.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/json.h"

namespace gatewise {

// none: x. standardise: (x - mean) / scale. log1p: first sign(x) log(1 + |x|), then as standardise when
// `scales`. quantile: the number of edges that are at most x, from 0 to edges().size().
class Scaling {
 public:
  // NaN is passed over. Mean and standard deviation (of the population) are those of the transformed values;
  // a column without spread gets scale 1. Quantile edges are those of `bins` equal shares, equal ones merged.
  static Scaling fit(std::span<const double> values, const std::string& transform, int64_t bins,
                     bool scales_log);

  double apply(double x) const;
  // The x that apply() takes to y; none for quantile.
  double invert(double y) const;
  // Whether both leave every number as it is.
  bool is_identity() const { return !is_log_ && mean_ == 0 && scale_ == 1 && edges_.empty(); }
  int64_t bin(double x) const;

  const std::string& transform() const { return transform_; }
  const std::vector<double>& edges() const { return edges_; }
  double mean() const { return mean_; }
  double scale() const { return scale_; }

  Json to_json() const;
  static Scaling from_json(const Json& json);

 private:
  void set_transform(const std::string& transform);

  std::string transform_ = "none";
  bool is_log_ = false;  // of transform_
  double mean_ = 0;
  double scale_ = 1;
  std::vector<double> edges_;
};

}  // namespace gatewise
