#include "serving/http_parser.h"

#include <gmock/gmock.h>

namespace gatewise {
namespace {

constexpr int64_t header_limit = 512;
constexpr int64_t body_limit = 2048;

struct Parsed {
  HttpRequest request;
  HttpProgress progress = HttpProgress::NeedsMore;
  HttpFault fault;
  std::string rest;
  bool keeps_alive = false;
};

// As a connection does: parts arrive, what is not used is kept.
Parsed parse_parts(const std::vector<std::string>& parts) {
  Parsed parsed;
  HttpParser parser(parsed.request, header_limit, body_limit);
  std::string input;
  for (const std::string& part : parts) {
    input += part;
    if (parsed.progress != HttpProgress::NeedsMore) continue;
    std::string_view rest = input;
    parsed.progress = parser.read(rest);
    input.erase(0, input.size() - rest.size());
  }
  parsed.rest = input;
  parsed.fault = parser.fault();
  parsed.keeps_alive = parsed.progress == HttpProgress::Complete && parser.keeps_alive();
  return parsed;
}

const std::string chunked =
    "POST /v2/models/m/infer?x=1 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Type: "
    "text/a\r\n"
    "Inference-Header-Content-Length: 3\r\nConnection: close\r\n\r\n"
    "5;name=\"v\"\r\nhello\r\nA\r\n, workers!\r\n0\r\nContent-Type: text/b\r\nTrailer-Field: 1\r\n\r\n";

TEST(HttpParser, RequestsAreTheSameHoweverTheyAreCut) {
  const std::string next = "GET / HT";
  const std::string text = "\r\n\r\n" + chunked + next;
  for (size_t first = 0; first <= text.size(); ++first) {
    const size_t second = first + (text.size() - first) / 3;
    const Parsed parsed =
        parse_parts({text.substr(0, first), text.substr(first, second - first), text.substr(second)});
    ASSERT_EQ(parsed.progress, HttpProgress::Complete) << first << ": " << parsed.fault.message;
    EXPECT_EQ(parsed.request.method, "POST");
    EXPECT_EQ(parsed.request.target, "/v2/models/m/infer?x=1");
    EXPECT_EQ(parsed.request.content_type, "text/a") << "trailers are no headers";
    EXPECT_EQ(parsed.request.json_bytes, 3);
    EXPECT_EQ(parsed.request.body, "hello, workers!");
    EXPECT_GE(parsed.request.body.capacity(), parsed.request.body.size() + HttpRequest::padding);
    EXPECT_FALSE(parsed.keeps_alive);
    EXPECT_EQ(parsed.rest, next);
  }
  std::vector<std::string> bytes;
  for (const char c : text) bytes.emplace_back(1, c);
  EXPECT_EQ(parse_parts(bytes).request.body, "hello, workers!");
}

// Beast's own assertion ended the program when the last chunk came alone, byte by byte.
TEST(HttpParser, AnEmptyChunkedBodyMayComeInAnyPieces) {
  const std::string text = "POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
  for (size_t piece = 1; piece <= text.size(); ++piece) {
    std::vector<std::string> parts;
    for (size_t at = 0; at < text.size(); at += piece) parts.push_back(text.substr(at, piece));
    const Parsed parsed = parse_parts(parts);
    ASSERT_EQ(parsed.progress, HttpProgress::Complete) << piece << ": " << parsed.fault.message;
    EXPECT_EQ(parsed.request.body, "");
    EXPECT_EQ(parsed.rest, "");
  }
}

TEST(HttpParser, BodiesWithoutLengthAreEmptyAndPadded) {
  const Parsed parsed = parse_parts({"GET /v2 HTTP/1.1\r\nHost: h\r\n\r\nPOST"});
  EXPECT_EQ(parsed.progress, HttpProgress::Complete);
  EXPECT_TRUE(parsed.keeps_alive);
  EXPECT_EQ(parsed.request.json_bytes, -1);
  EXPECT_EQ(parsed.rest, "POST");
  EXPECT_GE(parsed.request.body.capacity(), HttpRequest::padding);
  EXPECT_FALSE(parse_parts({"GET / HTTP/1.0\r\n\r\n"}).keeps_alive);
  EXPECT_TRUE(parse_parts({"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"}).keeps_alive);
}

TEST(HttpParser, TargetsForProxiesAreThoseOfTheirPath) {
  const auto parsed = [](const std::string& target, const std::string& headers = "Host: other\r\n") {
    return parse_parts({"GET " + target + " HTTP/1.1\r\n" + headers + "\r\n"});
  };
  EXPECT_EQ(parsed("http://x/v2/health/live").request.target, "/v2/health/live");
  EXPECT_EQ(parsed("HTTPS://x:80/a?b=http://c/d").request.target, "/a?b=http://c/d");
  EXPECT_EQ(parsed("http://x").request.target, "/");
  EXPECT_EQ(parsed("http://x?q=1").request.target, "/?q=1");
  EXPECT_EQ(parsed("/a?b=http://c/d").request.target, "/a?b=http://c/d");
  EXPECT_EQ(parsed("ftp://x/a").request.target, "ftp://x/a");
  EXPECT_EQ(parsed("http:///a").request.target, "http:///a");
  EXPECT_EQ(parsed("http://x:80/a").request.host, "x:80") << "the request line overrules Host";
  EXPECT_EQ(parsed("/a").request.host, "other");
  EXPECT_EQ(parsed("http://x/a", "").fault.status, 400) << "Host is needed all the same";
}

TEST(HttpParser, WhatBrowsersSayOfTheirPageIsKept) {
  const Parsed page =
      parse_parts({"GET / HTTP/1.1\r\nHost: h\r\norigin: http://a:3\r\nSEC-FETCH-SITE: cross-site\r\n\r\n"});
  EXPECT_EQ(page.request.origin, "http://a:3");
  EXPECT_EQ(page.request.fetch_site, "cross-site");
  HttpRequest request = page.request;
  request.clear();
  EXPECT_EQ(request.origin + request.fetch_site + request.host, "");
}

TEST(HttpParser, WhatIsWrongHasAStatusAndAName) {
  const std::string start = "POST / HTTP/1.1\r\nHost: h\r\n";
  struct Case {
    std::string text;
    int status;
    std::string message;
  };
  const std::vector<Case> cases = {
      {"hello\r\n\r\n", 400, "no valid HTTP"},
      {std::string("\0\1\2\3\r\n\r\n", 8), 400, "no valid HTTP"},
      {"GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400, "no valid HTTP"},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "version"},
      {"GET / HTTP/1.1\r\n\r\n", 400, "Host: got 0"},
      {"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400, "Host: got 2"},
      {start + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc", 400, "no valid HTTP"},
      {start + "Content-Length: -3\r\n\r\n", 400, "no valid HTTP"},
      {start + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, "no valid HTTP"},
      {start + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", 400, "no valid HTTP"},
      {start + "Transfer-Encoding: gzip\r\n\r\n", 501, "Transfer-Encoding: got \"gzip\""},
      {start + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501, "Transfer-Encoding"},
      {"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501, "Transfer-Encoding"},
      {start + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400, "no valid HTTP"},
      {start + "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n", 400, "no valid HTTP"},
      {start + "Expect: tea\r\n\r\n", 417, "Expect: got \"tea\""},
      {start + "Inference-Header-Content-Length: 1x\r\n\r\n", 400,
       "Inference-Header-Content-Length: got \"1x\""},
      {start + "Inference-Header-Content-Length: -1\r\n\r\n", 400, "Inference-Header-Content-Length"},
      {start + "Inference-Header-Content-Length: 1\r\ninference-header-content-length: 1\r\n\r\n", 400,
       "Inference-Header-Content-Length: is given twice"},
      {start + "Long: " + std::string(600, 'a'), 431, "512 bytes"},
      {"GET /" + std::string(600, 'a'), 431, "512 bytes"},
      {start + "Content-Length: 2049\r\n\r\n", 413, "2048 bytes"},
      {start + "Transfer-Encoding: chunked\r\n\r\n801\r\n", 413, "2048 bytes"},
      {start + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(600, 'a'), 431, "512 bytes"},
      {start + "Transfer-Encoding: chunked\r\n\r\n0\r\nTrailer: " + std::string(600, 'a'), 431, "512 bytes"},
  };
  for (const Case& item : cases) {
    const Parsed parsed = parse_parts({item.text});
    EXPECT_EQ(parsed.progress, HttpProgress::Failed) << item.text;
    EXPECT_EQ(parsed.fault.status, item.status) << item.text;
    EXPECT_THAT(parsed.fault.message, testing::HasSubstr(item.message)) << item.text;
  }
}

TEST(HttpParser, LimitsThemselvesAreAllowed) {
  const std::string body(static_cast<size_t>(body_limit), 'x');
  EXPECT_EQ(parse_parts({"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2048\r\n\r\n", body}).request.body,
            body);
  const std::string in_chunks = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n400\r\n" +
                                body.substr(1024) + "\r\n400\r\n" + body.substr(1024) + "\r\n0\r\n\r\n";
  EXPECT_EQ(parse_parts({in_chunks}).request.body, body);
}

TEST(HttpParser, AnAnnouncedLengthTakesNoMemoryBeforeItArrives) {
  HttpRequest request;
  HttpParser parser(request, header_limit, int64_t{1} << 32);
  std::string_view text = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4000000000\r\n\r\nabc";
  EXPECT_EQ(parser.read(text), HttpProgress::NeedsMore);
  EXPECT_LT(request.body.capacity(), 100000);
}

}  // namespace
}  // namespace gatewise
