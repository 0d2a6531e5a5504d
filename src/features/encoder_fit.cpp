#include <algorithm>
#include <cmath>
#include <optional>

#include "base/error.h"
#include "features/column_views.h"
#include "features/encoder.h"
#include "features/labels.h"
#include "features/row_tasks.h"

namespace gatewise {
namespace {

// The number of rows that have each level.
std::vector<int64_t> level_counts(const std::vector<uint32_t>& codes, size_t levels, int64_t& missing) {
  std::vector<int64_t> counts(levels);
  for (const uint32_t code : codes) ++(code == missing_code ? missing : counts[code]);
  return counts;
}

void count_texts(const std::vector<uint32_t>& codes, const std::vector<std::string>& levels,
                 Vocabulary& vocabulary) {
  int64_t missing = 0;
  const std::vector<int64_t> counts = level_counts(codes, levels.size(), missing);
  for (size_t level = 0; level < levels.size(); ++level) {
    if (counts[level] > 0) vocabulary.count(levels[level], counts[level]);
  }
  if (missing > 0) vocabulary.count_missing();
}

void count_ids(const IdValues& ids, Vocabulary& vocabulary) {
  for (size_t row = 0; row < ids.values.size(); ++row) {
    if (ids.is_present(static_cast<int64_t>(row))) {
      vocabulary.count(ids.values[row]);
    } else {
      vocabulary.count_missing();
    }
  }
}

// Columns that share an embedding table must agree on what it holds.
void check_shared(const ColumnSpec& column, const ColumnSpec& first) {
  const auto differ = [&](const char* option, const auto& a, const auto& b) {
    command_error(
        "columns.{}.{}: got {}, but column \"{}\" of the same embedding table \"{}\" has {}; make them equal",
        column.name, option, a, first.name, first.table_name(), b);
  };
  if (column.type != first.type) differ("type", column.type, first.type);
  if (column.hash_buckets != first.hash_buckets)
    differ("hash_buckets", column.hash_buckets, first.hash_buckets);
  if (column.hash_seed != first.hash_seed) differ("hash_seed", column.hash_seed, first.hash_seed);
  if (column.min_count != first.min_count) differ("min_count", column.min_count, first.min_count);
  if (column.embedding != first.embedding) differ("embedding", column.embedding, first.embedding);
}

// The labels of those `rows` of the table (empty: all) that count: missing where the row's weight is 0.
std::vector<double> weighed_labels(std::vector<double> labels, const Table& training, const Schema& schema,
                                   const TaskSpec& task, const std::vector<int64_t>& rows) {
  std::vector<std::string> columns;
  for (const ColumnSpec& column : schema.columns) {
    if (column.role == Role::Weight) columns.push_back(column.name);
  }
  if (!task.weight_column.empty()) columns.push_back(task.weight_column);
  for (const std::string& column : columns) {
    const auto weights = numbers_of(training, column);
    for (size_t i = 0; i < labels.size(); ++i) {
      if (weights->values[rows.empty() ? i : static_cast<size_t>(rows[i])] == 0) labels[i] = std::nan("");
    }
  }
  return labels;
}

}  // namespace

Encoder Encoder::fit(const Table& training, const Schema& schema) {
  if (schema.tasks.empty() && !schema.other_tasks) {
    command_error("tasks: there is no task; name a label column, as --labels NAME or [tasks.NAME]");
  }
  const auto is_feature = [](const ColumnSpec& column) { return column.is_feature(); };
  if (std::none_of(schema.columns.begin(), schema.columns.end(), is_feature)) {
    command_error(
        "columns: no column is a feature; give at least one the role numeric, categorical, bag or vector");
  }
  if (training.rows() < 2) {
    data_error("{}: got {} training row{}; expected at least 2", training.name(), training.rows(),
               training.rows() == 1 ? "" : "s");
  }
  Encoder encoder;
  encoder.schema_ = schema;
  complete_tasks(training, encoder.schema_);
  encoder.fit_columns(training);
  encoder.fit_tasks(training, 0);
  encoder.build_space();
  return encoder;
}

void Encoder::fit_columns(const Table& training) {
  for (ColumnSpec& column : schema_.columns) {
    Fitted& fitted = fitted_.emplace_back();
    if (column.role == Role::Numeric) fit_numbers(training, column, fitted);
    if (column.role == Role::Vector) fit_vector(training, column, fitted);
    if (column.role == Role::Categorical || column.role == Role::Bag) fitted.table = table_for(column);
  }
  count_values(training);
  for (FittedTable& table : tables_) table.vocabulary.admit();
}

void Encoder::fit_numbers(const Table& training, const ColumnSpec& column, Fitted& fitted) {
  const auto numbers = numbers_of(training, column.name);
  fitted.scalings.push_back(Scaling::fit(numbers->values, column.transform, column.bins, true));
  if (column.transform != "quantile") return;
  for (const FittedTable& other : tables_) {
    if (other.name == column.name) {
      command_error(
          "columns.{}: its bins need an embedding table of the column's name, but other columns share a "
          "table "
          "of that name; rename the shared table",
          column.name);
    }
  }
  fitted.table = static_cast<int64_t>(tables_.size());
  FittedTable& table = tables_.emplace_back();
  table.name = column.name;
  table.bins = static_cast<int64_t>(fitted.scalings[0].edges().size()) + 1;
  table.width = column.embedding;
}

// Sets the width of the column if the configuration leaves it open.
void Encoder::fit_vector(const Table& training, ColumnSpec& column, Fitted& fitted) {
  const auto lists = number_lists_of(training, column.name);
  for (int64_t row = 0; row < training.rows() && column.width == 0; ++row) {
    column.width = lists->offsets[row + 1] - lists->offsets[row];
  }
  if (column.width == 0) {
    data_error("{}: column \"{}\": every vector is empty; expected numbers", training.name(), column.name);
  }
  for (int64_t element = 0; element < column.width; ++element) {
    std::vector<double> values;
    for (int64_t row = 0; row < training.rows(); ++row) {
      const int64_t at = lists->offsets[row] + element;
      if (at < lists->offsets[row + 1]) values.push_back(lists->values[at]);
    }
    fitted.scalings.push_back(Scaling::fit(values, column.transform, 0, true));
  }
}

int64_t Encoder::table_for(const ColumnSpec& column) {
  const std::string name = column.table_name();
  for (size_t t = 0; t < tables_.size(); ++t) {
    if (tables_[t].name != name) continue;
    for (size_t c = 0; c < fitted_.size(); ++c) {
      if (fitted_[c].table == static_cast<int64_t>(t)) {
        if (tables_[t].bins > 0) {
          command_error(
              "columns.{}.table: \"{}\" is the table of the bins of a numeric column; choose another name",
              column.name, name);
        }
        check_shared(column, schema_.columns[c]);
      }
    }
    return static_cast<int64_t>(t);
  }
  FittedTable& table = tables_.emplace_back();
  table.name = name;
  table.width = column.embedding;
  table.vocabulary = Vocabulary(column.has_ids(), column.min_count, column.hash_buckets,
                                static_cast<uint64_t>(column.hash_seed));
  return static_cast<int64_t>(tables_.size()) - 1;
}

void Encoder::count_values(const Table& table) {
  for (size_t c = 0; c < schema_.columns.size(); ++c) {
    const ColumnSpec& column = schema_.columns[c];
    if (column.role != Role::Categorical && column.role != Role::Bag) continue;
    Vocabulary& vocabulary = tables_[static_cast<size_t>(fitted_[c].table)].vocabulary;
    if (column.role == Role::Categorical && column.has_ids()) {
      count_ids(*ids_of(table, column.name), vocabulary);
    } else if (column.role == Role::Categorical) {
      const auto texts = texts_of(table, column.name);
      count_texts(texts->codes, texts->levels, vocabulary);
    } else if (column.has_ids()) {
      for (const uint64_t id : id_lists_of(table, column.name)->ids) vocabulary.count(id);
    } else {
      const auto lists = text_lists_of(table, column.name);
      count_texts(lists->codes, lists->levels, vocabulary);
    }
  }
}

// Those from `first` on; the ones before have been fitted.
void Encoder::fit_tasks(const Table& training, size_t first) {
  std::optional<OwnLabels> own;
  if (schema_.task_column() != nullptr) own.emplace(training, schema_, read_row_tasks(training, schema_));
  const std::vector<int64_t> all;
  for (size_t index = first; index < schema_.tasks.size(); ++index) {
    const TaskSpec& spec = schema_.tasks[index];
    const std::vector<std::string> classes = own ? own->classes(index) : resolve_classes(training, spec);
    const std::vector<double> labels =
        own ? own->of_task(index) : labels_in_space(training, schema_.tasks, index, classes);
    check_training_labels(training, spec, labels, own.has_value());
    check_training_labels(
        training, spec, weighed_labels(labels, training, schema_, spec, own ? own->rows_of_task(index) : all),
        own.has_value(), true);
    add_task(spec, classes, labels);
  }
}

// `labels` are those of the training part in original units.
void Encoder::add_task(const TaskSpec& spec, const std::vector<std::string>& classes,
                       const std::vector<double>& labels) {
  TaskSpace& task = tasks_.emplace_back();
  task.name = spec.name;
  task.kind = spec.kind;
  task.weight = spec.weight;
  task.loss = spec.loss;
  task.loss_options = spec.loss_options;
  task.class_weights = spec.class_weights;
  task.parents = spec.parents;
  task.only_where = spec.only_where;
  task.class_names = classes;
  task.classes = std::max<int64_t>(1, static_cast<int64_t>(classes.size()));
  const size_t label_classes = spec.kind == "binary" ? 2 : classes.size();
  if (!task.class_weights.empty() && task.class_weights.size() != label_classes) {
    command_error("tasks.{}.class_weights: got {} weights, expected one for each of {} classes", spec.name,
                  task.class_weights.size(), label_classes);
  }
  if (spec.kind == "regression") task.scaling = Scaling::fit(labels, spec.transform, 0, false);
  double sum = 0, count = 0;
  for (const double label : labels) {
    if (std::isnan(label)) continue;
    sum += task.scaling.apply(label);
    count += 1;
  }
  task.training_mean = sum / count;
}

std::vector<int64_t> Encoder::extend(const Table& table) {
  count_values(table);
  std::vector<int64_t> added;
  for (FittedTable& fitted : tables_) added.push_back(fitted.bins > 0 ? 0 : fitted.vocabulary.admit());
  for (size_t t = 0; t < tables_.size(); ++t) {
    if (tables_[t].bins == 0) space_.tables[t].rows = tables_[t].vocabulary.rows();
  }
  return added;
}

std::vector<std::string> Encoder::add_tasks(const Table& training, const Schema& wanted) {
  const size_t known = schema_.tasks.size();
  for (const TaskSpec& spec : wanted.tasks) {
    const auto is_same = [&](const TaskSpec& task) { return task.name == spec.name; };
    if (std::none_of(schema_.tasks.begin(), schema_.tasks.end(), is_same)) schema_.tasks.push_back(spec);
  }
  schema_.other_tasks = wanted.other_tasks;
  complete_tasks(training, schema_);
  schema_.check();
  std::vector<std::string> added;
  for (size_t index = known; index < schema_.tasks.size(); ++index) {
    TaskSpec& spec = schema_.tasks[index];
    added.push_back(spec.name);
    // Classes that a task of the same column was trained with are those of the new one too.
    for (size_t old = 0; old < known && spec.kind == "multiclass" && spec.classes.is_null(); ++old) {
      if (schema_.tasks[old].column == spec.column && tasks_[old].kind == spec.kind)
        spec.classes = tasks_[old].class_names;
    }
  }
  if (!added.empty()) fit_tasks(training, known);
  space_.tasks = tasks_;
  return added;
}

void Encoder::build_space() {
  space_ = {};
  int64_t offset = 0;
  const auto add_numeric = [&](const std::string& name, int64_t width) {
    space_.numeric.push_back({name, offset, width});
    offset += width;
  };
  for (size_t c = 0; c < schema_.columns.size(); ++c) {
    const ColumnSpec& column = schema_.columns[c];
    const Fitted& fitted = fitted_[c];
    const bool is_binned = column.role == Role::Numeric && fitted.table >= 0;
    if (column.role == Role::Vector) add_numeric(column.name, column.width);
    if (column.role == Role::Numeric && !is_binned) add_numeric(column.name, 1);
    if (column.is_feature() && column.missing_indicator) add_numeric(column.name + "_missing", 1);
    if (is_binned || column.role == Role::Categorical) {
      space_.ids.push_back({column.name, static_cast<int64_t>(space_.ids.size()), fitted.table});
    }
    if (column.role == Role::Bag) {
      space_.bags.push_back(
          {column.name, static_cast<int64_t>(space_.bags.size()), fitted.table, column.pooling});
    }
  }
  for (FittedTable& table : tables_) {
    const int64_t levels = table.bins > 0 ? table.bins : table.vocabulary.rows() - 1;
    if (table.width == 0)
      table.width = schema_.embedding > 0 ? schema_.embedding : default_embedding_width(levels);
    space_.tables.push_back({table.name, levels + 1, table.width});
  }
  space_.tasks = tasks_;
  if (schema_.task_column() != nullptr) space_.task_column = schema_.task_column()->name;
}

}  // namespace gatewise
