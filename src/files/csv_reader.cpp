#include <arrow/array.h>
#include <arrow/csv/api.h>
#include <arrow/io/interfaces.h>
#include <arrow/record_batch.h>

#include <algorithm>
#include <exception>
#include <limits>

#include "base/error.h"
#include "base/utf8.h"
#include "files/byte_source.h"
#include "files/csv_scan.h"
#include "files/readers.h"

// Every field is taken as bytes and converted by ColumnBuilder: null tokens differ from column to column,
// which Arrow's converters do not offer, and faults then name their exact line.

namespace gatewise {
namespace {

constexpr int32_t block_bytes = 1 << 22;

// A ByteSource as Arrow reads it. No exception may pass through Arrow, so the first one is kept for the
// caller.
class SourceStream final : public arrow::io::InputStream {
 public:
  SourceStream(std::unique_ptr<ByteSource> source, char quote) : source_(std::move(source)), quote_(quote) {}

  arrow::Status Close() override {
    is_closed_ = true;
    return arrow::Status::OK();
  }
  bool closed() const override { return is_closed_; }
  arrow::Result<int64_t> Tell() const override { return position_; }

  arrow::Result<int64_t> Read(int64_t size, void* bytes) override {
    try {
      int64_t total = 0;
      while (total < size) {
        const int64_t part = source_->read(static_cast<char*>(bytes) + total, size - total);
        if (part == 0) break;
        total += part;
      }
      count_quotes({static_cast<const char*>(bytes), static_cast<size_t>(total)});
      position_ += total;
      return total;
    } catch (...) {
      failure_ = std::current_exception();
      return arrow::Status::IOError("read failed");
    }
  }

  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t size) override {
    ARROW_ASSIGN_OR_RAISE(std::unique_ptr<arrow::ResizableBuffer> buffer,
                          arrow::AllocateResizableBuffer(size));
    ARROW_ASSIGN_OR_RAISE(const int64_t read, Read(size, buffer->mutable_data()));
    ARROW_RETURN_NOT_OK(buffer->Resize(read, false));
    return std::shared_ptr<arrow::Buffer>(std::move(buffer));
  }

  // Arrow takes the end of the file for the end of a quoted field; an odd number of quotes gives it away.
  bool may_end_in_quotes() const { return quotes_ % 2 != 0; }

  void rethrow_failure() const {
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  // By find(), which is several times as fast as a count where quotes are rare.
  void count_quotes(std::string_view text) {
    for (size_t at = text.find(quote_); at != std::string_view::npos; at = text.find(quote_, at + 1))
      ++quotes_;
  }

  std::unique_ptr<ByteSource> source_;
  char quote_;
  int64_t quotes_ = 0;
  int64_t position_ = 0;
  bool is_closed_ = false;
  std::exception_ptr failure_;
};

struct OpenCsv {
  std::shared_ptr<SourceStream> stream;
  std::shared_ptr<arrow::csv::StreamingReader> reader;  // null when there are no rows
};

// Throws if a record has not `columns` fields or a quote is never closed.
void check_records(const std::string& file, const ReadOptions& options, size_t columns) {
  const std::optional<CsvFault> fault =
      find_csv_fault(file, csv_layout(options), static_cast<int64_t>(columns));
  if (fault && fault->is_quote_open) {
    data_error(
        "{}:{}: a quote is opened and never closed; close it, or set data.quote if {} is no quote here", file,
        fault->line, options.quote);
  }
  if (fault) {
    data_error(
        "{}:{}: the row has the wrong number of fields; got {}, expected {}; is it cut off, or a field with "
        "the delimiter \"{}\" not in quotes?",
        file, fault->line, fault->fields, columns, options.delimiter);
  }
}

// Says what is wrong with a file that Arrow refuses.
[[noreturn]] void report(const std::string& file, const ReadOptions& options, const SourceStream& stream,
                         const arrow::Status& status, size_t columns) {
  stream.rethrow_failure();
  check_records(file, options, columns);
  data_error("{}: cannot be read as CSV: {}", file, status.message());
}

arrow::csv::ParseOptions parse_options(const ReadOptions& options) {
  arrow::csv::ParseOptions parse = arrow::csv::ParseOptions::Defaults();
  parse.delimiter = options.delimiter;
  parse.quote_char = options.quote;
  parse.newlines_in_values = true;
  return parse;
}

// Opens the file after the line `header_end` to read `columns` of all those it has. The names are always
// ours, so that a header may have blanks.
OpenCsv open_csv(const std::string& file, const ReadOptions& options, const std::vector<std::string>& columns,
                 const std::vector<std::string>& file_columns, int64_t header_end) {
  arrow::csv::ReadOptions read = arrow::csv::ReadOptions::Defaults();
  read.use_threads = false;
  read.block_size = block_bytes;
  // No file has more lines than Arrow can count.
  read.skip_rows = static_cast<int32_t>(std::min<int64_t>(header_end, std::numeric_limits<int32_t>::max()));
  read.column_names = file_columns;

  arrow::csv::ConvertOptions convert = arrow::csv::ConvertOptions::Defaults();
  convert.check_utf8 = false;
  convert.default_column_type = arrow::binary();
  convert.strings_can_be_null = false;
  convert.include_columns = columns;

  OpenCsv open{std::make_shared<SourceStream>(open_bytes(file), options.quote), nullptr};
  auto made = arrow::csv::StreamingReader::Make(arrow::io::default_io_context(), open.stream, read,
                                                parse_options(options), convert);
  if (!made.ok()) {
    if (made.status().message() == "Empty CSV file") return open;
    report(file, options, *open.stream, made.status(), file_columns.size());
  }
  open.reader = std::move(made).ValueUnsafe();
  return open;
}

// Adds one batch; on a fault names the line. `first_row` is the file's row that the batch starts with.
void append_batch(const arrow::RecordBatch& batch, const std::string& file, const ReadOptions& options,
                  int64_t first_row, std::vector<ColumnBuilder>& builders) {
  for (size_t c = 0; c < builders.size(); ++c) {
    const auto& array = static_cast<const arrow::BinaryArray&>(*batch.column(static_cast<int>(c)));
    const int64_t before = builders[c].rows();
    try {
      builders[c].add_fields(reinterpret_cast<const char*>(array.raw_data()), array.raw_value_offsets(),
                             array.length());
    } catch (const FieldFault& fault) {
      const int64_t row = first_row + builders[c].rows() - before;
      const std::optional<int64_t> line = line_of_row(file, csv_layout(options), row);
      data_error("{}:{}: column \"{}\": {}", file,
                 line ? std::to_string(*line) : fmt::format(" row {}", row + 1), builders[c].name(),
                 fault.message);
    }
  }
}

// A delimiter that would cut a line of names with one name into several; none where it looks right.
std::optional<std::string> other_delimiter(const std::string& name, char delimiter) {
  for (const auto& [character, shown] : {std::pair{';', ";"}, {'\t', "\\t"}, {'|', "|"}, {',', ","}}) {
    if (character != delimiter && name.find(character) != std::string::npos) return shown;
  }
  return {};
}

void check_names(const std::string& file, const ReadOptions& options, const FirstRecord& first) {
  for (const std::string& name : first.fields) {
    if (is_utf8(name)) continue;
    data_error(
        "{}:{}: the name \"{}\" of a column is not valid UTF-8; convert the file, as by: iconv -f latin1 -t "
        "utf-8 {}",
        file, first.last_line, with_bytes_escaped(name), file);
  }
  if (first.fields.size() != 1) return;
  const std::optional<std::string> other = other_delimiter(first.fields[0], options.delimiter);
  if (!other) return;
  data_error(
      "{}:{}: the line of names has no delimiter \"{}\" but \"{}\"; got \"{}\"; add --data.delimiter '{}', "
      "or "
      "delimiter = '{}' to [data]",
      file, first.last_line, options.delimiter, *other, first.fields[0].substr(0, 60), *other, *other);
}

}  // namespace

CsvLayout csv_layout(const ReadOptions& options) {
  return {options.delimiter, options.quote, options.skip_rows, options.header};
}

std::vector<OfferedColumn> csv_columns(const std::string& file, const ReadOptions& options) {
  const FirstRecord record = read_first_record(file, csv_layout(options));
  const std::vector<std::string>& first = record.fields;
  if (first.empty())
    data_error("{}: the file is empty; expected {}rows", file, options.header ? "a header and " : "");
  const bool has_names = options.header && options.column_names.empty();
  if (has_names) check_names(file, options, record);
  std::vector<OfferedColumn> columns;
  for (size_t c = 0; c < first.size() && options.column_names.empty(); ++c) {
    columns.push_back({options.header ? first[c] : fmt::format("f{}", c), ColumnType::Text});
  }
  for (const std::string& name : options.column_names) columns.push_back({name, ColumnType::Text});
  return columns;
}

int64_t append_csv(const std::string& file, const ReadOptions& options, std::vector<ColumnBuilder>& builders,
                   int64_t most_rows) {
  std::vector<std::string> names, file_columns;
  for (const ColumnBuilder& builder : builders) names.push_back(builder.name());
  for (const OfferedColumn& column : csv_columns(file, options)) file_columns.push_back(column.name);
  const int64_t header_end =
      options.header ? read_first_record(file, csv_layout(options)).last_line : options.skip_rows;
  const OpenCsv open = open_csv(file, options, names, file_columns, header_end);
  int64_t rows = 0;
  while (open.reader && (most_rows == 0 || rows < most_rows)) {
    std::shared_ptr<arrow::RecordBatch> batch;
    const arrow::Status status = open.reader->ReadNext(&batch);
    if (!status.ok()) report(file, options, *open.stream, status, file_columns.size());
    if (!batch) {
      if (open.stream->may_end_in_quotes()) check_records(file, options, file_columns.size());
      break;
    }
    if (most_rows > 0) batch = batch->Slice(0, std::min(batch->num_rows(), most_rows - rows));
    append_batch(*batch, file, options, rows, builders);
    rows += batch->num_rows();
  }
  return rows;
}

}  // namespace gatewise
