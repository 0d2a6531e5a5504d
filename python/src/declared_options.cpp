#include "python/src/declared_options.h"

#include "base/error.h"

namespace gatewise {

DeclaredOptions::DeclaredOptions(Json declared, const std::string& where) : declared_(std::move(declared)) {
  OptionSet set;
  std::deque<Value> values;
  declare(set, values, where);
}

DeclaredOptions::Value DeclaredOptions::value_of_type(const std::string& type, const std::string& where) {
  if (type == "boolean") return false;
  if (type == "integer") return int64_t{0};
  if (type == "number") return 0.0;
  if (type == "text") return std::string();
  if (type == "list of integers") return std::vector<int64_t>();
  if (type == "list of numbers") return std::vector<double>();
  if (type == "list of texts") return std::vector<std::string>();
  if (type == "table") return Json::object();
  command_error("{}: got an option of type \"{}\", expected bool, int, float, str, list of these, or dict",
                where, type);
}

void DeclaredOptions::declare(OptionSet& set, std::deque<Value>& values, const std::string& where) const {
  for (const Json& option : declared_) {
    const auto name = option.at("name").get<std::string>();
    const std::string place = where + "." + name;
    values.push_back(value_of_type(option.at("type").get<std::string>(), place));
    const auto target = std::visit([](auto& value) { return Option::Target(&value); }, values.back());
    Option& added = set.add(name, target, option.at("help").get<std::string>());
    constexpr double infinity = std::numeric_limits<double>::infinity();
    if (option.contains("above")) added.above(option["above"].get<double>());
    if (option.contains("low") || option.contains("high"))
      added.range(option.value("low", -infinity), option.value("high", infinity));
    if (option.contains("choices")) added.choices(option["choices"].get<std::vector<std::string>>());
    if (option.contains("search")) {
      const Json& search = option["search"];
      added.search(search.at("low").get<double>(), search.at("high").get<double>(),
                   search.at("log").get<bool>());
    }
    added.set(option.at("default"), place);
  }
}

Json DeclaredOptions::describe(const std::function<void(OptionSet&)>& others) const {
  OptionSet set;
  std::deque<Value> values;
  declare(set, values, "options");
  others(set);
  return set.describe();
}

Json DeclaredOptions::read(const Json& options, const std::string& path,
                           const std::function<void(OptionSet&)>& others) const {
  OptionSet set;
  std::deque<Value> values;
  declare(set, values, path);
  others(set);
  set.read(options, path);
  const Json written = set.write();
  Json own = Json::object();
  for (const Json& option : declared_) {
    const auto name = option.at("name").get<std::string>();
    own[name] = written.at(name);
  }
  return own;
}

}  // namespace gatewise
