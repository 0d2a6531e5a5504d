// POST /v2/models/NAME/infer.
#include <algorithm>

#include "base/error.h"
#include "serving/infer_request.h"
#include "serving/json_faults.h"
#include "serving/json_text.h"
#include "serving/json_values.h"
#include "serving/refusal.h"

namespace gatewise {
namespace {

struct WantedOutput {
  size_t column = 0;  // of Predictor::columns()
  bool is_binary = false;
};

bool wants_binary(std::string_view output, simdjson::dom::element parameters, bool is_binary) {
  if (!parameters.is_object()) refuse(400, "outputs: \"{}\": parameters: expected an object", output);
  check_given_once(json_object(parameters), fmt::format("outputs: \"{}\": parameters", output));
  for (const simdjson::dom::key_value_pair parameter : json_object(parameters)) {
    if (parameter.key.starts_with("shared_memory"))
      refuse(501, "outputs: \"{}\": shared memory is not offered; ask for JSON or binary data", output);
    if (parameter.key == "classification")
      refuse(400,
             "outputs: \"{}\": classification is not offered; the tensor has the probability of every class",
             output);
    if (parameter.key == "binary_data" && parameter.value.get(is_binary) != simdjson::SUCCESS)
      refuse(400, "outputs: \"{}\": binary_data: expected true or false", output);
  }
  return is_binary;
}

WantedOutput wanted_output(const ServedModel& model, simdjson::dom::element output, bool is_binary) {
  std::string_view name;
  if (!output.is_object() || json_object(output)["name"].get(name) != simdjson::SUCCESS)
    refuse(400, "outputs: expected a list of objects with a \"name\"");
  check_given_once(json_object(output), "outputs: an output");
  const std::vector<PredictionColumns>& columns = model.model().predictor->columns();
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].name != name) continue;
    simdjson::dom::element parameters;
    if (json_object(output)["parameters"].get(parameters) == simdjson::SUCCESS)
      is_binary = wants_binary(name, parameters, is_binary);
    return {i, is_binary};
  }
  std::vector<std::string> known;
  for (const PredictionColumns& column : columns) known.push_back(column.name);
  refuse(400, "outputs: the model has no output \"{}\".{}", name.substr(0, 200), suggestion(name, known));
}

std::span<const WantedOutput> wanted_outputs(ProtocolWorker& worker, const InferRequest& request,
                                             const ServedModel& model) {
  const size_t count = model.model().predictor->columns().size();
  const std::span<WantedOutput> wanted = worker.memory.take<WantedOutput>(count);
  size_t at = 0;
  if (!request.has_outputs) {
    for (; at < count; ++at) wanted[at] = {at, request.is_binary};
    return wanted;
  }
  if (!request.outputs.is_array()) refuse(400, "outputs: expected a list");
  for (const simdjson::dom::element output : json_array(request.outputs)) {
    const WantedOutput next = wanted_output(model, output, request.is_binary);
    for (size_t i = 0; i < at; ++i) {
      if (wanted[i].column == next.column)
        refuse(400, "outputs: \"{}\" is asked for twice",
               model.model().predictor->columns()[next.column].name);
    }
    wanted[at++] = next;
  }
  return wanted.first(at);
}

// Outputs are FP32, also those whose values in original units take more: answers of :predict have all digits.
std::span<const float> in_32_bits(ProtocolWorker& worker, std::span<const double> predictions) {
  const std::span<float> narrow = worker.memory.take<float>(predictions.size());
  std::transform(predictions.begin(), predictions.end(), narrow.begin(),
                 [](double value) { return static_cast<float>(value); });
  return narrow;
}

void append_values(std::string& to, const PredictionColumns& column, const float* predictions, int64_t rows,
                   int64_t width) {
  char separator = '[';
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t i = 0; i < column.width; ++i) {
      to += separator;
      separator = ',';
      append_json_number(to, predictions[row * width + column.offset + i]);
    }
  }
  to += rows * column.width == 0 ? "[]" : "]";
}

void append_binary(std::string& to, const PredictionColumns& column, const float* predictions, int64_t rows,
                   int64_t width) {
  for (int64_t row = 0; row < rows; ++row)
    to.append(reinterpret_cast<const char*>(predictions + row * width + column.offset),
              static_cast<size_t>(column.width) * sizeof(float));
}

void write_answer(const ServedModel& model, const InferRequest& request, std::span<const WantedOutput> wanted,
                  const float* predictions, int64_t rows, Response& response) {
  const Predictor& predictor = *model.model().predictor;
  std::string& body = response.body;
  body = model.head();
  if (request.has_id) {
    body += R"(,"id":)";
    append_json_text(body, request.id);
  }
  body += R"(,"outputs":[)";
  for (const WantedOutput& output : wanted) {
    const PredictionColumns& column = predictor.columns()[output.column];
    if (&output != wanted.data()) body += ',';
    body += R"({"name":)";
    append_json_text(body, column.name);
    fmt::format_to(std::back_inserter(body), R"(,"datatype":"FP32","shape":[{},{}])", rows, column.width);
    if (output.is_binary) {
      fmt::format_to(std::back_inserter(body), R"(,"parameters":{{"binary_data_size":{}}})",
                     rows * column.width * static_cast<int64_t>(sizeof(float)));
    } else {
      body += R"(,"data":)";
      append_values(body, column, predictions, rows, predictor.width());
    }
    body += '}';
  }
  body += "]}";
  const size_t json_bytes = body.size();
  bool has_binary = false;
  for (const WantedOutput& output : wanted) {
    if (!output.is_binary) continue;
    has_binary = true;
    append_binary(body, predictor.columns()[output.column], predictions, rows, predictor.width());
  }
  if (!has_binary) return;
  response.content_type = "application/octet-stream";
  response.headers.emplace_back("Inference-Header-Content-Length", std::to_string(json_bytes));
}

}  // namespace

void answer_infer(ProtocolWorker& worker, ProtocolCall& call, Response& response) {
  const ServedModel& model = find_model(worker, call, response);
  call.is_scoring = true;
  const InferRequest request = read_infer_request(worker, call);
  const std::span<const WantedOutput> wanted = wanted_outputs(worker, request, model);
  ScoringSession& session = model.session(worker.number);
  std::span<const float> predictions;
  int64_t rows = 0;
  if (takes_encoded(request, model)) {
    rows = bind_inputs(worker, request, model, session);
    predictions = in_32_bits(worker, score_inputs(session, rows));
  } else {
    rows = bind_features(worker, request, model);
    predictions = in_32_bits(worker, score_raw(session, model, worker.rows.values(), rows));
  }
  const Predictor& predictor = *model.model().predictor;
  for (const WantedOutput& output : wanted) {
    if (!output.is_binary) check_finite(predictions, predictor.width(), predictor.columns()[output.column]);
  }
  write_answer(model, request, wanted, predictions.data(), rows, response);
  response.rows = rows;
}

}  // namespace gatewise
