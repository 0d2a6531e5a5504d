#include "experiment/widths.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "experiment/trial.h"
#include "training/model.h"

namespace gatewise {
namespace {

constexpr int64_t largest_width = 65536;

struct Width {
  std::string option;
  Json::json_pointer place;
  Json configured;
};

template <class Part>
Json default_of(const Json& part, const std::string& kind, const std::string& option) {
  const std::string type = part.is_object() ? part.value("type", "mlp") : "mlp";
  for (const Json& known : Registry<Part>::instance().find(type, kind, "model." + kind).options) {
    if (known.at("name") == option) return known.at("default");
  }
  return {};
}

// The value of the option, given or by default; null where the model has no such option.
Json value_of(const Json& model, const std::string& option) {
  const size_t dot = option.find('.');
  const std::string part = option.substr(0, dot);
  if (!model.contains(part)) return {};
  if (dot == std::string::npos) return model[part];
  const std::string name = option.substr(dot + 1);
  if (model[part].is_object() && model[part].contains(name)) return model[part][name];
  if (part == "expert") return default_of<Expert>(model[part], part, name);
  if (part == "tower") return default_of<Tower>(model[part], part, name);
  return {};
}

bool is_width(const Json& value) {
  const auto is_positive = [](const Json& number) {
    return number.is_number_integer() && number.get<int64_t>() > 0;
  };
  return is_positive(value) || (value.is_array() && std::all_of(value.begin(), value.end(), is_positive));
}

std::vector<Width> widths_of(const Json& model, const std::vector<std::string>& options) {
  std::vector<Width> widths;
  for (const std::string& option : options) {
    const Json value = value_of(model, option);
    if (value.is_null() || value == Json::array()) continue;
    if (!is_width(value)) {
      command_error("model.{}: got {}, expected a width, or a list of widths, to be solved", option,
                    value.dump());
    }
    std::string pointer = "/" + option;
    std::replace(pointer.begin(), pointer.end(), '.', '/');
    widths.push_back({option, Json::json_pointer(pointer), value});
  }
  return widths;
}

int64_t largest_of(const std::vector<Width>& widths) {
  int64_t largest = 1;
  for (const Width& width : widths) {
    if (width.configured.is_number()) largest = std::max(largest, width.configured.get<int64_t>());
    for (const Json& value : width.configured.is_array() ? width.configured : Json::array())
      largest = std::max(largest, value.get<int64_t>());
  }
  return largest;
}

Json scaled(const Json& width, double factor) {
  if (width.is_number()) {
    return std::clamp<int64_t>(std::llround(width.get<double>() * factor), 1, largest_width);
  }
  Json list = Json::array();
  for (const Json& value : width) list.push_back(scaled(value, factor));
  return list;
}

}  // namespace

int64_t parameters_of(const FeatureSpace& space, const Json& model) {
  return count_parameters(*build_graph(space, model)).outside_embeddings;
}

bool has_option(const Json& model, const std::string& option) {
  return !value_of(complete_model_options(model), option).is_null();
}

SolvedWidth solve_width(const FeatureSpace& space, const Json& model, int64_t budget,
                        const std::vector<std::string>& options) {
  const Json complete = complete_model_options(model);
  const std::vector<Width> widths = widths_of(complete, options);
  if (widths.empty()) return {complete, 1, parameters_of(space, complete), {}, false};
  // Steps are those of the widest layer.
  const int64_t widest = largest_of(widths);
  const auto at = [&](int64_t width) {
    SolvedWidth solved{complete, static_cast<double>(width) / static_cast<double>(widest), 0, {}, true};
    for (const Width& one : widths) {
      const Json to = scaled(one.configured, solved.factor);
      solved.model[one.place] = to;
      if (to != one.configured)
        solved.changed.push_back({{"option", "model." + one.option}, {"from", one.configured}, {"to", to}});
    }
    solved.parameters = parameters_of(space, solved.model);
    return solved;
  };
  int64_t low = 1, high = 2;
  while (at(high).parameters < budget && high < largest_width) {
    low = high;
    high *= 2;
  }
  while (high - low > 1) {
    const int64_t middle = (low + high) / 2;
    (at(middle).parameters < budget ? low : high) = middle;
  }
  const SolvedWidth below = at(low), above = at(high);
  return std::abs(below.parameters - budget) <= std::abs(above.parameters - budget) ? below : above;
}

}  // namespace gatewise
