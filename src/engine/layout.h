// Where every parameter and state of a graph lies. Follows from the graph alone, so programs for training,
// scoring and diagnosis share one store. Files are canonical by path, never by this layout.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/graph.h"

namespace gatewise {

struct ParameterPlace {
  int node = -1;
  int64_t offset = 0;      // into the arena, or into the big tables
  int64_t rows = 1;        // product of all sizes but the last
  int64_t columns = 1;     // the last size
  int64_t row_stride = 1;  // >= columns; never a power of two of 512 or more
  bool is_table = false;
  bool is_big_table = false;  // lies outside the arena, among the big tables
  bool is_trainable = true;

  int64_t extent() const { return rows * row_stride; }
};

// One path of a saved file: a [rows, columns] block of a place.
struct PathBlock {
  std::string path;
  int place = -1;       // index into Layout::places; -1 for states
  int state_node = -1;  // states: the node
  Shape shape;          // as saved
  int64_t rows = 1, columns = 1;
  int64_t offset = 0;  // from the start of the place (or of the state)
  int64_t row_stride = 1;
};

struct Layout {
  explicit Layout(const Graph& graph, int64_t dense_table_rows = 65536);

  std::vector<ParameterPlace> places;
  std::vector<int> place_of_node;      // -1 where the node is no parameter
  std::vector<int64_t> state_of_node;  // offset into the states, -1 otherwise
  std::vector<PathBlock> blocks;       // every path, parameters first, then states
  int64_t arena_size = 0;              // elements, a multiple of 16
  int64_t big_tables_size = 0;         // likewise
  int64_t state_size = 0;
};

// A row stride of at least `width` that is a multiple of 16 and maps neighbouring rows to different cache
// sets.
int64_t padded_stride(int64_t width);

}  // namespace gatewise
