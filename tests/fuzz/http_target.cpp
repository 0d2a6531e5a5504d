// Bytes of an HTTP connection: requests are read the same however the bytes are cut.
#include "serving/http_parser.h"
#include "tests/fuzz/target.h"

namespace gatewise {
namespace {

constexpr int64_t most_header_bytes = 4096, most_body_bytes = 1 << 16;

// What was read of a connection.
struct Heard {
  std::string requests;
  std::string refusal;  // of what follows them
};

Heard read_connection(std::string_view input, size_t piece) {
  std::string told;
  std::string held;  // given, not yet taken
  HttpRequest request;
  auto parser = std::make_unique<HttpParser>(request, most_header_bytes, most_body_bytes);
  while (!input.empty()) {
    const size_t size = std::min(piece, input.size());
    held += input.substr(0, size);
    input.remove_prefix(size);
    while (!held.empty()) {
      std::string_view rest = held;
      const HttpProgress progress = parser->read(rest);
      held.erase(0, held.size() - rest.size());
      if (progress == HttpProgress::NeedsMore) break;
      if (progress == HttpProgress::Failed) {
        fuzz_require(
            parser->fault().status >= 400 && parser->fault().status < 600 && !parser->fault().message.empty(),
            "a request is refused without a status or a message");
        return {told, fmt::format("{} {}", parser->fault().status, parser->fault().message)};
      }
      fuzz_require(request.body.capacity() >= request.body.size() + HttpRequest::padding,
                   "a body without padding");
      fuzz_require(static_cast<int64_t>(request.body.size()) <= most_body_bytes, "a body above its limit");
      told += fmt::format("{} {} {} {} {}\n{}\n", request.method, request.target, request.content_type,
                          request.json_bytes, parser->keeps_alive(), request.body);
      if (!parser->keeps_alive()) return {told, ""};
      request.clear();
      parser = std::make_unique<HttpParser>(request, most_header_bytes, most_body_bytes);
    }
  }
  return {told, ""};
}

// Where a request that is refused is found out depends on the cut; the requests before it must not.
void read_http(std::string_view input) {
  const Heard whole = read_connection(input, std::max<size_t>(1, input.size()));
  for (const size_t piece : {1, 7}) {
    const Heard cut = read_connection(input, piece);
    fuzz_require(whole.requests == cut.requests,
                 fmt::format("the cut of the bytes changes what is read:\n{}\n{} | {}\n{}", whole.requests,
                             whole.refusal, cut.requests, cut.refusal));
  }
  if (!whole.refusal.empty()) data_error("{}", whole.refusal);
}

std::vector<std::string> connections() {
  return {"POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
          "POST /v2/models/m/infer HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: "
          "2\r\n\r\n{}"
          "GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n",
          "POST /v1/models/m:predict HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
          "chunked\r\n\r\n2;x=y\r\n{}\r\n0\r\n"
          "Trailer: x\r\n\r\n",
          "POST /x HTTP/1.0\r\nContent-Length: 3\r\nInference-Header-Content-Length: 2\r\nExpect: "
          "100-continue\r\nConnection: keep-alive\r\n\r\n{}x"};
}

std::vector<std::string> http_words() {
  return {"\r\n",
          "\r\n\r\n",
          "Content-Length: ",
          "Transfer-Encoding: chunked\r\n",
          "Host: ",
          "HTTP/1.1",
          "HTTP/2.0",
          "Connection: close\r\n",
          "Upgrade: h2c\r\n",
          "18446744073709551615",
          "ffffffffffffffff",
          "Content-Encoding: gzip\r\n",
          "Inference-Header-Content-Length: ",
          ":",
          " ",
          "\t",
          std::string(1, '\0'),
          "Expect: 100-continue\r\n",
          "-1"};
}

const RegisterFuzzTarget http_registered{"http", {read_http, connections, http_words, 3000}};

}  // namespace
}  // namespace gatewise
