#include "files/byte_source.h"

#include <arrow/io/compressed.h>
#include <arrow/io/file.h>
#include <arrow/util/compression.h>
#include <lzma.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "base/error.h"

namespace gatewise {
namespace {

std::ifstream open_file(const std::string& path) {
  if (!std::filesystem::exists(path)) data_error("{}: there is no such file", path);
  if (std::filesystem::is_directory(path)) {
    data_error("{}: is a folder; name its files, as \"{}\"", path,
               (std::filesystem::path(path) / "*.csv").string());
  }
  std::ifstream file(path, std::ios::binary);
  if (!file) data_error("{}: cannot be opened: {}", path, std::strerror(errno));
  return file;
}

class PlainSource final : public ByteSource {
 public:
  explicit PlainSource(const std::string& path) : path_(path), file_(open_file(path)) {}

  int64_t read(char* bytes, int64_t size) override {
    file_.read(bytes, size);
    if (file_.bad()) data_error("{}: cannot be read: {}", path_, std::strerror(errno));
    return file_.gcount();
  }

 private:
  std::string path_;
  std::ifstream file_;
};

class XzSource final : public ByteSource {
  // A header of a few bytes can ask for four gigabytes; xz -9 needs 65 MiB.
  static constexpr uint64_t most_memory = uint64_t{512} << 20;

 public:
  explicit XzSource(const std::string& path) : file_(path), path_(path) {
    if (lzma_stream_decoder(&stream_, most_memory, LZMA_CONCATENATED) != LZMA_OK) {
      internal_error("{}: the xz decoder cannot be started", path);
    }
  }
  ~XzSource() override { lzma_end(&stream_); }

  int64_t read(char* bytes, int64_t size) override {
    stream_.next_out = reinterpret_cast<uint8_t*>(bytes);
    stream_.avail_out = static_cast<size_t>(size);
    while (stream_.avail_out > 0 && !is_finished_) {
      if (stream_.avail_in == 0 && !is_input_finished_) {
        stream_.next_in = reinterpret_cast<const uint8_t*>(input_.data());
        stream_.avail_in =
            static_cast<size_t>(file_.read(input_.data(), static_cast<int64_t>(input_.size())));
        is_input_finished_ = stream_.avail_in == 0;
      }
      check(lzma_code(&stream_, is_input_finished_ ? LZMA_FINISH : LZMA_RUN));
    }
    return size - static_cast<int64_t>(stream_.avail_out);
  }

 private:
  void check(lzma_ret status) {
    if (status == LZMA_OK) return;
    if (status == LZMA_STREAM_END) {
      is_finished_ = true;
    } else if (status == LZMA_MEMLIMIT_ERROR) {
      data_error(
          "{}: unpacking it takes {} MiB of memory, expected at most {}; compress it with xz -9 or less",
          path_, lzma_memusage(&stream_) >> 20, most_memory >> 20);
    } else if (status == LZMA_BUF_ERROR) {
      data_error("{}: the xz stream is truncated; fetch or compress the file again", path_);
    } else {
      data_error("{}: the xz stream is damaged (liblzma status {}); fetch or compress the file again", path_,
                 static_cast<int>(status));
    }
  }

  PlainSource file_;
  std::string path_;
  lzma_stream stream_ = LZMA_STREAM_INIT;
  std::vector<char> input_ = std::vector<char>(1 << 16);
  bool is_input_finished_ = false;
  bool is_finished_ = false;
};

class ArrowSource final : public ByteSource {
 public:
  ArrowSource(const std::string& path, arrow::Compression::type compression) : path_(path) {
    codec_ = value_of(arrow::util::Codec::Create(compression));
    const std::shared_ptr<arrow::io::InputStream> file = value_of(arrow::io::ReadableFile::Open(path));
    stream_ = value_of(arrow::io::CompressedInputStream::Make(codec_.get(), file));
  }

  int64_t read(char* bytes, int64_t size) override { return value_of(stream_->Read(size, bytes)); }

 private:
  template <class T>
  T value_of(arrow::Result<T> result) {
    if (!result.ok()) {
      data_error("{}: cannot be decompressed: {}; fetch or compress the file again", path_,
                 result.status().message());
    }
    return std::move(result).ValueUnsafe();
  }

  std::string path_;
  std::unique_ptr<arrow::util::Codec> codec_;
  std::shared_ptr<arrow::io::InputStream> stream_;
};

struct Known {
  FileFormat format;
  std::string_view ending;
  std::string_view magic;
};
constexpr std::array<Known, 4> known_formats{{{FileFormat::Gzip, ".gz", "\x1f\x8b"},
                                              {FileFormat::Xz, ".xz", std::string_view("\xfd\x37zXZ\0", 6)},
                                              {FileFormat::Zstd, ".zst", "\x28\xb5\x2f\xfd"},
                                              {FileFormat::Parquet, ".parquet", "PAR1"}}};

// What tables often come in and this does not read.
void refuse_other_formats(const std::string& path, std::string_view start) {
  if (start.starts_with("BZh") && start.substr(4) == "\x31\x41\x59\x26\x53\x59")
    data_error("{}: is compressed by bzip2; expected plain text, .gz, .xz or .zst; unpack it by bunzip2",
               path);
  if (start.starts_with("PK\x03\x04"))
    data_error("{}: is a ZIP archive, as .xlsx files are; expected CSV or Parquet; unpack or export it",
               path);
}

}  // namespace

FileFormat detect_format(const std::string& path) {
  std::ifstream file = open_file(path);
  std::array<char, 10> first{};
  file.read(first.data(), first.size());
  const std::string_view start(first.data(), static_cast<size_t>(file.gcount()));
  refuse_other_formats(path, start);
  for (const Known& known : known_formats) {
    if (start.starts_with(known.magic)) return known.format;
    if (path.ends_with(known.ending)) {
      data_error(
          "{}: its name ends in {} but its content does not start as such a file does; the file is "
          "{}",
          path, known.ending, start.empty() ? "empty" : "damaged or wrongly named");
    }
  }
  return FileFormat::Plain;
}

std::unique_ptr<ByteSource> open_bytes(const std::string& path) {
  switch (detect_format(path)) {
    case FileFormat::Plain:
      return std::make_unique<PlainSource>(path);
    case FileFormat::Xz:
      return std::make_unique<XzSource>(path);
    case FileFormat::Gzip:
      return std::make_unique<ArrowSource>(path, arrow::Compression::GZIP);
    case FileFormat::Zstd:
      return std::make_unique<ArrowSource>(path, arrow::Compression::ZSTD);
    case FileFormat::Parquet:
      break;
  }
  internal_error("{}: a Parquet file was opened as text", path);
}

}  // namespace gatewise
