// What the columns of EncodedData mean: the contract between encoded rows and models.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "features/scaling.h"

namespace gatewise {

// The output, and the loss, of a model whose rows belong to one task each (FeatureSpace::has_own_labels).
inline constexpr const char* own_output = "prediction";

// Columns offset to offset + width - 1 of EncodedData::numeric.
struct NumericFeature {
  std::string name;
  int64_t offset = 0;
  int64_t width = 1;
};

// A column of EncodedData::ids, whose values are rows of an embedding table.
struct IdFeature {
  std::string name;
  int64_t column = 0;
  int64_t table = 0;
};

// A member of EncodedData::bags.
struct BagFeature {
  std::string name;
  int64_t bag = 0;
  int64_t table = 0;
  std::string pooling;  // mean, sum
};

struct EmbeddingTable {
  std::string name;
  int64_t rows = 0;
  int64_t width = 0;
};

// A column of EncodedData::labels.
struct TaskSpace {
  std::string name;
  std::string kind;                      // binary, regression, multiclass
  int64_t classes = 1;                   // of a multiclass task, otherwise 1
  std::vector<std::string> class_names;  // of a multiclass task
  double weight = 1;
  std::string loss;  // registered name; empty: the usual one of the kind
  Json loss_options = Json::object();
  std::vector<double> class_weights;  // by class; empty: all 1
  std::vector<std::string> parents;
  std::string only_where;    // the label is missing where that task's label is not 1; empty: no condition
  Scaling scaling;           // of regression labels
  double training_mean = 0;  // of present training labels as encoded: the rate of a binary task

  // A regression task's prediction, or its label as encoded, in original units: in 64 bits, for 32 may not
  // tell a value from its neighbours where the mean is far larger than the spread.
  double to_original(double prediction) const { return scaling.invert(prediction); }
  // Whether its values in original units are no longer 32-bit numbers.
  bool is_rescaled() const { return kind == "regression" && !scaling.is_identity(); }
};

struct FeatureSpace {
  std::vector<NumericFeature> numeric;
  std::vector<IdFeature> ids;
  std::vector<BagFeature> bags;
  std::vector<EmbeddingTable> tables;
  std::vector<TaskSpace> tasks;
  std::string task_column;  // names the one task of each row; empty: every row has labels of all tasks

  // Whether a row has a single label, EncodedData::labels [rows, 1]: it belongs to one task, and all tasks
  // have the same kind, classes and loss, so that a model needs a single output.
  bool has_own_labels() const;
  // How predictions are headed in files: of each task, or of the row's own task alone, one name, or
  // "task:class" for each class.
  std::vector<std::vector<std::string>> prediction_columns() const;
  int64_t numeric_width() const { return numeric.empty() ? 0 : numeric.back().offset + numeric.back().width; }

  Json to_json() const;
  static FeatureSpace from_json(const Json& json);
};

}  // namespace gatewise
