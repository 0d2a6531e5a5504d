// The sample model as a directory, which goes with the process or with the object.
#pragma once

#include <atomic>
#include <filesystem>
#include <fstream>

#include "tests/fuzz/sample_model.h"

namespace gatewise {

class SavedSample {
 public:
  explicit SavedSample(const Json& model = small_mmoe()) {
    static std::atomic<int> number{0};
    path_ =
        (std::filesystem::temp_directory_path() / fmt::format("gatewise_fuzz_{}_{}", ::getpid(), number++))
            .string();
    save_model(path_, SampleModel(model).parts());
  }
  ~SavedSample() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  SavedSample(const SavedSample&) = delete;
  SavedSample& operator=(const SavedSample&) = delete;

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  void write(const std::string& name, std::string_view content) const {
    std::ofstream(file(name), std::ios::binary | std::ios::trunc) << content;
  }

 private:
  std::string path_;
};

}  // namespace gatewise
