// What a search may choose: numbers, integers and choices, each under the name it has in a configuration.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"

namespace gatewise {

// One value per dimension: the number itself, or the index of the choice.
using Point = std::vector<double>;

struct Dimension {
  enum class Kind { Number, Integer, Choice };
  std::string name;
  Kind kind = Kind::Number;
  double low = 0, high = 1;   // inclusive; of numbers and integers
  bool is_log = false;        // equal ratios count as equally far apart
  std::vector<Json> choices;  // of Kind::Choice

  static Dimension number(std::string name, double low, double high, bool is_log = false);
  static Dimension integer(std::string name, int64_t low, int64_t high, bool is_log = false);
  // Choices that are all numbers have an order: they are sorted, and neighbours are taken to be alike.
  static Dimension choice(std::string name, std::vector<Json> choices);

  bool has_order() const { return kind != Kind::Choice || is_ordered_; }
  // Different values: of integers and choices; 0 for numbers.
  int64_t count() const;
  // Throws Error(Command) for an empty range, a logarithm of what is not above 0, or no choices.
  void check() const;

  // Between a value and its place in [0, 1]. Values of equal number or ratio have equal shares of [0, 1];
  // from_unit() rounds integers and choices to the value whose share holds the place.
  double to_unit(double value) const;
  double from_unit(double place) const;
  Json json(double value) const;

 private:
  bool is_ordered_ = false;
};

class SearchSpace {
 public:
  // Throws Error(Command) for what Dimension::check() refuses and for a name that is used twice.
  explicit SearchSpace(std::vector<Dimension> dimensions);

  size_t size() const { return dimensions_.size(); }
  const Dimension& operator[](size_t index) const { return dimensions_[index]; }
  const std::vector<Dimension>& dimensions() const { return dimensions_; }

  std::vector<double> to_unit(const Point& point) const;
  Point from_unit(const std::vector<double>& places) const;
  // {name: value}
  Json json(const Point& point) const;
  // The number of different points if there are only integers and choices, and at most `limit` of them;
  // otherwise limit + 1.
  int64_t count(int64_t limit) const;

 private:
  std::vector<Dimension> dimensions_;
};

}  // namespace gatewise
