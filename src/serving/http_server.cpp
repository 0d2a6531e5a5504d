#include "serving/http_server.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

#include "serving/http_listener.h"
#include "serving/http_worker.h"

namespace gatewise {

// Sockets that the listener holds belong to contexts of workers, which therefore outlive it.
struct HttpServer::Threads {
  HttpShared shared;
  std::vector<std::unique_ptr<HttpWorker>> workers;
  std::unique_ptr<HttpListener> listener;
  std::vector<std::thread> threads;
  std::atomic<int> running{0};
};

HttpServer::HttpServer(const HttpOptions& options, RequestHandlers& handlers, Metrics& metrics,
                       AccessLog* log, Clock now)
    : threads_(std::make_unique<Threads>()) {
  Threads& all = *threads_;
  all.shared = {options, &metrics, log, std::move(now)};
  all.listener = std::make_unique<HttpListener>(all.shared, all.workers);
  const auto endpoint = all.listener->endpoint();
  const std::string host = endpoint.address().to_string();
  port_ = endpoint.port();
  url_ = fmt::format("http://{}:{}", endpoint.address().is_v6() ? "[" + host + "]" : host, port_);
  all.running = workers_of(options);
  for (int i = 0; i < workers_of(options); ++i) {
    all.workers.push_back(std::make_unique<HttpWorker>(all.shared, handlers.make(), i));
  }
  for (const auto& worker : all.workers) {
    all.threads.emplace_back([&all, &running = *worker] {
      running.run();
      --all.running;
    });
  }
  all.threads.emplace_back([&all] { all.listener->run(); });
}

HttpServer::~HttpServer() { stop(); }

int HttpServer::workers_of(const HttpOptions& options) {
  if (options.workers > 0) return static_cast<int>(options.workers);
  return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

void HttpServer::drain() { threads_->listener->close(false); }

bool HttpServer::is_finished() const { return threads_->running.load() == 0; }

void HttpServer::stop() {
  threads_->listener->close(true);
  for (const auto& worker : threads_->workers) worker->stop();
  for (std::thread& thread : threads_->threads) {
    if (thread.joinable()) thread.join();
  }
}

}  // namespace gatewise
