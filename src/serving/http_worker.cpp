#include "serving/http_worker.h"

#include <algorithm>
#include <boost/asio/post.hpp>

#include "serving/http_answer.h"

namespace gatewise {
namespace {

using Duration = std::chrono::steady_clock::duration;

constexpr size_t scratch_bytes = 64 << 10;
// Between answers, events that are handled at most, and time for answers before the next events: neither a
// flood of input nor long answers keep the other from its turn.
constexpr int events_per_turn = 256;
constexpr std::chrono::microseconds answers_per_turn{500};
// Answers larger than this leave their memory to nobody.
constexpr size_t kept_answer_bytes = 4 << 20;

// How often deadlines are looked at: a quarter of the shortest.
Duration tick_of(const HttpOptions& options) {
  const double shortest =
      std::min({options.header_seconds, options.body_seconds, options.idle_seconds, options.write_seconds});
  return std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>(std::clamp(shortest / 4, 0.005, 0.5)));
}

int64_t seconds_since_1970() {
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

}  // namespace

HttpWorker::HttpWorker(HttpShared& shared, std::unique_ptr<RequestHandler> handler, int index)
    : shared_(shared),
      metrics_(shared.metrics->worker(index)),
      index_(index),
      context_(1),
      work_(context_.get_executor()),
      timer_(context_),
      tick_(tick_of(shared.options)),
      handler_(std::move(handler)),
      scratch_(scratch_bytes),
      date_(http_date(seconds_since_1970())) {}

void HttpWorker::run() {
  watch();
  while (true) {
    if (waiting_.empty()) {
      if (is_stopped_ || (is_drained_ && connections_.empty())) break;
      context_.run_one();
    }
    for (int events = 0; events < events_per_turn && context_.poll_one() > 0; ++events) continue;
    answer_waiting();
  }
  close_all();
}

void HttpWorker::answer_waiting() {
  const auto begin = std::chrono::steady_clock::now();
  while (!waiting_.empty()) {
    const std::shared_ptr<HttpConnection> connection = std::move(waiting_.front());
    waiting_.pop_front();
    metrics_.queue_length.set(waiting_.size());
    connection->answer();
    if (std::chrono::steady_clock::now() - begin > answers_per_turn) break;
  }
}

bool HttpWorker::enqueue(std::shared_ptr<HttpConnection> connection) {
  if (static_cast<int64_t>(waiting_.size()) >= options().queue) return false;
  waiting_.push_back(std::move(connection));
  metrics_.queue_length.set(waiting_.size());
  return true;
}

void HttpWorker::answer(const HttpRequest& request, Response& response) {
  if (response.body.capacity() > kept_answer_bytes) std::string().swap(response.body);
  response.clear();
  // HEAD is GET whose body stays here.
  const std::string_view method = request.method == "HEAD" ? std::string_view("GET") : request.method;
  if (endpoint_of(request.target) != Endpoint::Metrics) {
    handler_->answer({method, request.target, request.content_type, request.json_bytes, request.body,
                      request.host, request.origin, request.fetch_site},
                     response);
  } else if (method == "GET") {
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    shared_.metrics->write(response.body);
  } else {
    answer_fault({405, "/metrics: it is read by GET"}, response);
    response.headers.emplace_back("Allow", "GET, HEAD");
  }
}

void HttpWorker::adopt(Socket socket, const boost::asio::ip::tcp::endpoint& client) {
  open_.fetch_add(1, std::memory_order_relaxed);
  shared_.metrics->connections.fetch_add(1, std::memory_order_relaxed);
  boost::asio::post(context_, [this, client, moved = std::move(socket)]() mutable {
    auto connection = std::make_shared<HttpConnection>(*this, std::move(moved), client);
    connection->place = connections_.size();
    connections_.push_back(connection);
    if (is_stopped_) return connection->close();
    connection->start();
  });
}

void HttpWorker::forget(const HttpConnection& connection) {
  const size_t place = connection.place;
  std::swap(connections_[place], connections_.back());
  connections_[place]->place = place;
  connections_.pop_back();
  open_.fetch_sub(1, std::memory_order_relaxed);
  shared_.metrics->connections.fetch_sub(1, std::memory_order_relaxed);
}

void HttpWorker::watch() {
  timer_.expires_after(tick_);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    date_ = http_date(seconds_since_1970());
    const Time time = now();
    // From the back: a connection that closes leaves its place to the last one, which was looked at.
    for (size_t i = connections_.size(); i-- > 0;) {
      const std::shared_ptr<HttpConnection> connection = connections_[i];
      connection->check_deadline(time);
    }
    watch();
  });
}

void HttpWorker::drain() {
  is_draining_.store(true, std::memory_order_relaxed);
  boost::asio::post(context_, [this] {
    is_drained_ = true;
    for (size_t i = connections_.size(); i-- > 0;) {
      const std::shared_ptr<HttpConnection> connection = connections_[i];
      connection->drain();
    }
  });
}

void HttpWorker::stop() {
  boost::asio::post(context_, [this] {
    is_stopped_ = true;
    waiting_.clear();
    close_all();
  });
}

void HttpWorker::close_all() {
  while (!connections_.empty()) {
    const std::shared_ptr<HttpConnection> connection = connections_.back();
    connection->close();
  }
}

}  // namespace gatewise
