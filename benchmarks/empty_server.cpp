// The HTTP front of `gatewise serve` with nothing behind it: every request gets the same answer. What a
// server that scores is measured against.
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <string>

#include "serving/http_server.h"

namespace gatewise {
namespace {

class ConstantHandlers final : public RequestHandlers {
 public:
  explicit ConstantHandlers(std::string body) : body_(std::move(body)) {}
  std::unique_ptr<RequestHandler> make() override { return std::make_unique<Handler>(body_); }

 private:
  class Handler final : public RequestHandler {
   public:
    explicit Handler(const std::string& body) : body_(body) {}
    void answer(const Request&, Response& response) noexcept override { response.body = body_; }

   private:
    const std::string& body_;
  };

  std::string body_;
};

int serve_constant(int64_t port, int64_t workers, const std::string& body) {
  sigset_t ending;
  sigemptyset(&ending);
  sigaddset(&ending, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ending, nullptr);
  ConstantHandlers handlers(body);
  HttpOptions options;
  options.port = port;
  options.workers = workers;
  Metrics metrics(HttpServer::workers_of(options));
  const HttpServer server(options, handlers, metrics);
  std::fprintf(stderr, "%s: serving\n", server.url().c_str());
  int signal = 0;
  sigwait(&ending, &signal);
  return 0;
}

}  // namespace
}  // namespace gatewise

int main(int count, char** values) {
  CLI::App app("answers every request alike, until SIGTERM");
  int64_t port = 0, workers = 0;
  std::string body = "{}";
  app.add_option("--port", port, "0: any free one");
  app.add_option("--workers", workers, "0: one per core");
  app.add_option("--body", body, "of every answer");
  CLI11_PARSE(app, count, values);
  return gatewise::serve_constant(port, workers, body);
}
