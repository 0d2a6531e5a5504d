#include "base/options.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "base/error.h"

namespace gatewise {
namespace {

template <class T>
inline constexpr bool is_list = false;
template <class T>
inline constexpr bool is_list<std::vector<T>> = true;

// A value of a damaged file can be as long as the file.
[[noreturn]] void wrong_type(const std::string& where, const Json& value, const std::string& expected) {
  constexpr size_t longest = 200;
  std::string text = value.dump();
  if (text.size() > longest) {
    size_t end = longest;
    while ((static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
    text = text.substr(0, end) + "...";
  }
  command_error("{}: got {}, expected {}", where, text, expected);
}

int64_t to_integer(const Json& value, const std::string& where) {
  if (value.is_number_integer()) {
    if (value.is_number_unsigned() && value.get<uint64_t>() > uint64_t{std::numeric_limits<int64_t>::max()}) {
      wrong_type(where, value, "an integer of at most 9223372036854775807");
    }
    return value.get<int64_t>();
  }
  if (value.is_number_float()) {
    const double number = value.get<double>();
    if (std::floor(number) == number && std::abs(number) < 9e15) return static_cast<int64_t>(number);
  }
  wrong_type(where, value, "an integer");
}

double to_number(const Json& value, const std::string& where) {
  if (!value.is_number()) wrong_type(where, value, "a number");
  const double number = value.get<double>();
  if (!std::isfinite(number)) wrong_type(where, value, "a finite number");
  return number;
}

std::string to_text(const Json& value, const std::string& where) {
  if (!value.is_string()) wrong_type(where, value, "a text in quotes");
  return value.get<std::string>();
}

}  // namespace

Option& Option::range(double low, double high) {
  low_ = low;
  high_ = high;
  return *this;
}

Option& Option::above(double low) {
  low_ = low;
  low_is_open_ = true;
  return *this;
}

Option& Option::choices(std::vector<std::string> names) {
  choices_ = std::move(names);
  return *this;
}

Option& Option::search(double low, double high, bool is_log) {
  const auto json = [&](double number) {
    const bool is_integer = type_name().find("integer") != std::string::npos;
    return is_integer ? Json(static_cast<int64_t>(number)) : Json(number);
  };
  searched_ = {{"min", json(low)}, {"max", json(high)}, {"log", is_log}};
  return *this;
}

std::string Option::type_name() const {
  static constexpr const char* names[] = {"boolean",          "integer",         "number",        "text",
                                          "list of integers", "list of numbers", "list of texts", "table"};
  return names[target_.index()];
}

std::string Option::limits() const {
  if (!choices_.empty()) return fmt::format("one of: {}", fmt::join(choices_, ", "));
  const bool has_low = std::isfinite(low_), has_high = std::isfinite(high_);
  if (has_low && has_high) return fmt::format("{} to {}", low_, high_);
  if (has_low) return fmt::format("{} {}", low_is_open_ ? "above" : "at least", low_);
  if (has_high) return fmt::format("at most {}", high_);
  return "";
}

Json Option::value() const {
  return std::visit([](const auto* target) { return Json(*target); }, target_);
}

void Option::check_number(double number, const std::string& where) const {
  const bool too_low = low_is_open_ ? number <= low_ : number < low_;
  if (too_low || number > high_)
    command_error("{}: got {}, expected {} ({})", where, number, limits(), help_);
}

void Option::set(const Json& value, const std::string& where) {
  const auto check_choice = [&](const std::string& text) {
    if (!choices_.empty() && std::find(choices_.begin(), choices_.end(), text) == choices_.end()) {
      command_error("{}: \"{}\" is not a choice.{}", where, text, suggestion(text, choices_));
    }
    return text;
  };
  const auto check_integer = [&](const Json& item, const std::string& place) {
    const int64_t number = to_integer(item, place);
    check_number(static_cast<double>(number), place);
    return number;
  };
  const auto check_real = [&](const Json& item, const std::string& place) {
    const double number = to_number(item, place);
    check_number(number, place);
    return number;
  };
  const auto assign = [&](auto* target) {
    using T = std::remove_pointer_t<decltype(target)>;
    if constexpr (std::is_same_v<T, Json>) {
      *target = value;
    } else if constexpr (std::is_same_v<T, bool>) {
      if (!value.is_boolean()) wrong_type(where, value, "true or false");
      *target = value.get<bool>();
    } else if constexpr (std::is_same_v<T, int64_t>) {
      *target = check_integer(value, where);
    } else if constexpr (std::is_same_v<T, double>) {
      *target = check_real(value, where);
    } else if constexpr (std::is_same_v<T, std::string>) {
      *target = check_choice(to_text(value, where));
    } else if constexpr (is_list<T>) {
      constexpr bool is_of_texts = std::is_same_v<T, std::vector<std::string>>;
      if (!value.is_array())
        wrong_type(where, value, "a " + type_name() + (is_of_texts ? ", as [\"a\", \"b\"]" : ", as [1, 2]"));
      T items;
      for (size_t i = 0; i < value.size(); ++i) {
        const std::string place = fmt::format("{}[{}]", where, i);
        if constexpr (std::is_same_v<T, std::vector<int64_t>>)
          items.push_back(check_integer(value[i], place));
        if constexpr (std::is_same_v<T, std::vector<double>>) items.push_back(check_real(value[i], place));
        if constexpr (std::is_same_v<T, std::vector<std::string>>) {
          items.push_back(check_choice(to_text(value[i], place)));
        }
      }
      *target = std::move(items);
    }
  };
  std::visit(assign, target_);
}

Option& OptionSet::add(std::string name, Option::Target target, std::string help) {
  for (const Option& option : options_) {
    if (option.name() == name) internal_error("option \"{}\" is declared twice", name);
  }
  return options_.emplace_back(std::move(name), target, std::move(help));
}

void OptionSet::read(const Json& object, const std::string& path) {
  if (object.is_null()) return;
  if (!object.is_object()) wrong_type(path, object, "a table of options");
  for (const auto& [key, value] : object.items()) {
    const std::string where = path.empty() ? key : path + "." + key;
    const auto found = std::find_if(options_.begin(), options_.end(),
                                    [&name = key](const Option& option) { return option.name() == name; });
    if (found == options_.end()) {
      command_error("{}: unknown option \"{}\".{}", path.empty() ? "configuration" : path, key,
                    suggestion(key, names()));
    }
    found->set(value, where);
  }
}

Json OptionSet::write() const {
  Json object = Json::object();
  for (const Option& option : options_) object[option.name()] = option.value();
  return object;
}

Json OptionSet::describe() const {
  Json list = Json::array();
  for (const Option& option : options_) {
    list.push_back({{"name", option.name()},
                    {"type", option.type_name()},
                    {"default", option.value()},
                    {"limits", option.limits()},
                    {"help", option.help()}});
    if (!option.searched().is_null()) list.back()["search"] = option.searched();
  }
  return list;
}

std::vector<std::string> OptionSet::names() const {
  std::vector<std::string> names;
  for (const Option& option : options_) names.push_back(option.name());
  return names;
}

}  // namespace gatewise
