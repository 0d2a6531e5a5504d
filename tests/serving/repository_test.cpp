// Models that appear, change, break and go while they are served.
#include "base/error.h"
#include "serving/model_folders.h"
#include "tests/base/message_of.h"
#include "tests/serving/served_models.h"

namespace gatewise {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;

class Repository : public ServedModels {
 protected:
  void save(const std::string& name, uint64_t seed = 4) { EveryKindModel(folder_, seed).save(path(name)); }
  // The first prediction of an empty row.
  std::string predicted(const std::string& target = "/v1/models/all:predict") {
    return post(target, {{"instances", Json::array({Json::object()})}}).body;
  }
  Json index() { return ask("POST", "/v2/repository/index").json(); }
  void damage(const std::string& directory) {
    std::ofstream(path(directory) + "/weights.safetensors", std::ios::app) << "more";
  }
};

TEST_F(Repository, TheHighestVersionIsServedAndOthersByNumber) {
  fs::create_directory(path("all"));
  save("all/1", 1);
  save("all/10", 10);
  save("all/9", 9);
  fs::create_directory(path("all/notes"));
  serve({path("all")});
  EXPECT_THAT(repository_->versions("all"), ElementsAre(1, 9, 10));
  EXPECT_THAT(predicted(), HasSubstr("\"model_version\":\"10\""));
  EXPECT_THAT(predicted("/v1/models/all/versions/9:predict"), HasSubstr("\"model_version\":\"9\""));
  EXPECT_EQ(ask("GET", "/v2/models/all/versions/1").json()["versions"], Json({"1", "9", "10"}));
  EXPECT_EQ(ask("GET", "/v2/models/all/versions/2").status, 404);
}

TEST_F(Repository, ANewVersionIsServedAndABrokenOneIsRefused) {
  fs::create_directory(path("all"));
  save("all/1", 1);
  serve({path("all")});
  const std::shared_ptr<const ServedModel> in_flight = repository_->find("all");
  save("all/2", 2);
  EXPECT_THAT(predicted(), HasSubstr("\"model_version\":\"1\""));
  repository_->scan();
  EXPECT_THAT(predicted(), HasSubstr("\"model_version\":\"2\""));
  EXPECT_EQ(in_flight->version(), 1);
  save("all/3", 3);
  damage("all/3");
  repository_->scan();
  EXPECT_THAT(predicted(), HasSubstr("\"model_version\":\"2\""));
  EXPECT_EQ(index()[2]["state"], "UNAVAILABLE");
  EXPECT_THAT(index()[2]["reason"].get<std::string>(), HasSubstr("weights.safetensors: is not whole"));
  EXPECT_THAT(log_, Contains(HasSubstr("model all version 3: refused: ")));
  const size_t lines = log_.size();
  repository_->scan();  // what is refused is not tried again until it changes
  EXPECT_EQ(log_.size(), lines);
  fs::remove_all(path("all/3"));
  save("all/3", 3);
  repository_->scan();
  EXPECT_THAT(predicted(), HasSubstr("\"model_version\":\"3\""));
  EXPECT_EQ(index()[2]["reason"], "");
}

TEST_F(Repository, AReplacedDirectoryIsSwappedAndABrokenOneLeavesTheOld) {
  save("all", 1);
  serve({path("all")});
  const std::string first = predicted();
  const std::weak_ptr<const ServedModel> old = repository_->find("all");
  save("all", 2);
  repository_->scan();
  const std::string second = predicted();
  EXPECT_NE(second, first);
  EXPECT_TRUE(old.expired());  // its memory is free as soon as nothing uses it
  EXPECT_EQ(repository_->counters().swaps, 1);
  damage("all");
  repository_->scan();
  EXPECT_EQ(predicted(), second);
  EXPECT_EQ(index()[0]["state"], "READY");
  EXPECT_THAT(index()[0]["reason"].get<std::string>(), HasSubstr("the version loaded before stays"));
  EXPECT_EQ(repository_->counters().refusals, 1);
  fs::remove_all(path("all"));
  repository_->scan();
  repository_->scan();
  EXPECT_EQ(predicted(), second);
  EXPECT_THAT(index()[0]["reason"].get<std::string>(), HasSubstr("no such model"));
  save("all", 1);
  repository_->scan();
  EXPECT_EQ(predicted(), first);
  EXPECT_EQ(index()[0]["reason"], "");
}

TEST_F(Repository, AVersionWhoseFolderIsGoneTwiceIsDroppedButNotTheLast) {
  fs::create_directory(path("all"));
  save("all/1", 1);
  save("all/2", 2);
  serve({path("all")});
  fs::remove_all(path("all/2"));
  repository_->scan();
  EXPECT_THAT(repository_->versions("all"), ElementsAre(1, 2));
  repository_->scan();
  EXPECT_THAT(repository_->versions("all"), ElementsAre(1));
  fs::remove_all(path("all/1"));
  for (int i = 0; i < 3; ++i) repository_->scan();
  EXPECT_THAT(repository_->versions("all"), ElementsAre(1));
}

TEST_F(Repository, EmptyFoldersAndOtherNamesAreSpokenOf) {
  fs::create_directory(path("all"));
  save("all/1");
  for (const char* name : {"all/3", "all/07", "all/abc", "all/.git", "all/2.7-0.partial"})
    fs::create_directory(path(name));
  serve({path("all")});
  for (int i = 0; i < 3; ++i) repository_->scan();
  EXPECT_EQ(index().size(), 2u);
  EXPECT_EQ(index()[1]["state"], "UNAVAILABLE");
  EXPECT_THAT(index()[1]["reason"].get<std::string>(), HasSubstr("all/3"));
  const auto count = [&](const std::string& text) {
    return std::count_if(log_.begin(), log_.end(),
                         [&](auto& line) { return line.find(text) != std::string::npos; });
  };
  EXPECT_EQ(count("version 3: refused: "), 1);
  EXPECT_EQ(count("the folder \"07\" is passed over"), 1);
  EXPECT_EQ(count("the folder \"abc\" is passed over"), 1);
  EXPECT_EQ(count("is passed over"), 2);
  save("all/2");
  const Answer loaded = ask("POST", "/v2/repository/models/all/load");
  EXPECT_EQ(loaded.status, 200) << loaded.body;
  EXPECT_EQ(loaded.json()["refused"].size(), 1u);
  EXPECT_EQ(loaded.json()["refused"][0]["version"], "3");
  EXPECT_EQ(ask("GET", "/v2/models/all/versions/2/ready").status, 200);
}

TEST_F(Repository, LoadAndUnloadByRequest) {
  save("all", 1);
  save("other", 2);
  serve({path("all"), "second=" + path("other")});
  EXPECT_EQ(
      ask("POST", "/v2/repository/models/second/unload", R"({"parameters":{"unload_dependents":false}})")
          .status,
      200);
  EXPECT_EQ(predicted("/v1/models/second:predict"),
            R"({"error":"model \"second\" is not loaded; POST /v2/repository/index says why"})");
  EXPECT_EQ(ask("GET", "/v2/models/second/ready").status, 503);
  EXPECT_EQ(ask("GET", "/v2/health/ready").status, 200);
  EXPECT_EQ(index()[1], Json::parse(R"({"name":"second","state":"UNAVAILABLE","reason":"unloaded"})"));
  EXPECT_EQ(ask("POST", "/v2/repository/index", R"({"ready":true})").json().size(), 1u);
  repository_->scan();
  EXPECT_EQ(ask("GET", "/v2/models/second/ready").status, 503);
  EXPECT_EQ(ask("POST", "/v2/repository/models/second/load").status, 200);
  EXPECT_EQ(ask("GET", "/v2/models/second/ready").status, 200);
  EXPECT_EQ(ask("POST", "/v2/repository/models/seconds/load").status, 404);
  EXPECT_EQ(ask("POST", "/v2/repository/models/second/load", R"({"parameters":{"config":"{}"}})").status,
            400);
  damage("other");
  const Answer broken = ask("POST", "/v2/repository/models/second/load", "{}");
  EXPECT_EQ(broken.status, 200) << "the version loaded before is served";
  EXPECT_EQ(broken.json()["refused"][0]["version"], "1");
  EXPECT_THAT(broken.json()["refused"][0]["reason"].get<std::string>(), HasSubstr("weights.safetensors"));
  EXPECT_EQ(ask("GET", "/v2/models/second/ready").status, 200);
  EXPECT_EQ(ask("POST", "/v2/repository/models/second/unload").status, 200);
  const Answer none = ask("POST", "/v2/repository/models/second/load");
  EXPECT_EQ(none.status, 422);
  EXPECT_THAT(none.error(), HasSubstr("\"second\" has no version that can be served; "));
  EXPECT_THAT(none.error(), HasSubstr("weights.safetensors"));
}

TEST_F(Repository, ModelsThatPredictOtherThanWhenSavedAreRefused) {
  const EveryKindModel model(folder_, 1);
  ModelParts parts = model.parts();
  save_model(path("good"), parts);
  parts.examples["predictions"][1][0] = parts.examples["predictions"][1][0].get<double>() + 0.001;
  save_model(path("bad"), parts);
  EXPECT_THAT(message_of([&] { load_checked(path("bad")); }),
              HasSubstr("bad: example row 2: the prediction of \"click\" is"));
  parts.examples["predictions"][1][0] = nullptr;
  save_model(path("bad"), parts);
  EXPECT_THAT(message_of([&] { load_checked(path("bad")); }),
              HasSubstr("bad: its example rows cannot be scored"));
  parts.examples = nullptr;  // as before there were any
  save_model(path("old"), parts);
  serve({path("good"), path("old")});
  EXPECT_EQ(predicted("/v1/models/good:predict").substr(30), predicted("/v1/models/old:predict").substr(29));
}

TEST_F(Repository, NamesAndFoldersAreChecked) {
  save("all");
  fs::create_directory(path("empty"));
  EXPECT_THAT(message_of([&] {
                serve({path("all"), path("all")});
              }),
              HasSubstr("a model \"all\" is served already"));
  EXPECT_THAT(message_of([&] { serve({path("none")}); }),
              HasSubstr("none: no version of the model can be served; "));
  EXPECT_THAT(message_of([&] { serve({path("empty")}); }), HasSubstr("is no model"));
  EXPECT_THAT(message_of([&] { serve({"a:b=" + path("all")}); }), HasSubstr("\"a:b\" is no name"));
  serve({path("all") + "/"});
  EXPECT_THAT(repository_->names(), ElementsAre("all"));
}

TEST_F(Repository, ThreadsAskWhileModelsAreSwapped) {
  save("all", 1);
  serve({path("all")});
  const std::string first = predicted();
  save("all", 2);
  repository_->scan();
  const std::string second = predicted();
  std::atomic<bool> is_over{false};
  std::atomic<int> wrong{0}, right{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 2; ++i) {
    threads.emplace_back([&] {
      const auto handler = handlers_->make();
      const std::string body = R"({"instances":[{}]})" + std::string(64, ' ');
      Request request{"POST", "/v1/models/all:predict", "application/json", -1,
                      std::string_view(body).substr(0, 18)};
      Response response;
      while (!is_over) {
        handler->answer(request, response);
        ++(response.body == first || response.body == second ? right : wrong);
      }
    });
  }
  for (uint64_t round = 0; round < 6; ++round) {
    save("all", 1 + round % 2);
    repository_->scan();
  }
  while (right + wrong < 100) std::this_thread::yield();
  is_over = true;
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace gatewise
