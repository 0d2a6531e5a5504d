#include "features/propose.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "base/error.h"
#include "features/column_facts.h"
#include "features/column_views.h"
#include "features/labels.h"
#include "table/table_files.h"

namespace gatewise {
namespace {

constexpr int64_t most_classes = 20;        // integers with more values are predicted as numbers
constexpr int64_t resolving_rows = 100000;  // that columns.default = "auto" looks at

Json without_defaults(Json written, const Json& defaults) {
  for (const auto& [key, value] : defaults.items()) {
    if (written.contains(key) && written[key] == value) written.erase(key);
  }
  return written;
}

// As short as it can be: the role alone where nothing else is chosen.
Json short_json(const ColumnSpec& column) {
  ColumnSpec plain;
  plain.role = column.role;
  Json defaults = plain.to_json();
  defaults.erase("role");
  Json json = without_defaults(column.to_json(), defaults);
  if (json.contains("type") && json["type"] == (column.role == Role::Bag ? "id" : "text")) json.erase("type");
  return json.size() == 1 ? json["role"] : json;
}

Json short_json(const TaskSpec& task) {
  TaskSpec plain;
  Json json = without_defaults(task.to_json(), plain.to_json());
  json["kind"] = task.kind;
  if (task.column == task.name) json.erase("column");
  return json;
}

// As integers where they are, for a configuration that reads well.
Json number_json(const std::string& text) {
  const double number = std::stod(text);
  const bool is_integer = std::floor(number) == number && std::abs(number) < 1e15;
  return is_integer ? Json(static_cast<int64_t>(number)) : Json(number);
}

// The text that says yes where the other one says no, or an empty one.
std::string yes_of(const std::string& first, const std::string& second) {
  constexpr std::string_view answers[][2] = {
      {"true", "false"}, {"yes", "no"}, {"y", "n"}, {"t", "f"}, {"positive", "negative"}};
  const std::string a = lower_case(first), b = lower_case(second);
  for (const auto& [yes, no] : answers) {
    if (a == yes && b == no) return first;
    if (b == yes && a == no) return second;
  }
  return "";
}

// `levels`: the two, rarer first.
TaskProposal binary_task(TaskProposal proposal, const ColumnFacts& facts,
                         const std::vector<std::string>& levels) {
  TaskSpec& task = proposal.task;
  if (facts.are_numbers && facts.least == 0 && facts.greatest == 1) {
    proposal.reason = "0 and 1";
    return proposal;
  }
  if (facts.are_numbers) {
    task.equals = number_json(fmt::format("{}", facts.greatest));
    proposal.reason = fmt::format("two numbers; the greater one, {}, is positive", task.equals.dump());
    return proposal;
  }
  const std::string yes = yes_of(levels[0], levels[1]);
  if (lower_case(yes) == "true") {
    proposal.reason = "true and false, read as 1 and 0";
  } else if (!yes.empty()) {
    task.equals = yes;
    proposal.reason = fmt::format("two texts; \"{}\" is positive", yes);
  } else {
    task.equals = levels[0];
    proposal.reason = fmt::format("two texts; the rarer one, \"{}\", is positive", levels[0]);
  }
  return proposal;
}

// Those of a label: "none" and "nil" among texts may well be a class.
std::vector<std::string> null_tokens_of_label(const ColumnFacts& facts) {
  std::vector<std::string> tokens;
  for (const std::string& token : facts.null_tokens) {
    const std::string lower = lower_case(token);
    if (facts.are_numbers || (lower != "none" && lower != "nil")) tokens.push_back(token);
  }
  const bool leaves_two = facts.distinct - static_cast<int64_t>(tokens.size()) >= 2;
  return facts.are_numbers || leaves_two ? tokens : std::vector<std::string>();
}

bool looks_like_label(const std::string& name) {
  static const std::vector<std::string> hints{
      "label",    "labels", "target",     "targets",   "click",   "clicked", "like", "liked", "buy",
      "purchase", "income", "conversion", "converted", "outcome", "class",   "y",    "churn", "response"};
  const std::vector<std::string> words = words_of(name);
  return std::any_of(words.begin(), words.end(), [&](const std::string& word) {
    return std::find(hints.begin(), hints.end(), word) != hints.end();
  });
}

bool can_be_label(const Column& column, int64_t most_values) {
  if (column.type() != ColumnType::Text && column.type() != ColumnType::Number) return false;
  const ColumnFacts facts = look_at(column);
  const int64_t values = facts.distinct - static_cast<int64_t>(null_tokens_of_label(facts).size());
  return values >= 2 && values <= most_values;
}

// Warns of numeric columns that all but give a label away.
void warn_of_leaks(const Table& table, Proposal& proposal) {
  constexpr double suspicious = 0.95;
  for (const TaskProposal& item : proposal.tasks) {
    if (item.task.kind == "multiclass") continue;
    const std::vector<double> labels = read_labels(table, item.task, {});
    for (ColumnProposal& column : proposal.columns) {
      if (column.column.role != Role::Numeric || column.has_infinity) continue;
      const auto numbers = numbers_of(table, column.column.name, column.column.null);
      const double pearson = correlate(numbers->values, labels).pearson;
      if (std::abs(pearson) < suspicious) continue;
      column.warnings.push_back(
          fmt::format("its correlation with label \"{}\" is {:.3f}: does it give the label away?",
                      item.task.name, pearson));
    }
  }
}

// Names that are also values of their own columns: the line of names is a row.
bool looks_headerless(const Table& table) {
  const auto is_value = [](const Column& column) {
    const Texts* texts = std::get_if<Texts>(&column.data);
    return texts != nullptr &&
           std::find(texts->levels.begin(), texts->levels.end(), column.name) != texts->levels.end();
  };
  const auto values = std::count_if(table.columns().begin(), table.columns().end(), is_value);
  return values > 0 && 2 * values >= static_cast<int64_t>(table.columns().size());
}

Table read_all(const DataSpec& data, const std::vector<std::string>& files, int64_t max_rows,
               const std::vector<std::string>& without) {
  ReadOptions options = data.read_options(Part::Train);
  options.all_columns = true;
  options.max_rows = max_rows;
  options.without = without;
  return read_table(files, options);
}

// Columns of a type that the tables lack, which stay unread.
std::vector<ColumnProposal> propose_unreadable(const DataSpec& data, const std::vector<std::string>& files,
                                               const std::vector<std::string>& labels) {
  const std::string first = expand_files(files)[0];
  std::vector<ColumnProposal> proposals;
  for (const UnreadableColumn& unreadable : unreadable_columns(first, data.read_options(Part::Train))) {
    if (std::find(labels.begin(), labels.end(), unreadable.name) != labels.end()) {
      data_error(
          "{}: column \"{}\" is stored as {}, which cannot be read; expected numbers or texts for a label",
          first, unreadable.name, unreadable.type);
    }
    ColumnProposal& proposal = proposals.emplace_back();
    proposal.column.name = unreadable.name;
    proposal.column.role = Role::Ignore;
    proposal.reason = "stored as " + unreadable.type + ", which cannot be read";
  }
  return proposals;
}

Json data_json(const DataSpec& data) {
  return without_defaults(write_options(data), write_options(DataSpec()));
}

}  // namespace

TaskProposal propose_task(const Table& table, const std::string& name, const std::vector<std::string>& null) {
  const Column& column = table.column(name);
  if (column.type() != ColumnType::Text && column.type() != ColumnType::Number &&
      column.type() != ColumnType::Id) {
    data_error("{}: column \"{}\" is a {}; expected numbers or texts for a label", table.name(), name,
               type_name(column.type()));
  }
  const ColumnFacts facts = look_at(column);
  TaskProposal proposal;
  TaskSpec& task = proposal.task;
  task.name = task.column = name;
  const std::vector<std::string> tokens = null_tokens_of_label(facts);
  const int64_t values = facts.distinct - static_cast<int64_t>(tokens.size());
  if (values < 2) {
    data_error("{}: column \"{}\" has {}; a label needs at least two values", table.name(), name,
               values == 0 ? "no value" : "the same value in every row");
  }
  if (!tokens.empty()) {
    task.null = with_null_tokens(null, tokens);
    proposal.warnings.push_back(
        fmt::format("\"{}\" is taken as a missing label", fmt::join(tokens, "\", \"")));
  }
  if (values == 2) {
    std::vector<std::string> levels;
    for (const auto& [rows, level] : facts.levels) {
      if (std::find(tokens.begin(), tokens.end(), level) == tokens.end()) levels.push_back(level);
    }
    return binary_task(std::move(proposal), facts, levels);
  }
  const bool are_classes = facts.are_integers && facts.least == 0 && values <= most_classes &&
                           facts.greatest == static_cast<double>(values - 1);
  if (facts.are_numbers && !are_classes) {
    task.kind = "regression";
    task.transform = "standardise";
    proposal.reason = fmt::format("{} distinct numbers", values);
    return proposal;
  }
  if (!facts.are_numbers && facts.levels.empty()) {
    data_error(
        "{}: column \"{}\" has {} distinct texts, too many for a label; expected numbers or at most 1000 "
        "texts",
        table.name(), name, facts.distinct);
  }
  task.kind = "multiclass";
  if (facts.are_numbers) task.classes = values;
  proposal.reason = facts.are_numbers ? fmt::format("integers from 0 to {}", values - 1)
                                      : fmt::format("{} distinct texts", values);
  return proposal;
}

std::vector<std::string> find_label_candidates(const Table& table) {
  std::vector<std::string> candidates;
  for (const Column& column : table.columns()) {
    if (looks_like_label(column.name) && can_be_label(column, 2)) candidates.push_back(column.name);
  }
  if (candidates.empty() && !table.columns().empty() && can_be_label(table.columns().back(), most_classes)) {
    candidates.push_back(table.columns().back().name);
  }
  return candidates;
}

Proposal propose_configuration(const std::vector<std::string>& files, const std::vector<std::string>& labels,
                               const DataSpec& data) {
  std::vector<ColumnProposal> unreadable = propose_unreadable(data, files, labels);
  const Table table = read_all(data, files, 0, {});
  Proposal proposal;
  if (looks_headerless(table)) {
    proposal.table_warnings.push_back(
        fmt::format("{}: the line of names looks like a row, as \"{}\" does; if there is no line of names, "
                    "add --data.header "
                    "false, or name the columns by --data.column_names",
                    table.name(), table.columns().front().name));
  }
  proposal.label_candidates = find_label_candidates(table);
  Schema schema;
  schema.data = data;
  schema.data.train = files;
  for (const std::string& label : labels.empty() ? proposal.label_candidates : labels) {
    proposal.tasks.push_back(propose_task(table, label, data.null));
    schema.tasks.push_back(proposal.tasks.back().task);
  }
  proposal.columns = propose_columns(table, schema);
  std::move(unreadable.begin(), unreadable.end(), std::back_inserter(proposal.columns));
  proposal.labels = summarise_labels(table, schema.tasks);
  warn_of_leaks(table, proposal);

  proposal.configuration["data"] = data_json(schema.data);
  const bool is_split = data.validation.empty() && data.test.empty();
  if (is_split) {
    proposal.configuration["split"] = {{"kind", "fraction"},
                                       {"fractions", {{"train", 0.8}, {"validation", 0.1}, {"test", 0.1}}},
                                       {"seed", 1}};
  }
  Json& columns = proposal.configuration["columns"] = {{"default", "ignore"}};
  for (const ColumnProposal& item : proposal.columns) columns[item.column.name] = short_json(item.column);
  Json& tasks = proposal.configuration["tasks"] = Json::object();
  for (const TaskProposal& item : proposal.tasks) tasks[item.task.name] = short_json(item.task);
  Json training = propose_training(is_split ? table.rows() * 8 / 10 : table.rows());
  if (!training.empty()) proposal.configuration["training"] = std::move(training);
  return proposal;
}

std::vector<std::string> Proposal::warnings() const {
  std::vector<std::string> all = table_warnings;
  for (const ColumnProposal& item : columns) {
    for (const std::string& warning : item.warnings)
      all.push_back(fmt::format("column \"{}\": {}", item.column.name, warning));
  }
  for (const TaskProposal& item : tasks) {
    for (const std::string& warning : item.warnings)
      all.push_back(fmt::format("label \"{}\": {}", item.task.name, warning));
  }
  if (tasks.empty()) all.push_back("no column looks like a label; name some, as --labels NAME");
  return all;
}

std::vector<std::string> Proposal::notes() const {
  std::vector<std::string> all;
  for (const TaskProposal& item : tasks)
    all.push_back(fmt::format("label \"{}\": {} ({})", item.task.name, item.task.kind, item.reason));
  return all;
}

Json Proposal::to_json() const {
  Json json{{"configuration", configuration}};
  for (const ColumnProposal& item : columns) {
    json["columns"][item.column.name] = {{"role", role_names()[static_cast<size_t>(item.column.role)]},
                                         {"reason", item.reason},
                                         {"warnings", item.warnings}};
  }
  for (const TaskProposal& item : tasks) {
    json["tasks"][item.task.name] = {
        {"kind", item.task.kind}, {"reason", item.reason}, {"warnings", item.warnings}};
  }
  json["label_candidates"] = label_candidates;
  json["labels"] = labels.to_json();
  json["table_warnings"] = table_warnings;
  json["warnings"] = warnings();
  return json;
}

Schema resolve_schema(const Schema& schema, const Table& table) {
  if (!schema.completes_columns) return schema;
  Schema resolved = schema;
  resolved.completes_columns = false;
  for (ColumnProposal& proposal : propose_columns(table, schema))
    resolved.columns.push_back(std::move(proposal.column));
  return resolved;
}

Schema resolve_schema(const Schema& schema) {
  if (!schema.completes_columns) return schema;
  std::vector<std::string> ignored;
  for (const ColumnSpec& column : schema.columns) {
    if (column.role == Role::Ignore) ignored.push_back(column.name);
  }
  return resolve_schema(schema, read_all(schema.data, schema.data.train, resolving_rows, ignored));
}

}  // namespace gatewise
