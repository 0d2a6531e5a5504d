#include "files/csv_scan.h"

#include <functional>
#include <vector>

#include "base/error.h"
#include "files/byte_source.h"
#include "table/parse.h"

namespace gatewise {
namespace {

constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";

struct Record {
  std::string_view text;  // without the line's end, when the scanner keeps texts
  int64_t line = 0;
  int64_t last_line = 0;
  int64_t fields = 0;
  bool is_quote_open = false;
};

// A character at a time through the same grammar as the reader's: a quote is special at the start of a field
// and inside a quoted one, empty lines are no records; \n, \r\n and a lone \r end a line.
class Scanner {
 public:
  // `visit` returns false to stop.
  Scanner(const CsvLayout& layout, bool keeps_text, std::function<bool(const Record&)> visit)
      : layout_(layout), keeps_text_(keeps_text), visit_(std::move(visit)) {}

  bool next(char c) {
    const bool is_second = was_return_ && c == '\n';  // of \r\n, which has ended the line already
    was_return_ = c == '\r';
    const bool ends_line = c == '\n' || c == '\r';
    if (ends_line && !is_second) ++line_;
    if (line_ <= layout_.skip_rows || (line_ == layout_.skip_rows + 1 && ends_line && !is_open_)) {
      start_ = line_;
      return true;
    }
    if (keeps_text_ && (in_quotes_ || !ends_line)) text_ += c;
    if (in_quotes_) {
      if (c == layout_.quote) in_quotes_ = false;
      return true;
    }
    if (ends_line) return is_second || end_record(line_ - 1);
    is_open_ = true;
    if (c == layout_.quote && (at_field_start_ || after_quote_)) {
      in_quotes_ = true;
      after_quote_ = true;
    } else {
      after_quote_ = false;
    }
    at_field_start_ = c == layout_.delimiter;
    if (at_field_start_) ++delimiters_;
    return true;
  }

  void finish() {
    if (is_open_) end_record(line_);
  }

 private:
  bool end_record(int64_t last_line) {
    const Record record{text_, start_, last_line, delimiters_ + 1, in_quotes_};
    const bool is_empty = !is_open_;
    delimiters_ = 0;
    is_open_ = after_quote_ = false;
    at_field_start_ = true;
    start_ = line_;
    const bool goes_on = is_empty || visit_(record);
    text_.clear();
    return goes_on;
  }

  CsvLayout layout_;
  bool keeps_text_;
  std::string text_;
  std::function<bool(const Record&)> visit_;
  int64_t line_ = 1;
  int64_t start_ = 1;
  int64_t delimiters_ = 0;
  bool was_return_ = false;
  bool is_open_ = false;  // the record has a character
  bool in_quotes_ = false;
  bool at_field_start_ = true;
  bool after_quote_ = false;  // the character before closed a quote: another quote is part of the value
};

void refuse_utf16(const std::string& path, std::string_view start) {
  const auto is_zero = [&](size_t i) { return i < start.size() && start[i] == '\0'; };
  const bool has_mark = start.starts_with("\xff\xfe") || start.starts_with("\xfe\xff");
  if (has_mark || (is_zero(0) && is_zero(2)) || (is_zero(1) && is_zero(3))) {
    data_error("{}: the file is in UTF-16, expected UTF-8; convert it, as by: iconv -f utf-16 -t utf-8 {}",
               path, path);
  }
}

void scan(const std::string& path, const CsvLayout& layout, bool keeps_text,
          const std::function<bool(const Record&)>& visit) {
  const std::unique_ptr<ByteSource> source = open_bytes(path);
  Scanner scanner(layout, keeps_text, visit);
  std::vector<char> buffer(1 << 16);
  bool is_start = true;
  while (const int64_t size = source->read(buffer.data(), static_cast<int64_t>(buffer.size()))) {
    std::string_view part(buffer.data(), static_cast<size_t>(size));
    if (is_start) refuse_utf16(path, part);
    if (is_start && part.starts_with(byte_order_mark)) part.remove_prefix(byte_order_mark.size());
    is_start = false;
    for (const char c : part) {
      if (!scanner.next(c)) return;
    }
  }
  scanner.finish();
}

// Cuts one record into its fields.
std::vector<std::string> split_record(std::string_view text, const CsvLayout& layout) {
  std::vector<std::string> fields(1);
  bool in_quotes = false, at_start = true;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_quotes && c == layout.quote) {
      in_quotes = false;
      if (i + 1 < text.size() && text[i + 1] == layout.quote) {
        fields.back() += text[i++];
        in_quotes = true;
      }
    } else if (!in_quotes && at_start && c == layout.quote) {
      in_quotes = true;
    } else if (!in_quotes && c == layout.delimiter) {
      fields.emplace_back();
      at_start = true;
      continue;
    } else {
      fields.back() += c;
    }
    at_start = false;
  }
  for (std::string& field : fields) field = std::string(trim_blanks(field));
  return fields;
}

}  // namespace

std::optional<int64_t> line_of_row(const std::string& path, const CsvLayout& layout, int64_t row) {
  std::optional<int64_t> line;
  int64_t to_pass = row + (layout.has_header ? 1 : 0);
  try {
    scan(path, layout, false, [&](const Record& record) {
      if (to_pass-- == 0) line = record.line;
      return !line;
    });
  } catch (const Error&) {
    // The file has gone or is damaged further on: the message that asked names the row instead.
    return line;
  }
  return line;
}

std::optional<CsvFault> find_csv_fault(const std::string& path, const CsvLayout& layout, int64_t expected) {
  std::optional<CsvFault> fault;
  scan(path, layout, false, [&](const Record& record) {
    if (record.is_quote_open || record.fields != expected) {
      fault = {record.line, record.fields, record.is_quote_open};
    }
    return !fault;
  });
  return fault;
}

FirstRecord read_first_record(const std::string& path, const CsvLayout& layout) {
  FirstRecord first;
  scan(path, layout, true, [&](const Record& record) {
    first = {split_record(record.text, layout), record.last_line};
    return false;
  });
  return first;
}

}  // namespace gatewise
