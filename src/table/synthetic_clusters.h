// Rows in clusters of unequal size, each with a linear map of its own: what a router that spreads rows over
// experts has to weigh against the sizes that the data give.
//
//   c ~ Zipf,  x ~ N(centre_c, width^2 I),  y = A_c x + noise
//   centre_c ~ N(0, separation^2 I),  elements of A_c ~ N(0, 1 / dimension)
#pragma once

#include "table/synthetic.h"

namespace gatewise {

struct ClustersOptions {
  int64_t clusters = 16;
  int64_t dimension = 16;
  int64_t tasks = 4;
  double separation = 1;
  double width = 0.5;
  double zipf_exponent = 1;
  double noise_variance = 0;
  int64_t seed = 0;
  void declare(OptionSet& set);
};

// Features x0, x1, ...; labels y1, y2, ....
// truth(): "kind", "options", "frequencies" [clusters], "centres" [clusters][dimension], "maps"
// [clusters][tasks][dimension], "noise_floor" (the least possible mean squared error of a task if the cluster
// is known).
class Clusters final : public SyntheticTable {
 public:
  using Options = ClustersOptions;

  explicit Clusters(const Options& options);

  const std::vector<std::string>& features() const override { return features_; }
  const std::vector<SyntheticLabel>& labels() const override { return labels_; }
  void fill(uint64_t step, int64_t first_row, int64_t rows, float* x, float* label_values) const override;
  Json truth() const override;

 private:
  Options options_;
  std::vector<double> frequencies_;
  std::vector<float> centres_;  // [clusters, dimension]
  std::vector<float> maps_;     // [clusters, tasks, dimension]
  std::vector<std::string> features_;
  std::vector<SyntheticLabel> labels_;
};

}  // namespace gatewise
