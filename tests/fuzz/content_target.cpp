// Bodies that are said to be compressed.
#include "serving/http_content.h"
#include "tests/fuzz/target.h"
#include "tests/serving/compressed.h"

namespace gatewise {
namespace {

constexpr int64_t most_bytes = 1 << 16;

HttpFault decode(std::string_view input, const char* encoding, int64_t limit, std::string& body) {
  HttpRequest request;
  request.content_encoding = encoding;
  request.body = input;
  HttpFault fault = decode_content(request, limit);
  body = request.body;
  if (fault.status == 0) {
    fuzz_require(static_cast<int64_t>(body.size()) <= limit, "a decompressed body above its limit");
    fuzz_require(request.body.capacity() >= request.body.size() + HttpRequest::padding,
                 "a decompressed body without padding");
  } else {
    fuzz_require(fault.status == 400 || fault.status == 413, fmt::format("status {}", fault.status));
    fuzz_require(body == input, "a body that is refused has changed");
  }
  return fault;
}

void read_content(std::string_view input) {
  std::string body, other;
  const HttpFault deflate = decode(input, "deflate", most_bytes, other);
  const HttpFault gzip = decode(input, "gzip", most_bytes, body);
  if (gzip.status == 0) {
    fuzz_require(deflate.status == 0 && other == body, "deflate reads what gzip reads in another way");
    const auto size = static_cast<int64_t>(body.size());
    fuzz_require(decode(input, "gzip", size, other).status == 0 && other == body, "at its limit");
    fuzz_require(size == 0 || decode(input, "gzip", size - 1, other).status == 413,
                 "one byte below its limit");
  }
  if (deflate.status != 0) data_error("{}", deflate.message);
}

std::vector<std::string> contents() {
  std::vector<std::string> seeds;
  for (const int bits : {gzip_bits, zlib_bits, raw_bits}) {
    for (const std::string& text : {std::string(R"({"rows": [{"age": 31}]})"), std::string(),
                                    std::string(most_bytes, 'x'), std::string(most_bytes + 1, 'x')}) {
      seeds.push_back(compressed(text, bits));
    }
  }
  return seeds;
}

std::vector<std::string> content_words() {
  return {"\x1f\x8b",
          "\x1f\x8b\x08",
          "\x78\x9c",
          "\x78\xda",
          "\x03",
          std::string(4, '\0'),
          std::string("\0\0\xff\xff", 4)};
}

const RegisterFuzzTarget content_registered{"content", {read_content, contents, content_words}};

}  // namespace
}  // namespace gatewise
