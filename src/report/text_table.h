// Columns of text, aligned.
#pragma once

#include <string>
#include <vector>

#include "report/style.h"

namespace gatewise {

enum class Align { Left, Right };

class TextTable {
 public:
  // Without headings (all empty) no heading line is written.
  void add_column(std::string heading, Align align = Align::Left);
  // Throws Error(Internal) when there are more cells than columns; missing cells are empty.
  void add_row(std::vector<std::string> cells);
  bool is_empty() const { return rows_.empty(); }

  // Every line begins with `indent` blanks and ends in a line break without blanks before it.
  std::string text(const Style& style = {}, int indent = 0) const;

 private:
  struct Column {
    std::string heading;
    Align align;
  };
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

// The number of characters of UTF-8 text.
size_t text_width(const std::string& text);
// Broken at blanks into lines of at most `width` characters; a longer word has a line to itself.
std::vector<std::string> wrap_text(const std::string& text, size_t width);

}  // namespace gatewise
