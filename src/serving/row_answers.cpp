// POST /v1/models/NAME:predict: raw rows by feature name.
#include "base/error.h"
#include "serving/json_text.h"
#include "serving/json_values.h"
#include "serving/protocol_call.h"
#include "serving/refusal.h"

namespace gatewise {
namespace {

struct PredictFields {
  simdjson::dom::element instances, columns;
  bool has_instances = false, has_columns = false;
};

PredictFields predict_fields(simdjson::dom::object body) {
  PredictFields fields;
  for (const simdjson::dom::key_value_pair field : body) {
    if (field.key == "instances") {
      fields.instances = field.value;
      fields.has_instances = true;
    } else if (field.key == "columns") {
      fields.columns = field.value;
      fields.has_columns = true;
    } else {
      static const std::string known[] = {"instances", "columns"};
      refuse(400, "body: no field \"{}\".{}", field.key.substr(0, 200), suggestion(field.key, known));
    }
  }
  if (fields.has_instances == fields.has_columns) {
    refuse(400,
           "body: expected either \"instances\", a list of rows, or \"columns\", an object of lists; got {}",
           fields.has_instances ? "both" : "neither");
  }
  return fields;
}

int64_t read_columns(ProtocolWorker& worker, const ServedModel& model, const RowSlots& slots,
                     simdjson::dom::element columns) {
  if (!columns.is_object()) refuse(400, "columns: expected an object of lists by feature");
  size_t rows = 0;
  for (const simdjson::dom::key_value_pair field : json_object(columns)) {
    if (field.value.is_array()) rows = json_count(json_array(field.value));
    break;
  }
  check_rows(worker, "columns", rows);
  worker.rows.start(model, slots, static_cast<int64_t>(rows));
  worker.rows.read_columns(columns);
  return static_cast<int64_t>(rows);
}

}  // namespace

int64_t read_row_list(const ProtocolWorker& worker, RawRows& rows, const ServedModel& model,
                      const RowSlots& slots, simdjson::dom::element list, std::string_view field,
                      std::string_view noun) {
  if (!list.is_array()) refuse(400, "{}: expected a list of rows", field);
  const simdjson::dom::array items = json_array(list);
  const size_t count = json_count(items);
  check_rows(worker, field, count);
  rows.start(model, slots, static_cast<int64_t>(count));
  int64_t row = 0;
  for (const simdjson::dom::element item : items) {
    rows.read_row(row, item, {noun, row + 1});
    ++row;
  }
  return row;
}

void answer_predict(ProtocolWorker& worker, ProtocolCall& call, Response& response) {
  const ServedModel& model = find_model(worker, call, response);
  call.is_scoring = true;
  if (!model.model().encoder) {
    refuse(400, "model \"{}\" takes encoded rows only; use POST /v2/models/{}/infer", model.name(),
           model.name());
  }
  const PredictFields fields = predict_fields(read_json(worker, call));
  const RowSlots& slots = model.all_slots();
  const int64_t rows = fields.has_instances ? read_row_list(worker, worker.rows, model, slots,
                                                            fields.instances, "instances", "row")
                                            : read_columns(worker, model, slots, fields.columns);
  ScoringSession& session = model.session(worker.number);
  const std::span<const double> predictions = score_raw(session, model, worker.rows.values(), rows);
  const int64_t width = model.model().predictor->width();
  for (const PredictionColumns& output : model.model().predictor->columns())
    check_finite(predictions, width, output);
  response.body = model.head();
  response.body += R"(,"predictions":[)";
  for (int64_t row = 0; row < rows; ++row) {
    if (row > 0) response.body += ',';
    append_predictions(response.body, model, predictions.data() + row * width);
  }
  response.body += "]}";
  response.rows = rows;
}

}  // namespace gatewise
