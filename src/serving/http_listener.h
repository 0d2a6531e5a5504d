// Accepts connections and spreads them over the workers.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "serving/http_worker.h"

namespace gatewise {

class HttpListener {
 public:
  // Listens. Throws Error(Command) where it cannot.
  HttpListener(HttpShared& shared, std::vector<std::unique_ptr<HttpWorker>>& workers);
  HttpListener(const HttpListener&) = delete;
  HttpListener& operator=(const HttpListener&) = delete;

  // Accepts until it is closed.
  void run();

  // From any thread. Connections that wait in the system's queue are still taken, unless `at_once`; after
  // that all workers drain.
  void close(bool at_once);
  boost::asio::ip::tcp::endpoint endpoint() const { return acceptor_.local_endpoint(); }

 private:
  using Tcp = boost::asio::ip::tcp;

  void wait();
  bool accept_all();  // whether to wait for more; false: a pause was begun
  void pause();
  void refuse(HttpWorker::Socket socket);

  HttpShared& shared_;
  std::vector<std::unique_ptr<HttpWorker>>& workers_;
  boost::asio::io_context context_{1};
  boost::asio::basic_socket_acceptor<Tcp, boost::asio::io_context::executor_type> acceptor_;
  boost::asio::steady_timer timer_;
  // They stay open a moment, so that the client reads the answer before its connection is reset.
  std::deque<std::pair<HttpWorker::Socket, std::chrono::steady_clock::time_point>> refused_;
};

}  // namespace gatewise
