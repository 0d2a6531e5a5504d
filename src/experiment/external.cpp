#include "experiment/external.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "table/table_files.h"
#include "training/scoring.h"

namespace gatewise {
namespace {

// `values`: what a row says of every class.
void check_classes(const Table& table, int64_t row, const std::vector<std::string>& columns,
                   ValueSpan values) {
  constexpr double tolerance = 1e-3;
  double sum = 0;
  for (size_t i = 0; i < columns.size(); ++i) {
    if (values[i] < 0 || values[i] > 1) {
      data_error("{}: column \"{}\" is no probability; got {}, expected 0 to 1", table.place(row), columns[i],
                 static_cast<float>(values[i]));
    }
    sum += values[i];
  }
  if (std::abs(sum - 1) > tolerance) {
    data_error(
        "{}: the columns {} are no probabilities of classes; got a sum of {:.6g}, expected 1; scale them to "
        "it",
        table.place(row), fmt::join(columns, ", "), sum);
  }
}

// What remains to be said of predictions that a metric refuses.
Json judged(const std::string& path, const FeatureSpace& space, const EncodedData& test,
            const std::vector<ValueList>& predictions, const EvaluationOptions& options) {
  try {
    return judge_predictions(space, test, predictions, options);
  } catch (const Error& error) {
    if (error.fault() != Fault::Data) throw;
    data_error(
        "{}: {}; rows are those of the test rows, from 0; correct the file, or leave that metric out, as "
        "by --metric auc",
        path, error.what());
  }
}

}  // namespace

ExternalPredictions ExternalPredictions::parse(const std::string& text) {
  const size_t sign = text.find('=');
  if (sign == std::string::npos || sign == 0 || sign + 1 == text.size()) {
    command_error("--external: got {}, expected a name and a file of predictions, as boosted=predictions.csv",
                  text);
  }
  ExternalPredictions external;
  external.name_ = text.substr(0, sign);
  external.path_ = text.substr(sign + 1);
  return external;
}

void ExternalPredictions::read(const FeatureSpace& space) {
  const std::vector<std::vector<std::string>> columns = space.prediction_columns();
  const std::vector<std::string> present = read_column_names(path_, {});
  const auto is_in = [](const std::vector<std::string>& names) {
    return [&names](const std::string& name) {
      return std::find(names.begin(), names.end(), name) != names.end();
    };
  };
  ReadOptions options;
  std::vector<std::string> known;
  missing_tasks_.clear();
  for (size_t output = 0; output < columns.size(); ++output) {
    known.insert(known.end(), columns[output].begin(), columns[output].end());
    if (std::none_of(columns[output].begin(), columns[output].end(), is_in(present))) {
      missing_tasks_.push_back(space.tasks[output].name);
      continue;
    }
    for (const std::string& name : columns[output]) {
      ColumnRequest& request = options.columns.emplace_back();
      request.name = name;
      request.type = ColumnType::Number;
    }
  }
  if (options.columns.empty()) {
    data_error("{}: no column is a task's prediction; got {}, expected {}", path_, fmt::join(present, ", "),
               fmt::join(known, ", "));
  }
  unused_columns_ = present;
  std::erase_if(unused_columns_, is_in(known));
  const Table table = read_table({path_}, options);
  rows_ = table.rows();
  predictions_ = no_predictions(space);
  for (size_t output = 0; output < columns.size(); ++output)
    read_output(table, columns[output], predictions_[output]);
}

void ExternalPredictions::read_output(const Table& table, const std::vector<std::string>& columns,
                                      ValueList& values) {
  const size_t width = columns.size();
  widths_.push_back(static_cast<int64_t>(width));
  if (table.find(columns[0]) == nullptr) return;
  std::vector<const std::vector<double>*> numbers;
  for (const std::string& column : columns)
    numbers.push_back(&std::get<Numbers>(table.column(column).data).values);
  values.reserve(static_cast<size_t>(rows_) * width);
  for (int64_t row = 0; row < rows_; ++row) {
    for (size_t i = 0; i < width; ++i) {
      const double value = (*numbers[i])[row];
      if (std::isnan(value)) {
        data_error("{}: column \"{}\" has no value; expected a prediction in every row", table.place(row),
                   columns[i]);
      }
      values.push_back(value);
    }
  }
  for (int64_t row = 0; width > 1 && row < rows_; ++row)
    check_classes(table, row, columns, ValueSpan(values).subspan(static_cast<size_t>(row) * width, width));
}

Json ExternalPredictions::measure(const TrainingRows& rows, bool rows_vary,
                                  const EvaluationOptions& options) const {
  if (!rows.test) {
    command_error("--external: {}: there are no test rows that the predictions of {} could be for", path_,
                  name_);
  }
  const EncodedData& test = *rows.test;
  const bool is_whole = !rows.test_rows.empty() && rows_ == rows.split_rows;
  const bool is_test = rows_ == test.rows && !(rows_vary && !rows.test_rows.empty());
  if (!is_whole && !is_test) {
    const std::string expected = rows.test_rows.empty() ? fmt::format("{} test rows", test.rows)
                                 : rows_vary            ? fmt::format(
                                                              "all {} rows of the files that the split hands out, "
                                                                         "because every seed has other test rows",
                                                              rows.split_rows)
                                             : fmt::format(
                                                   "{} test rows, or all {} rows of the files that "
                                                   "the split hands out",
                                                   test.rows, rows.split_rows);
    data_error("{}: got {} rows of predictions, expected {}, in their order", path_, rows_, expected);
  }
  if (!is_whole) return judged(path_, rows.encoder.space(), test, predictions_, options);
  std::vector<ValueList> chosen = no_predictions(rows.encoder.space());
  for (size_t output = 0; output < predictions_.size(); ++output) {
    if (predictions_[output].empty()) continue;
    for (const int64_t row : rows.test_rows) {
      for (int64_t i = row * widths_[output]; i < (row + 1) * widths_[output]; ++i)
        chosen[output].push_back(predictions_[output][i]);
    }
  }
  return judged(path_, rows.encoder.space(), test, chosen, options);
}

}  // namespace gatewise
