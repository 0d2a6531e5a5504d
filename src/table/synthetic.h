// Made-up tables whose truth is known: one kind per file synthetic_<kind>.cpp, registered as <kind>.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/registry.h"

namespace gatewise {

struct SyntheticLabel {
  std::string name;
  std::string kind;  // "regression" or "binary"
};

// A column of whole numbers 0 .. count - 1 that stand for things: users, items, tasks.
struct SyntheticId {
  std::string name;
  uint64_t count = 0;
  bool names_task = false;  // says which task a row belongs to
};

// A table without end. Rows are a pure function of (options, step, row), so they can be made afresh inside a
// run, in any order and from any number of threads, and never repeat.
class SyntheticTable {
 public:
  virtual ~SyntheticTable() = default;

  virtual const std::vector<SyntheticId>& ids() const;           // columns of ids; by default none
  virtual const std::vector<std::string>& features() const = 0;  // names of the columns of x
  virtual const std::vector<SyntheticLabel>& labels() const = 0;
  int64_t id_columns() const { return static_cast<int64_t>(ids().size()); }
  int64_t width() const { return static_cast<int64_t>(features().size()); }
  int64_t tasks() const { return static_cast<int64_t>(labels().size()); }

  // Rows first_row .. first_row + rows - 1 of training step `step`: x [rows, width], labels [rows, tasks]
  // (NaN where a task has no label). A row's values do not depend on which rows are asked for beside it.
  virtual void fill(uint64_t step, int64_t first_row, int64_t rows, float* x, float* label_values) const = 0;

  // The ids of the same rows: values [rows, id_columns]. By default there are none to write.
  virtual void fill_ids(uint64_t step, int64_t first_row, int64_t rows, uint64_t* values) const;

  // What made the rows, as far as a model or a diagnosis can be judged by it; each kind documents its fields.
  virtual Json truth() const = 0;
};

// Makes a registered kind. Throws Error(Command) for an unknown kind or option, with the nearest known one.
std::unique_ptr<SyntheticTable> make_synthetic_table(const std::string& kind,
                                                     const Json& options = Json::object(),
                                                     const std::string& path = "synth");

// Writes rows 0 .. rows - 1 of step 0 as a CSV file with one header line: ids, features, then labels, empty
// where missing; ids in full, numbers in the shortest form that reads back to the same float. The file
// appears whole or not at all. Throws Error(Data) naming the path and the system's reason.
void write_csv(const SyntheticTable& table, int64_t rows, const std::string& path);

}  // namespace gatewise
