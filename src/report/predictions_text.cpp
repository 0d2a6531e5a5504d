#include "report/predictions_text.h"

#include <fmt/format.h>

#include <cmath>
#include <iterator>

#include "base/error.h"
#include "report/csv.h"
#include "scoring/prediction_text.h"

namespace gatewise {
namespace {

constexpr size_t piece_size = 1 << 16;

void require_finite(const std::vector<ValueList>& predictions,
                    const std::vector<std::vector<std::string>>& columns) {
  for (size_t output = 0; output < predictions.size(); ++output) {
    const size_t width = columns[output].size();
    size_t at = 0;
    while (at < predictions[output].size() && std::isfinite(predictions[output][at])) ++at;
    if (at == predictions[output].size()) continue;
    data_error("row {}: \"{}\" is no finite number; a number of the row is too large for the model",
               at / width + 1, columns[output][at % width]);
  }
}

}  // namespace

void write_predictions(const FeatureSpace& space, const std::vector<ValueList>& predictions,
                       const std::vector<InnerValue>& inner, int64_t rows,
                       const std::function<void(const std::string& text)>& write) {
  std::string text;
  // Rows of one task have one prediction each.
  const size_t outputs = predictions.size();
  const std::vector<std::vector<std::string>> columns = space.prediction_columns();
  require_finite(predictions, columns);
  for (size_t output = 0; output < outputs; ++output) {
    for (const std::string& column : columns[output]) text += (text.empty() ? "" : ",") + csv_field(column);
  }
  for (const InnerValue& value : inner) {
    for (int64_t i = 0; i < value.width; ++i) {
      text += "," + csv_field(value.labels.empty() ? fmt::format("{}[{}]", value.name, i)
                                                   : fmt::format("{}:{}", value.name, value.labels[i]));
    }
  }
  text += '\n';
  for (int64_t row = 0; row < rows; ++row) {
    const char* separator = "";
    for (size_t task = 0; task < outputs; ++task) {
      const auto width = static_cast<int64_t>(columns[task].size());
      for (int64_t i = 0; i < width; ++i) {
        text += separator;
        append_prediction(text, predictions[task][row * width + i]);
        separator = ",";
      }
    }
    for (const InnerValue& value : inner) {
      for (int64_t i = 0; i < value.width; ++i)
        fmt::format_to(std::back_inserter(text), ",{}", value.values[row * value.width + i]);
    }
    text += '\n';
    if (text.size() >= piece_size) {
      write(text);
      text.clear();
    }
  }
  write(text);
}

}  // namespace gatewise
