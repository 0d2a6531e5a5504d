// Inference requests: raw features and inputs of the graph, JSON and binary, and what is refused.
#include "serving/protocol_call.h"
#include "tests/serving/served_models.h"

namespace gatewise {
namespace {

using testing::HasSubstr;

constexpr const char* infer_path = "/v2/models/all/infer";

template <class T>
std::string bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

std::string bytes_of_texts(const std::vector<std::string>& texts) {
  std::string bytes;
  for (const std::string& text : texts)
    bytes += bytes_of(std::vector{static_cast<uint32_t>(text.size())}) + text;
  return bytes;
}

// A request that grows tensor by tensor.
struct Tensors {
  Json inputs = Json::array();
  std::string binary;

  template <class T>
  void add(const std::string& name, const char* datatype, const std::vector<int64_t>& shape,
           const std::vector<T>& values, bool is_binary) {
    Json input{{"name", name}, {"shape", shape}, {"datatype", datatype}};
    std::string bytes;
    if constexpr (std::is_same_v<T, std::string>) {
      bytes = bytes_of_texts(values);
    } else {
      bytes = bytes_of(values);
    }
    if (is_binary) {
      input["parameters"] = {{"binary_data_size", bytes.size()}};
      binary += bytes;
    } else {
      input["data"] = values;
    }
    inputs.push_back(input);
  }
};

class InferRequests : public ServedModels {
 protected:
  Answer infer(const Tensors& tensors, Json rest = Json::object()) {
    rest["inputs"] = tensors.inputs;
    const std::string json = rest.dump();
    return ask("POST", infer_path, json + tensors.binary, static_cast<int64_t>(json.size()),
               "application/octet-stream");
  }

  // Every feature as a tensor of texts, as the file has them.
  static Tensors texts(bool is_binary) {
    std::map<std::string, std::vector<std::string>> columns;
    for (const auto& fields : fields_of(every_kind_csv)) {
      for (const auto& [name, text] : fields) columns[name].push_back(text);
    }
    Tensors tensors;
    for (const auto& [name, column] : columns) {
      if (name == "click" || name == "amount" || name == "grade") continue;
      tensors.add(name, "BYTES", {6, 1}, column, is_binary);
    }
    for (Json& input : tensors.inputs) {
      // Lists as fields of a file have one axis.
      const std::string name = input["name"];
      if (name == "seen" || name == "weights" || name == "tags" || name == "place") input["shape"] = {6};
    }
    return tensors;
  }

  // What the graph reads.
  Tensors encoded(bool is_binary) const {
    const EncodedData data = model_->encoded();
    const FeatureSpace& space = model_->encoder.space();
    Tensors tensors;
    tensors.add("numeric", "FP32", {data.rows, data.numeric_width}, data.numeric, is_binary);
    for (const IdFeature& feature : space.ids) {
      std::vector<uint32_t> ids;
      for (int64_t row = 0; row < data.rows; ++row)
        ids.push_back(data.ids[row * data.id_columns + feature.column]);
      tensors.add("ids/" + feature.name, "UINT32", {data.rows}, ids, is_binary);
    }
    for (const BagFeature& feature : space.bags) {
      const EncodedBag& bag = data.bags[feature.bag];
      const std::string name = "bags/" + feature.name;
      const auto items = static_cast<int64_t>(bag.ids.size());
      tensors.add(name, "INT64", {items}, std::vector<int64_t>(bag.ids.begin(), bag.ids.end()), is_binary);
      tensors.add(name + "/offsets", "INT64", {data.rows + 1}, bag.offsets, is_binary);
      if (!bag.weights.empty()) tensors.add(name + "/weights", "FP32", {items}, bag.weights, is_binary);
    }
    return tensors;
  }

  static std::vector<std::vector<float>> rows_of_outputs(const Json& outputs) {
    std::vector<std::vector<float>> rows(outputs[0]["shape"][0].get<size_t>());
    for (const Json& output : outputs) {
      const auto width = output["shape"][1].get<size_t>();
      EXPECT_EQ(output["data"].size(), rows.size() * width);
      for (size_t i = 0; i < output["data"].size(); ++i)
        rows[i / width].push_back(static_cast<float>(output["data"][i].get<double>()));
    }
    return rows;
  }
};

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

TEST_F(InferRequests, FaultsNameTheTensor) {
  serve_every_kind();
  const std::vector<std::tuple<std::string, int, std::string>> cases{
      {R"({})", 400, "has no \"inputs\""},
      {R"({"inputs":[]})", 400, "inputs: has no tensor"},
      {R"({"inputs":[{"shape":[1]}]})", 400, "a tensor has no \"name\""},
      {R"({"inputs":[{"name":"age","datatype":"FP32","data":[1]}]})", 400, "\"age\": has no \"shape\""},
      {R"({"inputs":[{"name":"age","shape":[1],"datatype":"FP16","data":[1]}]})", 400,
       "\"age\": datatype: \"FP16\" is not supported; send FP32"},
      {R"({"inputs":[{"name":"age","shape":[-1],"datatype":"FP32","data":[1]}]})", 400,
       "\"age\": shape: got -1"},
      {R"({"inputs":[{"name":"age","shape":[2147483648,2147483648],"datatype":"FP32","data":[1]}]})", 400,
       "\"age\": shape"},
      {R"({"inputs":[{"name":"age","shape":[1,1,1],"datatype":"FP32","data":[1]}]})", 400,
       "more than two axes"},
      {R"({"inputs":[{"name":"age","shape":[],"datatype":"FP32","data":[1]}]})", 400, "has no axis"},
      {R"({"inputs":[{"name":"age","shape":[2],"datatype":"FP32","data":[1]}]})", 400,
       "\"age\": got 1 values, expected 2"},
      {R"({"inputs":[{"name":"age","shape":[1,2],"datatype":"FP32","data":[1,2]}]})", 400,
       "\"age\": got the shape [1, 2]"},
      {R"({"inputs":[{"name":"age","shape":[1],"datatype":"UINT8","data":[256]}]})", 400,
       "\"age\": got 256, expected values of UINT8"},
      {R"({"inputs":[{"name":"age","shape":[1],"datatype":"INT8","data":[-129]}]})", 400,
       "\"age\": got -129"},
      {R"({"inputs":[{"name":"age","shape":[1],"datatype":"INT64","data":[1.5]}]})", 400, "\"age\": got 1.5"},
      {R"({"inputs":[{"name":"age","shape":[1],"datatype":"BYTES","data":[1]}]})", 400,
       "\"age\": got 1, expected values of BYTES"},
      {R"({"inputs":[{"name":"age","shape":[1],"datatype":"FP32"}]})", 400, "got neither"},
      {R"({"inputs":[{"name":"age","shape":[1],"datatype":"FP32","parameters":{"binary_data_size":4}}]})",
       400, "\"age\": binary_data_size: got 4 bytes, but 0 are left"},
      {R"({"inputs":[{"name":"age","shape":[1],"datatype":"FP32","parameters":{"shared_memory_region":"r"}}]})",
       501, "shared memory"},
      {R"({"inputs":[{"name":"age","shape":[1],"datatype":"FP32","data":[1]},{"name":"age","shape":[1],"datatype":"FP32","data":[1]}]})",
       400, "\"age\" is given twice"},
      {R"({"inputs":[{"name":"age","shape":[1],"datatype":"FP32","data":[1]},{"name":"pages","shape":[2],"datatype":"FP32","data":[1,2]}]})",
       400, "\"pages\" has 2 rows, but \"age\" has 1"},
      {R"({"inputs":[{"name":"agee","shape":[1],"datatype":"FP32","data":[1]}]})", 400,
       "has no input \"agee\". Did you mean \"age\""},
      {R"({"inputs":[{"name":"age","shape":[1],"datatype":"FP32","data":[1]},{"name":"pags","shape":[1],"datatype":"FP32","data":[1]}]})",
       400, "no feature \"pags\""},
      {R"({"inputs":[{"name":"tags","shape":[2],"datatype":"BYTES","data":["a","b"]},{"name":"tags/offsets","shape":[2],"datatype":"INT64","data":[0,3]}]})",
       400, "\"tags/offsets\": expected [rows + 1] ascending places from 0 to the 2"},
      {R"({"inputs":[{"name":"tags","shape":[2],"datatype":"BYTES","data":["a","b"]},{"name":"tags/offsets","shape":[0],"datatype":"INT64","data":[]}]})",
       400, "\"tags/offsets\""},
      {R"({"inputs":[{"name":"numeric","shape":[1,1],"datatype":"FP32","data":[1]}]})", 400,
       "is missing, which the model reads"},
      {R"({"inputs":[{"name":"age","shape":[1],"datatype":"FP32","data":[1]}],"outputs":[{"name":"clik"}]})",
       400, "no output \"clik\". Did you mean \"click\""},
      {R"({"inputs":[{"name":"age","shape":[1],"datatype":"FP32","data":[1]}],"outputs":[{"name":"click","parameters":{"classification":2}}]})",
       400, "classification"},
      {R"({"inputs":[{"name":"age","shape":[1],"datatype":"FP32","data":[1]}],"parameters":{"sequence_id":2}})",
       400, "sequence_id"},
      {R"({"inputs":[{"name":"age","shape":[20000],"datatype":"FP32","data":[1]}]})", 400, "expected 20000"}};
  for (const auto& [body, status, message] : cases) {
    const Answer answer = ask("POST", infer_path, body);
    EXPECT_EQ(answer.status, status) << body;
    EXPECT_THAT(answer.error(), HasSubstr(message)) << body;
  }
}

TEST_F(InferRequests, FieldsAreGivenOnce) {
  serve_every_kind();
  EXPECT_THAT(ask("POST", infer_path, R"({"inputs":[],"inputs":[]})").error(),
              HasSubstr("body: \"inputs\" is given twice"));
  EXPECT_THAT(ask("POST", infer_path,
                  R"({"inputs":[{"name":"age","shape":[1],"datatype":"FP32","data":[1],"data":[2]}]})")
                  .error(),
              HasSubstr("inputs: a tensor: \"data\" is given twice"));
  const std::string age = R"({"name":"age","shape":[1],"datatype":"FP32",)";
  const std::string good = R"({"inputs":[)" + age + R"("data":[1]}],)";
  for (const auto& [twice, message] : std::vector<std::pair<std::string, std::string>>{
           {good + R"("outputs":[{"name":"click","name":"grade"}]})", "outputs: an output: \"name\""},
           {good + R"("outputs":[{"name":"click","parameters":{"binary_data":true,"binary_data":false}}]})",
            "outputs: \"click\": parameters: \"binary_data\""},
           {good + R"("parameters":{"binary_data_output":true,"binary_data_output":false}})",
            "parameters: \"binary_data_output\""},
           {R"({"inputs":[)" + age + R"("parameters":{"binary_data_size":4,"binary_data_size":4}}]})",
            "inputs: \"age\": parameters: \"binary_data_size\""}}) {
    EXPECT_THAT(ask("POST", infer_path, twice).error(), HasSubstr(message + " is given twice")) << twice;
  }
  Json many = Json::object();
  for (int i = 0; i < 40; ++i) many[fmt::format("field{}", i)] = i;
  std::string body = many.dump();
  EXPECT_THAT(ask("POST", infer_path, body).error(), HasSubstr("has no \"inputs\""));
  body.back() = ',';
  EXPECT_THAT(ask("POST", infer_path, body + R"("field7":1})").error(),
              HasSubstr("\"field7\" is given twice"));
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

TEST_F(InferRequests, RawAndEncodedTensorsAreNotMixed) {
  serve_every_kind();
  const std::string raw = R"({"name":"age","shape":[1],"datatype":"FP32","data":[1]})",
                    encoded = R"({"name":"ids/user","shape":[1],"datatype":"INT64","data":[0]})";
  for (const std::string& inputs : {raw + "," + encoded, encoded + "," + raw}) {
    EXPECT_THAT(ask("POST", infer_path, R"({"inputs":[)" + inputs + "]}").error(),
                HasSubstr("\"age\" is a raw feature, \"ids/user\" an encoded input"));
  }
  EXPECT_THAT(ask("POST", infer_path, R"({"parameters":{"encoded":true},"inputs":[)" + raw + "]}").error(),
              HasSubstr("\"age\" is a raw feature, and the request says that its tensors are encoded"));
}

TEST_F(InferRequests, OverflowIsRefusedWhereJsonWouldHaveToSayIt) {
  serve_every_kind();
  const std::string body = R"({"inputs":[{"name":"age","shape":[2],"datatype":"FP64","data":[1,1e39]}])";
  const Answer json = ask("POST", infer_path, body + "}");
  EXPECT_EQ(json.status, 422);
  EXPECT_THAT(json.error(), HasSubstr("row 2: the prediction of \"amount\" is no finite number"));
  EXPECT_EQ(ask("POST", infer_path, body + R"(,"outputs":[{"name":"click"}]})").status, 200);
  const Answer binary =
      ask("POST", infer_path,
          body + R"(,"outputs":[{"name":"amount"}],"parameters":{"binary_data_output":true}})");
  ASSERT_EQ(binary.status, 200) << binary.body;
  float first = 0, second = 0;
  const char* values = binary.body.data() + std::stoul(binary.headers.at("Inference-Header-Content-Length"));
  std::memcpy(&first, values, sizeof first);
  std::memcpy(&second, values + sizeof first, sizeof second);
  EXPECT_TRUE(std::isfinite(first));
  EXPECT_FALSE(std::isfinite(second));
}

// Each name looked for among all others took ten seconds.
TEST_F(InferRequests, ManyUnknownTensorsAreRefusedAtOnce) {
  serve_every_kind();
  std::string body = R"({"inputs":[)";
  for (int i = 0; i < 60000; ++i)
    body +=
        fmt::format(R"({}{{"name":"n{}","shape":[1],"datatype":"FP64","data":[1]}})", i == 0 ? "" : ",", i);
  EXPECT_THAT(ask("POST", infer_path, body + "]}").error(), HasSubstr("no input \"n0\""));
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

TEST_F(InferRequests, ErrorsGoOnBehindAZeroByte) {
  serve_every_kind();
  EXPECT_EQ(ask("POST", "/v2/models/al%00x/infer", "{}").error(),
            std::string("no model \"al\0x\". Known: all.", 28));
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

TEST_F(InferRequests, BinaryDataThatDoesNotFitIsRefused) {
  serve_every_kind();
  Tensors tensors;
  tensors.add("age", "FP32", {2}, std::vector<float>{1, 2}, true);
  const Tensors whole = tensors;
  tensors.binary.pop_back();
  EXPECT_THAT(infer(tensors).error(), HasSubstr("binary_data_size: got 8 bytes, but 7 are left"));
  tensors.binary += "ab";
  EXPECT_THAT(infer(tensors).error(), HasSubstr("1 bytes behind the tensors"));
  tensors = whole;
  tensors.inputs[0]["shape"] = {3};
  EXPECT_THAT(infer(tensors).error(), HasSubstr("got 8 bytes, expected 12 for [3] FP32"));
  EXPECT_THAT(ask("POST", infer_path, "{}", 3).error(),
              HasSubstr("Inference-Header-Content-Length: got 3, but the body has 2"));
  Tensors texts;
  texts.add("colour", "BYTES", {2}, std::vector<std::string>{"red", "blue"}, true);
  texts.binary[0] = 100;
  EXPECT_THAT(infer(texts).error(), HasSubstr("\"colour\": its 15 bytes end within text 1"));
  texts.binary[0] = 1;
  EXPECT_EQ(infer(texts).status, 400);
  Tensors nan = encoded(true);
  const float not_finite = std::nanf("");
  std::memcpy(nan.binary.data(), &not_finite, sizeof not_finite);
  EXPECT_THAT(infer(nan).error(), HasSubstr("\"numeric\": value 1 is not a finite number"));
  Tensors id = encoded(true);
  id.inputs[1]["datatype"] = "INT32";
  id.binary[bytes_of(model_->encoded().numeric).size() + 3] = '\x7f';
  EXPECT_THAT(infer(id).error(), HasSubstr("expected one below"));
  id.binary[bytes_of(model_->encoded().numeric).size() + 3] = '\xff';
  EXPECT_THAT(infer(id).error(), HasSubstr("which is no id"));
}

}  // namespace
}  // namespace gatewise
