// Columns handed over by Python, kept as they are until it is known what each is read as.
#pragma once

#include <nanobind/nanobind.h>

#include <memory>
#include <string>
#include <vector>

#include "table/arrow_abi.h"
#include "table/read_options.h"
#include "table/table.h"

namespace gatewise {

class Frame {
 public:
  // `name` serves messages.
  explicit Frame(std::string name);
  ~Frame();
  Frame(const Frame&) = delete;
  Frame& operator=(const Frame&) = delete;

  // All columns of an Arrow C stream, which a capsule "arrow_array_stream" holds; their memory is kept, not
  // copied. Throws Error(Data) for another number of rows than that of columns so far and for names that are
  // taken.
  void add_stream(nanobind::handle capsule);
  // A one-dimensional array: its buffer as it lies if its values follow each other, else a copy. Numbers,
  // truth values, datetime64 (NaT is missing), texts and objects.
  void add_array(const std::string& name, nanobind::handle array);
  // Python objects: None and NaN are missing; texts, numbers, truth values, or sequences of them.
  void add_objects(const std::string& name, nanobind::list values);

  int64_t rows() const { return rows_; }
  std::vector<std::string> names() const;
  bool has(const std::string& name) const;

  // Reads the requested columns as their types, and with `options.all_columns` the others as what they are,
  // where whole numbers are numbers. Throws Error(Data) naming row and column. Needs no interpreter lock
  // unless there are columns of objects, for which it takes the lock.
  Table table(const ReadOptions& options) const;

 private:
  class Part;
  class ArrowPart;
  class ObjectPart;

  void add(std::unique_ptr<Part> part, int64_t rows);

  std::string name_;
  int64_t rows_ = -1;
  std::vector<std::unique_ptr<Part>> parts_;
};

}  // namespace gatewise
