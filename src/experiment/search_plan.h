// Which options of a configuration a search may choose, and from what.
#pragma once

#include <map>
#include <optional>

#include "experiment/constraint.h"
#include "experiment/space.h"

namespace gatewise {

// A configuration in which any option of [model], [training], [tasks] or [columns], or an element of a list,
// may be given as one of
//   {min = 1e-4, max = 1e-2, log = true}   a number or an integer, as the option is
//   {choices = [16, 32]}                   any values
//   {search = true}                        the range that the option declares
// each with `start`, a value to begin with, if there is one.
struct SearchPlan {
  Json configuration;  // with every range replaced by its start, or its middle
  std::vector<Dimension> dimensions;
  std::vector<Json::json_pointer> places;  // where the value of each dimension goes
  std::optional<Point> first;              // the starts, where any is given
  bool is_default = false;                 // no range was given: those of the declared options were taken
  // Then: options that are 0, from which a declared range of ratios cannot start. They are left as they are.
  std::vector<std::string> left_at_zero;

  // Reads the ranges of `given`; where it has none, takes the declared ranges of all options of the
  // architecture and its parts, of the learning rate, and of the batch's rows unless rows are synthetic, each
  // starting from the configuration's own value; options that the architecture holds to one value are left
  // out, and so are those of `left_at_zero`. Throws Error(Command) for what is no range, for ranges of
  // tables that hold none, and as Configuration::from_json() does for a value in a range that an option
  // refuses.
  static SearchPlan read(const Json& given);

  Json with(const Point& point) const;

  // Writes the names in the constraints out in full: "units" is the dimension, or else the option that is a
  // number, whose path ends in ".units". Returns the values of the names that are no dimensions. Throws
  // Error(Command) for names that mean none or several.
  std::map<std::string, double> resolve(std::vector<Constraint>& constraints) const;
};

// The whole model with the options of its parts, as {type, every option}.
Json complete_model_with_parts(const Json& model);

}  // namespace gatewise
