// Ranking requests: agreement with whole rows, order, faults.
#include "tests/serving/served_models.h"

namespace gatewise {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* rank_path = "/v1/models/all:rank";

class RankRequests : public ServedModels {
 protected:
  // The first row's user columns as context, all rows' other columns as candidates.
  static Json request_of(const std::vector<std::string>& context) {
    const Json instances = every_kind_instances(true);
    Json body{{"context", Json::object()}, {"candidates", Json::array()}};
    for (const std::string& name : context) body["context"][name] = instances[0][name];
    for (const Json& instance : instances) {
      Json& candidate = body["candidates"].emplace_back(instance);
      for (const std::string& name : context) candidate.erase(name);
    }
    return body;
  }
  // The same as whole rows.
  static Json rows_of_request(const Json& body) {
    Json rows{{"instances", Json::array()}};
    for (Json row : body["candidates"]) {
      row.update(body["context"]);
      rows["instances"].push_back(row);
    }
    return rows;
  }
};

TEST_F(RankRequests, AgreeWithWholeRowsForAnyContext) {
  serve_every_kind();
  const std::vector<std::vector<std::string>> contexts{
      {}, {"age"}, {"user", "colour", "seen", "weights"}, {"place", "tags", "spent", "pages", "zip"}};
  for (const std::vector<std::string>& context : contexts) {
    const Json body = request_of(context);
    const Answer ranked = post(rank_path, body);
    ASSERT_EQ(ranked.status, 200) << ranked.body;
    EXPECT_EQ(ranked.rows, 6);
    const auto wanted = rows_of(post("/v1/models/all:predict", rows_of_request(body)).json()["predictions"]);
    const Json ranking = ranked.json()["ranking"];
    ASSERT_EQ(ranking.size(), wanted.size());
    for (size_t row = 0; row < wanted.size(); ++row) {
      EXPECT_EQ(ranking[row]["candidate"], row);
      const std::vector<float> got = floats_of(ranking[row]["predictions"]);
      for (size_t i = 0; i < got.size(); ++i)
        EXPECT_NEAR(got[i], wanted[row][i], 1e-6 * std::max(1.0F, std::abs(wanted[row][i])))
            << row << " " << i;
    }
    EXPECT_EQ(post(rank_path, body).body, ranked.body);
  }
}

TEST_F(RankRequests, AScoreOrdersAndTopCuts) {
  serve_every_kind();
  Json body = request_of({"user"});
  const Json all = post(rank_path, body).json()["ranking"];
  body["score"] = "click^0.5 * grade[\"b\"]";
  const Json ranking = post(rank_path, body).json()["ranking"];
  ASSERT_EQ(ranking.size(), all.size());
  double last = std::numeric_limits<double>::infinity();
  for (const Json& place : ranking) {
    const Json& predictions = all[place["candidate"].get<size_t>()]["predictions"];
    EXPECT_EQ(place["predictions"], predictions);
    const double wanted =
        std::sqrt(predictions["click"].get<double>()) * predictions["grade"]["b"].get<double>();
    EXPECT_NEAR(place["score"].get<double>(), wanted, 1e-6);
    EXPECT_LE(place["score"].get<double>(), last);
    last = place["score"].get<double>();
  }
  body["top"] = 2;
  body["predictions"] = false;
  const Json top = post(rank_path, body).json()["ranking"];
  EXPECT_EQ(top, Json({{{"candidate", ranking[0]["candidate"]}, {"score", ranking[0]["score"]}},
                       {{"candidate", ranking[1]["candidate"]}, {"score", ranking[1]["score"]}}}));
  body["score"] = "log(click - click)";
  EXPECT_EQ(post(rank_path, body).json()["ranking"], Json::parse(R"([{"candidate":0,"score":null},
                                                                     {"candidate":1,"score":null}])"));
}

TEST_F(RankRequests, ACandidateTooLargeForTheModelLeavesTheOthersTheirScores) {
  serve_every_kind();
  const Json alone = post(rank_path, Json::parse(R"({"candidates":[{"age":3}],"score":"amount"})")).json();
  Json body = Json::parse(R"({"candidates":[{"age":1e39},{"age":3}],"score":"amount"})");
  const Answer shown = post(rank_path, body);
  ASSERT_EQ(shown.status, 200) << shown.body;
  EXPECT_EQ(shown.json()["ranking"][0]["predictions"], alone["ranking"][0]["predictions"]);
  EXPECT_EQ(shown.json()["ranking"][0]["candidate"], 1);
  EXPECT_EQ(shown.json()["ranking"][1], Json::parse(R"({"candidate":0,"score":null,"predictions":null})"));
  body["predictions"] = false;
  const Answer hidden = post(rank_path, body);
  ASSERT_EQ(hidden.status, 200) << hidden.body;
  EXPECT_EQ(hidden.json()["ranking"][0]["score"], alone["ranking"][0]["score"]);
  EXPECT_EQ(hidden.json()["ranking"][1], Json::parse(R"({"candidate":0,"score":null})"));
}

TEST_F(RankRequests, FaultsNameWhatIsWrong) {
  serve_every_kind();
  const std::vector<std::pair<std::string, std::string>> cases{
      {R"({"context":{"agee":1},"candidates":[]})",
       "context: the model has no feature \"agee\". Did you mean"},
      {R"({"context":{"age":"x"},"candidates":[{}]})", "context: column \"age\": \"x\" is not a number"},
      {R"({"context":{"age":1},"candidates":[{},{"age":2}]})",
       "candidate 2: feature \"age\" is in the context too"},
      {R"({"context":{},"candidates":[{},{"pages":"x"}]})",
       "candidate 2: column \"pages\": \"x\" is not a number"},
      {R"({"context":{"seen":[7]},"candidates":[{}]})", "weights"},
      {R"({"context":[],"candidates":[]})", "context: expected an object"},
      {R"({"context":{}})", "body: has no \"candidates\""},
      {R"({"candidates":{}})", "candidates: expected a list"},
      {R"({"candidates":[],"top":3})", "top: needs a \"score\""},
      {R"({"candidates":[],"score":"click","top":0})", "top: expected"},
      {R"({"candidates":[],"score":"clik"})", "score: "},
      {R"({"candidates":[],"score":7})", "score: expected a text"},
      {R"({"candidates":[],"scores":"click"})", "body: no field \"scores\". Did you mean \"score\""}};
  for (const auto& [body, message] : cases) {
    const Answer answer = ask("POST", rank_path, body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_THAT(answer.error(), HasSubstr(message)) << body;
  }
  EXPECT_EQ(ask("POST", rank_path, R"({"candidates":[]})").json()["ranking"], Json::array());
}

}  // namespace
}  // namespace gatewise
