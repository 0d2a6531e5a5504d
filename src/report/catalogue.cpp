#include "report/catalogue.h"

#include "architectures/architecture.h"
#include "losses/loss.h"
#include "metrics/metric.h"
#include "report/text_table.h"
#include "table/synthetic.h"

namespace gatewise {
namespace {

constexpr size_t summary_width = 90;

template <class Interface>
Json entries_of() {
  Json json = Json::object();
  for (const auto& [name, entry] : Registry<Interface>::instance().entries())
    json[name] = {{"summary", entry.summary}, {"options", entry.options}};
  return json;
}

// Tables as a configuration may have them, without blanks to break lines at: {type="mlp", units=[16]}.
std::string default_text(const Json& value) {
  if (value.is_object()) {
    std::vector<std::string> fields;
    for (const auto& [name, field] : value.items()) fields.push_back(name + "=" + field.dump());
    return fmt::format("{{{}}}", fmt::join(fields, ", "));
  }
  return value.is_null()                                         ? "none"
         : value.is_string() && value.get<std::string>().empty() ? "\"\""
                                                                 : value.dump();
}

// "8 to 128, log".
std::string searched_text(const Json& option) {
  if (!option.contains("search")) return "";
  const Json& search = option["search"];
  return fmt::format("{} to {}{}", search["min"].dump(), search["max"].dump(),
                     search["log"].get<bool>() ? ", log" : "");
}

}  // namespace

Json describe_plugins() {
  return {{"architecture", entries_of<Architecture>()},
          {"expert", entries_of<Expert>()},
          {"gate", entries_of<Gate>()},
          {"tower", entries_of<Tower>()},
          {"loss", entries_of<Loss>()},
          {"metric", entries_of<Metric>()},
          {"synthetic table", entries_of<SyntheticTable>()}};
}

Json find_in_catalogue(const Json& catalogue, const std::string& name) {
  Json found = Json::object();
  for (const auto& [kind, entries] : catalogue.items()) {
    if (entries.contains(name)) found[kind] = entries[name];
  }
  return found;
}

std::vector<std::string> catalogue_names(const Json& catalogue) {
  std::vector<std::string> names;
  for (const auto& [kind, entries] : catalogue.items()) {
    for (const auto& [name, entry] : entries.items()) names.push_back(name);
  }
  return names;
}

std::string catalogue_text(const Json& catalogue, const Style& style) {
  std::string text;
  for (const auto& [kind, entries] : catalogue.items()) {
    if (entries.empty()) continue;
    TextTable table;
    table.add_column("");
    table.add_column("");
    for (const auto& [name, entry] : entries.items()) {
      const auto summary = wrap_text(entry["summary"].get<std::string>(), summary_width);
      for (size_t line = 0; line < summary.size(); ++line)
        table.add_row({line == 0 ? name : "", summary[line]});
    }
    text += (text.empty() ? "" : "\n") + style.heading(kind) + "\n" + table.text(style, 2);
  }
  return text;
}

std::string entry_text(const std::string& kind, const std::string& name, const Json& entry,
                       const Style& style) {
  std::string text = style.heading(name) + " (" + kind + "): " + entry["summary"].get<std::string>() + "\n";
  if (entry["options"].empty()) return text + "  no options\n";
  TextTable table;
  const bool is_searched = std::any_of(entry["options"].begin(), entry["options"].end(),
                                       [](const Json& option) { return option.contains("search"); });
  for (const char* heading : {"option", "type", "default", "limits"}) table.add_column(heading);
  if (is_searched) table.add_column("tuned in");
  table.add_column("meaning");
  constexpr size_t column_width = 60, default_width = 30;
  for (const Json& option : entry["options"]) {
    const auto limits = wrap_text(option["limits"].get<std::string>(), column_width);
    const auto help = wrap_text(option["help"].get<std::string>(), column_width);
    const auto usual = wrap_text(default_text(option["default"]), default_width);
    for (size_t line = 0; line < std::max({limits.size(), help.size(), usual.size()}); ++line) {
      const auto part = [&](const std::vector<std::string>& lines) {
        return line < lines.size() ? lines[line] : "";
      };
      const auto first = [&](const std::string& cell) { return line == 0 ? cell : ""; };
      std::vector<std::string> row{first(option["name"].get<std::string>()),
                                   first(option["type"].get<std::string>()), part(usual), part(limits)};
      if (is_searched) row.push_back(first(searched_text(option)));
      row.push_back(part(help));
      table.add_row(row);
    }
  }
  return text + table.text(style, 2);
}

}  // namespace gatewise
