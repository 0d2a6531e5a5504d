// The extension for repositories of models, and what the protocol has that is not offered here.
#include "base/json.h"
#include "serving/json_faults.h"
#include "serving/json_values.h"
#include "serving/protocol_call.h"
#include "serving/refusal.h"

namespace gatewise {
namespace {

// A body is not needed; parameters that ask for something else than the folder holds are refused.
bool asks_for_ready(ProtocolWorker& worker, const ProtocolCall& call) {
  bool is_ready = false;
  if (call.request.body.empty()) return false;
  for (const simdjson::dom::key_value_pair field : read_json(worker, call)) {
    if (field.key == "ready" && field.value.get(is_ready) != simdjson::SUCCESS)
      refuse(400, "ready: expected true or false");
    if (field.key != "parameters") continue;
    if (!field.value.is_object()) refuse(400, "parameters: expected an object");
    check_given_once(json_object(field.value), "parameters");
    for (const simdjson::dom::key_value_pair parameter : json_object(field.value)) {
      if (parameter.key == "unload_dependents") continue;
      refuse(400,
             "parameters: \"{}\" is not supported; a model is loaded from its own folder as it stands there",
             parameter.key.substr(0, 200));
    }
  }
  return is_ready;
}

}  // namespace

void answer_index(ProtocolWorker& worker, ProtocolCall& call, Response& response) {
  const bool is_ready_only = asks_for_ready(worker, call);
  Json models = Json::array();
  for (const ModelState& state : worker.repository.index()) {
    if (is_ready_only && !state.is_ready) continue;
    Json& model = models.emplace_back(Json{{"name", state.name}});
    if (state.version > 0) model["version"] = std::to_string(state.version);
    model["state"] = state.is_ready ? "READY" : "UNAVAILABLE";
    model["reason"] = state.reason;
  }
  response.body = models.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void answer_load(ProtocolWorker& worker, ProtocolCall& call, Response& response) {
  asks_for_ready(worker, call);
  if (!worker.repository.has(call.name)) find_model(worker, call, response);  // throws 404
  const std::string reason = worker.repository.load(call.name);
  if (worker.repository.versions(call.name).empty())
    refuse(422, "model \"{}\" has no version that can be served; {}", call.name, reason);
  Json answer = Json::object();
  for (const ModelState& state : worker.repository.index()) {
    if (state.name != call.name || state.reason.empty()) continue;
    answer["refused"].push_back({{"version", std::to_string(state.version)}, {"reason", state.reason}});
  }
  response.model = call.name;
  response.body = answer.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void answer_unload(ProtocolWorker& worker, ProtocolCall& call, Response& response) {
  asks_for_ready(worker, call);
  if (!worker.repository.has(call.name)) find_model(worker, call, response);  // throws 404
  worker.repository.unload(call.name);
  response.model = call.name;
  response.body = "{}";
}

void answer_not_offered(ProtocolWorker&, ProtocolCall&, Response&) {
  refuse(501,
         "shared memory, tracing and changes of the log are not offered; send tensors in the request, as "
         "JSON or as "
         "binary data");
}

}  // namespace gatewise
