#include "python/src/frame.h"

#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "features/column_facts.h"
#include "python/src/python_values.h"
#include "table/arrow_import.h"

namespace nb = nanobind;

namespace gatewise {

// One or more columns that were handed over together.
class Frame::Part {
 public:
  virtual ~Part() = default;
  virtual std::vector<std::string> names() const = 0;
  virtual ColumnType natural(size_t column) const = 0;
  // Throws FieldFault.
  virtual void append(size_t column, ColumnBuilder& builder) const = 0;
};

// Chunks of an Arrow stream, or one array of NumPy's in Arrow's layout.
class Frame::ArrowPart final : public Frame::Part {
 public:
  // Takes everything out of the stream. (By another constructor, so that what was taken is released on a
  // fault.)
  ArrowPart(ArrowArrayStream& stream, const std::string& name) : ArrowPart() {
    const auto check = [&](int status) {
      if (status == 0) return;
      const char* why = stream.get_last_error(&stream);
      const std::string text = why == nullptr ? "no reason is given" : why;
      data_error("{}: the table cannot be handed over: {}", name, text);
    };
    check(stream.get_schema(&stream, &schema_));
    if (std::string_view(schema_.format) != "+s")
      data_error("{}: got a single column of type {}, expected a table", name, arrow_type_text(schema_));
    while (true) {
      ArrowArray chunk{};
      check(stream.get_next(&stream, &chunk));
      if (chunk.release == nullptr) break;
      chunks_.push_back(chunk);
      rows_ += chunk.length;
    }
  }

  // `buffer` holds `rows` values of the format, `validity` a bit for each or is null; `owner` keeps both.
  ArrowPart(std::string name, const char* format, const void* validity, const void* buffer, int64_t rows,
            nb::object owner)
      : column_name_(std::move(name)), owner_(std::move(owner)), buffers_{validity, buffer}, rows_(rows) {
    column_.null_count = validity == nullptr ? 0 : -1;
    column_schema_.format = format;
    column_schema_.name = column_name_.c_str();
    column_.length = rows;
    column_.n_buffers = 2;
    column_.buffers = buffers_;
    schema_.format = "+s";
    schema_.n_children = 1;
    schema_.children = schemas_;
    ArrowArray chunk{};
    chunk.length = rows;
    chunk.n_children = 1;
    chunk.children = columns_;
    chunks_.push_back(chunk);
  }

  ~ArrowPart() override {
    for (ArrowArray& chunk : chunks_) {
      if (chunk.release != nullptr) chunk.release(&chunk);
    }
    if (schema_.release != nullptr) schema_.release(&schema_);
  }
  ArrowPart(const ArrowPart&) = delete;
  ArrowPart& operator=(const ArrowPart&) = delete;

  int64_t rows() const { return rows_; }

  std::vector<std::string> names() const override {
    std::vector<std::string> names;
    for (int64_t i = 0; i < schema_.n_children; ++i) {
      const char* name = schema_.children[i]->name;
      names.emplace_back(name == nullptr ? "" : name);
    }
    return names;
  }

  // Whole numbers are numbers, unless the column is named like an id: then the core decides by what it holds.
  ColumnType natural(size_t column) const override {
    const ArrowSchema& schema = *schema_.children[column];
    return natural_type(schema, schema.name == nullptr || !is_named_like_id(schema.name));
  }

  void append(size_t column, ColumnBuilder& builder) const override {
    for (const ArrowArray& chunk : chunks_) {
      append_arrow({*schema_.children[column], *chunk.children[column], chunk.offset}, 0, chunk.length,
                   builder);
    }
  }

 private:
  ArrowPart() = default;

  ArrowSchema schema_{};
  std::vector<ArrowArray> chunks_;
  // Of an array of NumPy's.
  std::string column_name_;
  nb::object owner_;
  const void* buffers_[2] = {nullptr, nullptr};
  ArrowSchema column_schema_{};
  ArrowArray column_{};
  ArrowSchema* schemas_[1] = {&column_schema_};
  ArrowArray* columns_[1] = {&column_};
  int64_t rows_ = 0;
};

namespace {

const void* address_of(nb::handle array) { return nb::cast<nb::ndarray<nb::ro>>(array).data(); }

// How Arrow calls the numbers of an array of NumPy's; null where it has no such numbers.
const char* format_of(const std::string& kind, int64_t size) {
  if (kind == "i") return size == 1 ? "c" : size == 2 ? "s" : size == 4 ? "i" : "l";
  if (kind == "u") return size == 1 ? "C" : size == 2 ? "S" : size == 4 ? "I" : "L";
  if (kind == "f") return size == 2 ? "e" : size == 4 ? "f" : size == 8 ? "g" : nullptr;
  return nullptr;
}

bool is_list_column(ColumnType type) {
  return type == ColumnType::IdList || type == ColumnType::NumberList || type == ColumnType::TextList;
}

}  // namespace

// A list of Python objects; what it is read as by itself follows from its first present value.
class Frame::ObjectPart final : public Frame::Part {
 public:
  ObjectPart(std::string name, nb::list values) : name_(std::move(name)), values_(std::move(values)) {}

  std::vector<std::string> names() const override { return {name_}; }

  ColumnType natural(size_t) const override {
    const nb::gil_scoped_acquire lock;
    ColumnType otherwise = ColumnType::Text;
    for (const nb::handle value : values_) {
      if (is_missing(value)) continue;
      if (nb::isinstance<nb::str>(value)) return ColumnType::Text;
      if (is_number(value)) return natural_number();
      if (!is_sequence(value)) return ColumnType::Text;
      const std::optional<ColumnType> type = natural_list(value);
      if (type) return *type;
      otherwise = ColumnType::TextList;
    }
    return otherwise;
  }

  void append(size_t, ColumnBuilder& builder) const override {
    const nb::gil_scoped_acquire lock;
    for (const nb::handle value : values_) {
      if (is_missing(value)) {
        builder.add_missing();
      } else if (is_sequence(value)) {
        if (!is_list_column(builder.type())) refuse(value, builder.type());
        append_list(value, builder);
      } else {
        if (is_list_column(builder.type()) && !nb::isinstance<nb::str>(value)) refuse(value, builder.type());
        append_value(value, builder);
      }
    }
  }

 private:
  // As a column of Arrow's or NumPy's: codes, whose every digit counts, where the name says so.
  ColumnType natural_number() const {
    if (!is_named_like_id(name_)) return ColumnType::Number;
    for (const nb::handle value : values_) {
      if (!is_missing(value) && !is_whole(value)) return ColumnType::Number;
    }
    return ColumnType::Text;
  }

  // Nothing for an empty list.
  static std::optional<ColumnType> natural_list(nb::handle list) {
    const nb::object items = nb::hasattr(list, "tolist") ? list.attr("tolist")() : nb::borrow(list);
    std::optional<ColumnType> type;
    for (const nb::handle item : items) {
      if (nb::isinstance<nb::str>(item)) return ColumnType::TextList;
      if (!is_whole(item)) return ColumnType::NumberList;
      type = ColumnType::IdList;
    }
    return type;
  }

  std::string name_;
  nb::list values_;
};

Frame::Frame(std::string name) : name_(std::move(name)) {}
Frame::~Frame() = default;

void Frame::add(std::unique_ptr<Part> part, int64_t rows) {
  if (rows_ >= 0 && rows != rows_)
    data_error("{}: column \"{}\" has {} rows; expected {}, as those before it have", name_,
               part->names().empty() ? "" : part->names().front(), rows, rows_);
  for (const std::string& name : part->names()) {
    if (has(name))
      data_error("{}: two columns are named \"{}\"; rename one (labels and features need different names)",
                 name_, name);
  }
  rows_ = rows;
  parts_.push_back(std::move(part));
}

void Frame::add_stream(nb::handle capsule) {
  auto* stream = static_cast<ArrowArrayStream*>(PyCapsule_GetPointer(capsule.ptr(), "arrow_array_stream"));
  if (stream == nullptr) nb::raise_python_error();
  if (stream->release == nullptr)
    data_error(
        "{}: the stream has been read before; expected a table, whose __arrow_c_stream__ gives a new one",
        name_);
  auto part = std::make_unique<ArrowPart>(*stream, name_);
  const int64_t rows = part->rows();
  add(std::move(part), rows);
}

void Frame::add_array(const std::string& name, nb::handle array) {
  const nb::object numpy = nb::module_::import_("numpy");
  nb::object values = numpy.attr("asarray")(array);
  if (nb::cast<int>(values.attr("ndim")) != 1)
    data_error("{}: column \"{}\" has {} dimensions; expected one, or two for a vector in each row", name_,
               name, nb::cast<int>(values.attr("ndim")));
  const std::string kind = nb::cast<std::string>(values.attr("dtype").attr("kind"));
  const auto size = nb::cast<int64_t>(values.attr("dtype").attr("itemsize"));
  const auto rows = nb::cast<int64_t>(values.attr("size"));
  if (kind == "O" || kind == "U" || kind == "T") return add_objects(name, nb::list(values.attr("tolist")()));
  if (kind == "M") {
    const nb::object present = numpy.attr("logical_not")(numpy.attr("isnat")(values));
    nb::object bits = numpy.attr("packbits")(present, nb::arg("bitorder") = "little");
    values = numpy.attr("ascontiguousarray")(values.attr("astype")("datetime64[us]")).attr("view")("int64");
    const void *validity = address_of(bits), *buffer = address_of(values);
    add(std::make_unique<ArrowPart>(name, "tsu:", validity, buffer, rows, nb::make_tuple(bits, values)),
        rows);
    return;
  }
  if (kind == "b") {
    const nb::object bits = numpy.attr("packbits")(values, nb::arg("bitorder") = "little");
    add(std::make_unique<ArrowPart>(name, "b", nullptr, address_of(bits), rows, bits), rows);
    return;
  }
  const char* format = format_of(kind, size);
  if (format == nullptr)
    data_error("{}: column \"{}\" has the type {}; expected numbers, truth values, texts, times or lists",
               name_, name, nb::cast<std::string>(values.attr("dtype").attr("name")));
  values = numpy.attr("ascontiguousarray")(values, values.attr("dtype").attr("newbyteorder")("="));
  add(std::make_unique<ArrowPart>(name, format, nullptr, address_of(values), rows, values), rows);
}

void Frame::add_objects(const std::string& name, nb::list values) {
  const auto rows = static_cast<int64_t>(nb::len(values));
  add(std::make_unique<ObjectPart>(name, std::move(values)), rows);
}

std::vector<std::string> Frame::names() const {
  std::vector<std::string> names;
  for (const auto& part : parts_) {
    for (std::string& name : part->names()) names.push_back(std::move(name));
  }
  return names;
}

bool Frame::has(const std::string& name) const {
  const std::vector<std::string> known = names();
  return std::find(known.begin(), known.end(), name) != known.end();
}

Table Frame::table(const ReadOptions& options) const {
  for (const ColumnRequest& request : options.columns) {
    if (!has(request.name))
      data_error("{}: there is no column \"{}\".{}", name_, request.name, suggestion(request.name, names()));
  }
  Table table({{name_, 0, {}}}, std::max<int64_t>(rows_, 0));
  for (const auto& part : parts_) {
    const std::vector<std::string> names = part->names();
    for (size_t i = 0; i < names.size(); ++i) {
      const auto wanted =
          std::find_if(options.columns.begin(), options.columns.end(),
                       [&](const ColumnRequest& request) { return request.name == names[i]; });
      if (wanted == options.columns.end() && !options.all_columns) continue;
      ColumnBuilder builder(wanted != options.columns.end()
                                ? *wanted
                                : ColumnRequest{names[i], part->natural(i), std::nullopt, "|"},
                            options);
      try {
        part->append(i, builder);
      } catch (const FieldFault& fault) {
        data_error("{}: row {}: column \"{}\": {}", name_, builder.rows() + 1, names[i], fault.message);
      }
      table.add(builder.finish());
    }
  }
  return table;
}

}  // namespace gatewise
