// Files that are whole but do not belong together, or hold what no model has.
#include "model_file/manifest.h"
#include "model_file/tensors.h"
#include "tests/model_file/models.h"

namespace gatewise {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

// A saved model whose files are exchanged under a manifest that fits.
class ModelFit : public testing::Test {
 protected:
  void SetUp() override { SmallModel().save(directory()); }
  std::string directory() const { return folder_.file("model"); }
  std::string path(const std::string& name) const { return directory() + "/" + name; }

  // The message by which the model is refused with other content of a file.
  std::string fault_with(const std::string& name, const std::string& content) const {
    write_over(path(name), content);
    Manifest manifest = read_manifest(directory());
    Checksum checksum;
    checksum.add(content);
    manifest.files[name] = {content.size(), checksum.text()};
    write_over(path("manifest.json"), manifest.text());
    return message_of(Fault::Data, [&] { load_model(directory()); });
  }
  // The same with one value of a JSON file exchanged.
  std::string fault_at(const std::string& name, const char* pointer, const Json& value) const {
    Json json = Json::parse(content_of(path(name)));
    json[Json::json_pointer(pointer)] = value;
    return fault_with(name, json.dump());
  }

  Folder folder_;
};

TEST_F(ModelFit, ANumericInputOfAnotherWidthIsRefused) {
  Json graph = Json::parse(content_of(path("graph.json")));
  for (Json& node : graph["nodes"]) {
    if (node.value("name", "") == "numeric") node["name"] = "other";
  }
  EXPECT_THAT(
      fault_with("graph.json", graph.dump()),
      AllOf(StartsWith(path("graph.json")), HasSubstr("\"other\""), HasSubstr("encoded rows do not have")));
}

TEST_F(ModelFit, AnOutputThatIsMissingIsRefused) {
  Json graph = Json::parse(content_of(path("graph.json")));
  graph["outputs"].erase(0);
  EXPECT_THAT(fault_with("graph.json", graph.dump()), HasSubstr("no output \"click\""));
}

TEST_F(ModelFit, AVocabularyWithMoreLevelsThanTheTableHasRowsIsRefused) {
  Json encoder = Json::parse(content_of(path("encoder.json")));
  encoder["tables"][1]["vocabulary"]["hash_buckets"] = 1000;
  encoder["space"]["tables"][1]["rows"] = 1001;
  EXPECT_THAT(fault_with("encoder.json", encoder.dump()),
              AllOf(StartsWith(path("graph.json")), HasSubstr("gives 1001 ids, the graph reads 7")));
}

TEST_F(ModelFit, AnEncoderThatContradictsItselfIsRefused) {
  EXPECT_THAT(fault_at("encoder.json", "/columns/0/scalings", Json::array()),
              HasSubstr("do not fit its role"));
  SetUp();
  EXPECT_THAT(fault_at("encoder.json", "/columns/2/table", 7), HasSubstr("do not fit its role"));
  SetUp();
  EXPECT_THAT(fault_at("encoder.json", "/columns/0/scalings/0/scale", 0), HasSubstr("scale 0"));
  SetUp();
  EXPECT_THAT(fault_at("encoder.json", "/space/numeric/0/offset", 9), HasSubstr("does not follow"));
  SetUp();
  EXPECT_THAT(fault_at("encoder.json", "/space/tasks/0/kind", "multiclass"),
              HasSubstr("does not fit tasks.click"));
}

// The graph is held against the file of weights before memory is taken for it.
TEST_F(ModelFit, AParameterOfATerabyteIsRefusedByTheFileOfWeights) {
  Json graph = Json::parse(content_of(path("graph.json")));
  graph["nodes"].push_back({{"kind", "parameter"},
                            {"shape", {1 << 20, 1 << 20}},
                            {"name", "huge"},
                            {"paths", {"huge"}},
                            {"initializer", "zero"}});
  EXPECT_THAT(fault_with("graph.json", graph.dump()), AllOf(HasSubstr("weights"), HasSubstr("\"huge\"")));
}

TEST_F(ModelFit, WeightsThatAreNotFiniteAreRefused) {
  const TensorFile tensors(path("weights.safetensors"));
  std::vector<NamedTensor> changed;
  std::vector<float> spoilt;
  for (const std::string& name : tensors.names()) {
    const TensorFile::Entry& entry = tensors.entry(name);
    changed.push_back({name, entry.dtype, entry.shape, entry.bytes.data()});
    if (!spoilt.empty()) continue;
    spoilt.assign(entry.bytes.size() / sizeof(float), 1);
    spoilt.back() = std::numeric_limits<float>::infinity();
    changed.back().data = spoilt.data();
  }
  write_tensors(folder_.file("spoilt"), changed, {{"format", "gatewise_weights"}});
  EXPECT_THAT(
      fault_with("weights.safetensors", content_of(folder_.file("spoilt"))),
      AllOf(StartsWith(path("weights.safetensors")), HasSubstr(tensors.names()[0]), HasSubstr("inf")));
}

TEST_F(ModelFit, APipeInPlaceOfAFileIsRefusedInsteadOfWaitedFor) {
  std::filesystem::remove(path("graph.json"));
  ASSERT_EQ(::mkfifo(path("graph.json").c_str(), 0600), 0);
  EXPECT_THAT(message_of(Fault::Data, [&] { load_model(directory()); }), StartsWith(path("graph.json")));
}

}  // namespace
}  // namespace gatewise
