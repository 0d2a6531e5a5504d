#include "serving/access_log.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/error.h"
#include "tests/serving/http_client.h"

namespace gatewise {
namespace {

std::string content_of(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

class AccessLogTest : public testing::Test {
 protected:
  AccessLogTest()
      : folder_(std::filesystem::path(testing::TempDir()) / ("access_log_" + std::to_string(getpid()))) {
    std::filesystem::create_directories(folder_);
  }
  ~AccessLogTest() override { std::filesystem::remove_all(folder_); }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }

 private:
  std::filesystem::path folder_;
};

TEST_F(AccessLogTest, ARequestIsALine) {
  AccessLog log(path("log"), 2);
  log.add(1, {"127.0.0.1", "POST", "/v2/models/m/infer", 200, 51, 3, 12.34});
  log.add(0, {"::1", "GET", "/a b\n\"\x1b\xff", 404, 0, 0, 0});
  log.flush();
  const std::string time =
      "20[0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]\\.[0-9][0-9][0-9]Z ";
  EXPECT_THAT(content_of(path("log")),
              testing::MatchesRegex(time + "::1 GET /a%20b%0A%22%1B%FF 404 0 0 0\\.0\n" + time +
                                    "127\\.0\\.0\\.1 POST /v2/models/m/infer 200 51 3 12\\.3\n"));
}

TEST_F(AccessLogTest, AFileThatWasMovedAwayIsBegunAnew) {
  AccessLog log(path("log"), 1);
  log.add(0, {"a", "GET", "/first", 200, 0, 0, 0});
  std::filesystem::rename(path("log"), path("old"));
  log.reopen();
  log.add(0, {"a", "GET", "/second", 200, 0, 0, 0});
  log.flush();
  EXPECT_THAT(content_of(path("old")), testing::HasSubstr("/first"));
  EXPECT_THAT(content_of(path("old")), testing::Not(testing::HasSubstr("/second")));
  EXPECT_THAT(content_of(path("log")), testing::HasSubstr("/second"));
}

TEST_F(AccessLogTest, WhatIsLeftIsWrittenAtTheEnd) {
  { AccessLog(path("log"), 1).add(0, {"a", "GET", "/last", 200, 0, 0, 0}); }
  EXPECT_THAT(content_of(path("log")), testing::HasSubstr("/last"));
  EXPECT_THROW(AccessLog(path("no/such/folder/log"), 1), Error);
}

TEST_F(AccessLogTest, TheServerWritesWhatItAnswered) {
  AccessLog log(path("log"), 1);
  TestHandlers handlers;
  Metrics metrics(1);
  HttpOptions options;
  options.port = 0;
  options.workers = 1;
  {
    HttpServer server(options, handlers, metrics, &log);
    HttpClient client(server.port());
    EXPECT_EQ(client.ask(post_text("/echo", "hello")).status, 200);
    EXPECT_EQ(client.ask("?\r\n\r\n").status, 400);
  }
  log.flush();
  EXPECT_THAT(content_of(path("log")), testing::HasSubstr("127.0.0.1 POST /echo 200 5 2 "));
  EXPECT_THAT(content_of(path("log")), testing::HasSubstr("127.0.0.1 - - 400 "));
}

}  // namespace
}  // namespace gatewise
