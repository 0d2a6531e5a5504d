#include "configuration/overrides.h"

#include <algorithm>

#include "base/error.h"
#include "base/toml.h"
#include "base/utf8.h"

namespace gatewise {
namespace {

// Keys are written as in TOML, so that names with dots can be put in quotes.
std::vector<std::string> path_of(const std::string& name) {
  std::vector<std::string> path;
  try {
    const Json parsed = parse_toml(name + " = 0", "--" + name);
    for (const Json* level = &parsed; level->is_object(); level = &level->begin().value()) {
      if (level->size() != 1) throw Error(Fault::Command, "several keys");
      path.push_back(level->begin().key());
    }
  } catch (const Error&) {
    command_error(
        "--{}: this is no path of a configuration; expected one as --model.experts, names with other "
        "characters than letters, digits, _ and - in quotes, as '--columns.\"PM2.5\".transform'",
        name);
  }
  return path;
}

Json value_of(const std::string& text, const std::string& name) {
  // It would end in messages and files, which are UTF-8.
  if (!is_utf8(text)) command_error("--{}: the value is not valid UTF-8; convert it to UTF-8", name);
  try {
    const Json parsed = parse_toml("value = " + text, "value");
    if (parsed.size() == 1 && !parsed["value"].is_null()) return parsed["value"];
  } catch (const Error&) {
    // Not TOML: the text itself is meant.
  }
  return text;
}

void assign(Json& root, const Override& item) {
  Json* place = &root;
  for (size_t depth = 0; depth < item.path.size(); ++depth) {
    // A column given by its role alone becomes a table.
    const bool is_role = depth == 2 && item.path[0] == "columns" && place->is_string();
    if (is_role) *place = Json{{"role", *place}};
    if (place->is_null()) *place = Json::object();
    if (!place->is_object()) {
      command_error("{}: \"{}\" is a value ({}) and has no fields", item.option, item.path[depth - 1],
                    place->dump());
    }
    place = &(*place)[item.path[depth]];
  }
  *place = item.value;
}

}  // namespace

Overrides Overrides::take(std::vector<std::string>& arguments,
                          const std::function<bool(const std::string&)>& is_override) {
  Overrides overrides;
  std::vector<std::string> rest;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--") {
      rest.insert(rest.end(), arguments.begin() + static_cast<std::ptrdiff_t>(i), arguments.end());
      break;
    }
    const size_t equals = argument.find('=');
    const std::string name = argument.starts_with("--") ? argument.substr(2, equals - 2) : "";
    if (name.empty() || !is_override(name)) {
      rest.push_back(argument);
      continue;
    }
    if (equals == std::string::npos && (i + 1 == arguments.size() || arguments[i + 1].starts_with("--"))) {
      command_error("--{}: the value is missing; expected one, as --{} VALUE", name, name);
    }
    const std::string text = equals == std::string::npos ? arguments[++i] : argument.substr(equals + 1);
    overrides.list_.push_back({"--" + name, path_of(name), value_of(text, name)});
  }
  arguments = std::move(rest);
  return overrides;
}

void Overrides::apply(Json& configuration, const std::string& only) const {
  for (const Override& item : list_) {
    if (only.empty() || item.path[0] == only) assign(configuration, item);
  }
}

void Overrides::allow_only(const std::vector<std::string>& tables, const std::string& verb) const {
  for (const Override& item : list_) {
    if (std::find(tables.begin(), tables.end(), item.path[0]) == tables.end()) {
      command_error("{}: {} takes no fields of \"{}\".{}", item.option, verb, item.path[0],
                    suggestion(item.path[0], tables));
    }
  }
}

bool Overrides::has(const std::string& table) const {
  return std::any_of(list_.begin(), list_.end(), [&](const Override& item) { return item.path[0] == table; });
}

}  // namespace gatewise
