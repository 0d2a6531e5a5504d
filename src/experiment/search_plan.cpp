#include "experiment/search_plan.h"

#include "architectures/architecture.h"
#include "base/error.h"
#include "configuration/configuration.h"
#include "losses/loss.h"
#include "training/model.h"

namespace gatewise {
namespace {

using Pointer = Json::json_pointer;

const std::vector<std::string>& range_keys() {
  static const std::vector<std::string> keys{"min", "max", "log", "choices", "search", "start"};
  return keys;
}

bool is_range(const Json& json) {
  if (!json.is_object()) return false;
  return json.contains("min") || json.contains("max") || json.contains("choices") || json.contains("search");
}

// The options that a part of this type declares; null for names that are no parts of models.
template <class Interface>
const Json& options_of(const Json& part, const char* kind, const char* usual, const std::string& path) {
  const bool has_type = part.is_object() && part.contains("type") && part["type"].is_string();
  const std::string type = has_type ? part["type"].get<std::string>() : usual;
  return Registry<Interface>::instance().find(type, kind, path + ".type").options;
}

const Json* part_options(const std::string& name, const Json& part) {
  const std::string path = "model." + name;
  if (name == "expert") return &options_of<Expert>(part, "expert", "mlp", path);
  if (name == "gate") return &options_of<Gate>(part, "gate", "softmax", path);
  if (name == "tower") return &options_of<Tower>(part, "tower", "mlp", path);
  return nullptr;
}

Json find_named(const Json& options, const std::string& name) {
  for (const Json& option : options) {
    if (option.at("name") == name) return option;
  }
  return {};
}

// What is declared of the option at this path, as OptionSet::describe() gives it; null where nothing is.
Json declared_option(const Json& configuration, const std::vector<std::string>& path) {
  if (path[0] == "model") {
    const Json model = table_of(configuration, "model");
    if (path.size() == 2)
      return find_named(options_of<Architecture>(model, "architecture", "mmoe", "model"), path[1]);
    if (path.size() != 3) return {};
    const Json* options = part_options(path[1], model.value(path[1], Json::object()));
    return options != nullptr ? find_named(*options, path[2]) : Json();
  }
  if (path.size() < 2) return {};
  if (path.size() == 4 && path[0] == "tasks" && path[2] == "loss_options") {
    const Json task = table_of(configuration["tasks"], path[1].c_str()),
               kind = task.value("kind", Json("binary")), loss = task.value("loss", Json(""));
    if (!kind.is_string() || !loss.is_string()) return {};  // searched too
    const std::string name = loss == "" ? default_loss(kind.get<std::string>()) : loss.get<std::string>();
    return find_named(Registry<Loss>::instance().find(name, "loss", "tasks." + path[1] + ".loss").options,
                      path[3]);
  }
  // Tables of tasks and columns have a name of their own in between.
  std::string section = path[0];
  const bool is_named = section == "tasks" || section == "columns";
  if (!is_named && path.size() == 3) section += "." + path[1];
  const Json sections = describe_sections();
  return sections.contains(section) ? find_named(sections[section]["options"], path.back()) : Json();
}

class RangeReader {
 public:
  explicit RangeReader(SearchPlan& plan) : plan_(plan) {}

  void read_all() {
    for (const auto& [table, content] : plan_.configuration.items()) {
      path_ = {table};
      read(content, Pointer() / table);
    }
  }

 private:
  // `plan_.configuration` is changed while it is walked: only values are replaced, never keys.
  void read(Json& json, const Pointer& place) {
    if (is_option() && is_range(json)) {
      add(json, place);
    } else if (json.is_object()) {
      for (auto& [key, value] : json.items()) {
        path_.push_back(key);
        read(value, place / key);
        path_.pop_back();
      }
    } else if (json.is_array()) {
      const size_t count = json.size();
      for (size_t i = 0; i < count; ++i) {
        index_ = count == 1 ? "" : fmt::format("[{}]", i);
        is_element_ = true;
        read(json[i], place / i);
        is_element_ = false;
        index_.clear();
      }
    }
  }

  // Tasks and columns can have any name, "min" too, but for "embedding", the width of all columns.
  bool is_option() const {
    if (path_ == std::vector<std::string>{"columns", "embedding"}) return true;
    const bool is_named = path_[0] == "tasks" || path_[0] == "columns";
    return path_.size() >= (is_named ? 3u : 2u);
  }

  void add(Json& json, Pointer place) {
    const std::string name = fmt::format("{}{}", fmt::join(path_, "."), index_);
    check_place(name);
    const Json option = declared_option(plan_.configuration, path_);
    const Json range = with_declared(json, option, name);
    Dimension dimension = dimension_of(range, option, name);
    dimension.check();
    const std::optional<double> start = start_of(range, dimension);
    has_start_ = has_start_ || start.has_value();
    const double value = start ? *start : dimension.from_unit(0.5);
    // A range for a list is one for its only element.
    const std::string type = option.is_null() ? "" : option.at("type").get<std::string>();
    const bool is_list = type.starts_with("list") && !is_element_ && !range.contains("choices");
    json = is_list ? Json::array({dimension.json(value)}) : dimension.json(value);
    if (is_list) place /= size_t{0};
    plan_.dimensions.push_back(std::move(dimension));
    plan_.places.push_back(std::move(place));
    starts_.push_back(value);
    if (has_start_) plan_.first = starts_;
  }

  void check_place(const std::string& name) const {
    static const std::vector<std::string> tables{"model", "training", "tasks", "columns"};
    if (std::find(tables.begin(), tables.end(), path_[0]) == tables.end()) {
      command_error("{}: got a range, and [{}] can have none; ranges stand in {}", name, path_[0],
                    fmt::join(tables, ", "));
    }
    if (name == "training.seed" || name == "training.threads")
      command_error("{}: got a range; [tune] seeds says how many seeds a trial has", name);
  }

  static Json with_declared(const Json& range, const Json& option, const std::string& name) {
    for (const auto& [key, value] : range.items()) {
      if (std::find(range_keys().begin(), range_keys().end(), key) == range_keys().end()) {
        command_error("{}: unknown field \"{}\" of a range.{}", name, key, suggestion(key, range_keys()));
      }
    }
    const auto has = [&](const char* key) { return range.contains(key); };
    const bool is_numeric = has("min") && has("max") && !has("choices") && !has("search");
    const bool is_choice = has("choices") && !has("min") && !has("max") && !has("log") && !has("search");
    const bool is_declared = has("search") && !has("min") && !has("max") && !has("log") && !has("choices");
    if (!is_numeric && !is_choice && !is_declared) {
      command_error(
          "{}: got {}, expected {{min, max}} with log = true where ratios count, {{choices = [..]}}, or "
          "{{search = true}}, each with start if there is one",
          name, range.dump());
    }
    if (!is_declared) return range;
    if (range["search"] != Json(true))
      command_error("{}: got search = {}, expected true", name, range["search"].dump());
    const Json declared = option.is_null() ? Json() : option.value("search", Json());
    if (declared.is_null())
      command_error("{}: the option declares no range to search; give min and max, or choices", name);
    Json whole = declared;
    if (range.contains("start")) whole["start"] = range["start"];
    return whole;
  }

  static Dimension dimension_of(const Json& range, const Json& option, const std::string& name) {
    if (range.contains("choices")) {
      if (!range["choices"].is_array())
        command_error("{}: got choices = {}, expected a list", name, range["choices"].dump());
      return Dimension::choice(name, range["choices"].get<std::vector<Json>>());
    }
    for (const char* end : {"min", "max"}) {
      if (!range[end].is_number())
        command_error("{}: got {} = {}, expected a number", name, end, range[end].dump());
    }
    if (range.contains("log") && !range["log"].is_boolean())
      command_error("{}: got log = {}, expected true or false", name, range["log"].dump());
    const bool is_log = range.value("log", false);
    const std::string type = option.is_null() ? "" : option.at("type").get<std::string>();
    const bool is_whole = range["min"].is_number_integer() && range["max"].is_number_integer();
    // Of a table without declared options, as stop.weights, 0 to 1 means all between.
    const bool is_integer = type == "integer" || type == "list of integers";
    const bool is_number = type.empty() || type == "number" || type == "list of numbers" || type == "table";
    if (!is_integer && !is_number)
      command_error("{}: got min and max for a {}, which has none; give choices = [..]", name, type);
    if (!is_integer)
      return Dimension::number(name, range["min"].get<double>(), range["max"].get<double>(), is_log);
    if (!is_whole)
      command_error("{}: got {} to {}, expected integers", name, range["min"].dump(), range["max"].dump());
    return Dimension::integer(name, range["min"].get<int64_t>(), range["max"].get<int64_t>(), is_log);
  }

  static std::optional<double> start_of(const Json& range, const Dimension& dimension) {
    if (!range.contains("start")) return {};
    const Json& start = range["start"];
    if (dimension.kind == Dimension::Kind::Choice) {
      const auto found = std::find(dimension.choices.begin(), dimension.choices.end(), start);
      if (found == dimension.choices.end())
        command_error("{}: got start = {}, expected one of the choices", dimension.name, start.dump());
      return static_cast<double>(found - dimension.choices.begin());
    }
    const bool is_integer = dimension.kind == Dimension::Kind::Integer;
    if (!start.is_number() || (is_integer && !start.is_number_integer()) ||
        start.get<double>() < dimension.low || start.get<double>() > dimension.high) {
      command_error("{}: got start = {}, expected {} from {} to {}", dimension.name, start.dump(),
                    is_integer ? "an integer" : "a number", dimension.low, dimension.high);
    }
    return start.get<double>();
  }

  SearchPlan& plan_;
  std::vector<std::string> path_;
  std::string index_;
  bool is_element_ = false, has_start_ = false;
  Point starts_;
};

// The declared range around the value that the option has; the value itself where nothing is declared.
Json declared_range(const Json& option, const Json& value) {
  if (value.is_array()) {
    Json list = Json::array();
    for (const Json& element : value) list.push_back(declared_range(option, element));
    return list;
  }
  if (!option.contains("search") || !value.is_number()) return value;
  Json range = option["search"];
  if (range["log"].get<bool>() && value.get<double>() <= 0) return value;
  if (value.get<double>() < range["min"].get<double>()) range["min"] = value;
  if (value.get<double>() > range["max"].get<double>()) range["max"] = value;
  range["start"] = value;
  return range;
}

// `path` of the table, with a dot behind it. Adds the options that cannot have their range to `left_at_zero`.
void add_ranges(Json& table, const Json& options, const std::string& path,
                std::vector<std::string>& left_at_zero) {
  for (const Json& option : options) {
    const std::string name = option.at("name").get<std::string>();
    if (!option.contains("search")) continue;
    const Json range = declared_range(option, table[name]);
    if (range.is_number()) left_at_zero.push_back(path + name);
    table[name] = range;
  }
}

Json with_default_ranges(const Json& given, std::vector<std::string>& left_at_zero) {
  Json json = given;
  Json given_model = table_of(given, "model");
  leave_out_foreign_options(given_model);
  Json model = complete_model_with_parts(given_model);
  add_ranges(model, options_of<Architecture>(model, "architecture", "mmoe", "model"), "model.", left_at_zero);
  for (auto& [name, part] : model.items()) {
    if (const Json* options = part_options(name, part))
      add_ranges(part, *options, "model." + name + ".", left_at_zero);
  }
  json["model"] = model;
  const Json training = Configuration::from_json(given).to_json()["training"];
  const auto declare = [&](const std::vector<std::string>& path, const Pointer& place) {
    const Pointer inside("/" + fmt::format("{}", fmt::join(path.begin() + 1, path.end(), "/")));
    json[place] = declared_range(declared_option(given, path), training[inside]);
  };
  declare({"training", "optimiser", "rate"}, Pointer("/training/optimiser/rate"));
  if (!given.contains("synthetic")) declare({"training", "batch_rows"}, Pointer("/training/batch_rows"));
  return json;
}

// Numbers by their dotted paths; elements of lists of several have [i] behind it.
void collect_numbers(const Json& json, const std::string& path, std::map<std::string, double>& numbers) {
  if (json.is_number()) {
    numbers[path] = json.get<double>();
  } else if (json.is_object()) {
    for (const auto& [key, value] : json.items())
      collect_numbers(value, path.empty() ? key : path + "." + key, numbers);
  } else if (json.is_array()) {
    for (size_t i = 0; i < json.size(); ++i)
      collect_numbers(json[i], json.size() == 1 ? path : fmt::format("{}[{}]", path, i), numbers);
  }
}

// The full name that `name` is, or is the end of; empty when there is none.
std::string full_name(const std::string& name, const std::vector<std::string>& known,
                      const Constraint& constraint) {
  std::vector<std::string> found;
  for (const std::string& full : known) {
    if (full == name) return full;
    if (full.ends_with("." + name)) found.push_back(full);
  }
  if (found.size() > 1) {
    command_error("tune.constraints: \"{}\": \"{}\" can mean {}; write more of the path", constraint.text(),
                  name, fmt::join(found, " or "));
  }
  return found.empty() ? "" : found[0];
}

void check_ends(const SearchPlan& plan, size_t index) {
  const Dimension& dimension = plan.dimensions[index];
  std::vector<Json> values = dimension.choices;
  if (values.empty()) values = {dimension.json(dimension.low), dimension.json(dimension.high)};
  Json changed = plan.configuration;
  for (const Json& value : values) {
    changed[plan.places[index]] = value;
    Configuration::from_json(changed);
  }
}

void leave_out(SearchPlan& plan, size_t index) {
  const auto offset = static_cast<std::ptrdiff_t>(index);
  plan.dimensions.erase(plan.dimensions.begin() + offset);
  plan.places.erase(plan.places.begin() + offset);
  if (plan.first) plan.first->erase(plan.first->begin() + offset);
}

}  // namespace

Json complete_model_with_parts(const Json& model) {
  Json complete = complete_model_options(model);
  for (auto& [name, part] : complete.items()) {
    const Json* options = part_options(name, part);
    if (options == nullptr) continue;
    static const std::map<std::string, std::string> usual{
        {"expert", "mlp"}, {"gate", "softmax"}, {"tower", "mlp"}};
    Json whole{{"type", part.value("type", usual.at(name))}};
    for (const Json& option : *options) whole[option.at("name").get<std::string>()] = option.at("default");
    whole.update(part);
    part = whole;
  }
  return complete;
}

SearchPlan SearchPlan::read(const Json& given) {
  SearchPlan plan;
  plan.configuration = given;
  RangeReader(plan).read_all();
  plan.is_default = plan.dimensions.empty();
  if (plan.is_default) {
    plan.configuration = with_default_ranges(given, plan.left_at_zero);
    RangeReader(plan).read_all();
  }
  if (plan.dimensions.empty()) {
    command_error(
        "tune: nothing to search: no range is given, and no option of this configuration declares one; give "
        "one as rate = {{min = 1e-4, max = 1e-2, log = true}}");
  }
  // Every end and every choice has to be a value that the option takes.
  Configuration::from_json(plan.configuration);
  for (size_t i = plan.dimensions.size(); i-- > 0;) {
    try {
      check_ends(plan, i);
    } catch (const Error&) {
      if (!plan.is_default) throw;
      leave_out(plan, i);  // the architecture does not allow what the part declares
    }
  }
  return plan;
}

Json SearchPlan::with(const Point& point) const {
  Json json = configuration;
  for (size_t i = 0; i < dimensions.size(); ++i) json[places[i]] = dimensions[i].json(point[i]);
  return json;
}

std::map<std::string, double> SearchPlan::resolve(std::vector<Constraint>& constraints) const {
  Json complete = Configuration::from_json(configuration).to_json();
  complete["model"] = complete_model_with_parts(complete["model"]);
  std::map<std::string, double> numbers;
  collect_numbers(complete, "", numbers);
  std::vector<std::string> searched, fixed;
  for (const Dimension& dimension : dimensions) {
    searched.push_back(dimension.name);
    numbers.erase(dimension.name);
  }
  for (const auto& [name, value] : numbers) fixed.push_back(name);
  std::map<std::string, double> constants;
  for (Constraint& constraint : constraints) {
    std::map<std::string, std::string> full;
    for (const std::string& name : constraint.names()) {
      full[name] = full_name(name, searched, constraint);
      if (full[name].empty()) full[name] = full_name(name, fixed, constraint);
      if (full[name].empty()) {
        std::vector<std::string> known = searched;
        for (const auto* paths : {&searched, &fixed}) {
          for (const std::string& path : *paths) {
            const std::string end = path.substr(path.rfind('.') + 1);
            if (std::find(known.begin(), known.end(), end) == known.end()) known.push_back(end);
          }
        }
        command_error("tune.constraints: \"{}\": no option \"{}\" that is a number.{}", constraint.text(),
                      name, suggestion(name, known));
      }
      if (numbers.contains(full[name])) constants[full[name]] = numbers[full[name]];
    }
    constraint.rename(full);
  }
  return constants;
}

}  // namespace gatewise
