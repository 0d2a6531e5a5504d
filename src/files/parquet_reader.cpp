#include <arrow/array.h>
#include <arrow/c/bridge.h>
#include <arrow/io/file.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/properties.h>

#include "base/error.h"
#include "files/readers.h"
#include "table/arrow_import.h"
#include "table/arrow_types.h"

namespace gatewise {
namespace {

// An array or a type in the layout of the C data interface; releases what it holds.
template <class Struct>
struct Exported {
  Struct value{};
  Exported() = default;
  ~Exported() {
    if (value.release != nullptr) value.release(&value);
  }
  Exported(const Exported&) = delete;
  Exported& operator=(const Exported&) = delete;
};

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

  void check(const arrow::Status& status) const {
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
    for (const auto& field : parquet.schema().fields()) {
      Exported<ArrowSchema> schema;
      parquet.check(arrow::ExportType(*field->type(), &schema.value));
      columns.push_back({field->name(), natural_type(schema.value, false)});
      if (!can_be_read(schema.value)) columns.back().unreadable = arrow_type_text(schema.value);
      columns.back().has_bytes = holds_bytes(schema.value);
    }
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
        const std::shared_ptr<arrow::Array> column = batch->GetColumnByName(builder.name());
        Exported<ArrowSchema> schema;
        Exported<ArrowArray> array;
        parquet.check(arrow::ExportArray(*column, &array.value, &schema.value));
        try {
          append_arrow({schema.value, array.value}, 0, column->length(), builder);
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
