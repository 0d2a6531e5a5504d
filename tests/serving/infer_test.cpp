// Inference requests: raw features and inputs of the graph, JSON and binary.
#include "tests/serving/infer_requests.h"

namespace gatewise {
namespace {

using testing::HasSubstr;

TEST_F(InferRequests, RawAndEncodedTensorsHaveTheBitsOfTheFile) {
  const auto wanted = serve_every_kind().predictions();
  for (const bool is_binary : {false, true}) {
    for (const Tensors& tensors : {texts(is_binary), encoded(is_binary)}) {
      const Answer answer = infer(tensors, {{"id", "a\"b"}});
      ASSERT_EQ(answer.status, 200) << answer.body;
      EXPECT_EQ(answer.json()["id"], "a\"b");
      EXPECT_EQ(answer.json()["model_version"], "1");
      EXPECT_EQ(rows_of_outputs(answer.json()["outputs"]), wanted);
      EXPECT_EQ(answer.rows, 6);
    }
  }
}

TEST_F(InferRequests, OutputsAreThoseAskedForInTheFormAskedFor) {
  const auto wanted = serve_every_kind().predictions();
  const Json outputs =
      Json::parse(R"([{"name":"grade","parameters":{"binary_data":true}},{"name":"click"}])");
  const Answer answer = infer(texts(true), {{"outputs", outputs}});
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.content_type, "application/octet-stream");
  const auto json_bytes = std::stoul(answer.headers.at("Inference-Header-Content-Length"));
  const Json json = Json::parse(answer.body.substr(0, json_bytes));
  EXPECT_EQ(json["outputs"][0]["parameters"]["binary_data_size"], 72);
  EXPECT_FALSE(json["outputs"][0].contains("data"));
  EXPECT_EQ(json["outputs"][1]["shape"], Json({6, 1}));
  std::vector<float> grades;
  for (const std::vector<float>& row : wanted) grades.insert(grades.end(), row.begin() + 2, row.end());
  EXPECT_EQ(answer.body.substr(json_bytes), bytes_of(grades));
  const Answer all = infer(texts(false), {{"parameters", {{"binary_data_output", true}}}});
  EXPECT_EQ(all.body.size() - std::stoul(all.headers.at("Inference-Header-Content-Length")), 6u * 5 * 4);
}

TEST_F(InferRequests, EveryTypeOfNumberAndFormOfListIsRead) {
  serve_every_kind();
  const auto of = [&](const Tensors& tensors) {
    const Answer answer = infer(tensors);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return answer.body;
  };
  Tensors wanted;
  wanted.add("age", "FP64", {2}, std::vector<double>{20, 35}, false);
  const std::string body = of(wanted);
  const auto same = [&](const char* datatype, const auto& values) {
    for (const bool is_binary : {false, true}) {
      Tensors tensors;
      tensors.add("age", datatype, {2, 1}, values, is_binary);
      EXPECT_EQ(of(tensors), body) << datatype;
    }
  };
  same("FP32", std::vector<float>{20, 35});
  same("UINT8", std::vector<uint8_t>{20, 35});
  same("UINT16", std::vector<uint16_t>{20, 35});
  same("UINT32", std::vector<uint32_t>{20, 35});
  same("UINT64", std::vector<uint64_t>{20, 35});
  same("INT8", std::vector<int8_t>{20, 35});
  same("INT16", std::vector<int16_t>{20, 35});
  same("INT32", std::vector<int32_t>{20, 35});
  same("INT64", std::vector<int64_t>{20, 35});
  same("BYTES", std::vector<std::string>{"20", " 35"});
  // Bags: as a field, with places, with as many items in each row.
  for (const bool is_binary : {false, true}) {
    Tensors field, offsets, fixed;
    field.add("tags", "BYTES", {2}, std::vector<std::string>{"new|hot", "old|hot"}, is_binary);
    offsets.add("tags", "BYTES", {4}, std::vector<std::string>{"new", "hot", "old", "hot"}, is_binary);
    offsets.add("tags/offsets", "INT32", {3}, std::vector<int32_t>{0, 2, 4}, is_binary);
    fixed.add("tags", "BYTES", {2, 2}, std::vector<std::string>{"new", "hot", "old", "hot"}, is_binary);
    EXPECT_EQ(of(field), of(offsets));
    EXPECT_EQ(of(field), of(fixed));
  }
  EXPECT_EQ(ask("POST", infer_path,
                R"({"inputs":[{"name":"place","shape":[2,2],"datatype":"FP64","data":[[1,2],[3,4]]}]})")
                .body,
            ask("POST", infer_path,
                R"({"inputs":[{"name":"place","shape":[2,2],"datatype":"FP64","data":[1,2,3,4]}]})")
                .body);
}

TEST_F(InferRequests, IdsAreOfIntegerTypesAndMayBeNegative) {
  serve_every_kind();
  const auto of = [&](const std::string& name, const std::string& type, const std::string& data) {
    return ask("POST", infer_path,
               R"({"inputs":[{"name":")" + name + R"(","shape":[1,1],"datatype":")" + type + R"(","data":[)" +
                   data + "]}]}");
  };
  const std::string name = "user";
  {
    const Answer text = of(name, "BYTES", "\"-3\"");
    EXPECT_EQ(text.status, 200) << text.body;
    EXPECT_EQ(of(name, "INT64", "-3").body, text.body);
    EXPECT_EQ(of(name, "INT8", "-3").body, text.body);
    EXPECT_EQ(of(name, "FP64", "1").status, 400);
    EXPECT_THAT(of(name, "BOOL", "true").error(), HasSubstr("\"" + name + "\": got BOOL, expected ids"));
  }
  const auto bag = [&](const std::string& type, const std::string& data) {
    return ask("POST", infer_path,
               R"({"inputs":[{"name":"seen","shape":[1,1],"datatype":")" + type + R"(","data":[)" + data +
                   R"(]},{"name":"weights","shape":[1,1],"datatype":"FP32","data":[1]}]})");
  };
  EXPECT_EQ(bag("BYTES", "\"-3\"").status, 200);
  EXPECT_EQ(bag("INT32", "-3").body, bag("BYTES", "\"-3\"").body);
  EXPECT_THAT(bag("FP64", "7").error(), HasSubstr("\"seen\": got FP64, expected ids of an integer type"));
  EXPECT_THAT(bag("BOOL", "true").error(), HasSubstr("\"seen\": got BOOL, expected ids of an integer type"));
}

TEST_F(InferRequests, MemoryOfALargeRequestIsGivenBack) {
  serve_every_kind();
  ProtocolWorker worker(*repository_, {}, 0);
  std::string body = R"({"inputs":[{"name":"tags","datatype":"BYTES","shape":[1,1000000],"data":[)";
  for (int i = 0; i < 1000000; ++i) body += i == 0 ? "\"\"" : ",\"\"";
  body += "]}]}";
  const size_t size = body.size();
  body.resize(size + 64);
  Request request;
  request.content_type = "application/json";
  request.body = std::string_view(body).substr(0, size);
  ProtocolCall call{request, "all", "", nullptr};
  Response response;
  answer_infer(worker, call, response);
  EXPECT_EQ(response.rows, 1);
  EXPECT_GT(worker.bytes(), ProtocolWorker::most_kept_bytes);
  worker.give_back(call);
  EXPECT_LT(worker.bytes(), size_t{1} << 20);
  EXPECT_TRUE(call.model->session(0).encoded.bags.empty()) << "of the session too";
  // What is left reads the next request, as deep as before.
  request.body = R"({"inputs":[{"name":"age","datatype":"FP64","shape":[1],"data":[3]}]})";
  const std::string next = std::string(request.body) + std::string(64, '\0');
  request.body = std::string_view(next).substr(0, request.body.size());
  response.clear();
  answer_infer(worker, call, response);
  EXPECT_EQ(response.rows, 1);
}

TEST_F(InferRequests, BinaryDataHasItsType) {
  serve_every_kind();
  Tensors tensors;
  tensors.add("age", "FP32", {1}, std::vector<float>{1}, true);
  const std::string json = Json{{"inputs", tensors.inputs}}.dump();
  for (const auto& [type, status] : std::vector<std::pair<std::string, int>>{
           {"application/octet-stream", 200}, {"application/json", 200}, {"", 200}, {"text/plain", 415}}) {
    const Answer answer =
        ask("POST", infer_path, json + tensors.binary, static_cast<int64_t>(json.size()), type);
    EXPECT_EQ(answer.status, status) << type << answer.body;
  }
}

}  // namespace
}  // namespace gatewise
