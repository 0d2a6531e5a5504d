// Saved models in a folder of their own, and a handler that serves them without a socket.
#pragma once

#include <gmock/gmock.h>

#include <filesystem>

#include "scoring/example_rows.h"
#include "serving/protocol_handlers.h"
#include "tests/base/temporary_folder.h"
#include "tests/features/every_kind.h"
#include "training/model.h"
#include "training/trainer.h"

namespace gatewise {

// A model over rows of every kind; `seed` draws its parameters.
struct EveryKindModel {
  explicit EveryKindModel(const std::string& folder, uint64_t seed = 4,
                          const std::string& csv = every_kind_csv)
      : file(folder + "/every_kind.csv"), encoder(fit(file, csv)) {
    graph = build_graph(encoder.space(), {{"type", "mmoe"}});
    store = std::make_unique<Store<float>>(*graph);
    store->initialise(seed);
  }

  static Encoder fit(const std::string& file, const std::string& csv) {
    std::ofstream(file) << csv;
    return Encoder::fit(read_every_kind(file, every_kind_schema(), true), every_kind_schema());
  }

  ModelParts parts() const {
    return {.graph = *graph,
            .store = *store,
            .encoder = &encoder,
            .examples = example_rows(*graph, *store, encoder)};
  }
  void save(const std::string& directory) const { save_model(directory, parts()); }

  EncodedData encoded() const {
    return encoder.encode(read_every_kind(file, encoder.schema(), false), false);
  }
  // [rows][width]: what the library predicts for the rows of the file.
  std::vector<std::vector<float>> predictions() const {
    Pool pool(1);
    const EncodedData data = encoded();
    std::vector<std::vector<float>> rows(static_cast<size_t>(data.rows));
    for (const ValueList& task : predict(*graph, *store, encoder.space(), data, pool)) {
      const size_t width = task.size() / rows.size();
      for (size_t i = 0; i < task.size(); ++i) rows[i / width].push_back(static_cast<float>(task[i]));
    }
    return rows;
  }

  std::string file;
  Encoder encoder;
  std::unique_ptr<Graph> graph;
  std::unique_ptr<Store<float>> store;
};

struct Answer {
  int status = 0;
  std::string body, content_type;
  std::map<std::string, std::string> headers;
  std::string model;
  int64_t rows = 0;

  Json json() const { return Json::parse(body, nullptr, false); }
  std::string error() const { return json().is_object() ? json().value("error", "") : "no JSON: " + body; }
};

class ServedModels : public testing::Test {
  TemporaryFolder place_;

 protected:
  void TearDown() override {
    handler_.reset();
    handlers_.reset();
    repository_.reset();
  }

  void serve(const std::vector<std::string>& models, const ProtocolOptions& options = {}) {
    repository_ =
        std::make_unique<ModelRepository>(models, [this](const std::string& line) { log_.push_back(line); });
    handlers_ = std::make_unique<ProtocolHandlers>(*repository_, options);
    handler_ = handlers_->make();
  }
  // One model of every kind, as "all".
  const EveryKindModel& serve_every_kind() {
    model_ = std::make_unique<EveryKindModel>(folder_);
    model_->save(path("all"));
    serve({path("all")});
    return *model_;
  }

  std::string path(const std::string& name) const { return folder_ + "/" + name; }

  Answer ask(const std::string& method, const std::string& target, const std::string& body = "",
             int64_t json_bytes = -1, const std::string& content_type = "application/json") {
    Request request;
    request.method = method;
    request.target = target;
    request.content_type = content_type;
    request.json_bytes = json_bytes;
    return ask(request, body);
  }
  // A request whose other fields are set.
  Answer ask(Request request, const std::string& body) {
    const std::string padded = body + std::string(64, '\0');
    request.body = std::string_view(padded).substr(0, body.size());
    handler_->answer(request, response_);
    return {response_.status,       response_.body,
            response_.content_type, {response_.headers.begin(), response_.headers.end()},
            response_.model,        response_.rows};
  }
  Answer post(const std::string& target, const Json& body) { return ask("POST", target, body.dump()); }

  const std::string& folder_ = place_.path();
  std::vector<std::string> log_;
  std::unique_ptr<EveryKindModel> model_;
  std::unique_ptr<ModelRepository> repository_;
  std::unique_ptr<ProtocolHandlers> handlers_;
  std::unique_ptr<RequestHandler> handler_;
  Response response_;
};

// The rows of the file as JSON: every value the text of its field, or with numbers and lists as such.
inline Json every_kind_instances(bool is_typed) {
  Json instances = Json::array();
  const std::map<std::string, bool> lists{
      {"seen", false}, {"weights", false}, {"tags", true}, {"place", false}};
  for (const auto& fields : fields_of(every_kind_csv)) {
    Json& instance = instances.emplace_back(Json::object());
    for (const auto& [name, text] : fields) {
      if (name == "click" || name == "amount" || name == "grade") continue;
      if (!is_typed || name == "colour" || name == "zip") {
        instance[name] = text;
      } else if (const auto list = lists.find(name); list != lists.end()) {
        Json& items = instance[name] = Json::array();
        std::istringstream parts(text);
        for (std::string item; std::getline(parts, item, '|');)
          items.push_back(list->second ? Json(item) : Json::parse(item));
      } else {
        instance[name] = text.empty() ? Json() : Json::parse(text);
      }
    }
  }
  return instances;
}

// A row of predictions as :predict gives it.
inline std::vector<float> floats_of(const Json& prediction) {
  std::vector<float> row;
  for (const auto& [name, value] : prediction.items()) {
    if (value.is_number()) {
      row.push_back(static_cast<float>(value.get<double>()));
      continue;
    }
    for (const auto& [label, number] : value.items()) row.push_back(static_cast<float>(number.get<double>()));
  }
  return row;
}

inline std::vector<std::vector<float>> rows_of(const Json& predictions) {
  std::vector<std::vector<float>> rows;
  for (const Json& prediction : predictions) rows.push_back(floats_of(prediction));
  return rows;
}

}  // namespace gatewise
