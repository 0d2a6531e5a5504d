// What the HTTP front hands to whoever answers, and what it gets back: no socket is known beyond it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gatewise {

// A whole request; the texts live until the answer is made.
struct Request {
  std::string_view method;        // "GET"
  std::string_view target;        // path and query as sent: "/v2/models/census/infer"
  std::string_view content_type;  // empty: not given
  int64_t json_bytes = -1;       // Inference-Header-Content-Length: JSON before binary tensors; -1: not given
  std::string_view body;         // allocated with at least 64 readable bytes behind its end
  std::string_view host = {};    // as sent; empty: not given
  std::string_view origin = {};  // "http://localhost:3000", which browsers send; empty: not given
  std::string_view fetch_site = {};  // Sec-Fetch-Site, which browsers send; empty: not given
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  // For metrics and the access log.
  std::string model;  // that was asked, empty: none
  int64_t rows = 0;   // that were scored

  // As before any answer, with the memory kept.
  void clear() {
    status = 200;
    content_type = "application/json";
    headers.clear();
    body.clear();
    model.clear();
    rows = 0;
  }
};

// Answers requests. One per worker thread: it owns the memory of its worker and is used by one thread at a
// time.
class RequestHandler {
 public:
  virtual ~RequestHandler() = default;
  // Throws nothing: every fault is a Response with its status and {"error": "..."}.
  virtual void answer(const Request& request, Response& response) noexcept = 0;
};

// Shared by all workers.
class RequestHandlers {
 public:
  virtual ~RequestHandlers() = default;
  virtual std::unique_ptr<RequestHandler> make() = 0;
};

}  // namespace gatewise
