// A report: a headline and sections of text, tables and figures, made from the JSON of a result.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"

namespace gatewise {

// Named columns; every row has a cell for each: a text, a number or null.
struct DataTable {
  std::vector<std::string> columns;
  std::vector<std::vector<Json>> rows;
  // Throws Error(Internal) when there are not as many cells as columns.
  void add(std::vector<Json> row);
  void drop_empty_columns();  // whose cells are all null
  Json to_json() const;       // {columns, rows}
};

struct FigureAxis {
  std::string column;  // of the figure's data
  std::string title;
  std::string scale = "number";  // number, log, category
};

// A line across the figure.
struct FigureMark {
  double at = 0;
  std::string title;
  bool is_on_x = true;
};

// What is drawn: data, and which of its columns are what. docs/reports.md lists the kinds.
struct Figure {
  std::string kind;  // lines, intervals, bars, histogram, heat_map
  std::string title, note;
  FigureAxis x, y;
  std::string series;         // column that tells lines or bars apart; empty: there is one
  std::string low, high;      // columns of interval ends; empty: none
  std::string value;          // heat_map: column of the colour
  std::vector<double> range;  // heat_map: of the colours; empty: that of the data
  bool is_diverging = false;  // heat_map: the middle of the range has a neutral colour
  bool has_diagonal = false;  // lines: the line y = x
  bool is_stacked = false;    // bars
  std::vector<FigureMark> marks;
  // lines: series -> "points" (no line), "steps" or "dashes".
  std::vector<std::pair<std::string, std::string>> styles;
  DataTable data;
  Json to_json() const;
};

class Report {
 public:
  // `headline`: what came out, in a sentence or two.
  Report(std::string title, std::string headline);

  // Begins a section; everything below goes into it. Throws Error(Internal) where there is none.
  void section(std::string title);
  void text(std::string paragraph);
  // Things to act on, one a line.
  void warnings(const std::vector<std::string>& lines);
  // `note` says what the columns mean. Numbers are shown as value_text() does, whole and large ones without
  // decimals. Columns whose cells are all null are left out.
  void table(DataTable table, std::string title = "", std::string note = "");
  // Figures that follow each other stand side by side where there is room. One without rows is left out.
  void figure(const Figure& figure);

  const std::string& title() const { return title_; }
  const std::string& headline() const { return headline_; }
  // [{title, blocks: [{kind: text | warnings | table | figures, ...}]}]; sections without blocks left out.
  Json sections() const;

 private:
  Json& add_block(const char* kind);

  std::string title_, headline_;
  Json sections_ = Json::array();
};

}  // namespace gatewise
