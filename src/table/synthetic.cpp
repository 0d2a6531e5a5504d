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

const std::vector<SyntheticId>& SyntheticTable::ids() const {
  static const std::vector<SyntheticId> none;
  return none;
}

void SyntheticTable::fill_ids(uint64_t /*step*/, int64_t /*first_row*/, int64_t /*rows*/,
                              uint64_t* /*values*/) const {}

void write_csv(const SyntheticTable& table, int64_t rows, const std::string& path) {
  if (rows < 0) command_error("synth: got {} rows, expected at least 0", rows);
  AtomicFile file(path);
  std::vector<std::string> names;
  for (const SyntheticId& id : table.ids()) names.push_back(id.name);
  names.insert(names.end(), table.features().begin(), table.features().end());
  for (const SyntheticLabel& label : table.labels()) names.push_back(label.name);
  file.write(fmt::format("{}\n", fmt::join(names, ",")));

  constexpr int64_t rows_at_once = 256;
  const int64_t id_columns = table.id_columns(), width = table.width(), tasks = table.tasks();
  std::vector<uint64_t> ids(static_cast<size_t>(rows_at_once * id_columns));
  std::vector<float> x(static_cast<size_t>(rows_at_once * width)),
      labels(static_cast<size_t>(rows_at_once * tasks));
  std::string text;
  const auto append_id = [&text](uint64_t id) { fmt::format_to(std::back_inserter(text), "{},", id); };
  const auto append = [&text](float value) {
    if (!std::isnan(value)) fmt::format_to(std::back_inserter(text), "{}", value);
    text += ',';
  };
  for (int64_t begin = 0; begin < rows; begin += rows_at_once) {
    const int64_t count = std::min(rows_at_once, rows - begin);
    table.fill_ids(0, begin, count, ids.data());
    table.fill(0, begin, count, x.data(), labels.data());
    text.clear();
    for (int64_t row = 0; row < count; ++row) {
      for (int64_t i = 0; i < id_columns; ++i) append_id(ids[row * id_columns + i]);
      for (int64_t i = 0; i < width; ++i) append(x[row * width + i]);
      for (int64_t task = 0; task < tasks; ++task) append(labels[row * tasks + task]);
      text.back() = '\n';
    }
    file.write(text);
  }
  file.commit();
}

}  // namespace gatewise
