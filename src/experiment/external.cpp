#include "experiment/external.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "table/table_files.h"

namespace gatewise {

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
  const auto is_present = [&](const std::string& name) {
    return std::find(present.begin(), present.end(), name) != present.end();
  };
  ReadOptions options;
  std::vector<std::string> known;
  for (const std::vector<std::string>& of_output : columns) {
    known.insert(known.end(), of_output.begin(), of_output.end());
    const bool is_any = std::any_of(of_output.begin(), of_output.end(), is_present);
    if (!is_any) continue;
    for (const std::string& name : of_output) {
      ColumnRequest& request = options.columns.emplace_back();
      request.name = name;
      request.type = ColumnType::Number;
    }
  }
  if (options.columns.empty()) {
    data_error("{}: no column is a task's prediction; got {}, expected {}", path_, fmt::join(present, ", "),
               fmt::join(known, ", "));
  }
  const Table table = read_table({path_}, options);
  rows_ = table.rows();
  for (const std::vector<std::string>& of_output : columns) {
    std::vector<float>& values = predictions_.emplace_back();
    widths_.push_back(static_cast<int64_t>(of_output.size()));
    if (table.find(of_output[0]) == nullptr) continue;
    values.resize(static_cast<size_t>(rows_ * widths_.back()));
    for (int64_t i = 0; i < widths_.back(); ++i) {
      const std::vector<double>& numbers = std::get<Numbers>(table.column(of_output[i]).data).values;
      for (int64_t row = 0; row < rows_; ++row) {
        if (std::isnan(numbers[row])) {
          data_error("{}: column \"{}\" has no value; expected a prediction in every row", table.place(row),
                     of_output[i]);
        }
        values[row * widths_.back() + i] = static_cast<float>(numbers[row]);
      }
    }
  }
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
  if (!is_whole) return judge_predictions(rows.encoder.space(), test, predictions_, options);
  std::vector<std::vector<float>> chosen(predictions_.size());
  for (size_t output = 0; output < predictions_.size(); ++output) {
    if (predictions_[output].empty()) continue;
    for (const int64_t row : rows.test_rows) {
      const auto first = predictions_[output].begin() + row * widths_[output];
      chosen[output].insert(chosen[output].end(), first, first + widths_[output]);
    }
  }
  return judge_predictions(rows.encoder.space(), test, chosen, options);
}

}  // namespace gatewise
