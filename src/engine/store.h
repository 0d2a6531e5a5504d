// The values of a model: one aligned arena for all dense parameters, big embedding tables beside it, and
// states.
#pragma once

#include <span>
#include <vector>

#include "base/aligned.h"
#include "engine/layout.h"

namespace gatewise {

template <class T>
class Store {
 public:
  explicit Store(const Graph& graph, int64_t dense_table_rows = 65536);

  const Layout& layout() const { return layout_; }
  const Graph& graph() const { return *graph_; }
  // Draws every parameter from its initialiser and a stream keyed by (seed, path); states take their initial
  // value.
  void initialise(uint64_t seed);

  Aligned<T>& arena() { return arena_; }
  const Aligned<T>& arena() const { return arena_; }
  Aligned<T>& states() { return states_; }
  const Aligned<T>& states() const { return states_; }
  // The first element of a place, wherever it lies.
  T* at(const ParameterPlace& place);
  const T* at(const ParameterPlace& place) const;
  // Copies of one path, row-major in the saved shape. set() throws Error(Data) on a wrong size.
  std::vector<T> get(const std::string& path) const;
  void set(const std::string& path, std::span<const T> values);
  std::vector<std::string> paths() const;
  const PathBlock& block(const std::string& path) const;
  // The number of saved parameter values, padding and states left out.
  int64_t parameter_count() const;

 private:
  const T* block_data(const PathBlock& block) const;

  const Graph* graph_;
  Layout layout_;
  Aligned<T> arena_;
  Aligned<T> big_tables_;  // all in one piece, so that small ones get huge pages too
  Aligned<T> states_;
};

extern template class Store<float>;
extern template class Store<double>;

}  // namespace gatewise
