// The HTTP front of `gatewise serve`: HTTP/1.1 and 1.0 over TCP, in front of whoever answers requests.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "serving/access_log.h"
#include "serving/http_options.h"
#include "serving/metrics.h"
#include "serving/request.h"

namespace gatewise {

// Listens from its construction on. One thread accepts connections and hands each to the worker that has the
// fewest; workers read, score and answer without ever waiting for one client. Deadlines, limits and full
// queues are those of HttpOptions. GET /metrics is answered here, everything else by the handlers.
class HttpServer {
 public:
  using Clock = std::function<std::chrono::steady_clock::time_point()>;

  // `metrics` and `log` are for workers_of(options) workers; all but the options have to outlive the server.
  // `now` is what deadlines are measured by. Throws Error(Command) where it cannot listen (address, port
  // taken).
  HttpServer(const HttpOptions& options, RequestHandlers& handlers, Metrics& metrics,
             AccessLog* log = nullptr, Clock now = std::chrono::steady_clock::now);
  // As stop().
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  static int workers_of(const HttpOptions& options);

  int port() const { return port_; }
  // "http://127.0.0.1:8080"
  const std::string& url() const { return url_; }

  // Accepts nothing more; requests that arrived are answered, idle connections closed. Returns at once.
  void drain();
  // Whether all that was accepted is answered, after drain().
  bool is_finished() const;
  // Closes everything; returns when the threads have ended, that is after answers that are being computed.
  void stop();

 private:
  struct Threads;
  std::unique_ptr<Threads> threads_;
  int port_ = 0;
  std::string url_;
};

}  // namespace gatewise
