// Rows in files, and configurations over them.
#pragma once

#include <filesystem>
#include <fstream>

#include "base/random.h"
#include "configuration/configuration.h"
#include "tests/base/temporary_folder.h"

namespace gatewise {

class RowsFolder : public TemporaryFolder {
 public:
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(file(name), std::ios::binary) << text;
  }
};

// Columns a, b, level and the labels left (depends on a) and right (on b and level).
inline std::string sample_csv(int64_t rows, uint64_t seed) {
  const RandomStream random(seed, "sample");
  std::string text = "a,b,level,left,right\n";
  for (int64_t row = 0; row < rows; ++row) {
    const auto place = static_cast<uint64_t>(row);
    const double a = random.normal(0, place, 0), b = random.normal(0, place, 1);
    const uint64_t level = random.below(4, 0, place, 2);
    const bool left = a + random.normal(0, place, 3) > 0;
    const bool right = b + static_cast<double>(level) - 1.5 + random.normal(0, place, 4) > 0;
    text += fmt::format("{:.4f},{:.4f},l{},{:d},{:d}\n", a, b, level, left, right);
  }
  return text;
}

// Train on train.csv; test.csv is split into validation and test rows.
inline Json sample_configuration(const RowsFolder& folder) {
  return {
      {"data", {{"train", {folder.file("train.csv")}}, {"test", {folder.file("test.csv")}}}},
      {"split", {{"kind", "fraction"}, {"of", "test"}, {"fractions", {{"validation", 0.5}, {"test", 0.5}}}}},
      {"tasks", {{"left", {{"kind", "binary"}}}, {"right", {{"kind", "binary"}}}}},
      {"model",
       {{"type", "mmoe"}, {"experts", 2}, {"expert", {{"units", {4}}}}, {"tower", {{"units", {2}}}}}},
      {"training", {{"epochs", 2}, {"batch_rows", 64}}},
      {"evaluation", {{"resamples", 0}}}};
}

}  // namespace gatewise
