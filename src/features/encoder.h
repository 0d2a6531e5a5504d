// Columns to encoded rows. Everything an encoder knows comes from the training part.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "features/encoded_data.h"
#include "features/feature_space.h"
#include "features/schema.h"
#include "features/vocabulary.h"

namespace gatewise {

class Encoder {
 public:
  // Fits scaling and vocabularies, and completes the tasks by the schema's template. The schema must name
  // every column (resolve_schema() sees to that). Throws Error(Command) when there is no task or no feature,
  // Error(Data) when the table has fewer than two rows, lacks a column, has an infinite value, or when the
  // labels of a task are all missing or all of one class (which a small task of rows of one task may have).
  static Encoder fit(const Table& training, const Schema& schema);

  // Missing numbers become 0 after scaling (the mean, where the transform standardises) and missing vectors
  // zeros; values outside the vocabulary become index 0. Without labels only the features are read. Throws
  // Error(Data) with the place of the value at fault.
  EncodedData encode(const Table& table, bool with_labels = true) const;

  // Appends the values of new data that vocabularies lack, as `fit --from` does; indices so far stay. Returns
  // how many rows each embedding table has gained.
  std::vector<int64_t> extend(const Table& table);

  // Adds the tasks of `wanted` that are new, and those that its template makes of new values of the task
  // column; scalings and classes of the new ones are fitted to this table. Returns their names. Throws as
  // fit().
  std::vector<std::string> add_tasks(const Table& training, const Schema& wanted);

  const FeatureSpace& space() const { return space_; }
  const Schema& schema() const { return schema_; }
  // What was fitted for the column of this place in schema().columns: a scaling for a number, or for each
  // element of a vector; and its embedding table, or -1.
  const std::vector<Scaling>& scalings(size_t column) const { return fitted_.at(column).scalings; }
  int64_t table_of(size_t column) const { return fitted_.at(column).table; }
  // By the index of FeatureSpace::tables; null for the bins of a quantile transform.
  const Vocabulary* vocabulary(int64_t table) const;

  // All but the levels of vocabularies.
  Json to_json() const;
  // Embedding table -> one level a line, for files of the model directory.
  std::map<std::string, std::string> vocabularies() const;
  // Throws Error(Data) when a description or a vocabulary is damaged or missing.
  static Encoder from_json(const Json& json, const std::map<std::string, std::string>& vocabularies);

 private:
  // What was fitted for the column of the same place in schema_.columns.
  struct Fitted {
    std::vector<Scaling> scalings;  // one for a number, one per element of a vector
    int64_t table = -1;
  };
  struct FittedTable {
    std::string name;
    int64_t width = 0;
    int64_t bins = 0;  // of a quantile transform, which has no vocabulary
    Vocabulary vocabulary;
  };
  class Writer;
  friend class RowEncoder;

  static Encoder read(const Json& json, const std::map<std::string, std::string>& vocabularies);
  void fit_columns(const Table& training);
  void fit_numbers(const Table& training, const ColumnSpec& column, Fitted& fitted);
  void fit_vector(const Table& training, ColumnSpec& column, Fitted& fitted);
  void fit_tasks(const Table& training, size_t first);
  void add_task(const TaskSpec& spec, const std::vector<std::string>& classes,
                const std::vector<double>& labels);
  int64_t table_for(const ColumnSpec& column);
  void count_values(const Table& table);
  void build_space();

  Schema schema_;
  std::vector<Fitted> fitted_;
  std::vector<FittedTable> tables_;
  std::vector<TaskSpace> tasks_;
  FeatureSpace space_;
};

}  // namespace gatewise
