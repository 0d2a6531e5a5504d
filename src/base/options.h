// Options declared once: default, range, choices and help. Parsing, validation, `describe`, saved
// configurations and reference docs all derive from that declaration.
//
//   struct Options {
//     int k = 2;
//     void declare(OptionSet& set) { set.add("k", k, "experts kept per row").range(1, 1024); }
//   };
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/json.h"

namespace gatewise {

// One declared option, pointing into the struct that declared it.
class Option {
 public:
  using Target = std::variant<bool*, int64_t*, double*, std::string*, std::vector<int64_t>*,
                              std::vector<double>*, std::vector<std::string>*, Json*>;

  Option(std::string name, Target target, std::string help)
      : name_(std::move(name)), help_(std::move(help)), target_(target) {}

  // Inclusive bounds for numbers and for every element of lists of numbers.
  Option& range(double low, double high = std::numeric_limits<double>::infinity());
  // Bounds without the lower end: value must be > low.
  Option& above(double low);
  Option& choices(std::vector<std::string> names);
  // Where good values are looked for, inside the limits: of a number, of every element of a list of numbers.
  // With `is_log`, equal ratios count as equally far apart. Searches leave options without it alone.
  Option& search(double low, double high, bool is_log = false);

  const std::string& name() const { return name_; }
  const std::string& help() const { return help_; }
  std::string type_name() const;
  // "1 to 64", "one of: a, b", or empty.
  std::string limits() const;
  Json value() const;
  // {min, max, log}, or null.
  const Json& searched() const { return searched_; }

  // Parses and checks; `where` is the dotted path used in messages. Throws Error(Command).
  void set(const Json& value, const std::string& where);

 private:
  void check_number(double number, const std::string& where) const;

  std::string name_;
  std::string help_;
  Target target_;
  double low_ = -std::numeric_limits<double>::infinity();
  double high_ = std::numeric_limits<double>::infinity();
  bool low_is_open_ = false;
  std::vector<std::string> choices_;
  Json searched_;
};

class OptionSet {
 public:
  Option& add(std::string name, Option::Target target, std::string help);

  // Sets every option named in `object`; unknown names are errors with the nearest known name.
  // `path` is the dotted prefix for messages, e.g. "model.gate". Throws Error(Command).
  void read(const Json& object, const std::string& path);
  // Name -> current value, in declaration order.
  Json write() const;
  // Array of {name, type, default, limits, help, search?}.
  Json describe() const;

  const std::vector<Option>& options() const { return options_; }
  std::vector<std::string> names() const;

 private:
  std::vector<Option> options_;
};

// Reads a struct that has declare(OptionSet&).
template <class Options>
Options read_options(const Json& object, const std::string& path) {
  Options options;
  OptionSet set;
  options.declare(set);
  set.read(object, path);
  return options;
}

template <class Options>
Json write_options(Options options) {
  OptionSet set;
  options.declare(set);
  return set.write();
}

template <class Options>
Json describe_options() {
  Options options;
  OptionSet set;
  options.declare(set);
  return set.describe();
}

}  // namespace gatewise
