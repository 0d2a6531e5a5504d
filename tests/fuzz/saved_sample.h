// The sample model as a directory, which goes with the process or with the object.
#pragma once

#include <fstream>

#include "tests/base/temporary_folder.h"
#include "tests/fuzz/sample_model.h"

namespace gatewise {

class SavedSample {
 public:
  explicit SavedSample(const Json& model = small_mmoe()) : path_(folder_.file("model")) {
    save_model(path_, SampleModel(model).parts());
  }

  const std::string& path() const { return path_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  void write(const std::string& name, std::string_view content) const {
    std::ofstream(file(name), std::ios::binary | std::ios::trunc) << content;
  }

 private:
  TemporaryFolder folder_;
  std::string path_;
};

}  // namespace gatewise
