// Storage: views share their input's memory, joined parts lie inside the whole, and only values that cross a
// phase or are read from outside get whole-batch buffers.
#include <algorithm>

#include "base/error.h"
#include "engine/planner.h"

namespace gatewise {
namespace {

class Placer {
 public:
  explicit Placer(Plan& plan) : plan_(plan), graph_(*plan.graph) {}

  void run() {
    plan_.places.assign(graph_.nodes().size(), {});
    plan_.gradients.assign(graph_.nodes().size(), {});
    plan_.static_gradient.assign(graph_.nodes().size(), -1);
    for (const Node& node : graph_.nodes()) {
      if (plan_.is_needed[node.id]) place(node);
    }
    for (const Node& node : graph_.nodes()) {
      if (plan_.is_needed[node.id] && node.op && node.op->name() == "concatenate") join_parts(node);
    }
    resolve();
    mark_batch();
    place_gradients();
    place_static_gradients();
    for (Root& root : plan_.roots) root.stride = root.width < 16 ? root.width : padded_stride(root.width);
  }

 private:
  // Elements up to the end of a cache line.
  static int64_t in_lines(int64_t elements) { return (elements + 15) / 16 * 16; }

  void place(const Node& node) {
    Place& own = plan_.places[node.id];
    const int64_t elements = node.signature.shape.elements();
    if (node.leaf == Leaf::Input || node.leaf == Leaf::Ids) {
      own = {Storage::External, node.id, 0};
    } else if (node.leaf == Leaf::Parameter || node.leaf == Leaf::Table) {
      own = {Storage::Parameter, plan_.layout->place_of_node[node.id], 0};
    } else if (is_route(node)) {
      own = {Storage::None, -1, 0};
    } else if (node.signature.domain == Domain::Static) {
      own = {Storage::Static, -1, plan_.static_size};
      plan_.static_size += in_lines(elements);
    } else if (view_offset(node) >= 0) {
      own = plan_.places[node.inputs[0]];
      own.offset += view_offset(node);
    } else {
      own = {Storage::Tile, static_cast<int>(plan_.roots.size()), 0};
      Root root;
      root.width = elements;
      root.route = node.signature.route;
      plan_.roots.push_back(root);
      parent_.push_back(-1);
      parent_offset_.push_back(0);
    }
  }

  int64_t view_offset(const Node& node) const {
    if (!node.op->is_view()) return -1;
    const Node& input = graph_.node(node.inputs[0]);
    if (plan_.places[input.id].storage != Storage::Tile) return -1;
    const Signature signature = input.signature;
    return node.op->view_offset(std::span(&signature, 1));
  }

  // Parts that own their root move into the whole's root, so that joining copies nothing.
  void join_parts(const Node& node) {
    if (node.signature.domain == Domain::Static) return;
    const Place whole = plan_.places[node.id];
    const Shape& shape = node.signature.shape;
    int64_t outer = 1;
    int64_t axis = node.op->attributes()["axis"].get<int64_t>();
    if (axis < 0) axis += shape.rank();
    for (int64_t i = 0; i < axis; ++i) outer *= shape[i];
    if (outer != 1) return;
    int64_t offset = whole.offset;
    for (const int input : node.inputs) {
      const Node& part = graph_.node(input);
      const int64_t width = part.signature.shape.elements();
      const Place place = plan_.places[input];
      const bool owns_root = place.storage == Storage::Tile && place.offset == 0 &&
                             plan_.roots[place.root].width == width && parent_[place.root] < 0 &&
                             !is_cut_off(part);
      if (owns_root && part.signature.domain == node.signature.domain && top(whole.root) != place.root) {
        parent_[place.root] = whole.root;
        parent_offset_[place.root] = offset;
      }
      offset += width;
    }
  }

  // Behind stop_gradient: the part shares its memory with a value whose gradient must not be that of the
  // whole.
  bool is_cut_off(const Node& part) const {
    for (const Node* node = &part; node->op && node->op->is_view(); node = &graph_.node(node->inputs[0])) {
      if (!node->op->has_gradient(0)) return true;
    }
    return false;
  }

  int top(int root) const {
    while (parent_[root] >= 0) root = parent_[root];
    return root;
  }

  void resolve() {
    std::vector<int> index(plan_.roots.size(), -1);
    std::vector<Root> kept;
    for (size_t i = 0; i < plan_.roots.size(); ++i) {
      if (parent_[i] >= 0) continue;
      index[i] = static_cast<int>(kept.size());
      kept.push_back(plan_.roots[i]);
    }
    for (Place& place : plan_.places) {
      if (place.storage != Storage::Tile) continue;
      for (; parent_[place.root] >= 0; place.root = parent_[place.root])
        place.offset += parent_offset_[place.root];
      place.root = index[place.root];
    }
    plan_.roots = std::move(kept);
  }

  // Values that another phase, another route or the caller reads.
  void mark_batch() {
    const auto mark = [&](int node) {
      if (plan_.places[node].storage == Storage::Tile) plan_.roots[plan_.places[node].root].is_batch = true;
    };
    for (const auto& [name, node] : graph_.outputs()) mark(node);
    for (const int node : plan_.options.watched) mark(node);
    each_use([&](const Node& node, int input, const Node& source) {
      if (crosses(node, source) || node.op->reads_whole_batch(input)) mark(source.id);
      if (is_deferred(plan_, node, input)) mark(node.inputs[0]);
    });
    const int last = *std::max_element(plan_.phase.begin(), plan_.phase.end());
    for (const Node& node : graph_.nodes()) {
      const bool has_later_backward =
          plan_.has_gradient[node.id] &&
          (node.signature.domain == Domain::Routed || plan_.phase[node.id] < last);
      if (has_later_backward && is_product(node)) mark(node.id);
    }
    for (const Node& node : graph_.nodes()) {
      Place& place = plan_.places[node.id];
      if (place.storage == Storage::Tile && plan_.roots[place.root].is_batch) place.storage = Storage::Batch;
    }
  }

  // Takes longer to compute again in a backward pass of its own than to read again.
  static bool is_product(const Node& node) {
    if (!node.op || node.signature.domain == Domain::Static) return false;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.op->reads_matrix(static_cast<int>(i))) return true;
    }
    return false;
  }

  bool crosses(const Node& node, const Node& source) const {
    return source.leaf == Leaf::None && source.signature.domain != Domain::Static &&
           plan_.phase[node.id] != plan_.phase[source.id];
  }

  template <class Visit>
  void each_use(const Visit& visit) const {
    for (const Node& node : graph_.nodes()) {
      if (!plan_.is_needed[node.id] || node.leaf != Leaf::None) continue;
      for (size_t i = 0; i < node.inputs.size(); ++i) {
        const int input = static_cast<int>(i);
        if (node.op->uses_input(input, plan_.options.is_training))
          visit(node, input, graph_.node(node.inputs[i]));
      }
    }
  }

  // Those that passes over rows add to come first: only they have lanes.
  void place_static_gradients() {
    std::vector<bool> is_read_in_passes(graph_.nodes().size());
    for (const Node& node : graph_.nodes()) {
      const bool is_static = node.signature.domain == Domain::Static && !is_reduction(node);
      if (!plan_.is_needed[node.id] || is_static) continue;
      for (const int input : node.inputs) is_read_in_passes[input] = true;
    }
    for (const bool has_lanes : {true, false}) {
      for (const Node& node : graph_.nodes()) {
        const bool has_place =
            plan_.places[node.id].storage == Storage::Static && plan_.has_gradient[node.id];
        if (!has_place || is_read_in_passes[node.id] != has_lanes) continue;
        plan_.static_gradient[node.id] = plan_.static_gradient_size;
        plan_.static_gradient_size += in_lines(node.signature.shape.elements());
      }
      if (has_lanes) plan_.lane_static_size = plan_.static_gradient_size;
    }
  }

  void place_gradients() {
    for (const Node& node : graph_.nodes()) {
      if (!plan_.has_gradient[node.id] || node.signature.domain == Domain::Static) continue;
      Place& gradient = plan_.gradients[node.id];
      gradient = plan_.places[node.id];
      if (gradient.storage == Storage::External) {
        Root root;
        root.width = node.signature.shape.elements();
        gradient = {Storage::Batch, static_cast<int>(plan_.roots.size()), 0};
        plan_.roots.push_back(root);
      }
      plan_.roots[gradient.root].has_gradient = true;
    }
    const auto mark = [&](int node) {
      if (plan_.gradients[node].storage != Storage::None) {
        plan_.roots[plan_.gradients[node].root].is_gradient_batch = true;
      }
    };
    for (const int node : plan_.options.watched_gradients) mark(node);
    each_use([&](const Node& node, int input, const Node& source) {
      if (crosses(node, source) || node.op->reads_whole_batch(input)) {
        mark(source.id);
        if (node.signature.domain == Domain::Routed) mark(node.id);
      }
      const bool waits = is_deferred(plan_, node, input);
      if (waits && (plan_.deferred.empty() || plan_.deferred.back() != node.id))
        plan_.deferred.push_back(node.id);
      if (waits || (source.leaf == Leaf::Table && plan_.has_gradient[node.id])) mark(node.id);
    });
    for (const Node& node : graph_.nodes()) {
      if (node.op && plan_.has_gradient[node.id] && node.op->name() == "embedding" &&
          plan_.has_gradient[node.inputs[1]]) {
        plan_.embeddings.push_back(node.id);
      }
      Place& gradient = plan_.gradients[node.id];
      if (gradient.storage == Storage::None) continue;
      gradient.storage = plan_.roots[gradient.root].is_gradient_batch ? Storage::Batch : Storage::Tile;
    }
  }

  Plan& plan_;
  const Graph& graph_;
  std::vector<int> parent_;
  std::vector<int64_t> parent_offset_;
};

}  // namespace

bool is_deferred(const Plan& plan, const Node& node, int input) {
  const Node& source = plan.graph->node(node.inputs[input]);
  return node.op->defers(input) && source.leaf == Leaf::Parameter && plan.has_gradient[source.id];
}

void place_values(Plan& plan) { Placer(plan).run(); }

bool is_view_of_root(const Plan& plan, const Node& node) {
  if (!node.op->is_view()) return false;
  const Place& own = plan.places[node.id];
  const Place& input = plan.places[node.inputs[0]];
  const bool is_rows = own.storage == Storage::Tile || own.storage == Storage::Batch;
  return is_rows && own.storage == input.storage && own.root == input.root;
}

bool is_joined_in_place(const Plan& plan, const Node& whole, size_t part) {
  if (whole.op->name() != "concatenate") return false;
  const Place& own = plan.places[whole.id];
  const Place& input = plan.places[whole.inputs[part]];
  const bool is_rows = own.storage == Storage::Tile || own.storage == Storage::Batch;
  int64_t offset = own.offset;
  for (size_t i = 0; i < part; ++i) offset += plan.graph->node(whole.inputs[i]).signature.shape.elements();
  return is_rows && own.storage == input.storage && own.root == input.root && input.offset == offset;
}

}  // namespace gatewise
