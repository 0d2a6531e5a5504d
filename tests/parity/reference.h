// Reads PyTorch's answers; the layout of the files is told in tools/parity/README.md.
#pragma once

#include <gtest/gtest.h>

#include <fstream>

#include "base/error.h"
#include "base/json.h"
#include "model_file/tensors.h"

namespace gatewise {

inline std::string reference_path(const std::string& file) {
  return std::string(GATEWISE_SOURCE_DIR) + "/tests/parity/" + file;
}

inline Json reference_json(const std::string& file) {
  std::ifstream stream(reference_path(file));
  if (!stream) data_error("{}: cannot be read; make it again with tools/parity", reference_path(file));
  return Json::parse(stream);
}

// The member of `list` with this name.
inline const Json& named_case(const Json& list, const std::string& name) {
  for (const Json& entry : list) {
    if (entry.at("name") == name) return entry;
  }
  data_error("the references have no case \"{}\"", name);
}

class Reference {
 public:
  explicit Reference(const std::string& file) : file_(reference_path(file)) {}

  const TensorFile& file() const { return file_; }
  bool contains(const std::string& name) const { return file_.contains(name); }
  const std::vector<int64_t>& shape(const std::string& name) const { return file_.entry(name).shape; }

  // Row-major, whatever the type in the file.
  std::vector<double> values(const std::string& name) const {
    const std::string& dtype = file_.entry(name).dtype;
    if (dtype == "F64") return read<double>(name);
    if (dtype == "F32") return read<float>(name);
    if (dtype == "I64") return read<int64_t>(name);
    if (dtype == "I32") return read<int32_t>(name);
    data_error("{}: tensor \"{}\" has the type {}", file_.path(), name, dtype);
  }
  // Slice `index` of the first axis.
  std::vector<double> slice(const std::string& name, int64_t index) const {
    const std::vector<double> all = values(name);
    const int64_t size = static_cast<int64_t>(all.size()) / shape(name).at(0);
    return {all.begin() + index * size, all.begin() + (index + 1) * size};
  }
  // The names under a prefix, without it.
  std::vector<std::string> names_under(const std::string& prefix) const {
    std::vector<std::string> names;
    for (const std::string& name : file_.names()) {
      if (name.starts_with(prefix)) names.push_back(name.substr(prefix.size()));
    }
    return names;
  }

 private:
  template <class T>
  std::vector<double> read(const std::string& name) const {
    const std::span<const T> found = file_.get<T>(name, shape(name));
    return {found.begin(), found.end()};
  }

  TensorFile file_;
};

// Names a test by its parameter, the name of a case.
inline const auto test_name = [](const auto& test) { return test.param; };

// Every difference at most tolerance times the larger of 1 and the expected size; tells the worst.
template <class T>
void expect_agreement(const std::vector<T>& actual, const std::vector<double>& expected, double tolerance,
                      const std::string& what) {
  ASSERT_EQ(actual.size(), expected.size()) << what;
  size_t worst = 0;
  double largest = -1;
  for (size_t i = 0; i < actual.size(); ++i) {
    const double difference =
        std::abs(static_cast<double>(actual[i]) - expected[i]) / std::max(1.0, std::abs(expected[i]));
    if (difference <= largest) continue;
    largest = difference;
    worst = i;
    if (std::isnan(difference)) break;
  }
  EXPECT_LE(largest, tolerance) << what << " at " << worst << ": " << actual[worst] << ", expected "
                                << expected[worst];
}

}  // namespace gatewise
