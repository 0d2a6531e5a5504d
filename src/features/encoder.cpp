#include "features/encoder.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"
#include "base/random.h"
#include "features/column_views.h"
#include "features/labels.h"
#include "features/row_tasks.h"

namespace gatewise {
namespace {

// Rows are written a block at a time, column after column, so that a block's lines stay in the cache.
constexpr int64_t block_rows = 512;

float narrow(const Table& table, int64_t row, const std::string& column, double value) {
  const float result = static_cast<float>(value);
  if (!std::isfinite(result)) {
    value_error(
        table, row, column,
        fmt::format("the value is {} after scaling, which no 32-bit number holds; choose another transform",
                    value));
  }
  return result;
}

// Levels -> indices; for a level that no row has, the look-up does no harm.
std::vector<uint32_t> indices_of(const std::vector<std::string>& levels, const Vocabulary& vocabulary) {
  std::vector<uint32_t> indices;
  indices.reserve(levels.size());
  for (const std::string& level : levels) indices.push_back(vocabulary.find(level));
  return indices;
}

std::vector<float> list_weights(const Table& table, const ColumnSpec& column,
                                const std::vector<int64_t>& offsets) {
  const auto lists = number_lists_of(table, column.weights);
  std::vector<float> weights;
  weights.reserve(lists->values.size());
  for (int64_t row = 0; row < table.rows(); ++row) {
    const int64_t wanted = offsets[row + 1] - offsets[row],
                  got = lists->offsets[row + 1] - lists->offsets[row];
    if (got != wanted) {
      value_error(table, row, column.weights,
                  fmt::format("got {} weights for the {} ids of column \"{}\"", got, wanted, column.name));
    }
    for (int64_t i = lists->offsets[row]; i < lists->offsets[row + 1]; ++i) {
      if (std::isnan(lists->values[i]))
        value_error(table, row, column.weights, "a weight is missing; expected a number");
      weights.push_back(narrow(table, row, column.weights, lists->values[i]));
    }
  }
  return weights;
}

}  // namespace

// Writes one table into one EncodedData: collects a writer per column, then runs them block by block.
class Encoder::Writer {
 public:
  Writer(const Encoder& encoder, const Table& table) : encoder_(encoder), table_(table) {
    const FeatureSpace& space = encoder.space_;
    out_.rows = table.rows();
    out_.numeric_width = space.numeric_width();
    out_.id_columns = static_cast<int64_t>(space.ids.size());
    out_.tasks = space.has_own_labels() ? 1 : static_cast<int64_t>(space.tasks.size());
    out_.numeric.resize(static_cast<size_t>(out_.rows * out_.numeric_width));
    out_.ids.resize(static_cast<size_t>(out_.rows * out_.id_columns));
  }

  EncodedData write(bool with_labels) {
    for (size_t c = 0; c < encoder_.schema_.columns.size(); ++c) {
      const ColumnSpec& column = encoder_.schema_.columns[c];
      const Fitted& fitted = encoder_.fitted_[c];
      if (column.role == Role::Numeric) add_numbers(column, fitted);
      if (column.role == Role::Vector) add_vectors(column, fitted);
      if (column.role == Role::Categorical) add_categories(column, fitted);
      if (column.role == Role::Bag) write_bag(column, fitted);
      if (column.role == Role::Group && with_labels) write_groups(column);
      const bool has_time = column.role == Role::Time && table_.find(column.name) != nullptr;
      if (has_time && with_labels) out_.time = numbers_of(table_, column.name)->values;
    }
    const bool is_one_task = !encoder_.space_.task_column.empty();
    if (is_one_task) out_.row_task = read_row_tasks(table_, encoder_.schema_);
    if (with_labels) {
      out_.labels.assign(static_cast<size_t>(out_.rows * out_.tasks), std::nanf(""));
      if (is_one_task) {
        write_own_labels();
        write_own_weights();
      } else {
        for (int64_t task = 0; task < out_.tasks; ++task) add_labels(task);
        write_weights();
      }
    }
    for (int64_t begin = 0; begin < out_.rows; begin += block_rows) {
      for (const auto& fill : fills_) fill(begin, std::min(begin + block_rows, out_.rows));
    }
    return std::move(out_);
  }

 private:
  void add_numbers(const ColumnSpec& column, const Fitted& fitted) {
    const auto numbers = numbers_of(table_, column.name);
    const Scaling& scaling = fitted.scalings[0];
    if (fitted.table >= 0) {
      add_ids([numbers, &scaling](int64_t row) {
        const double x = numbers->values[row];
        return std::isnan(x) ? 0u : static_cast<uint32_t>(1 + scaling.bin(x));
      });
    } else {
      add_numeric([this, numbers, &scaling, &column](int64_t row) {
        const double x = numbers->values[row];
        return std::isnan(x) ? 0.0f : narrow(table_, row, column.name, scaling.apply(x));
      });
    }
    if (column.missing_indicator) {
      add_numeric([numbers](int64_t row) { return std::isnan(numbers->values[row]) ? 1.0f : 0.0f; });
    }
  }

  void add_vectors(const ColumnSpec& column, const Fitted& fitted) {
    const auto lists = number_lists_of(table_, column.name);
    for (int64_t row = 0; row < out_.rows; ++row) {
      const int64_t width = lists->offsets[row + 1] - lists->offsets[row];
      if (width != 0 && width != column.width) {
        value_error(table_, row, column.name,
                    fmt::format("got a vector of {} numbers, expected {}", width, column.width));
      }
    }
    const auto is_missing = [lists](int64_t row) { return lists->offsets[row] == lists->offsets[row + 1]; };
    for (int64_t element = 0; element < column.width; ++element) {
      const Scaling& scaling = fitted.scalings[static_cast<size_t>(element)];
      add_numeric([this, lists, is_missing, element, &scaling, &column](int64_t row) {
        if (is_missing(row)) return 0.0f;
        const double x = lists->values[lists->offsets[row] + element];
        return std::isnan(x) ? 0.0f : narrow(table_, row, column.name, scaling.apply(x));
      });
    }
    if (column.missing_indicator)
      add_numeric([is_missing](int64_t row) { return is_missing(row) ? 1.0f : 0.0f; });
  }

  void add_categories(const ColumnSpec& column, const Fitted& fitted) {
    const Vocabulary& vocabulary = vocabulary_of(fitted);
    const uint32_t missing = vocabulary.missing_index();
    if (column.has_ids()) {
      const auto ids = ids_of(table_, column.name);
      add_ids([ids, missing, &vocabulary](int64_t row) {
        return ids->is_present(row) ? vocabulary.find(ids->values[row]) : missing;
      });
    } else {
      const auto texts = texts_of(table_, column.name);
      add_ids([texts, missing, indices = indices_of(texts->levels, vocabulary)](int64_t row) {
        const uint32_t code = texts->codes[row];
        return code == missing_code ? missing : indices[code];
      });
    }
  }

  void write_bag(const ColumnSpec& column, const Fitted& fitted) {
    const Vocabulary& vocabulary = vocabulary_of(fitted);
    EncodedBag& bag = out_.bags.emplace_back();
    if (column.has_ids()) {
      const auto lists = id_lists_of(table_, column.name);
      bag.offsets = lists->offsets;
      bag.ids.reserve(lists->ids.size());
      for (const uint64_t id : lists->ids) bag.ids.push_back(vocabulary.find(id));
    } else {
      const auto lists = text_lists_of(table_, column.name);
      const std::vector<uint32_t> indices = indices_of(lists->levels, vocabulary);
      bag.offsets = lists->offsets;
      bag.ids.reserve(lists->codes.size());
      for (const uint32_t code : lists->codes) bag.ids.push_back(indices[code]);
    }
    if (!column.weights.empty()) bag.weights = list_weights(table_, column, bag.offsets);
  }

  // Texts stand for themselves by their hash.
  void write_groups(const ColumnSpec& column) {
    if (column.has_ids()) {
      const auto ids = ids_of(table_, column.name);
      out_.groups = ids->values;
      for (int64_t row = 0; row < out_.rows; ++row) {
        if (!ids->is_present(row)) out_.groups[row] = no_group;
      }
      return;
    }
    const auto texts = texts_of(table_, column.name);
    std::vector<uint64_t> hashes;
    for (const std::string& level : texts->levels) hashes.push_back(fnv1a(level));
    out_.groups.clear();
    for (const uint32_t code : texts->codes)
      out_.groups.push_back(code == missing_code ? no_group : hashes[code]);
  }

  void add_labels(int64_t task) {
    const TaskSpec& spec = encoder_.schema_.tasks[static_cast<size_t>(task)];
    const TaskSpace& space = encoder_.space_.tasks[static_cast<size_t>(task)];
    const auto labels = std::make_shared<std::vector<double>>(
        labels_in_space(table_, encoder_.schema_.tasks, static_cast<size_t>(task), space.class_names));
    fills_.push_back([this, task, labels, &space, &spec](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        const double label = (*labels)[row];
        out_.labels[row * out_.tasks + task] =
            std::isnan(label) ? static_cast<float>(label)
                              : narrow(table_, row, spec.column, space.scaling.apply(label));
      }
    });
  }

  // Where the label of a row of one task lies.
  int64_t own_place(int64_t row) const {
    return out_.tasks == 1 ? row : row * out_.tasks + out_.row_task[row];
  }

  void write_own_labels() {
    std::vector<std::vector<std::string>> classes;
    for (const TaskSpace& task : encoder_.space_.tasks) classes.push_back(task.class_names);
    const OwnLabels own(table_, encoder_.schema_, out_.row_task, std::move(classes));
    for (int64_t row = 0; row < out_.rows; ++row) {
      const double label = own.of_rows()[row];
      if (std::isnan(label)) continue;
      const uint32_t task = out_.row_task[row];
      out_.labels[own_place(row)] = narrow(table_, row, encoder_.schema_.tasks[task].column,
                                           encoder_.space_.tasks[task].scaling.apply(label));
    }
  }

  // Weight columns of other tasks than the row's own are not looked at.
  void write_own_weights() {
    const std::vector<TaskSpec>& tasks = encoder_.schema_.tasks;
    std::set<std::string> of_tasks;
    for (const TaskSpec& task : tasks) of_tasks.insert(task.weight_column);
    of_tasks.erase("");
    for (const ColumnSpec& column : encoder_.schema_.columns) {
      if (column.role == Role::Weight)
        multiply_own_weights(column.name, [](const TaskSpec&) { return true; });
    }
    for (const std::string& column : of_tasks)
      multiply_own_weights(column, [&](const TaskSpec& task) { return task.weight_column == column; });
  }

  template <class Takes>
  void multiply_own_weights(const std::string& column, const Takes& takes) {
    const auto numbers = weights_of(column);
    for (int64_t row = 0; row < out_.rows; ++row) {
      if (takes(encoder_.schema_.tasks[out_.row_task[row]]))
        multiply_weight(*numbers, column, row, own_place(row));
    }
  }

  void write_weights() {
    for (const ColumnSpec& column : encoder_.schema_.columns) {
      for (int64_t task = 0; column.role == Role::Weight && task < out_.tasks; ++task)
        multiply_weights(column.name, task);
    }
    for (int64_t task = 0; task < out_.tasks; ++task) {
      const std::string& column = encoder_.schema_.tasks[static_cast<size_t>(task)].weight_column;
      if (!column.empty()) multiply_weights(column, task);
    }
  }

  void multiply_weights(const std::string& column, int64_t task) {
    const auto numbers = weights_of(column);
    for (int64_t row = 0; row < out_.rows; ++row)
      multiply_weight(*numbers, column, row, row * out_.tasks + task);
  }

  std::shared_ptr<const Numbers> weights_of(const std::string& column) {
    if (out_.weights.empty()) out_.weights.assign(static_cast<size_t>(out_.rows * out_.tasks), 1.0f);
    return numbers_of(table_, column);
  }

  void multiply_weight(const Numbers& numbers, const std::string& column, int64_t row, int64_t place) {
    const double weight = numbers.values[row];
    if (!(weight >= 0)) {
      value_error(table_, row, column,
                  fmt::format("got {} as weight, expected a number of at least 0",
                              std::isnan(weight) ? "a missing value" : std::to_string(weight)));
    }
    out_.weights[place] = narrow(table_, row, column, out_.weights[place] * weight);
  }

  // Adds the next column of numbers, or of ids, from a function of the row.
  template <class Value>
  void add_numeric(Value value) {
    fills_.push_back(
        [this, value = std::move(value), column = numeric_columns_++](int64_t begin, int64_t end) {
          for (int64_t row = begin; row < end; ++row)
            out_.numeric[row * out_.numeric_width + column] = value(row);
        });
  }
  template <class Value>
  void add_ids(Value value) {
    fills_.push_back([this, value = std::move(value), column = id_columns_++](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) out_.ids[row * out_.id_columns + column] = value(row);
    });
  }

  const Vocabulary& vocabulary_of(const Fitted& fitted) const {
    return encoder_.tables_[static_cast<size_t>(fitted.table)].vocabulary;
  }

  const Encoder& encoder_;
  const Table& table_;
  EncodedData out_;
  std::vector<std::function<void(int64_t begin, int64_t end)>> fills_;
  int64_t numeric_columns_ = 0;
  int64_t id_columns_ = 0;
};

EncodedData Encoder::encode(const Table& table, bool with_labels) const {
  return Writer(*this, table).write(with_labels);
}

const Vocabulary* Encoder::vocabulary(int64_t table) const {
  const FittedTable& fitted = tables_.at(static_cast<size_t>(table));
  return fitted.bins > 0 ? nullptr : &fitted.vocabulary;
}

}  // namespace gatewise
