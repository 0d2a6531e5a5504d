// For tests of the HTTP front: a client that says what it is told byte by byte, handlers that answer what the
// test wants, a clock that stands still.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "serving/http_server.h"

namespace gatewise {

struct ClientAnswer {
  int status = 0;
  std::string head, body;
  bool has(const std::string& header) const { return head.find(header) != std::string::npos; }
};

class HttpClient {
 public:
  // `receive_bytes`: of the socket's buffer, so that large answers do not fit; 0: the system's.
  explicit HttpClient(int port, int receive_bytes = 0) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    if (receive_bytes > 0) setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
    const timeval patience{30, 0};  // ends a test that would hang; none waits for it
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    is_connected_ = connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~HttpClient() { end(); }
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  bool is_connected() const { return is_connected_; }
  void send(const std::string& text) {
    for (size_t sent = 0; sent < text.size();) {
      const ssize_t bytes = ::send(socket_, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (bytes <= 0) return;
      sent += static_cast<size_t>(bytes);
    }
  }
  void stop_sending() { shutdown(socket_, SHUT_WR); }
  void end() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }
  // As a client that crashed: the other end is told by a reset.
  void vanish() {
    const linger at_once{1, 0};
    setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    end();
  }

  // The next answer; status 0 if the connection ended before it was whole.
  ClientAnswer receive(bool has_body = true) {
    ClientAnswer answer;
    size_t end = std::string::npos;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
      if (!fill()) return answer;
    }
    answer.head = buffer_.substr(0, end + 2);
    const size_t field = answer.head.find("Content-Length: ");
    const size_t length =
        field == std::string::npos || !has_body ? 0 : std::stoul(answer.head.substr(field + 16));
    while (buffer_.size() < end + 4 + length) {
      if (!fill()) return answer;
    }
    answer.body = buffer_.substr(end + 4, length);
    buffer_.erase(0, end + 4 + length);
    answer.status = std::stoi(answer.head.substr(9, 3));
    return answer;
  }
  ClientAnswer ask(const std::string& request) {
    send(request);
    return receive();
  }
  // Whether the server ended the connection, with nothing more to read.
  bool is_ended() { return buffer_.empty() && !fill() && errno != EAGAIN; }
  // All until the end.
  std::string rest() {
    while (fill()) continue;
    return buffer_;
  }

 private:
  bool fill() {
    char part[65536];
    errno = 0;
    const ssize_t bytes = recv(socket_, part, sizeof part, 0);
    if (bytes > 0) buffer_.append(part, static_cast<size_t>(bytes));
    return bytes > 0;
  }

  int socket_;
  bool is_connected_ = false;
  std::string buffer_;
};

// POST of `body`, with further headers, each with its line's end.
inline std::string post_text(const std::string& target, const std::string& body,
                             const std::string& headers = "") {
  return "POST " + target + " HTTP/1.1\r\nHost: test\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n" + headers + "\r\n" + body;
}
inline std::string get_text(const std::string& target, const std::string& headers = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: test\r\n" + headers + "\r\n";
}

// "/echo" answers the body, "/big" 16 MB, "/wait" when the gate is opened; each says its method in a header.
class TestHandlers final : public RequestHandlers {
 public:
  static constexpr size_t big_bytes = size_t{16} << 20;

  std::unique_ptr<RequestHandler> make() override { return std::make_unique<Handler>(*this); }

  void open_gate() {
    const std::lock_guard lock(mutex_);
    is_open_ = true;
    changed_.notify_all();
  }
  // Returns when a worker stands in "/wait".
  void await_waiting() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return waiting_ > 0; });
  }
  std::atomic<int> answered{0};

 private:
  class Handler final : public RequestHandler {
   public:
    explicit Handler(TestHandlers& all) : all_(all) {}
    void answer(const Request& request, Response& response) noexcept override {
      ++all_.answered;
      response.headers.emplace_back("Asked", request.method);
      response.body = request.body;
      response.model = "m";
      response.rows = 2;
      if (request.target == "/big") response.body.assign(big_bytes, 'b');
      if (request.target == "/wait") all_.wait();
      if (request.target == "/page")
        response.body = fmt::format("{} {} {}", request.host, request.origin, request.fetch_site);
      if (request.target == "/none") response.status = 404;
    }

   private:
    TestHandlers& all_;
  };

  void wait() {
    std::unique_lock lock(mutex_);
    ++waiting_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return is_open_; });
    --waiting_;
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  int waiting_ = 0;
  bool is_open_ = false;
};

// A server on a free port, and a clock that only the test moves.
class ServerFixture : public testing::Test {
 protected:
  ServerFixture() {
    options_.port = 0;
    options_.workers = 1;
    // Of the test's clock; deadlines are looked at every five real milliseconds.
    options_.header_seconds = options_.body_seconds = options_.idle_seconds = options_.write_seconds = 0.01;
  }
  ~ServerFixture() override {
    handlers_.open_gate();
    server_.reset();
  }

  void start() {
    metrics_ = std::make_unique<Metrics>(HttpServer::workers_of(options_));
    server_ = std::make_unique<HttpServer>(options_, handlers_, *metrics_, nullptr, [this] {
      return std::chrono::steady_clock::time_point(std::chrono::milliseconds(milliseconds_.load()));
    });
  }
  int port() const { return server_->port(); }
  void pass_deadlines() { milliseconds_ += 1000; }
  // What may take a moment and has to come.
  template <class Condition>
  static void await(Condition condition) {
    while (!condition()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  std::string metrics_text() const {
    std::string text;
    metrics_->write(text);
    return text;
  }

  HttpOptions options_;
  TestHandlers handlers_;
  std::unique_ptr<Metrics> metrics_;
  std::atomic<int64_t> milliseconds_{1000000};
  std::unique_ptr<HttpServer> server_;
};

}  // namespace gatewise
