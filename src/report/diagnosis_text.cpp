#include "report/diagnosis_text.h"

#include <algorithm>
#include <cmath>

#include "report/numbers.h"
#include "report/text_table.h"

namespace gatewise {
namespace {

constexpr size_t most_columns_shown = 12;
constexpr size_t most_experts_side_by_side = 10, most_named_side_by_side = 5;
constexpr size_t most_shares_shown = 3, most_pairs_shown = 10, most_tasks_side_by_side = 4;

std::string figure(const Json& value, const char* format = "{:.3f}") {
  return value.is_number() ? fmt::format(fmt::runtime(format), value.get<double>()) : "";
}

std::string wrapped(const std::string& text, size_t width, const std::string& indent) {
  std::string out;
  for (const std::string& line : wrap_text(text, width - indent.size())) out += indent + line + "\n";
  return out;
}

std::string words_of(std::string name) {
  std::replace(name.begin(), name.end(), '_', ' ');
  return name;
}

std::string verdicts_text(const Json& verdicts, const Style& style, size_t width) {
  if (verdicts.empty()) return "No fault found.\n";
  std::string text =
      style.heading(fmt::format("{} verdict{}", verdicts.size(), verdicts.size() == 1 ? "" : "s")) + "\n";
  for (const Json& verdict : verdicts) {
    const std::string title =
        fmt::format("{}: {} ({:.0f} % sure)", words_of(verdict["kind"].get<std::string>()),
                    verdict["where"].get<std::string>(), 100 * verdict["confidence"].get<double>());
    text += "  " + style.warning(title) + "\n";
    text += wrapped(verdict["text"].get<std::string>(), width, "    ");
    text += wrapped("evidence: " + evidence_text(verdict["evidence"]), width, "    ");
    if (!verdict.contains("remedy")) continue;
    text += wrapped("remedy: " + verdict["remedy"]["text"].get<std::string>(), width, "    ");
    const std::string changes = changes_text(verdict["remedy"]["changes"]);
    if (!changes.empty()) text += wrapped(changes, width, "      ");
  }
  return text;
}

std::string task_table(const Json& diagnosis, const Style& style) {
  TextTable table;
  table.add_column("task");
  for (const char* name : {"labels", "informative", "loss"}) table.add_column(name, Align::Right);
  table.add_column("metric");
  table.add_column("value", Align::Right);
  table.add_column("95 % interval");
  table.add_column("alone", Align::Right);
  for (const auto& [task, found] : diagnosis["tasks"].items()) {
    const Json& sharing = diagnosis["sharing"]["tasks"];
    const std::string interval =
        found["low"].is_number() ? figure(found["low"], "{:.4f}") + " to " + figure(found["high"], "{:.4f}")
                                 : "";
    table.add_row({task, count_text(found["labels"].get<int64_t>()),
                   count_text(found["informative_labels"].get<int64_t>()), figure(found["loss"], "{:.4f}"),
                   found["metric"].get<std::string>(), figure(found["value"], "{:.4f}"), interval,
                   sharing.contains(task) ? figure(sharing[task].value("single", Json()), "{:.4f}") : ""});
  }
  return style.heading("tasks") + "\n" + table.text(style, 2);
}

// How much larger a task's loss has become, in shares of the loss: "+1.2 %", or "+1.2 % ± 0.3" with its
// standard error.
std::string rise_text(const Json& change, const Json& task) {
  if (!change["loss"].is_number() || !task["loss"].is_number()) return "";
  const double loss = task["loss"].get<double>();
  const std::string rise = fmt::format("{:+.1f} %", 100 * change["loss"].get<double>() / loss);
  const Json error = change.value("standard_error", Json::object()).value("loss", Json());
  return error.is_number() ? rise + fmt::format(" ± {:.1f}", 100 * error.get<double>() / loss) : rise;
}

// The largest rise over the tasks, and whose it is: "+1.2 % income"; "none" where it is 0 as shown.
std::string worst_text(const Json& changes, const Json& tasks) {
  constexpr double shown_as_zero = 0.0005;
  std::string worst;
  double largest = 0;
  for (const auto& [task, change] : changes.items()) {
    if (!change["loss"].is_number() || !tasks[task]["loss"].is_number()) continue;
    const double rise = change["loss"].get<double>() / tasks[task]["loss"].get<double>();
    if (!worst.empty() && rise <= largest) continue;
    largest = rise;
    worst = std::abs(rise) < shown_as_zero ? "none" : rise_text(change, tasks[task]) + " " + task;
  }
  return worst;
}

// Each task's share, or the largest few: "click 70 %, buy 30 %".
std::string shares_text(const Json& shares) {
  std::vector<std::pair<double, std::string>> order;
  for (const auto& [task, share] : shares.items()) order.emplace_back(share.get<double>(), task);
  const bool is_cut = order.size() > most_shares_shown;
  if (is_cut) {
    std::stable_sort(order.begin(), order.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    order.resize(most_shares_shown);
  }
  std::string text;
  for (const auto& [share, task] : order)
    text += fmt::format("{}{} {:.0f} %", text.empty() ? "" : ", ", task, 100 * share);
  return text + (is_cut ? " ..." : "");
}

std::string experts_text(const Json& level, const Json& tasks, const Style& style) {
  TextTable table;
  table.add_column("#", Align::Right);
  table.add_column("expert");
  table.add_column("of");
  for (const char* name : {"zeros", "scale", "rank", "dead", "same"}) table.add_column(name, Align::Right);
  table.add_column("gradient");
  table.add_column("loss without it");
  size_t number = 0;
  for (const Json& expert : level["experts"]) {
    const std::string gradient = shares_text(expert.value("gradient_shares", Json::object()));
    const std::string owner = expert["task"].is_null() ? "all"
                              : expert["task"] == "*"  ? "the row's task"
                                                       : expert["task"].get<std::string>();
    table.add_row({std::to_string(++number), expert["path"].get<std::string>(), owner,
                   figure(expert["zero_share"], "{:.2f}"), figure(expert["scale"], "{:.3g}"),
                   fmt::format("{:.1f}/{}", expert["effective_rank"].get<double>(), expert["units"].dump()),
                   expert["dead_units"].dump(), expert["identical_units"].dump(), gradient,
                   expert.contains("removed") ? worst_text(expert["removed"], tasks) : ""});
  }
  return table.text(style, 2);
}

// The number of each expert that a gate sees, as the table of experts counts them; empty where it sees all of
// them in their order.
std::vector<std::string> numbers_seen(const Json& gate, const Json& level) {
  const Json &sees = gate["sees"], &experts = level["experts"];
  std::vector<std::string> numbers;
  bool is_all = sees.size() == experts.size();
  for (size_t i = 0; i < sees.size(); ++i) {
    size_t place = 0;
    while (place < experts.size() && experts[place]["path"] != sees[i]) ++place;
    numbers.push_back(std::to_string(place + 1));
    is_all = is_all && place == i;
  }
  return is_all ? std::vector<std::string>() : numbers;
}

// "0.25 0.75", or "#2 0.25  #4 0.75" where the experts have to be named.
std::string weights_text(const Json& weights, const std::vector<std::string>& numbers) {
  const size_t most = numbers.empty() ? most_experts_side_by_side : most_named_side_by_side;
  std::string text;
  for (size_t i = 0; i < weights.size() && i < most; ++i) {
    if (i > 0) text += numbers.empty() ? " " : "  ";
    if (!numbers.empty()) text += "#" + numbers[i] + " ";
    text += fmt::format("{:.2f}", weights[i].get<double>());
  }
  return text + (weights.size() > most ? " ..." : "");
}

std::string gates_text(const Json& level, const Json& tasks, const Style& style) {
  if (level["gates"].empty()) return "";
  TextTable table;
  table.add_column("gate");
  const bool sees_all = std::all_of(level["gates"].begin(), level["gates"].end(),
                                    [&](const Json& gate) { return numbers_seen(gate, level).empty(); });
  table.add_column(sees_all ? "mean weights of experts 1, 2, ..." : "mean weights by expert");
  table.add_column("in use", Align::Right);
  table.add_column("leader", Align::Right);
  table.add_column("moved", Align::Right);
  table.add_column("loss if uniform");
  for (const Json& gate : level["gates"]) {
    double leads = 0;
    for (const Json& share : gate["leads"]) leads = std::max(leads, share.get<double>());
    const std::vector<std::string> numbers = numbers_seen(gate, level);
    table.add_row({gate["path"].get<std::string>(), weights_text(gate["weights"], numbers),
                   fmt::format("{:.1f}/{}", gate["effective_experts"].get<double>(), gate["sees"].size()),
                   fmt::format("{:.0f} %", 100 * leads),
                   gate.contains("training") ? figure(gate["training"]["drift"], "{:.2f}") : "",
                   gate.contains("uniform") ? worst_text(gate["uniform"], tasks) : ""});
    const Json slices = gate.value("slices", Json::array());
    for (const Json& slice : slices) {
      const std::string name =
          fmt::format("  {} {}", level["slices_by"].get<std::string>(), slice["slice"].get<std::string>());
      table.add_row({name, weights_text(slice["weights"], numbers)});
    }
  }
  return table.text(style, 2);
}

std::string similarity_text(const Json& matrix, const Json& names, const char* key, const std::string& what) {
  double largest = -1;
  std::string pair;
  for (size_t a = 0; a < matrix.size(); ++a) {
    for (size_t b = 0; b < a; ++b) {
      if (matrix[a][b].get<double>() <= largest) continue;
      largest = matrix[a][b].get<double>();
      pair = names[b][key].get<std::string>() + " and " + names[a][key].get<std::string>();
    }
  }
  return pair.empty() ? "" : fmt::format("  most alike {}: {} ({:.2f})\n", what, pair, largest);
}

std::string gradients_text(const Json& gradients, const Style& style) {
  if (gradients["pairs"].empty()) return "";
  std::vector<Json> pairs;
  for (const Json& pair : gradients["pairs"]) {
    if (pair["cosine"].is_number()) pairs.push_back(pair);
  }
  if (pairs.empty()) return "";
  std::string heading = "shared parameters";
  if (pairs.size() > most_pairs_shown) {
    heading += fmt::format(", the {} pairs of {} that pull apart most (--json has all)", most_pairs_shown,
                           pairs.size());
    std::stable_sort(pairs.begin(), pairs.end(), [](const Json& a, const Json& b) {
      return a["cosine"].get<double>() < b["cosine"].get<double>();
    });
    pairs.resize(most_pairs_shown);
  }
  TextTable table;
  table.add_column("tasks");
  table.add_column("cosine of gradients", Align::Right);
  table.add_column("s.e.", Align::Right);
  for (const Json& pair : pairs) {
    table.add_row({pair["tasks"][0].get<std::string>() + " and " + pair["tasks"][1].get<std::string>(),
                   figure(pair["cosine"]), figure(pair["standard_error"])});
  }
  const std::string left = gradients.contains("unpaired_tasks")
                               ? fmt::format("  the last {} tasks are in no pair, for their number\n",
                                             gradients["unpaired_tasks"].get<int64_t>())
                               : "";
  return style.heading(heading) + "\n" + table.text(style, 2) + left;
}

std::string columns_text(const Json& columns, const Json& tasks, const Style& style) {
  std::vector<std::pair<double, const Json*>> order;
  for (const Json& column : columns) {
    double largest = -INFINITY;
    for (const auto& [task, change] : column["permuted"].items()) {
      const double loss = tasks[task]["loss"].is_number() ? tasks[task]["loss"].get<double>() : 1;
      if (change["loss"].is_number()) largest = std::max(largest, change["loss"].get<double>() / loss);
    }
    order.emplace_back(largest, &column);
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  TextTable table;
  table.add_column("column");
  const bool is_wide = tasks.size() <= most_tasks_side_by_side;
  if (is_wide) {
    for (const auto& [task, found] : tasks.items()) table.add_column("loss of " + task, Align::Right);
  } else {
    table.add_column("largest rise of a loss");
  }
  for (size_t i = 0; i < std::min(order.size(), most_columns_shown); ++i) {
    std::vector<std::string> cells{(*order[i].second)["column"].get<std::string>()};
    const Json& permuted = (*order[i].second)["permuted"];
    if (is_wide) {
      for (const auto& [task, found] : tasks.items()) cells.push_back(rise_text(permuted[task], found));
    } else {
      cells.push_back(worst_text(permuted, tasks));
    }
    table.add_row(std::move(cells));
  }
  if (table.is_empty()) return "";
  const std::string left = order.size() > most_columns_shown
                               ? fmt::format(", the first {} of {}", most_columns_shown, order.size())
                               : "";
  return style.heading("permutation importance of columns" + left) + "\n" + table.text(style, 2);
}

}  // namespace

std::string evidence_text(const Json& evidence) {
  std::string text;
  for (const auto& [name, value] : evidence.items()) {
    if (value.is_null()) continue;
    std::string shown = value.dump();
    if (value.is_number_float()) shown = fmt::format("{:.4g}", value.get<double>());
    if (value.is_object()) {
      shown.clear();
      for (const auto& [key, number] : value.items())
        shown += fmt::format("{}{} {}", shown.empty() ? "" : ", ", key, figure(number, "{:.3g}"));
    }
    text += fmt::format("{}{} {}", text.empty() ? "" : "; ", words_of(name), shown);
  }
  return text;
}

std::string changes_text(const Json& changes) {
  std::string text;
  for (const auto& [path, value] : changes.items()) {
    const std::string shown =
        value.is_number_float() ? fmt::format("{:.3g}", value.get<double>()) : value.dump();
    text += fmt::format("{}{} = {}", text.empty() ? "" : ", ", path, shown);
  }
  return text;
}

std::string diagnosis_text(const Json& diagnosis, const Style& style, size_t width) {
  std::string text = style.heading(diagnosis["sharing"]["text"].get<std::string>()) + "\n";
  if (!diagnosis["sharing"]["tasks"].empty())
    text +=
        style.aside("(intervals are over rows and over seeds of training; alone: the mean of the seeds)") +
        "\n";
  text += verdicts_text(diagnosis["verdicts"], style, width);
  text += task_table(diagnosis, style);
  if (diagnosis["levels"].empty())
    text += "the model declares no experts (there are none, or it is older than their declaration)\n";
  for (const Json& level : diagnosis["levels"]) {
    text += style.heading("level " + level["name"].get<std::string>()) + "\n";
    text += experts_text(level, diagnosis["tasks"], style) +
            similarity_text(level["similarity"], level["experts"], "path", "outputs");
    text += gates_text(level, diagnosis["tasks"], style) +
            similarity_text(level["gate_similarity"], level["gates"], "path", "gates");
    if (level.contains("tasks_without_gates"))
      text += fmt::format("  the gates of the last {} tasks are left out, for their number\n",
                          level["tasks_without_gates"].get<int64_t>());
  }
  text += gradients_text(diagnosis["gradients"], style);
  if (diagnosis.contains("columns")) text += columns_text(diagnosis["columns"], diagnosis["tasks"], style);
  return text;
}

}  // namespace gatewise
