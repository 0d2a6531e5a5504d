// A thread that reads, answers and writes for its share of the connections. In turns it reads whatever has
// arrived, which lets whole requests queue up (or be refused at once), and answers those that wait, first
// come first served.
#pragma once

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "serving/access_log.h"
#include "serving/http_connection.h"
#include "serving/http_options.h"
#include "serving/metrics.h"
#include "serving/request.h"

namespace gatewise {

// What all workers share. The pointers outlive them.
struct HttpShared {
  HttpOptions options;
  Metrics* metrics = nullptr;
  AccessLog* log = nullptr;  // or none
  std::function<std::chrono::steady_clock::time_point()> now;
};

class HttpWorker {
 public:
  using Socket = HttpConnection::Socket;
  using Time = HttpConnection::Time;

  HttpWorker(HttpShared& shared, std::unique_ptr<RequestHandler> handler, int index);
  HttpWorker(const HttpWorker&) = delete;
  HttpWorker& operator=(const HttpWorker&) = delete;

  // Until it is drained or stopped.
  void run();

  // From any thread.
  boost::asio::io_context& context() { return context_; }
  void adopt(Socket socket, const boost::asio::ip::tcp::endpoint& client);
  void drain();
  void stop();
  int64_t connections() const { return open_.load(std::memory_order_relaxed); }

  // For its connections.
  bool enqueue(std::shared_ptr<HttpConnection> connection);  // false: as many wait as may
  void answer(const HttpRequest& request, Response& response);
  void forget(const HttpConnection& connection);
  const HttpOptions& options() const { return shared_.options; }
  WorkerMetrics& metrics() { return metrics_; }
  AccessLog* log() const { return shared_.log; }
  Time now() const { return shared_.now(); }
  int index() const { return index_; }
  bool is_draining() const { return is_draining_.load(std::memory_order_relaxed); }
  // Memory that is used by one connection at a time.
  std::vector<char>& scratch() { return scratch_; }
  Response& response() { return response_; }
  std::string& head() { return head_; }
  const std::string& date() const { return date_; }

 private:
  void answer_waiting();
  void watch();
  void close_all();

  HttpShared& shared_;
  WorkerMetrics& metrics_;
  const int index_;
  boost::asio::io_context context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  boost::asio::steady_timer timer_;
  std::chrono::steady_clock::duration tick_;
  std::unique_ptr<RequestHandler> handler_;
  std::vector<std::shared_ptr<HttpConnection>> connections_;
  std::deque<std::shared_ptr<HttpConnection>> waiting_;
  std::vector<char> scratch_;
  Response response_;
  std::string head_, date_;
  std::atomic<int64_t> open_{0};          // adopted and not closed
  std::atomic<bool> is_draining_{false};  // no connection is kept for further requests
  bool is_drained_ = false;               // nothing more is adopted
  bool is_stopped_ = false;
};

}  // namespace gatewise
