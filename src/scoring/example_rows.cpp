#include "scoring/example_rows.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <deque>

#include "base/error.h"
#include "scoring/raw_columns.h"

namespace gatewise {
namespace {

constexpr int64_t typical_rows = 3;  // and one whose features are missing

// To four digits, so that examples are pleasant to read.
double readable(double value) {
  return std::isfinite(value) ? std::strtod(fmt::format("{:.4g}", value).c_str(), nullptr) : 0;
}

// Row 0: the middle; rows 1 and 2: a spread above and below.
double typical_number(const Scaling& scaling, int64_t row) {
  constexpr double at[typical_rows] = {0, 1, -1};
  constexpr size_t quarter[typical_rows] = {2, 3, 1};
  const std::vector<double>& edges = scaling.edges();
  if (scaling.transform() == "quantile")
    return edges.empty() ? 0 : readable(edges[edges.size() * quarter[row] / 4]);
  return readable(scaling.invert(at[row]));
}

Json level(const Vocabulary& vocabulary, int64_t number) {
  const int64_t levels = vocabulary.is_hashed() ? 0 : vocabulary.levels();
  if (vocabulary.has_ids()) {
    return levels == 0 ? Json(static_cast<uint64_t>(number + 1))
                       : Json(vocabulary.ids()[static_cast<size_t>(number % levels)]);
  }
  return levels == 0 ? Json(std::string(1, static_cast<char>('a' + number)))
                     : Json(vocabulary.texts()[static_cast<size_t>(number % levels)]);
}

Json typical_value(const RawColumn& column, const Encoder& encoder, int64_t row) {
  // Bags of 1, 2 and 3 items; their weights likewise.
  Json list = Json::array();
  switch (column.kind) {
    case RawKind::Number:
      return typical_number(column.scalings.at(0), row);
    case RawKind::Task:
      return encoder.schema().tasks.at(static_cast<size_t>(row) % encoder.schema().tasks.size()).name;
    case RawKind::Numbers:
      for (const Scaling& scaling : column.scalings) list.push_back(typical_number(scaling, row));
      for (int64_t i = 0; column.scalings.empty() && i <= row; ++i) list.push_back(1);
      return list;
    case RawKind::Ids:
    case RawKind::Texts:
      for (int64_t i = 0; i <= row; ++i) list.push_back(level(*column.vocabulary, i));
      return list;
    default:
      return level(*column.vocabulary, row);
  }
}

// Raw values of instances as JSON; what they point to lives here.
class InstanceValues {
 public:
  InstanceValues(const Json& instances, const std::vector<RawColumn>& columns) {
    for (const Json& instance : instances) {
      for (const RawColumn& column : columns) {
        const auto found = instance.find(column.name);
        values_.push_back(found == instance.end() ? RawValue() : value(*found, column.kind == RawKind::Ids));
      }
    }
  }

  const std::vector<RawValue>& values() const { return values_; }

 private:
  std::string_view text(const Json& json) { return texts_.emplace_back(json.get<std::string>()); }

  RawValue value(const Json& json, bool is_ids) {
    if (json.is_string()) return text(json);
    if (json.is_number_unsigned()) return json.get<uint64_t>();
    if (json.is_number()) return json.get<double>();
    if (!json.is_array()) return {};
    if (!json.empty() && json.front().is_string()) {
      std::vector<std::string_view>& items = text_lists_.emplace_back();
      for (const Json& item : json) items.push_back(text(item));
      return std::span<const std::string_view>(items);
    }
    if (is_ids) return std::span<const uint64_t>(id_lists_.emplace_back(json.get<std::vector<uint64_t>>()));
    return std::span<const double>(number_lists_.emplace_back(json.get<std::vector<double>>()));
  }

  std::vector<RawValue> values_;
  std::deque<std::string> texts_;
  std::deque<std::vector<std::string_view>> text_lists_;
  std::deque<std::vector<double>> number_lists_;
  std::deque<std::vector<uint64_t>> id_lists_;
};

std::vector<double> score_instances(const std::shared_ptr<const Predictor>& predictor, const Encoder& encoder,
                                    const RowEncoder& rows, const Json& instances) {
  const InstanceValues values(instances, raw_columns(encoder));
  const auto count = static_cast<int64_t>(instances.size());
  EncodedData encoded;
  rows.encode(values.values(), count, encoded);
  PredictionRun run(predictor);
  std::vector<double> predictions(static_cast<size_t>(count * predictor->width()));
  run.predict(encoded, 0, count, predictions.data());
  predictor->require_finite(predictions.data(), count);
  return predictions;
}

void compare(const PredictionColumns& output, const std::vector<std::vector<double>>& stored,
             const std::vector<double>& predictions, const std::string& where) {
  double largest = output.kind == "regression" || output.kind.empty() ? 0 : 1;
  for (const std::vector<double>& row : stored) {
    for (int64_t i = output.offset; i < output.offset + output.width; ++i)
      largest = std::max(largest, std::abs(row.at(static_cast<size_t>(i))));
  }
  const size_t width = predictions.size() / stored.size();
  for (size_t row = 0; row < stored.size(); ++row) {
    for (int64_t i = output.offset; i < output.offset + output.width; ++i) {
      const double got = predictions[row * width + static_cast<size_t>(i)];
      const double wanted = stored[row][static_cast<size_t>(i)];
      if (std::isfinite(got) && std::abs(got - wanted) <= example_tolerance * largest) continue;
      data_error(
          "{}: example row {}: the prediction of \"{}\" is {}, expected {} as when the model was saved; take "
          "a whole "
          "copy of the model or train it again",
          where, row + 1, output.name, got, wanted);
    }
  }
}

}  // namespace

Json example_instances(const Encoder& encoder) {
  Json instances = Json::array();
  const std::vector<RawColumn> columns = raw_columns(encoder);
  for (int64_t row = 0; row <= typical_rows; ++row) {
    Json& instance = instances.emplace_back(Json::object());
    for (const RawColumn& column : columns) {
      const bool is_missing = row == typical_rows && column.kind != RawKind::Task;
      instance[column.name] = is_missing ? Json() : typical_value(column, encoder, row % typical_rows);
    }
  }
  return instances;
}

Json example_rows(const Graph& graph, const Store<float>& store, const Encoder& encoder) {
  Json instances = example_instances(encoder);
  std::vector<double> predictions;
  int64_t width = 0;
  try {
    const auto predictor = std::make_shared<const Predictor>(graph, store, &encoder.space());
    width = predictor->width();
    predictions = score_instances(predictor, encoder, RowEncoder(encoder), instances);
  } catch (const Error&) {
    return nullptr;
  }
  Json rows = Json::array();
  for (auto at = predictions.begin(); at != predictions.end(); at += width)
    rows.push_back(std::vector<double>(at, at + width));
  return {{"instances", instances}, {"predictions", rows}};
}

void check_example_rows(const ServableModel& model, const std::string& where) {
  const Json& examples = model.loaded.examples;
  if (examples.is_null() || !model.encoder) return;
  const int64_t width = model.predictor->width();
  std::vector<double> predictions;
  std::vector<std::vector<double>> stored;
  try {
    // A prediction that was not finite when the model was saved stands there as null and is refused here.
    for (const Json& row : examples.at("predictions")) {
      stored.push_back(row.get<std::vector<double>>());
      if (stored.back().size() != static_cast<size_t>(width))
        data_error("got a row of {} predictions, expected {}", stored.back().size(), width);
    }
    predictions =
        score_instances(model.predictor, *model.loaded.encoder, *model.encoder, examples.at("instances"));
  } catch (const std::exception& fault) {
    data_error("{}: its example rows cannot be scored; {}; train or save the model again", where,
               fault.what());
  }
  if (predictions.size() != stored.size() * static_cast<size_t>(width))
    data_error("{}: got {} example rows with predictions, expected {}; take a whole copy of the model", where,
               stored.size(), examples.at("instances").size());
  for (const PredictionColumns& output : model.predictor->columns())
    compare(output, stored, predictions, where);
}

}  // namespace gatewise
