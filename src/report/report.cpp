#include "report/report.h"

#include <algorithm>

#include "base/error.h"

namespace gatewise {
namespace {

Json axis_to_json(const FigureAxis& axis) {
  return {{"column", axis.column}, {"title", axis.title}, {"scale", axis.scale}};
}

}  // namespace

void DataTable::add(std::vector<Json> row) {
  if (row.size() != columns.size()) {
    internal_error("report: a row of a table has the wrong length; got {} cells, expected {}", row.size(),
                   columns.size());
  }
  rows.push_back(std::move(row));
}

void DataTable::drop_empty_columns() {
  for (size_t column = columns.size(); column-- > 0;) {
    const auto is_empty = [&](const std::vector<Json>& row) { return row[column].is_null(); };
    if (!std::all_of(rows.begin(), rows.end(), is_empty)) continue;
    const auto place = static_cast<std::ptrdiff_t>(column);
    columns.erase(columns.begin() + place);
    for (std::vector<Json>& row : rows) row.erase(row.begin() + place);
  }
}

Json DataTable::to_json() const {
  Json cells = Json::array();
  for (const std::vector<Json>& row : rows) cells.push_back(row);
  return {{"columns", columns}, {"rows", cells}};
}

Json Figure::to_json() const {
  Json json{{"kind", kind}, {"title", title}, {"note", note}, {"x", axis_to_json(x)}, {"y", axis_to_json(y)}};
  const auto add_text = [&](const char* name, const std::string& text) {
    if (!text.empty()) json[name] = text;
  };
  add_text("series", series);
  add_text("low", low);
  add_text("high", high);
  add_text("value", value);
  if (!range.empty()) json["range"] = range;
  if (is_diverging) json["diverging"] = true;
  if (has_diagonal) json["diagonal"] = true;
  if (is_stacked) json["stacked"] = true;
  for (const FigureMark& mark : marks)
    json["marks"].push_back({{"axis", mark.is_on_x ? "x" : "y"}, {"at", mark.at}, {"title", mark.title}});
  for (const auto& [name, style] : styles) json["styles"][name] = style;
  json["data"] = data.to_json();
  return json;
}

Report::Report(std::string title, std::string headline)
    : title_(std::move(title)), headline_(std::move(headline)) {}

void Report::section(std::string title) {
  sections_.push_back({{"title", std::move(title)}, {"blocks", Json::array()}});
}

Json& Report::add_block(const char* kind) {
  if (sections_.empty()) internal_error("report: got a block of kind {} before any section", kind);
  Json& blocks = sections_.back()["blocks"];
  blocks.push_back({{"kind", kind}});
  return blocks.back();
}

void Report::text(std::string paragraph) { add_block("text")["text"] = std::move(paragraph); }

void Report::warnings(const std::vector<std::string>& lines) {
  if (!lines.empty()) add_block("warnings")["lines"] = lines;
}

void Report::table(DataTable table, std::string title, std::string note) {
  if (table.rows.empty()) return;
  table.drop_empty_columns();
  Json& block = add_block("table");
  block["title"] = std::move(title);
  block["note"] = std::move(note);
  block["data"] = table.to_json();
}

void Report::figure(const Figure& figure) {
  if (figure.data.rows.empty()) return;
  const bool follows = !sections_.empty() && !sections_.back()["blocks"].empty() &&
                       sections_.back()["blocks"].back()["kind"] == "figures";
  Json& block = follows ? sections_.back()["blocks"].back() : add_block("figures");
  block["figures"].push_back(figure.to_json());
}

Json Report::sections() const {
  Json filled = Json::array();
  for (const Json& section : sections_) {
    if (!section["blocks"].empty()) filled.push_back(section);
  }
  return filled;
}

}  // namespace gatewise
