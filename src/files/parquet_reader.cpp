#include <arrow/array.h>
#include <arrow/io/file.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <arrow/util/decimal.h>
#include <arrow/util/float16.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/properties.h>

#include "base/error.h"
#include "files/readers.h"
#include "table/parse.h"

namespace gatewise {
namespace {

// The type a column is read as when nothing else is asked for.
ColumnType default_type(const arrow::DataType& type) {
  if (arrow::is_floating(type.id()) || arrow::is_decimal(type.id())) return ColumnType::Number;
  if (type.id() == arrow::Type::TIMESTAMP || arrow::is_date(type.id())) return ColumnType::Time;
  if (arrow::is_list_like(type.id())) {
    const arrow::DataType& item = *static_cast<const arrow::BaseListType&>(type).value_type();
    if (arrow::is_floating(item.id())) return ColumnType::NumberList;
    return arrow::is_integer(item.id()) ? ColumnType::IdList : ColumnType::TextList;
  }
  return ColumnType::Text;
}

[[noreturn]] void wrong_type(const arrow::DataType& stored, ColumnType wanted) {
  const bool is_id = wanted == ColumnType::Id || wanted == ColumnType::IdList;
  throw FieldFault{fmt::format("is stored as {}, which cannot be read as {}; {}", stored.ToString(),
                               type_name(wanted),
                               is_id && arrow::is_floating(stored.id())
                                   ? "ids never pass through floating point: store the column as an integer"
                                   : "give the column another role or store it otherwise")};
}

// Adds one stored value in the builder's type. `Sink` is the builder seen as a row or as an item of a list.
template <class Sink>
void put_integer(Sink& sink, ColumnType wanted, int64_t value, bool is_unsigned) {
  const uint64_t bits = static_cast<uint64_t>(value);
  switch (wanted) {
    case ColumnType::Id:
      return sink.id(bits);
    case ColumnType::Text:
      return is_unsigned ? sink.text(fmt::format("{}", bits)) : sink.text(fmt::format("{}", value));
    default:
      return sink.number(is_unsigned ? static_cast<double>(bits) : static_cast<double>(value));
  }
}

struct RowSink {
  ColumnBuilder& builder;
  void id(uint64_t value) { builder.add_id(value); }
  void number(double value) { builder.add_number(value); }
  void text(std::string_view value) { builder.add_field(value); }
  void missing() { builder.add_missing(); }
};

struct ItemSink {
  ColumnBuilder& builder;
  void id(uint64_t value) { builder.add_item(value); }
  void number(double value) { builder.add_item(value); }
  void text(std::string_view value) { builder.add_item(value); }
  void missing() {
    if (builder.type() == ColumnType::NumberList) builder.add_item(std::nan(""));
  }
};

// Calls put(i) for the present values of `array` from `from` to `to`, and sink.missing() for the others.
template <class Sink, class Put>
void put_each(const arrow::Array& array, int64_t from, int64_t to, Sink& sink, const Put& put) {
  for (int64_t i = from; i < to; ++i) {
    if (array.IsNull(i)) {
      sink.missing();
    } else {
      put(i);
    }
  }
}

template <class ArrayType, class Sink>
void put_integers(const arrow::Array& array, int64_t from, int64_t to, ColumnType wanted, Sink& sink) {
  const auto& typed = static_cast<const ArrayType&>(array);
  constexpr bool is_unsigned = std::is_same_v<ArrayType, arrow::UInt64Array>;
  put_each(array, from, to, sink,
           [&](int64_t i) { put_integer(sink, wanted, static_cast<int64_t>(typed.Value(i)), is_unsigned); });
}

template <class ArrayType, class Sink>
void put_texts(const arrow::Array& array, int64_t from, int64_t to, ColumnType wanted, Sink& sink) {
  if constexpr (std::is_same_v<Sink, ItemSink>) {
    if (wanted != ColumnType::Text) wrong_type(*array.type(), wanted);
  }
  const auto& typed = static_cast<const ArrayType&>(array);
  put_each(array, from, to, sink, [&](int64_t i) { sink.text(typed.GetView(i)); });
}

template <class Sink>
void put_reals(const arrow::Array& array, int64_t from, int64_t to, ColumnType wanted, Sink& sink,
               const std::function<double(int64_t)>& value) {
  if (wanted == ColumnType::Id) wrong_type(*array.type(), wanted);
  put_each(array, from, to, sink, [&](int64_t i) {
    if (wanted != ColumnType::Text) return sink.number(value(i));
    if (std::isnan(value(i))) return sink.missing();
    sink.text(fmt::format("{}", value(i)));
  });
}

template <class Sink>
void put_times(const arrow::Array& array, int64_t from, int64_t to, ColumnType wanted, Sink& sink) {
  if (wanted != ColumnType::Time && wanted != ColumnType::Number) wrong_type(*array.type(), wanted);
  if (array.type_id() == arrow::Type::DATE32) {
    const auto& days = static_cast<const arrow::Date32Array&>(array);
    return put_each(array, from, to, sink, [&](int64_t i) { sink.number(86400.0 * days.Value(i)); });
  }
  if (array.type_id() == arrow::Type::DATE64) {
    const auto& milliseconds = static_cast<const arrow::Date64Array&>(array);
    return put_each(array, from, to, sink,
                    [&](int64_t i) { sink.number(1e-3 * static_cast<double>(milliseconds.Value(i))); });
  }
  constexpr double units[] = {1.0, 1e3, 1e6, 1e9};
  const double unit = units[static_cast<const arrow::TimestampType&>(*array.type()).unit()];
  const auto& stamps = static_cast<const arrow::TimestampArray&>(array);
  put_each(array, from, to, sink,
           [&](int64_t i) { sink.number(static_cast<double>(stamps.Value(i)) / unit); });
}

// Adds the values from `from` to `to`, each as `wanted`: Number, Id, Text or Time.
template <class Sink>
void put_values(const arrow::Array& array, int64_t from, int64_t to, ColumnType wanted, Sink sink) {
  using arrow::Type;
  const auto reals = [&](const auto& typed) {
    put_reals(array, from, to, wanted, sink, [&](int64_t i) { return static_cast<double>(typed.Value(i)); });
  };
  switch (array.type_id()) {
    case Type::NA:
      return put_each(array, from, to, sink, [](int64_t) {});
    case Type::BOOL:
      return put_each(array, from, to, sink, [&](int64_t i) {
        const bool value = static_cast<const arrow::BooleanArray&>(array).Value(i);
        if (wanted == ColumnType::Text) return sink.text(value ? "true" : "false");
        put_integer(sink, wanted, value, false);
      });
    case Type::INT8:
      return put_integers<arrow::Int8Array>(array, from, to, wanted, sink);
    case Type::INT16:
      return put_integers<arrow::Int16Array>(array, from, to, wanted, sink);
    case Type::INT32:
      return put_integers<arrow::Int32Array>(array, from, to, wanted, sink);
    case Type::INT64:
      return put_integers<arrow::Int64Array>(array, from, to, wanted, sink);
    case Type::UINT8:
      return put_integers<arrow::UInt8Array>(array, from, to, wanted, sink);
    case Type::UINT16:
      return put_integers<arrow::UInt16Array>(array, from, to, wanted, sink);
    case Type::UINT32:
      return put_integers<arrow::UInt32Array>(array, from, to, wanted, sink);
    case Type::UINT64:
      return put_integers<arrow::UInt64Array>(array, from, to, wanted, sink);
    case Type::FLOAT:
      return reals(static_cast<const arrow::FloatArray&>(array));
    case Type::DOUBLE:
      return reals(static_cast<const arrow::DoubleArray&>(array));
    case Type::HALF_FLOAT:
      return put_reals(array, from, to, wanted, sink, [&](int64_t i) {
        return arrow::util::Float16::FromBits(static_cast<const arrow::HalfFloatArray&>(array).Value(i))
            .ToDouble();
      });
    case Type::DECIMAL128:
      return put_reals(array, from, to, wanted, sink, [&](int64_t i) {
        const auto& decimals = static_cast<const arrow::Decimal128Array&>(array);
        return arrow::Decimal128(decimals.GetValue(i))
            .ToDouble(static_cast<const arrow::Decimal128Type&>(*array.type()).scale());
      });
    case Type::STRING:
    case Type::BINARY:
      return put_texts<arrow::BinaryArray>(array, from, to, wanted, sink);
    case Type::LARGE_STRING:
    case Type::LARGE_BINARY:
      return put_texts<arrow::LargeBinaryArray>(array, from, to, wanted, sink);
    case Type::DATE32:
    case Type::DATE64:
    case Type::TIMESTAMP:
      return put_times(array, from, to, wanted, sink);
    default:
      wrong_type(*array.type(), wanted);
  }
}

template <class ListArray>
void put_lists(const arrow::Array& array, ColumnBuilder& builder) {
  const ColumnType item = builder.type() == ColumnType::IdList       ? ColumnType::Id
                          : builder.type() == ColumnType::NumberList ? ColumnType::Number
                                                                     : ColumnType::Text;
  const auto& lists = static_cast<const ListArray&>(array);
  for (int64_t i = 0; i < array.length(); ++i) {
    if (!array.IsNull(i)) {
      const int64_t from = lists.value_offset(i);
      put_values(*lists.values(), from, from + lists.value_length(i), item, ItemSink{builder});
    }
    builder.end_list();
  }
}

void put_column(const arrow::Array& array, ColumnBuilder& builder) {
  using arrow::Type;
  const bool wants_list = builder.type() == ColumnType::IdList || builder.type() == ColumnType::NumberList ||
                          builder.type() == ColumnType::TextList;
  const Type::type id = array.type_id();
  if (id == Type::DICTIONARY) {
    const auto& dictionary = static_cast<const arrow::DictionaryArray&>(array);
    for (int64_t i = 0; i < array.length(); ++i) {
      if (array.IsNull(i)) {
        builder.add_missing();
      } else {
        const int64_t at = dictionary.GetValueIndex(i);
        put_values(*dictionary.dictionary(), at, at + 1, builder.type(), RowSink{builder});
      }
    }
  } else if (arrow::is_list_like(id)) {
    if (!wants_list) wrong_type(*array.type(), builder.type());
    if (id == Type::LIST) return put_lists<arrow::ListArray>(array, builder);
    if (id == Type::LARGE_LIST) return put_lists<arrow::LargeListArray>(array, builder);
    if (id == Type::FIXED_SIZE_LIST) return put_lists<arrow::FixedSizeListArray>(array, builder);
    wrong_type(*array.type(), builder.type());
  } else {
    if (wants_list && !arrow::is_base_binary_like(id) && id != Type::NA)
      wrong_type(*array.type(), builder.type());
    put_values(array, 0, array.length(), builder.type(), RowSink{builder});
  }
}

class ParquetFile {
 public:
  explicit ParquetFile(const std::string& file) : file_(file) {
    const std::shared_ptr<arrow::io::RandomAccessFile> input = value_of(arrow::io::ReadableFile::Open(file));
    parquet::arrow::FileReaderBuilder builder;
    check(builder.Open(input));
    builder.properties(parquet::ArrowReaderProperties(false));
    reader_ = value_of(builder.Build());
    check(reader_->GetSchema(&schema_));
  }

  const arrow::Schema& schema() const { return *schema_; }

  // Batches of the named top-level columns, in that order.
  std::unique_ptr<arrow::RecordBatchReader> batches(const std::vector<ColumnBuilder>& builders) {
    std::vector<int> leaves;
    for (const ColumnBuilder& builder : builders) {
      const int field = schema_->GetFieldIndex(builder.name());
      const auto& manifest = reader_->manifest().schema_fields[field];
      add_leaves(manifest, leaves);
    }
    std::vector<int> groups(static_cast<size_t>(reader_->num_row_groups()));
    for (size_t g = 0; g < groups.size(); ++g) groups[g] = static_cast<int>(g);
    return value_of(reader_->GetRecordBatchReader(groups, leaves));
  }

  template <class T>
  T value_of(arrow::Result<T> result) {
    check(result.status());
    return std::move(result).ValueUnsafe();
  }

  void check(const arrow::Status& status) {
    if (!status.ok()) {
      data_error("{}: cannot be read as Parquet: {}; the file is damaged or cut off", file_,
                 status.message());
    }
  }

 private:
  static void add_leaves(const parquet::arrow::SchemaField& field, std::vector<int>& leaves) {
    if (field.is_leaf()) leaves.push_back(field.column_index);
    for (const parquet::arrow::SchemaField& child : field.children) add_leaves(child, leaves);
  }

  std::string file_;
  std::unique_ptr<parquet::arrow::FileReader> reader_;
  std::shared_ptr<arrow::Schema> schema_;
};

// Arrow's Parquet reader throws on some damaged files.
template <class Work>
auto guarded(const std::string& file, const Work& work) {
  try {
    return work();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& fault) {
    data_error("{}: cannot be read as Parquet: {}; the file is damaged or cut off", file, fault.what());
  }
}

}  // namespace

std::vector<OfferedColumn> parquet_columns(const std::string& file) {
  return guarded(file, [&] {
    const ParquetFile parquet(file);
    std::vector<OfferedColumn> columns;
    for (const auto& field : parquet.schema().fields())
      columns.push_back({field->name(), default_type(*field->type())});
    return columns;
  });
}

int64_t append_parquet(const std::string& file, std::vector<ColumnBuilder>& builders, int64_t most_rows) {
  return guarded(file, [&] {
    ParquetFile parquet(file);
    const std::unique_ptr<arrow::RecordBatchReader> batches = parquet.batches(builders);
    int64_t rows = 0;
    while (most_rows == 0 || rows < most_rows) {
      std::shared_ptr<arrow::RecordBatch> batch;
      parquet.check(batches->ReadNext(&batch));
      if (!batch) break;
      if (most_rows > 0) batch = batch->Slice(0, std::min(batch->num_rows(), most_rows - rows));
      for (ColumnBuilder& builder : builders) {
        const int64_t before = builder.rows();
        const std::shared_ptr<arrow::Array> array = batch->GetColumnByName(builder.name());
        try {
          put_column(*array, builder);
        } catch (const FieldFault& fault) {
          const int64_t row = rows + builder.rows() - before + 1;
          data_error("{}: row {}: column \"{}\": {}", file, row, builder.name(), fault.message);
        }
      }
      rows += batch->num_rows();
    }
    return rows;
  });
}

}  // namespace gatewise
