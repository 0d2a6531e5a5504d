#include "serving/http_content.h"

#include <gmock/gmock.h>

#include "tests/serving/compressed.h"

namespace gatewise {
namespace {

HttpRequest request_of(const std::string& encoding, const std::string& body) {
  HttpRequest request;
  request.content_encoding = encoding;
  request.body = body;
  return request;
}

TEST(HttpContent, CompressedBodiesAreReadWhole) {
  std::string text;
  for (int i = 0; i < 20000; ++i) text += std::to_string(i * 7919 % 10007);
  const std::vector<std::pair<std::string, int>> forms = {{"gzip", gzip_bits},
                                                          {"GZIP", gzip_bits},
                                                          {"x-gzip", gzip_bits},
                                                          {"deflate", zlib_bits},
                                                          {"deflate", raw_bits}};
  for (const auto& [encoding, bits] : forms) {
    for (const std::string& body : {text, std::string("{}"), std::string()}) {
      HttpRequest request = request_of(encoding, compressed(body, bits));
      EXPECT_EQ(decode_content(request, 1 << 20).status, 0) << encoding;
      EXPECT_EQ(request.body, body) << encoding;
      EXPECT_GE(request.body.capacity(), request.body.size() + HttpRequest::padding);
    }
  }
  for (const char* encoding : {"", "identity"}) {
    HttpRequest request = request_of(encoding, "plain");
    EXPECT_EQ(decode_content(request, 1 << 20).status, 0);
    EXPECT_EQ(request.body, "plain");
  }
}

TEST(HttpContent, MembersOfGzipFollowEachOther) {
  const std::string long_text(100000, 'b'), whole = "{\"a\": " + long_text + "}";
  const std::string body = compressed("{\"a\": ", gzip_bits) + compressed(long_text, gzip_bits) +
                           compressed("", gzip_bits) + compressed("}", gzip_bits);
  HttpRequest request = request_of("gzip", body);
  EXPECT_EQ(decode_content(request, static_cast<int64_t>(whole.size())).status, 0);
  EXPECT_EQ(request.body, whole);
  request = request_of("gzip", body);
  EXPECT_EQ(decode_content(request, static_cast<int64_t>(whole.size()) - 1).status, 413);
  for (const std::string& faulty :
       {body.substr(0, body.size() - 1), body + "\x1f", body + "\x1f\x8b", body + compressed("x", zlib_bits),
        compressed("x", zlib_bits) + compressed("x", gzip_bits)}) {
    request = request_of("gzip", faulty);
    EXPECT_EQ(decode_content(request, 1 << 20).status, 400) << faulty.size();
  }
}

TEST(HttpContent, ThatWhichExpandsBeyondTheLimitIsRefused) {
  const std::string bomb = compressed(std::string(size_t{50} << 20, '\0'), gzip_bits);
  ASSERT_LT(bomb.size(), 100000);
  HttpRequest request = request_of("gzip", bomb);
  const HttpFault fault = decode_content(request, 1 << 20);
  EXPECT_EQ(fault.status, 413);
  EXPECT_THAT(fault.message, testing::HasSubstr("1048576 bytes"));
  request = request_of("gzip", compressed(std::string(5000, 'a'), gzip_bits));
  EXPECT_EQ(decode_content(request, 4999).status, 413);
  request = request_of("gzip", compressed(std::string(5000, 'a'), gzip_bits));
  EXPECT_EQ(decode_content(request, 5000).status, 0);
}

TEST(HttpContent, WhatIsNoWholeStreamIsRefused) {
  const std::string good = compressed("a body of some length, so that it can be cut", gzip_bits);
  std::string flipped = good;
  flipped[flipped.size() - 6] = static_cast<char>(flipped[flipped.size() - 6] ^ 1);
  for (const std::string& body : {std::string(), std::string("plain"), good.substr(0, good.size() - 1),
                                  good.substr(0, 11), good + "x", flipped}) {
    HttpRequest request = request_of("gzip", body);
    EXPECT_EQ(decode_content(request, 1 << 20).status, 400) << body.size();
  }
  for (const char* encoding : {"br", "gzip, gzip", "zstd"}) {
    HttpRequest request = request_of(encoding, good);
    const HttpFault fault = decode_content(request, 1 << 20);
    EXPECT_EQ(fault.status, 415);
    EXPECT_THAT(fault.message, testing::HasSubstr(encoding));
  }
}

}  // namespace
}  // namespace gatewise
