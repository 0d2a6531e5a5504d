#include "report/html_page.h"

#include <algorithm>
#include <cmath>

#include "base/atomic_file.h"
#include "base/error.h"
#include "report/numbers.h"
#include "report/page_files.h"

namespace gatewise {
namespace {

constexpr size_t unfolded_rows = 40;  // of tables; longer ones open on demand

std::string escaped(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      default:
        safe += c;
    }
  }
  return safe;
}

// Within a script element: nothing may look like its end or like a comment. Bytes that are no UTF-8 are
// replaced.
std::string script_json(const Json& json) {
  const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::string safe;
  for (const char c : text) {
    if (c == '<') {
      safe += "\\u003c";
    } else {
      safe += c;
    }
  }
  return safe;
}

std::string cell_text(const Json& cell) {
  if (cell.is_null()) return "";
  if (cell.is_string()) return cell.get<std::string>();
  if (cell.is_number_integer()) return count_text(cell.get<int64_t>());
  if (cell.is_number()) {
    const double value = cell.get<double>(), size = std::abs(value);
    const bool is_count = size >= 1e4 && size < 1e15;
    return is_count || (size >= 2 && value == std::floor(value)) ? count_text(std::llround(value))
                                                                 : value_text(value);
  }
  return cell.dump(-1, ' ', false, Json::error_handler_t::replace);
}

// How the cells of a column are set: numbers to the right, long texts on several lines.
const char* column_class(const Json& rows, size_t column) {
  constexpr size_t long_text = 48;
  bool is_numeric = true, is_long = false;
  for (const Json& row : rows) {
    const Json& cell = row[column];
    is_numeric &= cell.is_number() || cell.is_null();
    is_long |= cell.is_string() && cell.get_ref<const std::string&>().size() > long_text;
  }
  return is_numeric ? " class=\"number\"" : is_long ? " class=\"long\"" : "";
}

std::string heading_html(const char* level, const Json& block) {
  const std::string title = block.value("title", "");
  return title.empty() ? "" : fmt::format("<{0}>{1}</{0}>\n", level, escaped(title));
}

std::string note_html(const Json& block) {
  const std::string text = block.value("note", "");
  return text.empty() ? "" : "<p class=\"note\">" + escaped(text) + "</p>\n";
}

std::string downloads_html(std::initializer_list<const char*> formats) {
  std::string html = "<div class=\"downloads\">";
  for (const char* format : formats)
    html += fmt::format("<button type=\"button\" data-format=\"{0}\">{0}</button>", format);
  return html + "</div>\n";
}

std::string table_html(const Json& block, const std::string& id) {
  const Json &columns = block["data"]["columns"], &rows = block["data"]["rows"];
  std::vector<const char*> classes;
  for (size_t i = 0; i < columns.size(); ++i) classes.push_back(column_class(rows, i));
  const bool is_folded = rows.size() > unfolded_rows;
  std::string html = fmt::format("<div class=\"table\" id=\"{}\">\n{}", id, heading_html("h3", block));
  if (is_folded) html += fmt::format("<details>\n<summary>{} rows</summary>\n", rows.size());
  html += "<div class=\"scroll\"><table>\n<thead><tr>";
  for (size_t i = 0; i < columns.size(); ++i)
    html += fmt::format("<th scope=\"col\"{}>{}</th>", classes[i], escaped(columns[i].get<std::string>()));
  html += "</tr></thead>\n<tbody>\n";
  for (const Json& row : rows) {
    html += "<tr>";
    for (size_t i = 0; i < columns.size(); ++i)
      html += fmt::format("<td{}>{}</td>", classes[i], escaped(cell_text(row[i])));
    html += "</tr>\n";
  }
  html += "</tbody>\n</table></div>\n";
  if (is_folded) html += "</details>\n";
  return html + note_html(block) + downloads_html({"CSV", "JSON"}) + "</div>\n";
}

std::string figures_html(const Json& block, const std::string& id) {
  std::string html = "<div class=\"figures\">\n";
  for (size_t i = 0; i < block["figures"].size(); ++i) {
    const Json& figure = block["figures"][i];
    html += fmt::format(
        "<figure id=\"{}-{}\">\n<figcaption>{}</figcaption>\n<div class=\"chart\" role=\"img\" "
        "aria-label=\"{}\"></div>\n{}{}</figure>\n",
        id, i, escaped(figure["title"].get<std::string>()), escaped(figure["title"].get<std::string>()),
        note_html(figure), downloads_html({"CSV", "JSON", "SVG"}));
  }
  return html + "</div>\n";
}

std::string block_html(const Json& block, const std::string& id) {
  const std::string kind = block["kind"];
  if (kind == "table") return table_html(block, id);
  if (kind == "figures") return figures_html(block, id);
  if (kind == "text") return "<p>" + escaped(block["text"].get<std::string>()) + "</p>\n";
  std::string html = "<ul class=\"warnings\">\n";
  for (const Json& line : block["lines"]) html += "<li>" + escaped(line.get<std::string>()) + "</li>\n";
  return html + "</ul>\n";
}

std::string sections_html(const Json& sections) {
  std::string html;
  for (size_t i = 0; i < sections.size(); ++i) {
    html += fmt::format("<section id=\"section-{}\">\n{}", i, heading_html("h2", sections[i]));
    const Json& blocks = sections[i]["blocks"];
    for (size_t j = 0; j < blocks.size(); ++j)
      html += block_html(blocks[j], fmt::format("block-{}-{}", i, j));
    html += "</section>\n";
  }
  return html;
}

std::string contents_html(const Json& sections) {
  std::string html;
  for (size_t i = 0; i < sections.size(); ++i) {
    html +=
        fmt::format("<a href=\"#section-{}\">{}</a>\n", i, escaped(sections[i]["title"].get<std::string>()));
  }
  return html;
}

}  // namespace

std::string html_page(const Report& report, const Json& result) {
  const PageFiles files = page_files();
  const Json sections = report.sections();
  const std::pair<std::string_view, std::string> parts[] = {
      {"title", escaped(report.title())},
      {"headline", escaped(report.headline())},
      {"version", GATEWISE_VERSION},
      {"contents", contents_html(sections)},
      {"body", sections_html(sections)},
      {"sections", script_json(sections)},
      {"result", script_json(result)},
      {"style", std::string(files.style)},
      {"theme", std::string(files.theme_script)},
      {"figures", std::string(files.figures_script)},
      {"page", std::string(files.page_script)},
      {"charts", std::string(files.charts_script)},
      {"notices", escaped(files.notices)},
      {"licence", escaped(files.licence)},
  };
  std::string page;
  std::string_view rest = files.html;
  for (size_t mark = rest.find("{{"); mark != std::string_view::npos; mark = rest.find("{{")) {
    const size_t end = rest.find("}}", mark);
    const std::string_view name = rest.substr(mark + 2, end - mark - 2);
    const auto* part = std::find_if(std::begin(parts), std::end(parts),
                                    [&](const auto& candidate) { return candidate.first == name; });
    if (part == std::end(parts))
      internal_error("page.html: got the mark {{{{{}}}}}, which has no part", name);
    page += rest.substr(0, mark);
    page += part->second;
    rest.remove_prefix(end + 2);
  }
  page += rest;
  return page;
}

void write_html_page(const std::string& path, const Report& report, const Json& result) {
  write_file_atomically(path, html_page(report, result));
}

}  // namespace gatewise
