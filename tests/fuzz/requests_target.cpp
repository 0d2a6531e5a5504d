// Requests to the server: {method, target, json_bytes?} as JSON, then the body and, as a third part, binary
// tensors behind it. Every answer has a status, and says in JSON what is wrong.
#include "base/error.h"
#include "base/json.h"
#include "serving/protocol_handlers.h"
#include "tests/fuzz/saved_sample.h"
#include "tests/fuzz/target.h"

namespace gatewise {
namespace {

struct Service {
  SavedSample dense{small_mmoe()}, sparse{small_sparse()};
  ModelRepository repository{{"dense=" + dense.path(), "sparse=" + sparse.path()}};
  ProtocolHandlers handlers{repository, {.max_rows = 50}};
  std::unique_ptr<RequestHandler> handler = handlers.make();
};

Service& service() {
  static Service service;
  return service;
}

void answer_request(std::string_view input) {
  std::vector<std::string> parts = fuzz_parts(input);
  const bool has_tail = parts.size() > 2;
  parts.resize(3);
  const Json head = Json::parse(parts[0], nullptr, false);
  if (!head.is_object()) return;
  const auto text_of = [&](const char* key, const char* otherwise) {
    return head.contains(key) && head[key].is_string() ? head[key].get<std::string>()
                                                       : std::string(otherwise);
  };
  const std::string method = text_of("method", "POST"), target = text_of("target", "/"),
                    type = text_of("content_type", "application/json");
  std::string body = parts[1] + parts[2];
  const size_t size = body.size();
  body.reserve(size + 64);
  Request request{
      method, target, type, has_tail ? static_cast<int64_t>(parts[1].size()) : -1, {body.data(), size}};
  if (head.contains("json_bytes") && head["json_bytes"].is_number_integer())
    request.json_bytes = head["json_bytes"].get<int64_t>();
  Response response;
  service().handler->answer(request, response);
  fuzz_require(response.status >= 200 && response.status < 600 && response.status != 500,
               fmt::format("status {}: {}", response.status, response.body.substr(0, 500)));
  if (response.status == 200) return;
  const Json told = Json::parse(response.body, nullptr, false);
  fuzz_require(told.is_object() && told.contains("error") && told["error"].is_string() &&
                   !told["error"].get_ref<const std::string&>().empty(),
               fmt::format("status {} with the body {}", response.status, response.body.substr(0, 500)));
  data_error("{}", told["error"].get<std::string>());
}

Json row_of(const std::map<std::string, std::string>& fields) {
  Json row = Json::object();
  for (const char* name :
       {"age", "pages", "spent", "colour", "user", "zip", "seen", "weights", "tags", "place"})
    row[name] = fields.at(name);
  return row;
}

std::vector<std::string> requests_to_serve() {
  const auto fields = fields_of(every_kind_csv);
  const auto head = [](const std::string& method, const std::string& target) {
    return Json{{"method", method}, {"target", target}}.dump();
  };
  Json instances{{"instances", {row_of(fields[0]), row_of(fields[1])}}};
  Json typed{{"instances",
              {{{"age", 20},
                {"user", 7},
                {"seen", {7, 8}},
                {"weights", {0.5, 2}},
                {"tags", {"hot"}},
                {"place", {1, 2}}}}}};
  Json columns{{"columns", {{"age", {20, nullptr}}, {"colour", {"red", "blue"}}}}};
  Json ranking{{"context", {{"age", 30}, {"colour", "red"}}},
               {"candidates", {{{"user", 7}, {"zip", "10"}}, {{"user", 8}, {"tags", {"new"}}}}},
               {"score", "click^0.5 * amount + 0.1 * grade[\"b\"]"},
               {"top", 1}};
  const std::string predict = "/v1/models/dense:predict";
  std::vector<std::string> seeds{join_fuzz_parts({head("POST", predict), instances.dump()}),
                                 join_fuzz_parts({head("POST", predict), typed.dump()}),
                                 join_fuzz_parts({head("POST", predict), columns.dump()}),
                                 join_fuzz_parts({head("POST", "/v1/models/sparse:predict"), ranking.dump()}),
                                 join_fuzz_parts({head("POST", "/v1/models/dense:rank"), ranking.dump()})};
  Json tensors{{"id", "1"},
               {"inputs",
                {{{"name", "age"}, {"shape", {2, 1}}, {"datatype", "FP64"}, {"data", {20, 35}}},
                 {{"name", "colour"}, {"shape", {2, 1}}, {"datatype", "BYTES"}, {"data", {"red", "blue"}}}}},
               {"outputs", {{{"name", "click"}}}}};
  const std::string infer = "/v2/models/dense/infer";
  seeds.push_back(join_fuzz_parts({head("POST", infer), tensors.dump()}));
  tensors["inputs"][0].erase("data");
  tensors["inputs"][0]["parameters"] = {{"binary_data_size", 16}};
  tensors["inputs"][1].erase("data");
  tensors["inputs"][1]["parameters"] = {{"binary_data_size", 15}};
  tensors["outputs"][0]["parameters"] = {{"binary_data", true}};
  const std::string tail = std::string("\0\0\0\0\0\0\x34\x40\0\0\0\0\0\x80\x41\x40", 16) +
                           std::string("\3\0\0\0red\4\0\0\0blue", 15);
  seeds.push_back(join_fuzz_parts({head("POST", infer), tensors.dump(), tail}));
  for (const char* target : {"/v2", "/v2/health/ready", "/v2/models/dense", "/v2/models/dense/config",
                             "/v1/models", "/v1/models/sparse", "/v2/models/stats"})
    seeds.push_back(join_fuzz_parts({head("GET", target), ""}));
  seeds.push_back(join_fuzz_parts({head("POST", "/v2/repository/index"), "{}"}));
  return seeds;
}

std::vector<std::string> words_of_requests() {
  return {"instances",   "columns",
          "context",     "candidates",
          "score",       "top",
          "inputs",      "outputs",
          "name",        "shape",
          "datatype",    "data",
          "parameters",  "FP32",
          "FP64",        "INT64",
          "UINT64",      "UINT32",
          "BYTES",       "BOOL",
          "numeric",     "click",
          "grade",       "amount",
          "%2f",         "/",
          "versions",    "binary_data_size",
          "binary_data", "binary_data_output",
          "seen",        "weights",
          "place",       "user",
          "age",         "^",
          "log("};
}

const RegisterFuzzTarget requests_registered{"requests",
                                             {answer_request, requests_to_serve, words_of_requests, 2000}};

}  // namespace
}  // namespace gatewise
