#include "serving/access_log.h"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iterator>

#include "base/error.h"

namespace gatewise {
namespace {

constexpr size_t full_buffer_bytes = 256 << 10;  // is written without waiting for the second to end
constexpr size_t max_buffer_bytes = 4 << 20;

void add_printable(std::string_view text, std::string& output) {
  for (const char c : text) {
    if (c > ' ' && c < '\x7f' && c != '"') {
      output += c;
    } else {
      fmt::format_to(std::back_inserter(output), "%{:02X}", static_cast<unsigned char>(c));
    }
  }
  if (text.empty()) output += '-';
}

}  // namespace

AccessLog::AccessLog(std::string path, int workers) : path_(std::move(path)) {
  descriptor_ = open_file();
  for (int i = 0; i < workers; ++i) buffers_.push_back(std::make_unique<Buffer>());
  thread_ = std::thread([this] { work(); });
}

AccessLog::~AccessLog() {
  {
    const std::lock_guard lock(wake_mutex_);
    is_stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
  write_all();
  if (path_ != "-") close(descriptor_);
}

void AccessLog::add(int worker, const AccessEntry& entry) {
  Buffer& buffer = *buffers_[static_cast<size_t>(worker)];
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const int64_t milliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  const std::lock_guard lock(buffer.mutex);
  if (buffer.text.size() > max_buffer_bytes) {
    ++buffer.dropped;
    return;
  }
  if (buffer.second != milliseconds / 1000) {
    buffer.second = milliseconds / 1000;
    buffer.time = fmt::format("{:%Y-%m-%dT%H:%M:%S}", fmt::gmtime(static_cast<std::time_t>(buffer.second)));
  }
  const size_t before = buffer.text.size();
  const auto out = [&] { return std::back_inserter(buffer.text); };
  fmt::format_to(out(), "{}.{:03}Z {} ", buffer.time, milliseconds % 1000, entry.client);
  add_printable(entry.method, buffer.text);
  buffer.text += ' ';
  add_printable(entry.target, buffer.text);
  fmt::format_to(out(), " {} {} {} {:.1f}\n", entry.status, entry.bytes, entry.rows, entry.microseconds);
  if (before < full_buffer_bytes && buffer.text.size() >= full_buffer_bytes) wake_.notify_one();
}

void AccessLog::reopen() {
  write_all();
  const int opened = open_file();
  const std::lock_guard lock(file_mutex_);
  if (path_ != "-") close(descriptor_);
  descriptor_ = opened;
}

void AccessLog::flush() { write_all(); }

int AccessLog::open_file() const {
  if (path_ == "-") return STDERR_FILENO;
  const int descriptor = open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (descriptor < 0) {
    data_error(
        "access log {}: it cannot be opened; {}; give a path that can be written, or - for standard error",
        path_, std::strerror(errno));
  }
  return descriptor;
}

void AccessLog::write_all() {
  const std::lock_guard file_lock(file_mutex_);
  std::string text;
  for (const auto& buffer : buffers_) {
    text.clear();
    int64_t dropped = 0;
    {
      const std::lock_guard lock(buffer->mutex);
      text.swap(buffer->text);
      std::swap(dropped, buffer->dropped);
    }
    if (dropped > 0) fmt::format_to(std::back_inserter(text), "# {} lines were dropped here\n", dropped);
    for (size_t done = 0; done < text.size();) {
      const ssize_t written = write(descriptor_, text.data() + done, text.size() - done);
      if (written < 0 && errno == EINTR) continue;
      // A full disk: what cannot be written is lost, the server goes on.
      if (written <= 0) break;
      done += static_cast<size_t>(written);
    }
  }
}

void AccessLog::work() {
  std::unique_lock lock(wake_mutex_);
  while (!is_stopping_) {
    wake_.wait_for(lock, std::chrono::seconds(1));
    lock.unlock();
    write_all();
    lock.lock();
  }
}

}  // namespace gatewise
