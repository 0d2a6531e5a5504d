// What the server and its models are: names, versions, inputs, outputs, counters.
#include "model_file/manifest.h"
#include "scoring/example_rows.h"
#include "serving/protocol_call.h"
#include "serving/refusal.h"

namespace gatewise {
namespace {

void write_json(Response& response, const Json& json) {
  response.body = json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json tensor_json(const std::string& name, const char* datatype, const Json& shape) {
  return {{"name", name}, {"datatype", datatype}, {"shape", shape}};
}

Json raw_input_json(const RawColumn& column) {
  switch (column.kind) {
    case RawKind::Number:
      return tensor_json(column.name, "FP64", {-1});
    case RawKind::Id:
      return tensor_json(column.name, "UINT64", {-1});
    case RawKind::Numbers:
      return tensor_json(column.name, "FP64", {-1, column.width > 0 ? column.width : -1});
    case RawKind::Ids:
      return tensor_json(column.name, "UINT64", {-1, -1});
    case RawKind::Texts:
      return tensor_json(column.name, "BYTES", {-1, -1});
    default:
      return tensor_json(column.name, "BYTES", {-1});
  }
}

Json encoded_input_json(const EncodedInput& input) {
  if (!input.is_ids) return tensor_json(input.name, "FP32", {-1, input.width});
  return input.takes_lists ? tensor_json(input.name, "UINT32", {-1, -1})
                           : tensor_json(input.name, "UINT32", {-1});
}

// The inputs that a request gives: raw features, or encoded ones of a model that knows no features.
Json inputs_json(const ServedModel& model) {
  Json inputs = Json::array();
  for (const RawColumn& column : model.columns()) inputs.push_back(raw_input_json(column));
  if (!model.model().encoder) {
    for (const EncodedInput& input : model.inputs()) inputs.push_back(encoded_input_json(input));
  }
  return inputs;
}

Json outputs_json(const ServedModel& model) {
  Json outputs = Json::array();
  for (const PredictionColumns& output : model.model().predictor->columns())
    outputs.push_back(tensor_json(output.name, "FP32", {-1, output.width}));
  return outputs;
}

Json tasks_json(const ServedModel& model) {
  Json tasks = Json::array();
  for (const PredictionColumns& output : model.model().predictor->columns()) {
    Json& task = tasks.emplace_back(Json{{"name", output.name}, {"kind", output.kind}});
    if (!output.class_names.empty()) task["classes"] = output.class_names;
  }
  return tasks;
}

Json versions_json(const ProtocolWorker& worker, std::string_view name) {
  Json versions = Json::array();
  for (const int64_t version : worker.repository.versions(name)) versions.push_back(std::to_string(version));
  return versions;
}

// What a value of the column may be, with a few that the model knows.
Json feature_json(const RawColumn& column) {
  Json feature{{"name", column.name}, {"type", raw_kind_name(column.kind)}};
  if (column.width > 0) feature["length"] = column.width;
  if (!column.weighs.empty()) feature["weights_of"] = column.weighs;
  if (column.vocabulary == nullptr) return feature;
  const Vocabulary& vocabulary = *column.vocabulary;
  if (vocabulary.is_hashed()) {
    feature["hash_buckets"] = vocabulary.buckets();
    return feature;
  }
  constexpr int64_t shown = 10;
  feature["known"] = vocabulary.levels();
  Json& values = feature["values"] = Json::array();
  for (int64_t i = 0; i < std::min(shown, vocabulary.levels()); ++i) {
    if (vocabulary.has_ids()) {
      values.push_back(vocabulary.ids()[static_cast<size_t>(i)]);
    } else {
      values.push_back(vocabulary.texts()[static_cast<size_t>(i)]);
    }
  }
  return feature;
}

// The data types of tensors as configurations of models name them.
std::string type_name_of(const std::string& datatype) {
  return datatype == "BYTES" ? "TYPE_STRING" : "TYPE_" + datatype;
}

Json config_tensors(Json tensors) {
  Json result = Json::array();
  for (const Json& tensor : tensors) {
    // The first place is the batch, which a configuration leaves out.
    Json dimensions = Json::array();
    for (size_t i = 1; i < tensor["shape"].size(); ++i) dimensions.push_back(tensor["shape"][i]);
    if (dimensions.empty()) dimensions.push_back(1);
    result.push_back({{"name", tensor["name"]},
                      {"data_type", type_name_of(tensor["datatype"].get<std::string>())},
                      {"dims", dimensions}});
  }
  return result;
}

Json stats_json(const ServedModel& model) {
  const ServingCounters& counters = model.counters();
  const int64_t requests = counters.requests;
  return {{"name", model.name()},
          {"version", std::to_string(model.version())},
          {"last_inference", counters.last.load()},
          {"inference_count", counters.rows.load()},
          {"execution_count", requests},
          {"inference_stats",
           {{"success", {{"count", requests}, {"ns", counters.nanoseconds.load()}}},
            {"fail", {{"count", counters.faults.load()}, {"ns", 0}}}}}};
}

}  // namespace

void answer_server(ProtocolWorker&, ProtocolCall&, Response& response) {
  write_json(response, {{"name", "gatewise"},
                        {"version", gatewise_version()},
                        {"extensions",
                         {"binary_tensor_data", "model_configuration", "model_repository",
                          "model_repository(unload_dependents)", "parameters", "statistics"}}});
}

void answer_live(ProtocolWorker&, ProtocolCall&, Response& response) { response.body = R"({"live":true})"; }

void answer_ready(ProtocolWorker& worker, ProtocolCall&, Response& response) {
  const bool is_ready = worker.repository.is_ready();
  response.status = is_ready ? 200 : 503;
  response.body =
      is_ready ? R"({"ready":true})" : R"({"ready":false,"error":"a model has no version that is ready"})";
}

void answer_model(ProtocolWorker& worker, ProtocolCall& call, Response& response) {
  const ServedModel& model = find_model(worker, call, response);
  Json json{{"name", model.name()},
            {"versions", versions_json(worker, model.name())},
            {"platform", "gatewise"},
            {"inputs", inputs_json(model)},
            {"outputs", outputs_json(model)}};
  Json& encoded = json["encoded_inputs"] = Json::array();
  for (const EncodedInput& input : model.inputs()) {
    encoded.push_back(encoded_input_json(input));
    if (!input.takes_lists) continue;
    Json& weights = encoded.emplace_back(tensor_json(input.name + "/weights", "FP32", {-1, -1}));
    weights["optional"] = true;
  }
  json["tasks"] = tasks_json(model);
  write_json(response, json);
}

void answer_model_ready(ProtocolWorker& worker, ProtocolCall& call, Response& response) {
  const ServedModel& model = find_model(worker, call, response);
  write_json(response, {{"name", model.name()}, {"ready", true}});
}

void answer_model_config(ProtocolWorker& worker, ProtocolCall& call, Response& response) {
  const ServedModel& model = find_model(worker, call, response);
  write_json(response, {{"name", model.name()},
                        {"platform", "gatewise"},
                        {"backend", "gatewise"},
                        {"max_batch_size", worker.options.max_rows},
                        {"input", config_tensors(inputs_json(model))},
                        {"output", config_tensors(outputs_json(model))}});
}

void answer_model_stats(ProtocolWorker& worker, ProtocolCall& call, Response& response) {
  const ServedModel& model = find_model(worker, call, response);
  write_json(response, {{"model_stats", Json::array({stats_json(model)})}});
}

void answer_stats(ProtocolWorker& worker, ProtocolCall&, Response& response) {
  Json all = Json::array();
  for (const std::string& name : worker.repository.names()) {
    for (const int64_t version : worker.repository.versions(name)) {
      if (const auto model = worker.repository.find(name, std::to_string(version)))
        all.push_back(stats_json(*model));
    }
  }
  write_json(response, {{"model_stats", all}});
}

void answer_models(ProtocolWorker& worker, ProtocolCall&, Response& response) {
  Json models = Json::array();
  for (const std::string& name : worker.repository.names())
    models.push_back({{"name", name}, {"versions", versions_json(worker, name)}});
  write_json(response, {{"models", models}});
}

void answer_features(ProtocolWorker& worker, ProtocolCall& call, Response& response) {
  const ServedModel& model = find_model(worker, call, response);
  Json features = Json::array();
  for (const RawColumn& column : model.columns()) features.push_back(feature_json(column));
  Json json{{"name", model.name()},
            {"version", std::to_string(model.version())},
            {"versions", versions_json(worker, model.name())},
            {"saved_by", model.model().loaded.version},
            {"features", features},
            {"tasks", tasks_json(model)}};
  if (model.model().encoder)
    json["example"] = {{"instances", example_instances(*model.model().loaded.encoder)}};
  write_json(response, json);
}

}  // namespace gatewise
