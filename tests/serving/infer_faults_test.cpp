// What is refused of inference requests, and how it is said.
#include "tests/serving/infer_requests.h"

namespace gatewise {
namespace {

using testing::HasSubstr;

class InferFaults : public InferRequests {};

TEST_F(InferFaults, FaultsNameTheTensor) {
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

TEST_F(InferFaults, FieldsAreGivenOnce) {
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

TEST_F(InferFaults, RawAndEncodedTensorsAreNotMixed) {
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

TEST_F(InferFaults, OverflowIsRefusedWhereJsonWouldHaveToSayIt) {
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

TEST_F(InferFaults, ManyUnknownTensorsAreRefusedAtOnce) {
  serve_every_kind();
  std::string body = R"({"inputs":[)";
  for (int i = 0; i < 60000; ++i)
    body +=
        fmt::format(R"({}{{"name":"n{}","shape":[1],"datatype":"FP64","data":[1]}})", i == 0 ? "" : ",", i);
  EXPECT_THAT(ask("POST", infer_path, body + "]}").error(), HasSubstr("no input \"n0\""));
}

TEST_F(InferFaults, ErrorsGoOnBehindAZeroByte) {
  serve_every_kind();
  EXPECT_EQ(ask("POST", "/v2/models/al%00x/infer", "{}").error(),
            std::string("no model \"al\0x\". Known: all.", 28));
}

TEST_F(InferFaults, BinaryDataThatDoesNotFitIsRefused) {
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
