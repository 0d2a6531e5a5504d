// Requests for raw rows by name, and what the server says of itself.
#include "tests/serving/served_models.h"

namespace gatewise {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* predict_path = "/v1/models/all:predict";

class PredictRequests : public ServedModels {};

TEST_F(PredictRequests, RowsHaveTheBitsOfTheFileTogetherAloneAndByColumn) {
  const auto wanted = serve_every_kind().predictions();
  for (const bool is_typed : {false, true}) {
    const Json instances = every_kind_instances(is_typed);
    const Answer all = post(predict_path, {{"instances", instances}});
    ASSERT_EQ(all.status, 200) << all.body;
    EXPECT_EQ(all.json()["model_name"], "all");
    EXPECT_EQ(all.json()["model_version"], "1");
    EXPECT_EQ(rows_of(all.json()["predictions"]), wanted);
    EXPECT_EQ(all.rows, 6);
    EXPECT_EQ(all.model, "all");
    Json columns = Json::object();
    for (size_t row = 0; row < wanted.size(); ++row) {
      const Answer alone = post(predict_path, {{"instances", Json::array({instances[row]})}});
      ASSERT_EQ(alone.status, 200) << alone.body;
      EXPECT_THAT(rows_of(alone.json()["predictions"]), ElementsAre(wanted[row]));
      for (const auto& [name, value] : instances[row].items()) columns[name].push_back(value);
    }
    const Answer by_column = post(predict_path, {{"columns", columns}});
    ASSERT_EQ(by_column.status, 200) << by_column.body;
    EXPECT_EQ(by_column.body, all.body);
  }
}

TEST_F(PredictRequests, ValuesInOriginalUnitsHaveAllTheirBits) {
  const EveryKindModel& model = serve_every_kind();
  Pool pool(1);
  const ValueList amounts =
      predict(*model.graph, *model.store, model.encoder.space(), model.encoded(), pool)[1];
  const Json rows = post(predict_path, {{"instances", every_kind_instances(true)}}).json()["predictions"];
  ASSERT_EQ(rows.size(), amounts.size());
  for (size_t row = 0; row < rows.size(); ++row)
    EXPECT_EQ(rows[row]["amount"].get<double>(), amounts[row]) << row;
}

TEST_F(PredictRequests, FeaturesThatAreNotNamedAreMissing) {
  serve_every_kind();
  const Answer empty = post(predict_path, {{"instances", Json::array({Json::object()})}});
  ASSERT_EQ(empty.status, 200) << empty.body;
  Json nulls = every_kind_instances(true)[0];
  for (const auto& [name, value] : nulls.items()) value = nullptr;
  EXPECT_EQ(post(predict_path, {{"instances", Json::array({nulls})}}).body, empty.body);
  EXPECT_EQ(post("/v1/models/all/versions/1:predict", {{"instances", Json::array({nulls})}}).body,
            empty.body);
  EXPECT_EQ(post(predict_path, {{"instances", Json::array()}}).json()["predictions"], Json::array());
}

TEST_F(PredictRequests, FaultsNameRowAndFieldAndLeaveTheNextAnswerAlone) {
  serve_every_kind();
  const Json good{{"instances", every_kind_instances(true)}};
  const std::string wanted = post(predict_path, good).body;
  const std::vector<std::tuple<std::string, int, std::string>> cases{
      {R"({"instances":[{"age":1},{"agee":2}]})", 400,
       "row 2: the model has no feature \"agee\". Did you mean \"age\""},
      {R"({"instances":[{"age":1,"age":2}]})", 400, "row 1: feature \"age\" is given twice"},
      {R"({"instances":[{"age":"old"}]})", 400, "row 1: column \"age\": \"old\" is not a number"},
      {R"({"instances":[{},{"age":{"a":1}}]})", 400,
       "row 2: column \"age\": got an object, expected a number"},
      {R"({"instances":[{"age":[1]}]})", 400, "row 1: column \"age\": got a list, expected a number"},
      {R"({"instances":[{"place":[1,"x"]}]})", 400,
       "row 1: column \"place\": got a text in a list of numbers"},
      {R"({"instances":[{"place":[1]}]})", 400,
       "row 1: column \"place\": got a vector of 1 numbers, expected 2"},
      {R"({"instances":[{"user":1.5}]})", 400, "row 1: column \"user\": got the number 1.5, expected an id"},
      {R"({"instances":[{"seen":[7,8],"weights":[1]}]})", 400,
       "row 1: column \"weights\": got 1 weights for 2 ids"},
      {R"({"instances":[{"tags":[["a"]]}]})", 400, "row 1: column \"tags\": got a list in a list of texts"},
      {R"({"instances":[7]})", 400, "row 1: got a number, expected an object"},
      {R"({"instances":{}})", 400, "instances: expected a list"},
      {R"({"instnces":[]})", 400, "body: no field \"instnces\". Did you mean \"instances\""},
      {R"({})", 400, "got neither"},
      {R"({"instances":[],"columns":{}})", 400, "got both"},
      {R"({"columns":{"age":[1,2],"pages":[1]}})", 400, "columns: \"pages\": got 1 values, expected 2"},
      {R"({"columns":{"age":[1],"pages":[1,2]}})", 400, "columns: \"pages\": got 2 values, expected 1"},
      {R"({"columns":{"age":1}})", 400, "columns: \"age\": got a number, expected a list"},
      {R"({"columns":{"age":[1,"x"]}})", 400, "row 2: column \"age\": \"x\" is not a number"},
      {R"({"instances":[{"age":1})", 400,
       "body: is not valid JSON; it ends at byte 23, line 1: unexpected end of input"},
      {R"({"instances":[{}],"instances":[{"age":1}]})", 400, "body: \"instances\" is given twice"},
      {R"({"instances":[{"place":1}]})", 400,
       "row 1: column \"place\": got a number, expected a list of numbers"},
      {"{\"instances\":[{\"colour\":\"\xff\"}]}", 400, "body: is not valid JSON"},
      {std::string(100, '['), 400, "body: is not valid JSON"},
      {"[]", 400, "body: expected a JSON object"},
      {"", 400, "body: is empty"}};
  for (const auto& [body, status, message] : cases) {
    const Answer answer = ask("POST", predict_path, body);
    EXPECT_EQ(answer.status, status) << body;
    EXPECT_THAT(answer.error(), HasSubstr(message)) << body;
    EXPECT_EQ(answer.rows, 0);
    EXPECT_EQ(post(predict_path, good).body, wanted) << body;
  }
}

TEST_F(PredictRequests, FaultsOfJsonSayWhere) {
  serve_every_kind();
  const std::string missing = "; write null for a missing number";
  const std::vector<std::pair<std::string, std::string>> cases{
      {R"({"instances":[{"age":1e999}]})", "row 1: column \"age\": got 1e999, a number out of range"},
      {R"({"columns":{"age":[1,2,-1e999]}})", "row 3: column \"age\": got -1e999, a number out of range"},
      {R"({"instances":[{},{"place":[1,1e400]}]})",
       "row 2: column \"place\": got 1e400, a number out of range"},
      {"{\"instances\":[{\"age\":1},\n{\"age\":NaN}]}",
       "JSON at byte 33, line 2; row 2: column \"age\": got NaN: invalid literal" + missing},
      {R"({"instances":[{"age":-Infinity}]})",
       "JSON at byte 22, line 1; row 1: column \"age\": got -Infinity: invalid number"},
      {R"({"instances":[{"age":-Infinity}]})", missing},
      {R"({"columns":{"age":[1,nan]}})", "JSON at byte 22, line 1; row 2: column \"age\": got nan: "},
      {R"({"candidates":[{}],"context":{"age":nan}})", "byte 37, line 1; context: column \"age\": got nan"},
      {R"({"instances":[{"age":1 "colour":"red"}]})",
       "JSON at byte 24, line 1; row 1: got \"colour\": unexpected"},
      {R"({"instances":[{"age":01}]})", "JSON at byte 22, line 1; row 1: got 01: unexpected number"},
      {R"({"inputs":[{"data":[1,nan]}]})", "inputs: tensor 1: got nan"},
      {R"({"instances":[}]})", "JSON at byte 15, line 1; row 1: got }: unexpected '}'"},
      {"\xEF\xBB\xBF{}", "byte order mark"},
      {std::string(40, '[') + std::string(40, ']'), "body: is not valid JSON; "},
      {"}", "JSON at byte 1, line 1; got }"}};
  for (const auto& [body, message] : cases) {
    const Answer answer = ask("POST", predict_path, body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_THAT(answer.error(), HasSubstr(message)) << body;
  }
}

TEST_F(PredictRequests, WholeNumbersBeyond64BitsAreNumbersButNoIds) {
  serve_every_kind();
  const auto of = [&](const std::string& values) {
    return ask("POST", predict_path, R"({"instances":[{"zip":1},{)" + values + "}]}");
  };
  const std::vector<std::pair<std::string, std::string>> same{
      {"18446744073709551616", "18446744073709551616.0"},
      {"-9223372036854775809", "-9223372036854775809.0"},
      {"100000000000000000000000000000", "1e29"}};
  for (const auto& [whole, floating] : same) {
    const std::string rest = R"(,"colour":"\" 18446744073709551616 ")";
    const Answer answer = of("\"spent\":" + whole + rest);
    ASSERT_EQ(answer.status, 200) << answer.body;
    EXPECT_EQ(answer.body, of("\"spent\":" + floating + rest).body);
    const std::string list = of("\"place\":[1," + whole + "]").body;
    EXPECT_EQ(list, of("\"place\":[1," + floating + "]").body);
    EXPECT_THAT(list, testing::Not(HasSubstr("JSON")));
    for (const std::string column : {"user", "zip"}) {
      EXPECT_THAT(of("\"" + column + "\":" + whole).error(),
                  HasSubstr("row 2: column \"" + column + "\": got "))
          << whole;
      EXPECT_THAT(of("\"" + column + "\":" + whole).error(), HasSubstr("does not fit 64 bits"));
    }
    EXPECT_THAT(of("\"seen\":[1," + whole + "]").error(), HasSubstr("does not fit 64 bits"));
    EXPECT_THAT(of("\"colour\":" + whole).error(), HasSubstr("does not fit 64 bits; send it as a text"));
  }
}

TEST_F(PredictRequests, IdsAreWholeNumbersOrTextsEverywhere) {
  std::string csv = every_kind_csv;  // with a negative id
  csv.replace(csv.find("blue,8,"), 7, "blue,-8,");
  model_ = std::make_unique<EveryKindModel>(folder_, 4, csv);
  model_->save(path("all"));
  serve({path("all")});
  const auto of = [&](const std::string& values) {
    return ask("POST", predict_path, R"({"instances":[{},{)" + values + "}]}");
  };
  const std::string known = of(R"("user":"-8","seen":"-8|7","weights":[1,2])").body;
  EXPECT_THAT(known, HasSubstr("predictions"));
  EXPECT_NE(known, of(R"("user":"-88","seen":"-88|7","weights":[1,2])").body);
  EXPECT_EQ(known, of(R"("user":-8,"seen":[-8,7],"weights":[1,2])").body);
  EXPECT_EQ(known, of(R"("user":-8,"seen":[-8,"7"],"weights":[1,2])").body);
  EXPECT_EQ(ask("POST", predict_path,
                R"({"columns":{"user":[null,-8],"seen":[null,[-8,7]],"weights":[null,[1,2]]}})")
                .body,
            known);
  for (const std::string value : {"1.0", "1.5", "true", "1e3"}) {
    EXPECT_THAT(of("\"user\":" + value).error(), HasSubstr("row 2: column \"user\": got ")) << value;
    EXPECT_THAT(of("\"seen\":[7," + value + "],\"weights\":[1,1]").error(),
                HasSubstr("row 2: column \"seen\": got "))
        << value;
    EXPECT_THAT(ask("POST", predict_path, R"({"columns":{"user":[1,)" + value + "]}}").error(),
                HasSubstr("row 2: column \"user\": got "))
        << value;
  }
}

TEST_F(PredictRequests, PathsMethodsAndTypesHaveTheirStatus) {
  serve_every_kind();
  const Answer unknown = post("/v1/models/al:predict", Json::object());
  EXPECT_EQ(unknown.status, 404);
  EXPECT_THAT(unknown.error(), HasSubstr("no model \"al\". Did you mean \"all\""));
  EXPECT_EQ(unknown.model, "");
  EXPECT_THAT(post("/v1/models/all/versions/7:predict", Json::object()).error(),
              HasSubstr("has no version \"7\""));
  EXPECT_EQ(ask("GET", "/v3").status, 404);
  EXPECT_EQ(ask("GET", "/").status, 404);
  EXPECT_EQ(ask("GET", "/v2/").status, 404);
  EXPECT_EQ(ask("POST", "/v1/models/:predict", "{}").status, 404);
  const Answer method = ask("GET", predict_path);
  EXPECT_EQ(method.status, 405);
  EXPECT_EQ(method.headers.at("Allow"), "POST");
  EXPECT_EQ(ask("DELETE", "/v2/models/all").headers.at("Allow"), "GET, HEAD");
  const Answer form = ask("POST", predict_path, "{}", -1, "application/x-www-form-urlencoded");
  EXPECT_EQ(form.status, 415);
  EXPECT_THAT(form.error(), HasSubstr("Content-Type: application/json"));
  EXPECT_EQ(ask("POST", predict_path, R"({"instances":[{}]})", -1, "Application/JSON; charset=utf-8").status,
            200);
  EXPECT_EQ(ask("GET", "/v2/models/%61ll?x=1").json()["name"], "all");
  EXPECT_EQ(ask("GET", "/v2/models/%6").status, 400);
  EXPECT_THAT(ask("GET", "/v2/models/%ff%22").error(), HasSubstr("no model \"?\"\""));
}

TEST_F(PredictRequests, PagesOfOtherSitesAreRefused) {
  serve_every_kind();
  const auto status = [&](const char* origin, const char* site, const char* target = predict_path,
                          const char* type = "application/json", const char* body = R"({"instances":[{}]})") {
    Request request{"POST", target, type, -1, {}};
    request.host = "Localhost:8080";
    request.origin = origin;
    request.fetch_site = site;
    const Answer answer = ask(request, body);
    if (answer.status == 403) {
      EXPECT_THAT(answer.error(), testing::ContainsRegex("^(Origin|Sec-Fetch-Site): got"));
    }
    return answer.status;
  };
  EXPECT_EQ(status("", ""), 200);
  EXPECT_EQ(status("http://localhost:8080", "same-origin"), 200);
  EXPECT_EQ(status("https://localhost:8080", "none"), 200) << "behind a proxy";
  for (const char* origin : {"http://evil.example", "http://localhost:3000", "http://localhost", "null",
                             "localhost:8080", "http://"}) {
    EXPECT_EQ(status(origin, ""), 403) << origin;
    EXPECT_EQ(status(origin, "", predict_path, ""), 403) << origin;
    EXPECT_EQ(status(origin, "", "/v2/repository/models/all/unload", "", ""), 403) << origin;
  }
  EXPECT_EQ(status("", "cross-site"), 403);
  EXPECT_EQ(status("", "cross-site", "/v2/repository/models/all/load", "", ""), 403);
  // A body without a type is no program's that names its page.
  EXPECT_EQ(status("", "", predict_path, ""), 200);
  EXPECT_EQ(status("http://localhost:8080", "", predict_path, ""), 415);
  EXPECT_EQ(status("", "", predict_path, "text/plain"), 415);
}

TEST_F(PredictRequests, RowsAreLimitedAndLongNamesAreCut) {
  EveryKindModel(folder_).save(path("all"));
  ProtocolOptions options;
  options.max_rows = 2;
  serve({path("all")}, options);
  const Json row = Json::object();
  EXPECT_EQ(post(predict_path, {{"instances", Json::array({row, row})}}).status, 200);
  const Answer many = post(predict_path, {{"instances", Json::array({row, row, row})}});
  EXPECT_EQ(many.status, 413);
  EXPECT_THAT(many.error(), HasSubstr("instances: got 3 rows, expected at most 2"));
  EXPECT_EQ(post(predict_path, {{"columns", {{"age", {1, 2, 3}}}}}).status, 413);
  const Answer longest =
      post(predict_path, {{"instances", Json::array({Json{{std::string(100000, 'x'), 1}}})}});
  EXPECT_EQ(longest.status, 400);
  EXPECT_LT(longest.body.size(), 1200u);
}

TEST_F(PredictRequests, TheServerDescribesItsModels) {
  serve_every_kind();
  EXPECT_EQ(ask("GET", "/v2").json()["name"], "gatewise");
  EXPECT_EQ(ask("GET", "/v2/health/live").status, 200);
  EXPECT_EQ(ask("HEAD", "/v2/health/ready").status, 200);
  EXPECT_EQ(ask("GET", "/v2/models/all/versions/1/ready").status, 200);
  EXPECT_EQ(ask("GET", "/v2/models/all/versions/2/ready").status, 404);
  const Json metadata = ask("GET", "/v2/models/all").json();
  EXPECT_EQ(metadata["versions"], Json::array({"1"}));
  EXPECT_EQ(metadata["inputs"][0], Json::parse(R"({"name":"age","datatype":"FP64","shape":[-1]})"));
  EXPECT_EQ(metadata["inputs"][9], Json::parse(R"({"name":"place","datatype":"FP64","shape":[-1,2]})"));
  EXPECT_THAT(metadata["encoded_inputs"],
              testing::Contains(Json::parse(
                  R"({"name":"bags/seen/weights","datatype":"FP32","shape":[-1,-1],"optional":true})")));
  EXPECT_EQ(metadata["outputs"][2], Json::parse(R"({"name":"grade","datatype":"FP32","shape":[-1,3]})"));
  EXPECT_EQ(ask("GET", "/v2/models/all/config").json()["input"][3]["data_type"], "TYPE_STRING");
  EXPECT_EQ(ask("GET", "/v1/models").json()["models"][0]["name"], "all");
  const Json features = ask("GET", "/v1/models/all").json();
  EXPECT_EQ(features["features"][3]["name"], "colour");
  EXPECT_EQ(features["features"][3]["values"][0], "blue");
  EXPECT_EQ(features["tasks"][2]["classes"], Json({"a", "b", "c"}));
  EXPECT_EQ(post(predict_path, features["example"]).status, 200);
  for (const std::string refused : {"/v2/systemsharedmemory/status", "/v2/cudasharedmemory/region/a/register",
                                    "/v2/trace/setting", "/v2/models/all/trace/setting", "/v2/logging"}) {
    EXPECT_EQ(ask("GET", refused).status, 501) << refused;
    EXPECT_EQ(ask("POST", refused, "{}").status, 501) << refused;
  }
}

TEST_F(PredictRequests, CountersTellRequestsAndFaults) {
  serve_every_kind();
  post(predict_path, {{"instances", Json::array({Json::object(), Json::object()})}});
  post(predict_path, Json::object());
  for (const std::string stats :
       {"/v2/models/all/stats", "/v2/models/stats", "/v2/models/all/versions/1/stats"}) {
    const Json model = ask("GET", stats).json()["model_stats"][0];
    EXPECT_EQ(model["inference_count"], 2);
    EXPECT_EQ(model["execution_count"], 1);
    EXPECT_EQ(model["inference_stats"]["success"]["count"], 1);
    EXPECT_EQ(model["inference_stats"]["fail"]["count"], 1);
  }
}

}  // namespace
}  // namespace gatewise
