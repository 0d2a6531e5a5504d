#include "training/frozen.h"

#include <fnmatch.h>

#include <algorithm>

#include "base/error.h"

namespace gatewise {

std::vector<std::string> freeze(Graph& graph, const std::vector<std::string>& patterns) {
  std::vector<std::string> partial, all;
  std::vector<bool> is_used(patterns.size(), false);
  const auto matches = [&](const std::string& path) {
    bool is_matched = false;
    for (size_t i = 0; i < patterns.size(); ++i) {
      if (fnmatch(patterns[i].c_str(), path.c_str(), 0) != 0) continue;
      is_matched = is_used[i] = true;
    }
    return is_matched;
  };
  for (size_t id = 0; id < graph.nodes().size(); ++id) {
    const Node& node = graph.node(static_cast<int>(id));
    const bool is_parameter = node.leaf == Leaf::Parameter || node.leaf == Leaf::Table;
    if (!is_parameter && node.leaf != Leaf::State) continue;
    std::vector<std::string> matched;
    for (const std::string& path : node.paths) {
      all.push_back(path);
      if (matches(path)) matched.push_back(path);
    }
    if (is_parameter && matched.size() == node.paths.size()) {
      graph.set_trainable(node.id, false);
    } else {
      partial.insert(partial.end(), matched.begin(), matched.end());
    }
  }
  for (size_t i = 0; i < patterns.size(); ++i) {
    if (is_used[i]) continue;
    command_error("continue.freeze: no parameter matches \"{}\".{} Patterns are paths in which * is any text",
                  patterns[i], suggestion(patterns[i], all));
  }
  return partial;
}

FrozenPaths::FrozenPaths(Store<float>& store, const std::vector<std::string>& paths)
    : store_(store), paths_(paths) {
  for (const std::string& path : paths) values_.push_back(store.get(path));
}

void FrozenPaths::clear(Aligned<float>& gradients) const {
  for (const std::string& path : paths_) {
    const PathBlock& block = store_.block(path);
    if (block.place < 0) continue;
    float* data = gradients.data() + store_.layout().places[block.place].offset + block.offset;
    for (int64_t row = 0; row < block.rows; ++row)
      std::fill_n(data + row * block.row_stride, block.columns, 0.0f);
  }
}

void FrozenPaths::restore() {
  for (size_t i = 0; i < paths_.size(); ++i) store_.set(paths_[i], values_[i]);
}

}  // namespace gatewise
