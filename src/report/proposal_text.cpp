#include "report/proposal_text.h"

#include "base/toml.h"
#include "report/numbers.h"
#include "report/text_table.h"

namespace gatewise {
namespace {

constexpr size_t comment_width = 105;

std::string comment(const std::string& text) {
  std::string lines;
  for (const std::string& line : wrap_text(text, comment_width)) lines += "# " + line + "\n";
  return lines;
}

// The lines of a section, each with its reason behind it.
std::string section(const std::string& name, const Json& members, const Json& reasons) {
  std::string text = "\n[" + name + "]\n";
  for (const auto& [key, value] : members.items()) {
    if (value.is_null()) continue;
    std::string line = toml_key(key) + " = " + toml_value(value);
    const Json about = reasons.value(key, Json::object());
    for (const Json& warning : about.value("warnings", Json::array()))
      text += comment("Warning: " + warning.get<std::string>());
    const std::string reason = about.value("reason", "");
    text += line + (reason.empty() ? "" : "  # " + reason) + "\n";
  }
  return text;
}

std::string task_line(const Json& task) {
  std::string line = fmt::format("{} ({}): {} rows with a label", task["name"].get<std::string>(),
                                 task["kind"].get<std::string>(), count_text(task["present"].get<int64_t>()));
  if (task.contains("rate") && task["rate"].is_number())
    line += ", rate " + percent_text(task["rate"].get<double>());
  if (task.contains("mean") && task["mean"].is_number())
    line += ", mean " + value_text(task["mean"].get<double>());
  if (task.contains("deviation") && task["deviation"].is_number())
    line += ", standard deviation " + value_text(task["deviation"].get<double>());
  if (task.contains("classes")) {
    for (const auto& [name, count] : task["classes"].items())
      line += fmt::format(", {}: {}", name, count_text(count.get<int64_t>()));
  }
  return line;
}

std::string labels_text(const Json& labels) {
  std::string text;
  for (const Json& task : labels["tasks"]) text += comment(task_line(task));
  for (const Json& pair : labels["correlations"]) {
    const Json& pearson = pair["pearson"];
    text +=
        comment(fmt::format("Pearson correlation of {} and {}: {} over {} rows",
                            pair["tasks"][0].get<std::string>(), pair["tasks"][1].get<std::string>(),
                            pearson.is_number() ? fmt::format("{:.4f}", pearson.get<double>()) : "undefined",
                            count_text(pair["rows"].get<int64_t>())));
  }
  for (const Json& task : labels["tasks"]) {
    if (task["kind"] != "multiclass" || labels["tasks"].size() < 2) continue;
    text += comment(fmt::format("{} has no Pearson correlations: its classes have no order",
                                task["name"].get<std::string>()));
  }
  return text;
}

}  // namespace

std::string proposal_toml(const Json& proposal) {
  std::string text = comment("Proposed from the data; edit what is wrong, then: gatewise fit THIS_FILE");
  text += labels_text(proposal["labels"]);
  if (proposal["configuration"].value("tasks", Json::object()).empty()) {
    text += comment("Warning: no column looks like a label; name some, as --labels NAME, or fill [tasks]");
  }
  for (const Json& warning : proposal.value("table_warnings", Json::array()))
    text += comment("Warning: " + warning.get<std::string>());
  const Json nothing = Json::object();
  for (const auto& [name, members] : proposal["configuration"].items()) {
    const bool has_reasons = name == "columns" || name == "tasks";
    text += section(name, members, has_reasons ? proposal.value(name, nothing) : nothing);
  }
  return text;
}

}  // namespace gatewise
