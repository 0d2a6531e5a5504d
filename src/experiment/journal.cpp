#include "experiment/journal.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>

#include "base/error.h"
#include "base/read_json.h"
#include "model_file/checksum.h"

namespace gatewise {
namespace {

std::string checksum_of(const Json& line) {
  Checksum checksum;
  checksum.add(Json{line["key"], line["what"], line["result"]}.dump());
  return checksum.text();
}

// The line, or null when it is none of a journal or has been damaged.
Json parsed(const std::string& text) {
  std::string fault;
  const std::optional<Json> read = read_json(text, fault);
  if (!read || !read->is_object() || read->size() != 4) return {};
  const Json& line = *read;
  for (const char* name : {"key", "what", "result", "checksum"}) {
    if (!line.contains(name)) return {};
  }
  return line["key"].is_string() && line["checksum"] == checksum_of(line) ? *read : Json();
}

// Whether `text` may be the start of a first line: {"key":"..","what":
bool begins_as_a_line(std::string_view text) {
  for (const std::string_view part : {std::string_view("{\"key\":\""), std::string_view("\",\"what\":")}) {
    const std::string_view begin = text.substr(0, part.size());
    if (begin != part.substr(0, begin.size())) return false;
    text.remove_prefix(begin.size());
    text.remove_prefix(std::min(text.size(), text.find('"')));  // of the key
  }
  return true;
}

}  // namespace

Journal::Journal(const std::string& path) : path_(path) {
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor_ < 0) fail("cannot be opened", errno);
  try {
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
      data_error(
          "{}: the journal is in use by another process; wait until that has ended, or name another "
          "journal",
          path);
    }
    read();
  } catch (...) {
    ::close(descriptor_);
    throw;
  }
}

Journal::~Journal() { ::close(descriptor_); }

void Journal::fail(const std::string& what, int code) const {
  data_error("{}: the journal {}; {}; check the folder and the space left, or name another journal", path_,
             what, std::generic_category().message(code));
}

void Journal::read() {
  std::ifstream file(path_, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  size_t begin = 0;
  for (int64_t number = 1; begin < text.size(); ++number) {
    const size_t end = text.find('\n', begin);
    const bool is_cut = end == std::string::npos;
    const Json line = is_cut ? Json() : parsed(text.substr(begin, end - begin));
    if (line.is_null()) {
      if (!is_cut || (number == 1 && !begins_as_a_line(text))) {
        data_error(
            "{}:{}: the line is damaged or none of a journal; got {} bytes, expected {{key, what, result, "
            "checksum}} with the checksum of the rest; take the line out to run that trial again, or name "
            "another journal",
            path_, number, std::min(end, text.size()) - begin);
      }
      if (::ftruncate(descriptor_, static_cast<off_t>(begin)) != 0) fail("cannot be shortened", errno);
      was_cut_ = true;
      return;
    }
    results_[line["key"].get<std::string>()] = line["result"];
    begin = end + 1;
  }
}

const Json* Journal::find(const std::string& key) const {
  const auto found = results_.find(key);
  return found == results_.end() ? nullptr : &found->second;
}

void Journal::write_all(const std::string& text) {
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t written = ::write(descriptor_, text.data() + done, text.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("cannot be written", errno);
    done += static_cast<size_t>(written);
  }
  if (::fdatasync(descriptor_) != 0) fail("cannot be flushed to the disk", errno);
}

void Journal::add(const std::string& key, const Json& what, const Json& result) {
  Json line{{"key", key}, {"what", what}, {"result", result}};
  line["checksum"] = checksum_of(line);
  write_all(line.dump() + "\n");
  results_[key] = result;
}

}  // namespace gatewise
