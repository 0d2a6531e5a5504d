// What the functions that answer requests share.
#pragma once

#include <simdjson.h>

#include <memory>
#include <string_view>

#include "serving/model_repository.h"
#include "serving/protocol_options.h"
#include "serving/raw_rows.h"
#include "serving/request.h"
#include "serving/request_memory.h"

namespace gatewise {

struct ProtocolCall;

// Of one handler: its memory, used again by every request.
struct ProtocolWorker {
  ProtocolWorker(ModelRepository& repository_, const ProtocolOptions& options_, size_t number_);

  // Above this, the memory of a request is given back behind it.
  static constexpr size_t most_kept_bytes = size_t{16} << 20;
  size_t bytes() const;
  // Of the worker and of its session with the model of the call.
  void give_back(const ProtocolCall& call) noexcept;

  ModelRepository& repository;
  const ProtocolOptions options;
  const size_t number;
  RequestMemory memory;
  simdjson::dom::parser parser;
  RawRows rows{memory}, context{memory};
  std::vector<bool> in_context;  // by column of a model
};

// One request on its way.
struct ProtocolCall {
  const Request& request;
  std::string_view name, version;            // of the path, decoded
  std::shared_ptr<const ServedModel> model;  // set by find_model()
  bool is_scoring = false;
};

// The model that the path names, kept in the call and named in the response. Throws Refusal: 404 for a name
// or version that is not there, 503 for one that is not loaded.
const ServedModel& find_model(ProtocolWorker& worker, ProtocolCall& call, Response& response);

// The JSON of a request's body, an object. Throws Refusal: 415 for another type of content, 400 where it is
// no JSON. What it refers to lives until the worker's next request.
simdjson::dom::object read_json(ProtocolWorker& worker, const ProtocolCall& call);

// Throws Refusal(413) when there are more rows than the options allow.
void check_rows(const ProtocolWorker& worker, std::string_view field, size_t rows);

// Scores `rows` rows of raw values [rows, columns], or inputs that the session has bound; returns
// [rows, width]. Throws Refusal(400) naming row and column.
std::span<const double> score_raw(ScoringSession& session, const ServedModel& model,
                                  std::span<const RawValue> values, int64_t rows);
std::span<const double> score_inputs(ScoringSession& session, int64_t rows);

// The list of rows, each an object of values by feature, read into `rows`; their number. Throws Refusal
// naming the row that `field` and `noun` say.
int64_t read_row_list(const ProtocolWorker& worker, RawRows& rows, const ServedModel& model,
                      const RowSlots& slots, simdjson::dom::element list, std::string_view field,
                      std::string_view noun);

// Whether all numbers of an output in a row of predictions are; JSON has no others.
template <class Number>
bool is_finite(const PredictionColumns& output, const Number* predictions);
// Throws Refusal(422) naming the row of `predictions` [rows, width] where the output is not finite.
template <class Number>
void check_finite(std::span<const Number> predictions, int64_t width, const PredictionColumns& output);

// {"income":0.12,"grade":{"a":0.2,"b":0.8}} for one row of predictions.
void append_predictions(std::string& to, const ServedModel& model, const double* predictions);

using ProtocolAnswer = void (*)(ProtocolWorker&, ProtocolCall&, Response&);

// What the server and its models are (model_answers.cpp).
void answer_server(ProtocolWorker&, ProtocolCall&, Response&);
void answer_live(ProtocolWorker&, ProtocolCall&, Response&);
void answer_ready(ProtocolWorker&, ProtocolCall&, Response&);
void answer_model(ProtocolWorker&, ProtocolCall&, Response&);
void answer_model_ready(ProtocolWorker&, ProtocolCall&, Response&);
void answer_model_config(ProtocolWorker&, ProtocolCall&, Response&);
void answer_model_stats(ProtocolWorker&, ProtocolCall&, Response&);
void answer_stats(ProtocolWorker&, ProtocolCall&, Response&);
void answer_models(ProtocolWorker&, ProtocolCall&, Response&);
void answer_features(ProtocolWorker&, ProtocolCall&, Response&);
// The repository (repository_answers.cpp).
void answer_index(ProtocolWorker&, ProtocolCall&, Response&);
void answer_load(ProtocolWorker&, ProtocolCall&, Response&);
void answer_unload(ProtocolWorker&, ProtocolCall&, Response&);
void answer_not_offered(ProtocolWorker&, ProtocolCall&, Response&);
// Scoring (row_answers.cpp, rank_answers.cpp, infer_answers.cpp).
void answer_predict(ProtocolWorker&, ProtocolCall&, Response&);
void answer_rank(ProtocolWorker&, ProtocolCall&, Response&);
void answer_infer(ProtocolWorker&, ProtocolCall&, Response&);

}  // namespace gatewise
