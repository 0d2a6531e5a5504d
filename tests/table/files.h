// Files that tests write for themselves.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/base/message_of.h"

namespace gatewise {

// A temporary folder that goes with the test.
class Folder {
 public:
  Folder() {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    path_ = std::filesystem::temp_directory_path() / (std::string("gatewise_") + test->test_suite_name() +
                                                      "_" + test->name() + "_" + std::to_string(getpid()));
    std::filesystem::create_directories(path_);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string file(const std::string& name) const { return (path_ / name).string(); }

  // Writes a file and returns its path.
  std::string write(const std::string& name, const std::string& content) const {
    std::ofstream(file(name), std::ios::binary) << content;
    return file(name);
  }

 private:
  std::filesystem::path path_;
};

inline std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A file of the real data sets: in the folder GATEWISE_DATA, or in ../shared/data beside the sources. Empty
// when it is not there.
inline std::string real_data(const std::string& name) {
  const char* folder = std::getenv("GATEWISE_DATA");
  const std::filesystem::path path =
      (folder ? std::filesystem::path(folder)
              : std::filesystem::path(GATEWISE_SOURCE_DIR).parent_path() / "shared" / "data") /
      name;
  return std::filesystem::exists(path) ? path.string() : "";
}

}  // namespace gatewise
