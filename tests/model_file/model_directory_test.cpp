#include "model_file/model_directory.h"

#include <sys/mount.h>
#include <unistd.h>

#include "model_file/manifest.h"
#include "model_file/tensors.h"
#include "tests/model_file/models.h"

namespace gatewise {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

class ModelDirectory : public testing::Test {
 protected:
  std::string directory() const { return folder_.file("model"); }
  std::string file(const std::string& name) const { return directory() + "/" + name; }
  // The message of the Error(Data) that loading throws.
  std::string fault() const {
    try {
      load_model(directory());
    } catch (const Error& error) {
      EXPECT_EQ(error.fault(), Fault::Data) << error.what();
      return error.what();
    }
    return "";
  }
  // Replaces a file and what the manifest says about it.
  void write_with_manifest(const std::string& name, const std::string& content) const {
    Manifest manifest = read_manifest(directory());
    manifest.files[name] = write_file(file(name), content);
    write_file(file("manifest.json"), manifest.text());
  }
  Folder folder_;
};

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

TEST_F(ModelDirectory, ALoadedModelIsTheSavedOne) {
  const SmallModel model;
  model.save(directory());
  LoadedModel loaded = load_model(directory());
  EXPECT_EQ(loaded.graph->to_json(), model.graph->to_json());
  for (const std::string& path : model.store.paths())
    EXPECT_EQ(loaded.store->get(path), model.store.get(path)) << path;
  EXPECT_EQ(loaded.configuration, model.parts().configuration);
  EXPECT_EQ(loaded.history, model.parts().history);
  EXPECT_EQ(loaded.metrics, model.parts().metrics);
  EXPECT_EQ(loaded.version, gatewise_version());
  ASSERT_TRUE(loaded.encoder.has_value());
  const EncodedData before = model.encoder.encode(small_table(), false);
  const EncodedData after = loaded.encoder->encode(small_table(), false);
  EXPECT_EQ(after.numeric, before.numeric);
  EXPECT_EQ(after.ids, before.ids);
  SmallModel same;
  EXPECT_EQ(scores(*loaded.store, loaded.encoder->space(), after),
            scores(same.store, same.encoder.space(), before));
}

TEST_F(ModelDirectory, SaveLoadSaveGivesTheSameBytes) {
  const SmallModel model;
  model.save(directory());
  const LoadedModel loaded = load_model(directory());
  save_model(folder_.file("again"), {*loaded.graph, *loaded.store, &*loaded.encoder, loaded.configuration,
                                     loaded.history, loaded.metrics});
  const auto files = files_under(directory());
  EXPECT_EQ(files.size(), 8u);
  EXPECT_EQ(files_under(folder_.file("again")), files);
}

TEST_F(ModelDirectory, FilesDoNotDependOnTheLayout) {
  // Rows of 56 values are padded in memory, and the table lies outside the arena in the second store.
  const SmallModel model(3, 56);
  model.save(directory());
  Store<float> other(*model.graph, 1);
  for (const std::string& path : model.store.paths()) other.set(path, model.store.get(path));
  ModelParts parts{*model.graph,          other,
                   &model.encoder,        model.parts().configuration,
                   model.parts().history, model.parts().metrics};
  save_model(folder_.file("other"), parts);
  EXPECT_EQ(files_under(folder_.file("other")), files_under(directory()));
  const TensorFile weights(file("weights.safetensors"));
  const std::span<const float> bank = weights.get<float>("experts/1/layer_0/weight", {7, 56});
  EXPECT_EQ(std::vector<float>(bank.begin(), bank.end()), model.store.get("experts/1/layer_0/weight"));
  const LoadedModel loaded = load_model(directory());
  for (const std::string& path : model.store.paths())
    EXPECT_EQ(loaded.store->get(path), model.store.get(path)) << path;
}

TEST_F(ModelDirectory, NamesOfVocabulariesAreSafe) {
  SmallModel().save(directory());
  EXPECT_EQ(names_in(file("vocabularies")), std::set<std::string>{"0____farbe__gr____e.txt"});
  EXPECT_THAT(content_of(file("vocabularies/0____farbe__gr____e.txt")), HasSubstr("grün\\nhell\n"));
}

TEST_F(ModelDirectory, AnEncoderIsNotNeeded) {
  const SmallModel model;
  save_model(directory(), {*model.graph, model.store});
  const LoadedModel loaded = load_model(directory());
  EXPECT_FALSE(loaded.encoder.has_value());
  EXPECT_EQ(loaded.configuration, Json::object());
  EXPECT_TRUE(loaded.history.is_null());
  EXPECT_EQ(files_under(directory()).count("encoder.json"), 0u);
}

TEST_F(ModelDirectory, AFlippedBitInAnyFileIsFound) {
  SmallModel().save(directory());
  for (const auto& [name, content] : files_under(directory())) {
    for (const size_t position : sample_of(content.size(), 150)) {
      std::string flipped = content;
      flipped[position] = static_cast<char>(flipped[position] ^ (1 << position % 8));
      write_over(file(name), flipped);
      EXPECT_THAT(fault(), StartsWith(file(name) + ": is damaged")) << name << " " << position;
    }
    write_over(file(name), content);
  }
  EXPECT_EQ(fault(), "");
}

TEST_F(ModelDirectory, TruncatedLongerAndMissingFilesAreFound) {
  SmallModel().save(directory());
  for (const auto& [name, content] : files_under(directory())) {
    for (const size_t size : sample_of(content.size(), 12)) {
      write_over(file(name), content.substr(0, size));
      EXPECT_THAT(fault(), StartsWith(file(name) + ": is ")) << name << " " << size;
    }
    write_over(file(name), content + "\n");
    EXPECT_THAT(fault(), StartsWith(file(name) + ": is ")) << name;
    fs::remove(file(name));
    if (name == "manifest.json") {
      EXPECT_THAT(fault(), AllOf(StartsWith(directory() + ": is not a model"), HasSubstr(name)));
    } else {
      EXPECT_THAT(fault(), StartsWith(file(name) + ": is missing"));
    }
    write_over(file(name), content);
  }
  EXPECT_EQ(fault(), "");
}

TEST_F(ModelDirectory, WhatIsNoModelIsNamed) {
  EXPECT_THAT(fault(), StartsWith(directory() + ": no such model"));
  write_over(directory(), "text");
  EXPECT_THAT(fault(), StartsWith(directory() + ": is not a model; got a file"));
  fs::remove(directory());
  fs::create_directory(directory());
  EXPECT_THAT(fault(), HasSubstr("it has no manifest.json"));
}

TEST_F(ModelDirectory, ANewerFormatSaysWhichVersionReadsIt) {
  SmallModel().save(directory());
  Manifest manifest = read_manifest(directory());
  manifest.format = 2;
  manifest.version = "7.8.9";
  write_over(file("manifest.json"), manifest.text());
  EXPECT_THAT(fault(),
              AllOf(StartsWith(directory() + ": "), HasSubstr("format 2"), HasSubstr("use Gatewise 7.8.9")));
}

TEST_F(ModelDirectory, FaultsBehindTheChecksumsAreNamedWithTheirFile) {
  SmallModel().save(directory());
  const std::string graph = content_of(file("graph.json"));
  write_with_manifest("graph.json", replaced(graph, "\"softmax\"", "\"softmix\""));
  EXPECT_THAT(fault(),
              AllOf(StartsWith(file("graph.json") + ": "), HasSubstr("unknown operation \"softmix\"")));
  write_with_manifest("graph.json", replaced(graph, "experts/1/layer_0/weight", "experts/1/layer_0/waight"));
  EXPECT_THAT(fault(), AllOf(StartsWith(file("weights.safetensors") + ": "), HasSubstr("waight")));
  write_with_manifest("graph.json", "{}");
  EXPECT_THAT(fault(), StartsWith(file("graph.json") + ": "));
  write_with_manifest("graph.json", graph);
  const std::string configuration = content_of(file("model.toml"));
  write_with_manifest("model.toml", "a = = 1");
  EXPECT_THAT(fault(), StartsWith(file("model.toml") + ":1:"));
  write_with_manifest("model.toml", configuration);
  Manifest manifest = read_manifest(directory());
  manifest.files["../outside"] = {};
  write_over(file("manifest.json"), manifest.text());
  EXPECT_THAT(fault(), HasSubstr("lies outside the model"));
  manifest.files.erase("../outside");
  manifest.files.erase("history.json");
  write_over(file("manifest.json"), manifest.text());
  EXPECT_THAT(fault(), StartsWith(file("history.json") + ": is not listed"));
}

TEST_F(ModelDirectory, OnlyModelsAndEmptyDirectoriesAreReplaced) {
  const SmallModel first(1), second(2);
  fs::create_directory(directory());
  first.save(directory());
  second.save(directory() + "/");
  EXPECT_EQ(load_model(directory()).store->get("shift"), second.store.get("shift"));
  EXPECT_EQ(load_model(directory()).store->get("experts/0/layer_0/weight"),
            second.store.get("experts/0/layer_0/weight"));
  EXPECT_EQ(names_in(folder_.file("")), std::set<std::string>{"model"});
  write_over(file("notes.txt"), "mine");
  EXPECT_THAT(message_of([&] { first.save(directory()); }),
              HasSubstr("\"notes.txt\" in it is no part of the model"));
  EXPECT_EQ(content_of(file("notes.txt")), "mine");
  fs::create_directory(folder_.file("photos"));
  write_over(folder_.file("photos/1.jpg"), "photo");
  EXPECT_THAT(message_of([&] { first.save(folder_.file("photos")); }), HasSubstr("is not replaced"));
  EXPECT_EQ(content_of(folder_.file("photos/1.jpg")), "photo");
  EXPECT_THAT(message_of([&] { first.save(folder_.file("photos/1.jpg")); }), HasSubstr("got a file"));
  EXPECT_THAT(message_of([&] { first.save(folder_.file("none/model")); }), HasSubstr("No such file"));
}

TEST_F(ModelDirectory, WeightsThatAreNotFiniteAreRefusedAndReplaceNothing) {
  const SmallModel good;
  good.save(directory());
  const auto before = files_under(directory());
  for (const float value : {std::nanf(""), -std::numeric_limits<float>::infinity()}) {
    SmallModel bad(4);
    std::vector<float> weights = bad.store.get("experts/1/layer_0/weight");
    weights.back() = value;
    bad.store.set("experts/1/layer_0/weight", weights);
    EXPECT_THAT(message_of(Fault::Data, [&] { bad.save(directory()); }),
                HasSubstr("parameter \"experts/1/layer_0/weight\""));
    SmallModel drifted(4);
    drifted.store.states()[0] = value;
    EXPECT_THAT(message_of(Fault::Data, [&] { drifted.save(directory()); }),
                HasSubstr("parameter \"shift\""));
  }
  EXPECT_EQ(files_under(directory()), before);
}

TEST_F(ModelDirectory, TextThatIsNotUtf8IsRefusedAndLeavesNothing) {
  const SmallModel model;
  ModelParts parts = model.parts();
  parts.history["note"] = "\xff";
  EXPECT_THAT(message_of([&] { save_model(directory(), parts); }),
              AllOf(HasSubstr("history.json"), HasSubstr("UTF-8")));
  EXPECT_TRUE(names_in(folder_.file("")).empty());
}

TEST_F(ModelDirectory, AFolderThatMayNotBeWrittenIsNamed) {
  const SmallModel model;
  fs::create_directory(folder_.file("locked"));
  fs::permissions(folder_.file("locked"), fs::perms::owner_read | fs::perms::owner_exec);
  const bool is_root = ::geteuid() == 0;
  // The system's own administrator may write anywhere.
  if (is_root) {
    fs::permissions(folder_.file("locked"), fs::perms::others_read | fs::perms::others_exec,
                    fs::perm_options::add);
    ASSERT_EQ(::seteuid(65534), 0);
  }
  const std::string message = message_of([&] { model.save(folder_.file("locked/model")); });
  if (is_root) {
    ASSERT_EQ(::seteuid(0), 0);
  }
  EXPECT_THAT(message,
              AllOf(StartsWith(folder_.file("locked/model") + ": "), HasSubstr("Permission denied")));
  fs::permissions(folder_.file("locked"), fs::perms::owner_all);
  EXPECT_TRUE(names_in(folder_.file("locked")).empty());
}

TEST_F(ModelDirectory, AFullDiskLeavesTheOldModelAndNoRemains) {
  const std::string disk = folder_.file("disk");
  fs::create_directory(disk);
  if (::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=128k") != 0) {
    GTEST_SKIP() << "a small file system cannot be mounted here";
  }
  const SmallModel small(1), large(2, 4000);
  small.save(disk + "/model");
  const auto before = files_under(disk);
  const std::string message = message_of([&] { large.save(disk + "/model"); });
  const auto after = files_under(disk);
  EXPECT_EQ(::umount(disk.c_str()), 0);
  EXPECT_THAT(message, AllOf(StartsWith(disk), HasSubstr("No space left"), HasSubstr("free space")));
  EXPECT_EQ(after, before);
}

TEST_F(ModelDirectory, AKilledSaveLeavesAWholeModel) {
  const SmallModel first(1), second(2);
  first.save(directory());
  for (int round = 0; round < 10; ++round) {
    run_and_kill(
        [&] {
          second.save(directory());
          first.save(directory());
        },
        3000 + 1700 * round);
    const std::vector<float> weights = load_model(directory()).store->get("experts/0/layer_0/weight");
    EXPECT_TRUE(weights == first.store.get("experts/0/layer_0/weight") ||
                weights == second.store.get("experts/0/layer_0/weight"));
  }
}

}  // namespace
}  // namespace gatewise
