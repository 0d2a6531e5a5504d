#include "serving/http_listener.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>

#include "base/error.h"
#include "serving/http_answer.h"

namespace gatewise {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;

// After accepting failed, as for want of file descriptors.
constexpr std::chrono::milliseconds pause_time{100};
constexpr size_t max_refused = 128;
constexpr std::chrono::seconds refused_time{1};

tcp::endpoint endpoint_to_listen_on(const HttpOptions& options) {
  boost::system::error_code error;
  const auto address =
      asio::ip::make_address(options.address == "localhost" ? "127.0.0.1" : options.address, error);
  if (error) {
    command_error("address: got \"{}\", expected an IP address as 127.0.0.1, 0.0.0.0 or ::1",
                  options.address);
  }
  return {address, static_cast<uint16_t>(options.port)};
}

}  // namespace

HttpListener::HttpListener(HttpShared& shared, std::vector<std::unique_ptr<HttpWorker>>& workers)
    : shared_(shared), workers_(workers), acceptor_(context_), timer_(context_) {
  const tcp::endpoint endpoint = endpoint_to_listen_on(shared.options);
  boost::system::error_code error;
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (!error) acceptor_.non_blocking(true, error);
  if (!error) return;
  const std::string place = fmt::format("{} port {}", endpoint.address().to_string(), endpoint.port());
  if (error == asio::error::address_in_use) {
    command_error("{}: another program listens there already; end it, or give another --port", place);
  }
  command_error("{}: cannot listen there; {}; give another --address or --port", place, error.message());
}

void HttpListener::run() {
  wait();
  context_.run();
}

void HttpListener::close(bool at_once) {
  asio::post(context_, [this, at_once] {
    if (!acceptor_.is_open()) return;
    if (!at_once) accept_all();
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    timer_.cancel();
    refused_.clear();
    for (const auto& worker : workers_) worker->drain();
  });
}

void HttpListener::wait() {
  acceptor_.async_wait(tcp::acceptor::wait_read, [this](const boost::system::error_code& error) {
    if (!error && acceptor_.is_open() && accept_all()) wait();
  });
}

bool HttpListener::accept_all() {
  while (true) {
    HttpWorker& worker =
        **std::min_element(workers_.begin(), workers_.end(),
                           [](const auto& a, const auto& b) { return a->connections() < b->connections(); });
    tcp::endpoint client;
    boost::system::error_code error;
    HttpWorker::Socket socket = acceptor_.accept(worker.context(), client, error);
    if (error == asio::error::would_block || error == asio::error::try_again) return true;
    if (error == asio::error::connection_aborted || error == asio::error::interrupted) continue;
    if (error) {
      pause();
      return false;
    }
    shared_.metrics->accepted.add(1);
    if (shared_.metrics->connections.load(std::memory_order_relaxed) >= shared_.options.max_connections) {
      refuse(std::move(socket));
    } else {
      worker.adopt(std::move(socket), client);
    }
  }
}

void HttpListener::pause() {
  timer_.expires_after(pause_time);
  timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error && acceptor_.is_open() && accept_all()) wait();
  });
}

void HttpListener::refuse(HttpWorker::Socket socket) {
  shared_.metrics->refused_by_connections.add(1);
  Response response;
  answer_fault({503, fmt::format("server: {} clients are connected already, as many as may; try again after "
                                 "Retry-After",
                                 shared_.options.max_connections)},
               response);
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const std::string date = http_date(std::chrono::duration_cast<std::chrono::seconds>(now).count());
  std::string text;
  append_head(response, false, false, date, text);
  text += response.body;
  boost::system::error_code ignored;
  socket.non_blocking(true, ignored);
  socket.write_some(asio::buffer(text), ignored);
  socket.shutdown(HttpWorker::Socket::shutdown_send, ignored);
  const auto time = std::chrono::steady_clock::now();
  while (!refused_.empty() &&
         (refused_.size() >= max_refused || time - refused_.front().second > refused_time)) {
    refused_.pop_front();
  }
  refused_.emplace_back(std::move(socket), time);
}

}  // namespace gatewise
