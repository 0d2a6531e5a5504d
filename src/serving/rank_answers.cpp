// POST /v1/models/NAME:rank: one context, many candidates, a score over tasks.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "base/error.h"
#include "scoring/score_expression.h"
#include "serving/json_text.h"
#include "serving/json_values.h"
#include "serving/protocol_call.h"
#include "serving/refusal.h"

namespace gatewise {
namespace {

struct RankFields {
  simdjson::dom::element context, candidates;
  bool has_context = false, has_candidates = false, shows_predictions = true;
  std::string_view score;  // empty: none
  int64_t top = -1;        // -1: all
};

void read_rank_field(RankFields& fields, std::string_view key, simdjson::dom::element value) {
  if (key == "context") {
    if (!value.is_object()) refuse(400, "context: expected an object of values by feature");
    fields.context = value;
    fields.has_context = true;
  } else if (key == "candidates") {
    fields.candidates = value;
    fields.has_candidates = true;
  } else if (key == "score") {
    if (value.get(fields.score) != simdjson::SUCCESS || fields.score.empty())
      refuse(400, "score: expected a text, as \"click^0.5 * buy\"");
  } else if (key == "top") {
    if (value.get(fields.top) != simdjson::SUCCESS || fields.top < 1)
      refuse(400, "top: expected how many candidates to return, at least 1");
  } else if (key == "predictions") {
    if (value.get(fields.shows_predictions) != simdjson::SUCCESS)
      refuse(400, "predictions: expected true or false");
  } else {
    static const std::string known[] = {"context", "candidates", "score", "top", "predictions"};
    refuse(400, "body: no field \"{}\".{}", key.substr(0, 200), suggestion(key, known));
  }
}

RankFields rank_fields(simdjson::dom::object body) {
  RankFields fields;
  for (const simdjson::dom::key_value_pair field : body) read_rank_field(fields, field.key, field.value);
  if (!fields.has_candidates) refuse(400, "body: has no \"candidates\", a list of rows");
  if (fields.top > 0 && fields.score.empty()) {
    refuse(400, "top: needs a \"score\" to order by, as \"click^0.5 * buy\"");
  }
  return fields;
}

// Which columns the context has decides how the model is divided.
void mark_context(ProtocolWorker& worker, const ServedModel& model, const RankFields& fields) {
  worker.in_context.assign(model.columns().size(), false);
  if (!fields.has_context) return;
  worker.context.start(model, model.all_slots(), 0);
  for (const simdjson::dom::key_value_pair field : json_object(fields.context))
    worker.in_context[static_cast<size_t>(worker.context.column(field.key, {"context"}))] = true;
}

std::span<const int64_t> order_of(ProtocolWorker& worker, const std::vector<double>& scores,
                                  const RankFields& fields, int64_t rows) {
  if (fields.score.empty()) {
    const std::span<int64_t> as_given = worker.memory.take<int64_t>(static_cast<size_t>(rows));
    std::iota(as_given.begin(), as_given.end(), 0);
    return as_given;
  }
  const std::vector<int64_t> order = best_first(scores, fields.top < 0 ? rows : std::min(fields.top, rows));
  const std::span<int64_t> kept = worker.memory.take<int64_t>(order.size());
  std::copy(order.begin(), order.end(), kept.begin());
  return kept;
}

bool are_finite(const ServedModel& model, const double* predictions) {
  const std::vector<PredictionColumns>& outputs = model.model().predictor->columns();
  return std::all_of(outputs.begin(), outputs.end(),
                     [&](const PredictionColumns& output) { return is_finite(output, predictions); });
}

// A candidate whose numbers are too large for the model takes the others nothing: what JSON cannot say of it
// is null.
void write_ranking(const ServedModel& model, const ScoringSession& session, const RankFields& fields,
                   std::span<const int64_t> order, Response& response) {
  std::string& body = response.body;
  const int64_t width = model.model().predictor->width();
  body = model.head();
  body += R"(,"ranking":[)";
  for (size_t place = 0; place < order.size(); ++place) {
    const int64_t row = order[place];
    if (place > 0) body += ',';
    body += R"({"candidate":)";
    append_json_number(body, row);
    if (!fields.score.empty()) {
      const double score = session.scores[static_cast<size_t>(row)];
      body += R"(,"score":)";
      if (std::isfinite(score)) {
        append_json_number(body, score);
      } else {
        body += "null";
      }
    }
    if (fields.shows_predictions) {
      const double* predictions = session.predictions.data() + row * width;
      body += R"(,"predictions":)";
      if (are_finite(model, predictions)) {
        append_predictions(body, model, predictions);
      } else {
        body += "null";
      }
    }
    body += '}';
  }
  body += "]}";
}

}  // namespace

void answer_rank(ProtocolWorker& worker, ProtocolCall& call, Response& response) {
  const ServedModel& model = find_model(worker, call, response);
  call.is_scoring = true;
  if (!model.model().encoder)
    refuse(400, "model \"{}\" takes encoded rows only; use POST /v2/models/{}/infer", model.name(),
           model.name());
  const RankFields fields = rank_fields(read_json(worker, call));
  const Predictor& predictor = *model.model().predictor;
  std::optional<ScoreExpression> score;
  if (!fields.score.empty()) score.emplace(fields.score, predictor.columns());
  mark_context(worker, model, fields);
  ScoringSession& session = model.session(worker.number);
  RankingSession& ranking = model.ranking(session, worker.in_context);
  worker.context.start(model, ranking.context_slots, 1);
  if (fields.has_context) worker.context.read_row(0, fields.context, {"context"});
  const int64_t rows = read_row_list(worker, worker.rows, model, ranking.candidate_slots, fields.candidates,
                                     "candidates", "candidate");
  session.predictions.resize(static_cast<size_t>(rows * predictor.width()));
  ranking.run.predict(worker.context.values(), worker.rows.values(), rows, session.predictions.data());
  session.scores.resize(static_cast<size_t>(rows));
  if (score) score->evaluate(session.predictions.data(), rows, predictor.width(), session.scores.data());
  write_ranking(model, session, fields, order_of(worker, session.scores, fields, rows), response);
  response.rows = rows;
}

}  // namespace gatewise
