// Reads one HTTP/1.0 or HTTP/1.1 request out of the bytes of a connection, however they are cut. Boost.Beast
// parses; this keeps the few fields that matter here, checks what Beast leaves open and says what is wrong in
// our words.
#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <cstdint>
#include <string>
#include <string_view>

namespace gatewise {

// What is kept of a request; the memory is used again for the next one.
struct HttpRequest {
  std::string method;
  std::string target;  // from its path on
  std::string content_type, content_encoding, host, origin, fetch_site;
  int64_t json_bytes = -1;  // Inference-Header-Content-Length; -1: not given
  std::string body;         // with at least `padding` bytes of capacity behind its end
  bool is_http_10 = false;
  bool expects_continue = false;

  static constexpr size_t padding = 64;
  // As before any request. Memory of a large body is given back.
  void clear();
};

// Why a request is refused.
struct HttpFault {
  int status = 0;
  std::string message;
};

enum class HttpProgress {
  NeedsMore,
  Complete,
  Failed,  // see fault(); where the next request begins is unknown, so the connection has to be closed
};

// For one request. `request` has to be clear and to outlive the parser.
class HttpParser final : public boost::beast::http::basic_parser<true> {
 public:
  HttpParser(HttpRequest& request, int64_t max_header_bytes, int64_t max_body_bytes);

  // Takes bytes from the front of `input`; what is left has to be given again, with more behind it.
  HttpProgress read(std::string_view& input);
  bool has_headers() const { return is_header_done(); }
  bool keeps_alive() const { return keep_alive(); }
  const HttpFault& fault() const { return fault_; }

 private:
  using Text = boost::beast::string_view;
  using Field = boost::beast::http::field;
  using ErrorCode = boost::beast::error_code;

  void on_request_impl(boost::beast::http::verb, Text method, Text target, int version, ErrorCode&) override;
  void on_response_impl(int, Text, int, ErrorCode&) override {}
  void on_field_impl(Field name, Text name_text, Text value, ErrorCode& error) override;
  void on_header_impl(ErrorCode& error) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>& length, ErrorCode&) override;
  std::size_t on_body_impl(Text part, ErrorCode&) override;
  void on_chunk_header_impl(std::uint64_t, Text, ErrorCode&) override {}
  std::size_t on_chunk_body_impl(std::uint64_t, Text part, ErrorCode&) override;
  void on_finish_impl(ErrorCode&) override;

  void take_authority();
  void read_json_bytes(Text value, ErrorCode& error);
  void refuse(int status, std::string message, ErrorCode& error);
  void explain(const ErrorCode& error);

  HttpRequest& request_;
  HttpFault fault_;
  int64_t max_header_bytes_, max_body_bytes_;
  int hosts_ = 0;
  bool has_authority_ = false;    // the request line names the host
  bool has_all_headers_ = false;  // what follows as fields are trailers
};

}  // namespace gatewise
