#include "serving/http_parser.h"

#include <fmt/format.h>

#include <boost/asio/buffer.hpp>
#include <charconv>

namespace gatewise {
namespace {

namespace http = boost::beast::http;

// Bodies up to this size leave their memory to the next request of the connection.
constexpr size_t kept_body_bytes = 64 << 10;

std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

}  // namespace

void HttpRequest::clear() {
  method.clear();
  target.clear();
  content_type.clear();
  content_encoding.clear();
  host.clear();
  origin.clear();
  fetch_site.clear();
  json_bytes = -1;
  if (body.capacity() > kept_body_bytes) std::string().swap(body);
  body.clear();
  is_http_10 = expects_continue = false;
}

HttpParser::HttpParser(HttpRequest& request, int64_t max_header_bytes, int64_t max_body_bytes)
    : request_(request), max_header_bytes_(max_header_bytes), max_body_bytes_(max_body_bytes) {
  header_limit(static_cast<std::uint32_t>(max_header_bytes));
  body_limit(static_cast<std::uint64_t>(max_body_bytes));
  eager(true);
}

HttpProgress HttpParser::read(std::string_view& input) {
  if (!got_some()) {
    // Empty lines before a request are skipped (RFC 9112, 2.2).
    while (!input.empty() && (input.front() == '\r' || input.front() == '\n')) input.remove_prefix(1);
  }
  while (!is_done()) {
    if (input.empty()) return HttpProgress::NeedsMore;
    // Wherever a chunked body is cut, five bytes are still to come ("0", two ends of lines); Beast asserts
    // that it has them once it has seen the last chunk.
    if (is_header_done() && chunked() && input.size() < 5) return HttpProgress::NeedsMore;
    ErrorCode error;
    input.remove_prefix(put(boost::asio::const_buffer(input.data(), input.size()), error));
    if (error == http::error::need_more) {
      // Beast wants a chunk's header, or the trailers, whole, and sets them no limit.
      if (input.size() <= static_cast<size_t>(max_header_bytes_)) return HttpProgress::NeedsMore;
      error = http::error::header_limit;
    }
    if (error) {
      if (fault_.status == 0) explain(error);
      return HttpProgress::Failed;
    }
  }
  return HttpProgress::Complete;
}

void HttpParser::on_request_impl(http::verb, Text method, Text target, int version, ErrorCode&) {
  request_.method.assign(method.data(), method.size());
  request_.target.assign(target.data(), target.size());
  request_.is_http_10 = version < 11;
  take_authority();
}

// "http://host:port/path?query", as for a proxy, is the same as "/path?query" and overrules the header Host
// (RFC 9112, 3.2.2).
void HttpParser::take_authority() {
  std::string& target = request_.target;
  if (target.starts_with('/')) return;
  const size_t scheme = target.find("://");
  if (scheme == std::string::npos) return;
  const Text name(target.data(), scheme);
  if (!boost::beast::iequals(name, "http") && !boost::beast::iequals(name, "https")) return;
  const size_t begin = scheme + 3, end = std::min(target.find_first_of("/?", begin), target.size());
  if (begin == end) return;
  request_.host = target.substr(begin, end - begin);
  has_authority_ = true;
  target.erase(0, end);
  if (!target.starts_with('/')) target.insert(0, 1, '/');
}

void HttpParser::on_field_impl(Field name, Text name_text, Text value, ErrorCode& error) {
  if (has_all_headers_) return;
  switch (name) {
    case Field::host:
      ++hosts_;
      if (!has_authority_) request_.host.assign(value.data(), value.size());
      return;
    case Field::origin:
      // Two make a text that is nobody's origin.
      request_.origin.append(value.data(), value.size());
      return;
    case Field::content_type:
      request_.content_type.assign(value.data(), value.size());
      return;
    case Field::content_encoding:
      if (!request_.content_encoding.empty()) request_.content_encoding += ", ";
      request_.content_encoding.append(value.data(), value.size());
      return;
    case Field::expect:
      if (!boost::beast::iequals(value, "100-continue")) {
        return refuse(417, fmt::format("Expect: got \"{}\", expected 100-continue", view(value)), error);
      }
      request_.expects_continue = !request_.is_http_10;
      return;
    case Field::transfer_encoding:
      // Anything else, or this in HTTP/1.0, leaves open where the body ends (RFC 9112, 6.1 and 6.3).
      if (request_.is_http_10 || !boost::beast::iequals(value, "chunked")) {
        return refuse(501,
                      fmt::format("Transfer-Encoding: got \"{}\", expected chunked, in HTTP/1.1; compressed "
                                  "bodies are named by Content-Encoding",
                                  view(value)),
                      error);
      }
      return;
    case Field::unknown:
      if (boost::beast::iequals(name_text, "inference-header-content-length")) read_json_bytes(value, error);
      if (boost::beast::iequals(name_text, "sec-fetch-site"))
        request_.fetch_site.append(value.data(), value.size());
      return;
    default:
      return;
  }
}

void HttpParser::read_json_bytes(Text value, ErrorCode& error) {
  if (request_.json_bytes >= 0) {
    request_.json_bytes = -1;
    return refuse(400, "Inference-Header-Content-Length: is given twice; send it once", error);
  }
  const char* end = value.data() + value.size();
  const auto [stop, failure] = std::from_chars(value.data(), end, request_.json_bytes);
  if (failure != std::errc() || stop != end || request_.json_bytes < 0) {
    request_.json_bytes = -1;
    refuse(
        400,
        fmt::format("Inference-Header-Content-Length: got \"{}\", expected a number of bytes", view(value)),
        error);
  }
}

void HttpParser::on_header_impl(ErrorCode& error) {
  has_all_headers_ = true;
  if (hosts_ > 1 || (hosts_ == 0 && !request_.is_http_10)) {
    refuse(400, fmt::format("Host: got {} of this header, expected one (HTTP/1.1 demands it)", hosts_),
           error);
  }
}

void HttpParser::on_body_init_impl(const boost::optional<std::uint64_t>& length, ErrorCode&) {
  // A length that is only announced is believed up to here; beyond it memory grows with what arrives.
  if (length) request_.body.reserve(std::min<size_t>(*length, kept_body_bytes / 2) + HttpRequest::padding);
}

std::size_t HttpParser::on_body_impl(Text part, ErrorCode&) {
  request_.body.append(part.data(), part.size());
  return part.size();
}

std::size_t HttpParser::on_chunk_body_impl(std::uint64_t, Text part, ErrorCode& error) {
  return on_body_impl(part, error);
}

void HttpParser::on_finish_impl(ErrorCode&) {
  if (request_.body.capacity() < request_.body.size() + HttpRequest::padding) {
    request_.body.reserve(request_.body.size() + HttpRequest::padding);
  }
}

void HttpParser::refuse(int status, std::string message, ErrorCode& error) {
  fault_ = {status, std::move(message)};
  error = http::error::bad_value;
}

void HttpParser::explain(const ErrorCode& error) {
  if (error == http::error::header_limit) {
    fault_ = {431, fmt::format("request: its line and headers take more than {} bytes; send fewer or shorter "
                               "headers, or raise --max-header-bytes",
                               max_header_bytes_)};
  } else if (error == http::error::body_limit) {
    fault_ = {413, fmt::format("body: it takes more than {} bytes; send fewer rows in a request, or raise "
                               "--max-body-bytes",
                               max_body_bytes_)};
  } else if (error == http::error::bad_version) {
    fault_ = {505, "request: its version of HTTP is not known here; expected HTTP/1.1 or HTTP/1.0"};
  } else {
    fault_ = {400, fmt::format("request: it is no valid HTTP; {}", error.message())};
  }
}

}  // namespace gatewise
