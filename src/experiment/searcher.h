// What to try next: quasi-random starts, then the largest expected improvement under a Gaussian process.
#pragma once

#include <optional>

#include "experiment/constraint.h"
#include "experiment/space.h"

namespace gatewise {

// A point and what came of it: smaller is better, NaN is a failure.
struct Observation {
  Point point;
  double value = 0;
};

struct SearcherOptions {
  uint64_t seed = 1;
  int64_t starts = 0;          // points before the process is asked; 0: 4 + 2 per dimension, at most 10
  int64_t exact_points = 300;  // beyond it the process sees only part of the observations
};

class Searcher {
 public:
  // `constants`: values of names in the constraints that are no dimensions. `first` is tried before all
  // others, if it is given. Throws Error(Command) when a name of a constraint is neither a dimension nor a
  // constant, when the constants alone break one, or when no point that satisfies them is found.
  Searcher(SearchSpace space, std::vector<Constraint> constraints, std::map<std::string, double> constants,
           SearcherOptions options, std::optional<Point> first = {});

  // The point of trial `index`, counted from 0, given what is known of some earlier trials and which are
  // still under way: a pure function of the arguments. Every observation is of a point of this space. Pending
  // points count as if their values were drawn from what the process believes of them, so that workers
  // spread. Empty when every allowed point has been tried or is under way.
  //
  // Up to `exact_points` observations the process is exact. Of more it sees the best third of that number,
  // and of the others those that are farthest from all that it sees already.
  std::optional<Point> propose(int64_t index, const std::vector<Observation>& known,
                               const std::vector<Point>& pending) const;

  bool is_allowed(const Point& point) const { return broken_by(point) == nullptr; }
  // The text of the constraint for which `first` is not tried; empty where it is, or was not given.
  const std::string& broken_by_first() const { return broken_by_first_; }
  const SearchSpace& space() const { return space_; }
  int64_t starts() const { return starts_; }

 private:
  void check_names(const Constraint& constraint) const;
  const Constraint* broken_by(const Point& point) const;
  std::optional<Point> start_point(int64_t index, const std::vector<Point>& tried) const;
  std::optional<Point> improving_point(int64_t index, const std::vector<Observation>& known,
                                       const std::vector<Point>& pending,
                                       const std::vector<Point>& tried) const;

  SearchSpace space_;
  std::vector<Constraint> constraints_;
  std::map<std::string, double> constants_;
  SearcherOptions options_;
  std::optional<Point> first_;
  std::string broken_by_first_;
  int64_t starts_ = 0;
};

// The observations that a process over at most `limit` of them sees (Searcher::propose), in their order.
std::vector<size_t> representative_observations(const SearchSpace& space,
                                                const std::vector<Observation>& observations, size_t limit);

}  // namespace gatewise
