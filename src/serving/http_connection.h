// One client's connection: reads requests one after the other, has each answered by its worker, writes the
// answers. Everything happens on the worker's thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "serving/http_parser.h"
#include "serving/metrics.h"
#include "serving/request.h"

namespace gatewise {

class HttpWorker;

class HttpConnection final : public std::enable_shared_from_this<HttpConnection> {
 public:
  // The executor by its type: calls through a virtual one are a measurable part of a request.
  using Socket =
      boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;
  using Time = std::chrono::steady_clock::time_point;

  HttpConnection(HttpWorker& worker, Socket socket, const boost::asio::ip::tcp::endpoint& client);

  void start();
  // Its request's turn has come.
  void answer();
  // Ends what took longer than is allowed.
  void check_deadline(Time now);
  // No further requests: closes unless one is under way.
  void drain();
  void close();

  size_t place = 0;  // in the worker's list

 private:
  enum class State {
    Reading,    // between requests, or amid one
    Waiting,    // a request waits for its turn
    Writing,    // the client has to take an answer
    Lingering,  // the last answer is sent; what the client still sends is thrown away, lest a reset overtakes
                // it
    Closed,
  };
  enum class Phase { Idle, Headers, Body };  // of Reading

  void wait_for_input();
  void wait_for_output();
  void read();
  void write();
  void advance();
  // Reads on in input_. Whether a request, or a fault, was found.
  bool parse();
  void enter(Phase phase);
  void send_continue();
  void refuse(const HttpFault& fault);
  void send(const Response& response, Endpoint endpoint);
  void account(const Response& response, Endpoint endpoint);
  void after_answer();

  HttpWorker& worker_;
  Socket socket_;
  boost::asio::ip::tcp::endpoint client_;
  std::string client_text_;  // for the log
  State state_ = State::Reading;
  Phase phase_ = Phase::Idle;
  Time deadline_ = Time::max();
  Time received_;
  std::string input_;  // that no request has used
  HttpRequest request_;
  std::optional<HttpParser> parser_;
  std::string output_;  // that the client has not taken
  size_t written_ = 0;
  bool keeps_alive_ = true;
  bool is_faulty_ = false;  // where the next request begins is unknown
  bool has_continued_ = false;
};

}  // namespace gatewise
