// serve: what the program itself adds to the server: arguments, signals, exit codes.
#include <gmock/gmock.h>

#include <csignal>
#include <filesystem>

#include "tests/cli/people_fixture.h"
#include "tests/serving/http_client.h"

namespace gatewise {
namespace {

using ::testing::HasSubstr;

class ServeTest : public PeopleTest {
 protected:
  // The program, once it listens on a free port.
  class Running {
   public:
    explicit Running(std::vector<std::string> arguments)
        : process_(with_port(std::move(arguments)), {folder_->path()}) {
      await("serving people");
      const std::string said = process_.errors_so_far();
      const size_t begin = said.find("http://127.0.0.1:");
      port_ = begin == std::string::npos ? 0 : std::stoi(said.substr(begin + 17));
    }
    int port() const { return port_; }
    Process& process() { return process_; }
    // Until it says so, or ends.
    void await(const std::string& text) {
      while (process_.errors_so_far().find(text) == std::string::npos && process_.is_running()) {
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    }

   private:
    static std::vector<std::string> with_port(std::vector<std::string> arguments) {
      arguments.insert(arguments.begin(), "serve");
      arguments.insert(arguments.end(), {"--port", "0", "--workers", "1"});
      return arguments;
    }

    Process process_;
    int port_ = 0;
  };

  static std::string predict_text() {
    return post_text("/v1/models/people:predict", R"({"instances":[{"age":40,"height":170,"city":"Lima"}]})",
                     "Content-Type: application/json\r\n");
  }
};

TEST_F(ServeTest, AnswersUntilItIsToldToEnd) {
  Running server({"people=people.model", "--access-log", "access.log"});
  HttpClient client(server.port());
  const ClientAnswer answer = client.ask(predict_text());
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_THAT(answer.body, HasSubstr("\"clicked\":"));
  const std::string metrics = client.ask(get_text("/metrics")).body;
  EXPECT_THAT(metrics, HasSubstr("{endpoint=\"predict\",model=\"people\",status=\"200\"} 1\n"));
  EXPECT_THAT(metrics, HasSubstr("\ngatewise_model_loads_total 1\n"));
  server.process().send(SIGTERM);
  const Result result = server.process().wait();
  EXPECT_EQ(result.code, 0) << result.errors;
  EXPECT_EQ(result.output, "");
  EXPECT_TRUE(client.is_ended());
  EXPECT_THAT(read_text(file("access.log")), HasSubstr(" POST /v1/models/people:predict 200 "));
}

TEST_F(ServeTest, FinishesWhatItAcceptedUnlessToldAgain) {
  const std::string part =
      "POST /v1/models/people:predict HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\n\r\n{";
  for (const bool is_told_again : {false, true}) {
    Running server({"people=people.model"});
    HttpClient client(server.port());
    EXPECT_EQ(client.ask(predict_text()).status, 200);
    client.send(part);
    // On another connection: what was sent before is read when this is answered.
    EXPECT_EQ(HttpClient(server.port()).ask(get_text("/metrics")).status, 200);
    server.process().send(SIGINT);
    server.await("finishing");
    EXPECT_TRUE(server.process().is_running());
    if (is_told_again) {
      server.process().send(SIGINT);
      EXPECT_EQ(server.process().wait().code, -SIGINT);
      continue;
    }
    const ClientAnswer answer = client.ask(std::string(999, ' '));
    EXPECT_EQ(answer.status, 400) << answer.body;
    EXPECT_EQ(server.process().wait().code, 0);
  }
}

TEST_F(ServeTest, LooksForVersionsAndOpensItsLogAnewWhenTold) {
  const std::filesystem::path versions = file("people");
  std::filesystem::create_directory(versions);
  std::filesystem::copy(file("people.model"), versions / "1", std::filesystem::copy_options::recursive);
  Running server({"people", "--access-log", "rotated.log", "--poll-seconds", "3600"});
  HttpClient client(server.port());
  // An answer can arrive before its line is in the log; once the next one is there, it is.
  for (int i = 0; i < 2; ++i)
    EXPECT_THAT(client.ask(predict_text()).body, HasSubstr("\"model_version\":\"1\""));
  std::filesystem::copy(file("people.model"), versions / "2", std::filesystem::copy_options::recursive);
  std::filesystem::rename(file("rotated.log"), file("rotated.old"));
  server.process().send(SIGHUP);
  while (client.ask(predict_text()).body.find("\"model_version\":\"2\"") == std::string::npos) continue;
  while (!std::filesystem::exists(file("rotated.log"))) continue;
  EXPECT_THAT(read_text(file("rotated.old")), HasSubstr(":predict 200"));
}

TEST_F(ServeTest, SaysWhatIsWrongWithItsArguments) {
  Running server({"people=people.model"});
  const Result taken = gatewise({"serve", "people.model", "--port", std::to_string(server.port())});
  EXPECT_EQ(taken.code, 2);
  EXPECT_THAT(taken.errors, HasSubstr("another program listens there already"));
  const Result missing = gatewise({"serve", "nobody"});
  EXPECT_EQ(missing.code, 1);
  EXPECT_THAT(missing.errors, HasSubstr("nobody"));
  const Result table = gatewise({"serve", "test.csv"});
  EXPECT_EQ(table.code, 1);
  EXPECT_THAT(table.errors,
              HasSubstr("test.csv: no such model; got a file, expected the directory of a model"));
  EXPECT_THAT(table.errors, HasSubstr("gatewise fit trains a model"));
  const Result option = gatewise({"serve", "people.model", "--queue", "0"});
  EXPECT_EQ(option.code, 2);
  EXPECT_THAT(option.errors, HasSubstr("--queue: got 0, expected 1 to 1000000"));
  EXPECT_EQ(gatewise({"serve"}).code, 2);
  const Result help = gatewise({"serve", "--help"});
  EXPECT_THAT(help.output, HasSubstr("--max-body-bytes"));
  EXPECT_THAT(help.output, HasSubstr("belong to a"));
}

}  // namespace
}  // namespace gatewise
