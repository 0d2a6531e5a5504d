#include "table/synthetic.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "base/atomic_file.h"

namespace gatewise {

std::unique_ptr<SyntheticTable> make_synthetic_table(const std::string& kind, const Json& options,
                                                     const std::string& path) {
  return Registry<SyntheticTable>::instance().find(kind, "synthetic table", path).make(options, path);
}

void write_csv(const SyntheticTable& table, int64_t rows, const std::string& path) {
  if (rows < 0) command_error("synth: got {} rows, expected at least 0", rows);
  AtomicFile file(path);
  std::vector<std::string> names = table.features();
  for (const SyntheticLabel& label : table.labels()) names.push_back(label.name);
  file.write(fmt::format("{}\n", fmt::join(names, ",")));

  constexpr int64_t rows_at_once = 256;
  const int64_t width = table.width(), tasks = table.tasks();
  std::vector<float> x(static_cast<size_t>(rows_at_once * width)),
      labels(static_cast<size_t>(rows_at_once * tasks));
  std::string text;
  const auto append = [&text](float value, bool is_first) {
    if (!is_first) text += ',';
    if (!std::isnan(value)) fmt::format_to(std::back_inserter(text), "{}", value);
  };
  for (int64_t begin = 0; begin < rows; begin += rows_at_once) {
    const int64_t count = std::min(rows_at_once, rows - begin);
    table.fill(0, begin, count, x.data(), labels.data());
    text.clear();
    for (int64_t row = 0; row < count; ++row) {
      for (int64_t i = 0; i < width; ++i) append(x[row * width + i], i == 0);
      for (int64_t task = 0; task < tasks; ++task) append(labels[row * tasks + task], width + task == 0);
      text += '\n';
    }
    file.write(text);
  }
  file.commit();
}

}  // namespace gatewise
