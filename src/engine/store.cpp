#include "engine/store.h"

#include <sys/mman.h>

#include <cstring>
#include <new>

#include "base/error.h"

namespace gatewise {
namespace {

// One initial value; fans are those of the last two axes.
double initial_value(const Initializer& initializer, const RandomStream& stream, int64_t element,
                     double fan_in, double fan_out) {
  const auto row = static_cast<uint64_t>(element);
  switch (initializer.kind) {
    case Initializer::Kind::Zero:
      return 0;
    case Initializer::Kind::One:
      return 1;
    case Initializer::Kind::Constant:
      return initializer.scale;
    case Initializer::Kind::GlorotUniform: {
      const double limit = initializer.scale * std::sqrt(6 / (fan_in + fan_out));
      return limit * (2 * stream.uniform(0, row, 0) - 1);
    }
    case Initializer::Kind::HeNormal:
      return initializer.scale * std::sqrt(2 / fan_in) * stream.normal(0, row, 0);
    case Initializer::Kind::Normal:
      return initializer.scale * stream.normal(0, row, 0);
    case Initializer::Kind::Uniform:
      return initializer.scale * (2 * stream.uniform(0, row, 0) - 1);
  }
  return 0;
}

}  // namespace

template <class T>
Store<T>::Store(const Graph& graph, int64_t dense_table_rows)
    : graph_(&graph),
      layout_(graph, dense_table_rows),
      arena_(layout_.arena_size),
      big_tables_(layout_.big_tables_size),
      states_(layout_.state_size) {}

template <class T>
void Store<T>::initialise(uint64_t seed) {
  for (const PathBlock& block : layout_.blocks) {
    if (block.place < 0) continue;
    const ParameterPlace& place = layout_.places[block.place];
    const Node& node = graph_->node(place.node);
    const std::string& shared = node.initializer.stream;
    const RandomStream stream(seed, shared.empty() ? block.path : shared);
    const double fan_out = static_cast<double>(block.columns);
    const double fan_in = block.shape.rank() >= 2 ? static_cast<double>(block.shape[-2]) : 1;
    T* data = at(place) + block.offset;
    for (int64_t row = 0; row < block.rows; ++row) {
      for (int64_t column = 0; column < block.columns; ++column) {
        const int64_t element = row * block.columns + column;
        data[row * block.row_stride + column] = static_cast<T>(
            node.constant.empty() ? initial_value(node.initializer, stream, element, fan_in, fan_out)
                                  : node.constant[element]);
      }
    }
  }
  for (const Node& node : graph_->nodes()) {
    if (node.leaf != Leaf::State) continue;
    for (size_t i = 0; i < node.constant.size(); ++i) {
      states_[layout_.state_of_node[node.id] + static_cast<int64_t>(i)] = static_cast<T>(node.constant[i]);
    }
  }
}

template <class T>
T* Store<T>::at(const ParameterPlace& place) {
  return (place.is_big_table ? big_tables_ : arena_).data() + place.offset;
}

template <class T>
const T* Store<T>::at(const ParameterPlace& place) const {
  return const_cast<Store*>(this)->at(place);
}

template <class T>
const PathBlock& Store<T>::block(const std::string& path) const {
  for (const PathBlock& block : layout_.blocks) {
    if (block.path == path) return block;
  }
  data_error("the model has no parameter \"{}\".{}", path, suggestion(path, paths()));
}

template <class T>
const T* Store<T>::block_data(const PathBlock& block) const {
  return (block.place < 0 ? states_.data() : at(layout_.places[block.place])) + block.offset;
}

template <class T>
std::vector<T> Store<T>::get(const std::string& path) const {
  const PathBlock& found = block(path);
  const T* data = block_data(found);
  std::vector<T> values;
  values.reserve(found.rows * found.columns);
  for (int64_t row = 0; row < found.rows; ++row) {
    values.insert(values.end(), data + row * found.row_stride, data + row * found.row_stride + found.columns);
  }
  return values;
}

template <class T>
void Store<T>::set(const std::string& path, std::span<const T> values) {
  const PathBlock& found = block(path);
  if (static_cast<int64_t>(values.size()) != found.rows * found.columns) {
    data_error("parameter \"{}\": got {} values, expected shape {}", path, values.size(), found.shape.text());
  }
  T* data = const_cast<T*>(block_data(found));
  for (int64_t row = 0; row < found.rows; ++row) {
    const auto from = values.begin() + row * found.columns;
    std::copy(from, from + found.columns, data + row * found.row_stride);
  }
}

template <class T>
std::vector<std::string> Store<T>::paths() const {
  std::vector<std::string> paths;
  for (const PathBlock& block : layout_.blocks) paths.push_back(block.path);
  return paths;
}

template <class T>
int64_t Store<T>::parameter_count() const {
  int64_t count = 0;
  for (const PathBlock& block : layout_.blocks) {
    if (block.place >= 0) count += block.rows * block.columns;
  }
  return count;
}

template class Store<float>;
template class Store<double>;

}  // namespace gatewise
