#include "serving/http_content.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <boost/beast/core/string.hpp>

namespace gatewise {
namespace {

class Inflater {
 public:
  explicit Inflater(int window_bits) { is_ready_ = inflateInit2(&stream_, window_bits) == Z_OK; }
  ~Inflater() {
    if (is_ready_) inflateEnd(&stream_);
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;

  // Z_STREAM_END: all of `input` was one whole stream, or whole members of gzip one behind the other (RFC
  // 1952, 2.2). Z_MEM_ERROR: it is larger than `max_bytes`.
  int run(std::string_view input, size_t max_bytes, std::string& output) {
    if (!is_ready_) return Z_STREAM_ERROR;
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(input.data()));
    stream_.avail_in = static_cast<uInt>(input.size());
    const bool is_gzip = starts_gzip();
    size_t filled = 0;
    for (int state = Z_OK; state != Z_STREAM_END;) {
      if (filled > max_bytes) return Z_MEM_ERROR;
      // Doubled each time; one byte over the limit tells what is too large.
      output.resize(std::min(max_bytes + 1, std::max<size_t>(2 * filled, 4 * input.size() + 1024)));
      stream_.next_out = reinterpret_cast<Bytef*>(output.data() + filled);
      stream_.avail_out = static_cast<uInt>(output.size() - filled);
      state = inflate(&stream_, Z_NO_FLUSH);
      filled = static_cast<size_t>(reinterpret_cast<char*>(stream_.next_out) - output.data());
      const bool is_cut_off = state == Z_BUF_ERROR || (state == Z_OK && stream_.avail_out > 0);
      if (is_cut_off || (state != Z_OK && state != Z_STREAM_END)) return Z_DATA_ERROR;
      if (state == Z_STREAM_END && is_gzip && starts_gzip()) state = inflateReset(&stream_);
    }
    output.erase(filled);
    if (output.size() > max_bytes) return Z_MEM_ERROR;
    return stream_.avail_in == 0 ? Z_STREAM_END : Z_DATA_ERROR;
  }

 private:
  bool starts_gzip() const {
    return stream_.avail_in >= 2 && stream_.next_in[0] == 0x1F && stream_.next_in[1] == 0x8B;
  }

  z_stream stream_ = {};
  bool is_ready_ = false;
};

constexpr int zlib_or_gzip = 15 + 32;
constexpr int without_header = -15;

}  // namespace

HttpFault decode_content(HttpRequest& request, int64_t max_bytes) {
  const std::string& encoding = request.content_encoding;
  const auto is = [&](const char* name) { return boost::beast::iequals(encoding, name); };
  if (encoding.empty() || is("identity")) return {};
  if (!is("gzip") && !is("x-gzip") && !is("deflate")) {
    return {415, fmt::format("Content-Encoding: got \"{}\", expected gzip, deflate or none", encoding)};
  }
  std::string decoded;
  const auto limit = static_cast<size_t>(max_bytes);
  int state = Inflater(zlib_or_gzip).run(request.body, limit, decoded);
  // Some clients send deflate without the header that its definition has.
  if (state == Z_DATA_ERROR && is("deflate")) {
    state = Inflater(without_header).run(request.body, limit, decoded);
  }
  if (state == Z_MEM_ERROR) {
    return {413, fmt::format("body: decompressed it takes more than {} bytes; send fewer rows in a request, "
                             "or raise --max-body-bytes",
                             max_bytes)};
  }
  if (state != Z_STREAM_END) {
    return {400, fmt::format(
                     "body: it is not one whole {} stream, as Content-Encoding says; nothing of it was read",
                     encoding)};
  }
  request.body = std::move(decoded);
  request.body.reserve(request.body.size() + HttpRequest::padding);
  return {};
}

}  // namespace gatewise
