#include "serving/http_connection.h"

#include <boost/asio/buffer.hpp>

#include "serving/http_answer.h"
#include "serving/http_content.h"
#include "serving/http_worker.h"

namespace gatewise {
namespace {

namespace asio = boost::asio;
using ErrorCode = boost::system::error_code;

constexpr std::chrono::seconds linger_time{2};
// Buffers larger than this are given back between requests.
constexpr size_t kept_bytes = 64 << 10;

bool is_not_ready(const ErrorCode& error) {
  return error == asio::error::would_block || error == asio::error::try_again ||
         error == asio::error::interrupted;
}

void clear_or_free(std::string& text) {
  if (text.capacity() > kept_bytes) std::string().swap(text);
  text.clear();
}

HttpConnection::Time after(HttpConnection::Time now, double seconds) {
  return now + std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                   std::chrono::duration<double>(seconds));
}

}  // namespace

HttpConnection::HttpConnection(HttpWorker& worker, Socket socket, const asio::ip::tcp::endpoint& client)
    : worker_(worker), socket_(std::move(socket)), client_(client) {}

void HttpConnection::start() {
  ErrorCode ignored;
  socket_.non_blocking(true, ignored);
  // An answer is written whole; held back for a fuller packet it would come 40 ms later.
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  deadline_ = after(worker_.now(), worker_.options().idle_seconds);
  wait_for_input();
}

void HttpConnection::wait_for_input() {
  socket_.async_wait(Socket::wait_read, [self = shared_from_this()](const ErrorCode& error) {
    if (!error) self->read();
  });
}

void HttpConnection::wait_for_output() {
  socket_.async_wait(Socket::wait_write, [self = shared_from_this()](const ErrorCode& error) {
    if (!error) self->write();
  });
}

void HttpConnection::read() {
  if (state_ != State::Reading && state_ != State::Lingering) return;
  ErrorCode error;
  const size_t bytes = socket_.read_some(asio::buffer(worker_.scratch()), error);
  if (is_not_ready(error)) return wait_for_input();
  if (error) return close();
  worker_.metrics().received_bytes.add(bytes);
  if (state_ == State::Lingering) return wait_for_input();
  input_.append(worker_.scratch().data(), bytes);
  advance();
}

void HttpConnection::advance() {
  while (state_ == State::Reading) {
    if (!parse()) return wait_for_input();
  }
}

bool HttpConnection::parse() {
  if (!parser_) {
    request_.clear();
    parser_.emplace(request_, worker_.options().max_header_bytes, worker_.options().max_body_bytes);
    has_continued_ = false;
  }
  std::string_view rest = input_;
  const HttpProgress progress = parser_->read(rest);
  input_.erase(0, input_.size() - rest.size());
  if (input_.empty()) clear_or_free(input_);
  if (progress == HttpProgress::NeedsMore) {
    const bool has_begun = parser_->got_some() || !input_.empty();
    enter(!has_begun ? Phase::Idle : parser_->has_headers() ? Phase::Body : Phase::Headers);
    return false;
  }
  if (progress == HttpProgress::Failed) {
    is_faulty_ = true;
    refuse(parser_->fault());
    return true;
  }
  keeps_alive_ = parser_->keeps_alive();
  received_ = worker_.now();
  if (worker_.enqueue(shared_from_this())) {
    state_ = State::Waiting;
    deadline_ = Time::max();
  } else {
    worker_.metrics().refused_by_queue.add(1);
    refuse({503, fmt::format("server: {} requests wait already, as many as may; try again after Retry-After",
                             worker_.options().queue)});
  }
  return true;
}

void HttpConnection::enter(Phase phase) {
  if (phase == Phase::Body && request_.expects_continue && !has_continued_) send_continue();
  if (phase == phase_) return;
  phase_ = phase;
  const HttpOptions& options = worker_.options();
  // Once for the whole phase: a client that sends a byte now and then gains nothing.
  deadline_ = after(worker_.now(), phase == Phase::Headers ? options.header_seconds
                                   : phase == Phase::Body  ? options.body_seconds
                                                           : options.idle_seconds);
}

void HttpConnection::send_continue() {
  has_continued_ = true;
  static constexpr std::string_view line = "HTTP/1.1 100 Continue\r\n\r\n";
  ErrorCode ignored;  // a client that does not get it sends its body after a while
  worker_.metrics().sent_bytes.add(socket_.write_some(asio::buffer(line), ignored));
}

void HttpConnection::answer() {
  if (state_ != State::Waiting) return;
  Response& response = worker_.response();
  const HttpFault fault = decode_content(request_, worker_.options().max_body_bytes);
  if (fault.status != 0) {
    refuse(fault);
  } else {
    worker_.answer(request_, response);
    send(response, endpoint_of(request_.target));
  }
  if (state_ == State::Reading) advance();
}

void HttpConnection::refuse(const HttpFault& fault) {
  Response& response = worker_.response();
  answer_fault(fault, response);
  send(response, is_faulty_ ? Endpoint::Invalid : endpoint_of(request_.target));
}

void HttpConnection::send(const Response& response, Endpoint endpoint) {
  if (is_faulty_) keeps_alive_ = false;
  // Requests that came before the end was announced are answered too.
  if (worker_.is_draining() && input_.empty()) keeps_alive_ = false;
  std::string& head = worker_.head();
  head.clear();
  append_head(response, keeps_alive_, request_.is_http_10, worker_.date(), head);
  const std::string_view body = request_.method == "HEAD" ? std::string_view() : response.body;
  ErrorCode error;
  const std::array<asio::const_buffer, 2> parts{asio::buffer(head), asio::buffer(body)};
  const size_t sent = socket_.write_some(parts, error);
  account(response, endpoint);
  if (error && !is_not_ready(error)) return close();
  worker_.metrics().sent_bytes.add(sent);
  if (sent == head.size() + body.size()) return after_answer();
  output_.assign(head, std::min(sent, head.size()));
  output_.append(body.substr(sent - std::min(sent, head.size())));
  written_ = 0;
  state_ = State::Writing;
  deadline_ = after(worker_.now(), worker_.options().write_seconds);
  wait_for_output();
}

void HttpConnection::account(const Response& response, Endpoint endpoint) {
  const Time now = worker_.now();
  WorkerMetrics& metrics = worker_.metrics();
  metrics.count_request(endpoint, response.status, response.model, response.rows);
  const double seconds = std::chrono::duration<double>(now - received_).count();
  if (!is_faulty_) metrics.observe_seconds(endpoint, seconds);
  // The next one is waited for from here on.
  phase_ = Phase::Idle;
  deadline_ = after(now, worker_.options().idle_seconds);
  if (worker_.log() == nullptr) return;
  if (client_text_.empty()) client_text_ = client_.address().to_string();
  worker_.log()->add(worker_.index(), {client_text_, request_.method, request_.target, response.status,
                                       response.body.size(), response.rows, is_faulty_ ? 0 : seconds * 1e6});
}

void HttpConnection::write() {
  if (state_ != State::Writing) return;
  ErrorCode error;
  const size_t sent =
      socket_.write_some(asio::buffer(output_.data() + written_, output_.size() - written_), error);
  if (error && !is_not_ready(error)) return close();
  worker_.metrics().sent_bytes.add(sent);
  written_ += sent;
  if (written_ < output_.size()) return wait_for_output();
  clear_or_free(output_);
  phase_ = Phase::Idle;
  deadline_ = after(worker_.now(), worker_.options().idle_seconds);
  after_answer();
  if (state_ == State::Reading) advance();
}

void HttpConnection::after_answer() {
  parser_.reset();
  if (keeps_alive_) {
    state_ = State::Reading;
    return;
  }
  ErrorCode ignored;
  if (!is_faulty_ && input_.empty() && socket_.available(ignored) == 0) return close();
  socket_.shutdown(Socket::shutdown_send, ignored);
  state_ = State::Lingering;
  deadline_ = worker_.now() + linger_time;
  std::string().swap(input_);
  wait_for_input();
}

void HttpConnection::check_deadline(Time now) {
  if (now < deadline_ || state_ == State::Closed) return;
  const auto drop = [&](Drop reason) { worker_.metrics().dropped[static_cast<size_t>(reason)].add(1); };
  if (state_ == State::Writing) drop(Drop::Write);
  if (state_ != State::Reading || phase_ == Phase::Idle) {
    if (state_ == State::Reading) drop(Drop::Idle);
    return close();
  }
  const bool is_body = phase_ == Phase::Body;
  drop(is_body ? Drop::Body : Drop::Headers);
  // The wait for input that is still set goes on as that of lingering, if it comes to that.
  is_faulty_ = true;
  ErrorCode ignored;
  socket_.cancel(ignored);
  refuse({408, is_body
                   ? fmt::format(
                         "body: it was not whole after {} seconds; send it faster, or raise --body-seconds",
                         worker_.options().body_seconds)
                   : fmt::format("request: its headers were not whole after {} seconds; send them faster, or "
                                 "raise --header-seconds",
                                 worker_.options().header_seconds)});
}

void HttpConnection::drain() {
  ErrorCode error;
  const bool is_idle = state_ == State::Reading && phase_ == Phase::Idle && input_.empty();
  // What the client sent before is still answered, be it read or not.
  if (is_idle && (socket_.available(error) == 0 || error)) close();
}

void HttpConnection::close() {
  if (state_ == State::Closed) return;
  state_ = State::Closed;
  ErrorCode ignored;
  socket_.close(ignored);
  worker_.forget(*this);
}

}  // namespace gatewise
