#include "serving/protocol_call.h"

#include <algorithm>
#include <cmath>

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "base/error.h"
#include "scoring/prediction_text.h"
#include "serving/json_faults.h"
#include "serving/json_values.h"
#include "serving/refusal.h"

namespace gatewise {
namespace {

bool is_type(std::string_view given, std::string_view wanted) {
  given = given.substr(0, given.find(';'));
  while (given.ends_with(' ')) given.remove_suffix(1);
  return std::equal(given.begin(), given.end(), wanted.begin(), wanted.end(),
                    [](char a, char b) { return (a | 0x20) == (b | 0x20); });
}

// What a browser sends of its own accord (forms, plain text, bodies without a type) is refused, so that no
// page that someone looks at can have requests made to a server on the same machine.
void check_type(const Request& request, bool has_binary) {
  const std::string_view type = request.content_type;
  if (type.empty() && request.origin.empty()) return;
  if (is_type(type, "application/json") || (has_binary && is_type(type, "application/octet-stream"))) return;
  const char* wanted = has_binary ? "application/octet-stream" : "application/json";
  refuse(415, "Content-Type: got \"{}\", expected {}; send the header Content-Type: {}", type.substr(0, 200),
         wanted, wanted);
}

constexpr size_t usual_bytes = 65536, most_depth = 32;

}  // namespace

ProtocolWorker::ProtocolWorker(ModelRepository& repository_, const ProtocolOptions& options_, size_t number_)
    : repository(repository_), options(options_), number(number_) {
  if (parser.allocate(usual_bytes, most_depth) != simdjson::SUCCESS) throw std::bad_alloc();
}

size_t ProtocolWorker::bytes() const {
  // Of a parser, for each byte that it can read: 8 of what was read, 4 of places, 5/3 of texts.
  constexpr size_t parser_bytes = 14;
  return memory.bytes() + rows.bytes() + context.bytes() + parser_bytes * parser.capacity();
}

void ProtocolWorker::give_back(const ProtocolCall& call) noexcept {
  if (bytes() <= most_kept_bytes) return;
  memory.give_back();
  rows.give_back();
  context.give_back();
  if (call.model) call.model->end_session(number);
  simdjson::dom::parser fresh;
  if (fresh.allocate(usual_bytes, most_depth) == simdjson::SUCCESS) parser = std::move(fresh);
#ifdef __GLIBC__
  // What is free in the middle of the heap stays with the process otherwise.
  malloc_trim(most_kept_bytes);
#endif
}

const ServedModel& find_model(ProtocolWorker& worker, ProtocolCall& call, Response& response) {
  call.model = worker.repository.find(call.name, call.version);
  if (!call.model) {
    const std::vector<std::string> names = worker.repository.names();
    if (!worker.repository.has(call.name))
      refuse(404, "no model \"{}\".{}", call.name, suggestion(call.name, names));
    const std::vector<int64_t> versions = worker.repository.versions(call.name);
    if (versions.empty()) {
      refuse(503, "model \"{}\" is not loaded; POST /v2/repository/index says why", call.name);
    }
    refuse(404, "model \"{}\" has no version \"{}\"; versions that are ready: {}", call.name, call.version,
           fmt::join(versions, ", "));
  }
  response.model = call.model->name();
  return *call.model;
}

simdjson::dom::object read_json(ProtocolWorker& worker, const ProtocolCall& call) {
  const Request& request = call.request;
  const bool has_binary = request.json_bytes >= 0;
  check_type(request, has_binary);
  if (has_binary && request.json_bytes > static_cast<int64_t>(request.body.size())) {
    refuse(400, "Inference-Header-Content-Length: got {}, but the body has {} bytes", request.json_bytes,
           request.body.size());
  }
  const std::string_view json =
      has_binary ? request.body.substr(0, static_cast<size_t>(request.json_bytes)) : request.body;
  if (json.empty()) refuse(400, "body: is empty; expected a JSON object");
  simdjson::dom::element root;
  simdjson::error_code code = worker.parser.parse(json.data(), json.size(), false).get(root);
  if (code == simdjson::NUMBER_ERROR) {
    const std::string rewritten = with_wide_numbers(json);
    // What the parser hands out lies in its own memory, so the text may go.
    if (!rewritten.empty()) code = worker.parser.parse(rewritten).get(root);
  }
  if (code == simdjson::MEMALLOC) throw std::bad_alloc();
  if (code != simdjson::SUCCESS) refuse_json(json, simdjson::error_message(code));
  if (!root.is_object()) refuse(400, "body: expected a JSON object");
  check_given_once(json_object(root), "body");
  return json_object(root);
}

void check_rows(const ProtocolWorker& worker, std::string_view field, size_t rows) {
  if (rows <= static_cast<size_t>(worker.options.max_rows)) return;
  refuse(413, "{}: got {} rows, expected at most {}; send several requests", field, rows,
         worker.options.max_rows);
}

std::span<const double> score_raw(ScoringSession& session, const ServedModel& model,
                                  std::span<const RawValue> values, int64_t rows) {
  const int64_t width = model.model().predictor->width();
  model.model().encoder->encode(values, rows, session.encoded);
  session.predictions.resize(static_cast<size_t>(rows * width));
  session.run.predict(session.encoded, 0, rows, session.predictions.data());
  return session.predictions;
}

std::span<const double> score_inputs(ScoringSession& session, int64_t rows) {
  const Predictor& predictor = session.run.predictor();
  predictor.check_ids(rows, session.inputs);
  session.predictions.resize(static_cast<size_t>(rows * predictor.width()));
  session.run.predict(rows, session.inputs, session.predictions.data());
  return session.predictions;
}

template <class Number>
bool is_finite(const PredictionColumns& output, const Number* predictions) {
  const Number* values = predictions + output.offset;
  return std::all_of(values, values + output.width, [](Number value) { return std::isfinite(value); });
}

template <class Number>
void check_finite(std::span<const Number> predictions, int64_t width, const PredictionColumns& output) {
  const int64_t rows = static_cast<int64_t>(predictions.size()) / width;
  for (int64_t row = 0; row < rows; ++row) {
    if (is_finite(output, predictions.data() + row * width)) continue;
    refuse(422,
           "row {}: the prediction of \"{}\" is no finite number; the row's values are far from those the "
           "model was trained on",
           row + 1, output.name);
  }
}

template bool is_finite(const PredictionColumns&, const double*);
template void check_finite(std::span<const float>, int64_t, const PredictionColumns&);
template void check_finite(std::span<const double>, int64_t, const PredictionColumns&);

void append_predictions(std::string& to, const ServedModel& model, const double* predictions) {
  const std::vector<PredictionColumns>& outputs = model.model().predictor->columns();
  char separator = '{';
  for (size_t i = 0; i < outputs.size(); ++i) {
    const double* values = predictions + outputs[i].offset;
    const OutputText& text = model.output_texts()[i];
    to += separator;
    separator = ',';
    to += text.key;
    if (outputs[i].kind == "multiclass" && text.class_keys.size() == static_cast<size_t>(outputs[i].width)) {
      for (size_t k = 0; k < text.class_keys.size(); ++k) {
        to += k == 0 ? '{' : ',';
        to += text.class_keys[k];
        append_prediction(to, values[k]);
      }
      to += '}';
    } else if (outputs[i].width == 1) {
      append_prediction(to, values[0]);
    } else {
      for (int64_t k = 0; k < outputs[i].width; ++k) {
        to += k == 0 ? '[' : ',';
        append_prediction(to, values[k]);
      }
      to += ']';
    }
  }
  to += '}';
}

}  // namespace gatewise
