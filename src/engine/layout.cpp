#include "engine/layout.h"

#include "base/error.h"

namespace gatewise {
namespace {

constexpr int64_t line_floats = 16;  // of a cache line

int64_t round_up(int64_t value, int64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

// Rows may be padded only if every reader handles a row stride.
std::vector<bool> matrices_of(const Graph& graph) {
  std::vector<bool> is_matrix(graph.nodes().size(), true);
  for (const Node& node : graph.nodes()) {
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (!node.op->reads_matrix(static_cast<int>(i))) is_matrix[node.inputs[i]] = false;
    }
  }
  return is_matrix;
}

}  // namespace

int64_t padded_stride(int64_t width) {
  int64_t stride = round_up(width, line_floats);
  if (stride >= 64 && (stride & (stride - 1)) == 0) stride += line_floats;
  if (stride % 512 == 0) stride += line_floats;
  return stride;
}

Layout::Layout(const Graph& graph, int64_t dense_table_rows)
    : place_of_node(graph.nodes().size(), -1), state_of_node(graph.nodes().size(), -1) {
  const std::vector<bool> is_matrix = matrices_of(graph);
  for (const Node& node : graph.nodes()) {
    if (node.leaf == Leaf::State) {
      state_of_node[node.id] = state_size;
      state_size += node.signature.shape.elements();
    }
    if (node.leaf != Leaf::Parameter && node.leaf != Leaf::Table) continue;
    ParameterPlace place;
    place.node = node.id;
    place.rows = node.signature.shape.outer();
    place.columns = node.signature.shape.last();
    place.is_table = node.leaf == Leaf::Table;
    place.is_big_table = place.is_table && place.rows >= dense_table_rows;
    place.is_trainable = node.is_trainable;
    // Packed panels serve narrow matrices; padding pays from 48 columns on.
    const bool is_padded = !place.is_table && is_matrix[node.id] && place.rows > 1 && place.columns >= 48;
    place.row_stride = is_padded ? padded_stride(place.columns) : place.columns;
    int64_t& size = place.is_big_table ? big_tables_size : arena_size;
    place.offset = size;
    size = round_up(size + place.extent(), line_floats);
    place_of_node[node.id] = static_cast<int>(places.size());
    const int64_t slices = static_cast<int64_t>(node.paths.size());
    Shape slice = node.signature.shape;
    const bool is_side_by_side = node.slices_last_axis;
    if (is_side_by_side) slice.sizes.back() /= slices;
    if (node.is_bank) slice.sizes.erase(slice.sizes.begin());
    for (int64_t i = 0; i < slices; ++i) {
      PathBlock block;
      block.path = node.paths[i];
      block.place = static_cast<int>(places.size());
      block.shape = slice;
      block.columns = is_side_by_side ? place.columns / slices : place.columns;
      block.rows = is_side_by_side ? place.rows : place.rows / slices;
      block.row_stride = place.row_stride;
      block.offset = is_side_by_side ? i * block.columns : i * block.rows * place.row_stride;
      blocks.push_back(block);
    }
    places.push_back(place);
  }
  for (const Node& node : graph.nodes()) {
    if (node.leaf != Leaf::State) continue;
    PathBlock block;
    block.path = node.name;
    block.state_node = node.id;
    block.shape = node.signature.shape;
    block.columns = node.signature.shape.elements();
    block.row_stride = block.columns;
    block.offset = state_of_node[node.id];
    blocks.push_back(block);
  }
}

}  // namespace gatewise
