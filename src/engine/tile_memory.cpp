// Tile memory of one pass: every buffer gets the lowest place that no buffer alive at the same time occupies.
#include <algorithm>

#include "engine/planner.h"

namespace gatewise {
namespace {

struct Lifetime {
  int first = -1, last = -1;
  void touch(int step) {
    if (first < 0) first = step;
    last = step;
  }
};

struct Buffer {
  Lifetime lifetime;
  int64_t size = 0;  // elements per row
  int64_t* offset = nullptr;
};

class TileAllocator {
 public:
  TileAllocator(const Plan& plan, Pass& pass)
      : plan_(plan),
        graph_(*plan.graph),
        pass_(pass),
        values_(plan.roots.size()),
        gradients_(plan.roots.size()),
        auxiliaries_(graph_.nodes().size()),
        auxiliary_width_(graph_.nodes().size(), 0) {}

  void run() {
    for (size_t i = 0; i < pass_.steps.size(); ++i) visit(pass_.steps[i], static_cast<int>(i));
    if (plan_.options.keeps_values) extend_values();
    pass_.value_offset.assign(plan_.roots.size(), -1);
    pass_.gradient_offset.assign(plan_.roots.size(), -1);
    pass_.auxiliary_offset.assign(graph_.nodes().size(), -1);
    std::vector<Buffer> buffers;
    for (size_t i = 0; i < plan_.roots.size(); ++i) {
      const int64_t size = (plan_.roots[i].stride + 15) / 16 * 16;
      if (values_[i].first >= 0) buffers.push_back({values_[i], size, &pass_.value_offset[i]});
      if (gradients_[i].first >= 0) buffers.push_back({gradients_[i], size, &pass_.gradient_offset[i]});
    }
    for (size_t i = 0; i < auxiliaries_.size(); ++i) {
      if (auxiliaries_[i].first < 0) continue;
      buffers.push_back({auxiliaries_[i], (auxiliary_width_[i] + 15) / 16 * 16, &pass_.auxiliary_offset[i]});
    }
    assign(buffers);
  }

 private:
  void visit(const Step& step, int index) {
    if (step.kind == StepKind::Fill) {
      touch_gradient_root(step.node, index);
    } else if (step.kind == StepKind::Seed) {
      touch_value(graph_.losses()[step.node].node, index);
      touch_gradient(graph_.losses()[step.node].node, index);
    } else {
      visit_operation(step, index);
    }
  }

  void visit_operation(const Step& step, int index) {
    const Node& node = graph_.node(step.node);
    const bool is_forward = step.kind == StepKind::Forward;
    std::vector<Signature> inputs;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      inputs.push_back(graph_.node(node.inputs[i]).signature);
      const int input = static_cast<int>(i);
      if (!node.op->uses_input(input, plan_.options.is_training)) continue;
      if (is_forward || node.op->backward_reads_input(input)) touch_value(node.inputs[i], index);
      if (!is_forward && node.op->has_gradient(input)) touch_gradient(node.inputs[i], index);
    }
    if (is_forward || node.op->backward_reads_output()) touch_value(node.id, index);
    if (!is_forward) touch_gradient(node.id, index);
    auxiliary_width_[node.id] = node.op->auxiliary_width(inputs);
    if (auxiliary_width_[node.id] > 0) auxiliaries_[node.id].touch(index);
  }

  void extend_values() {
    const int last = static_cast<int>(pass_.steps.size()) - 1;
    for (Lifetime& value : values_) {
      if (value.first >= 0) value.last = last;
    }
    for (Lifetime& auxiliary : auxiliaries_) {
      if (auxiliary.first >= 0) auxiliary.last = last;
    }
  }

  void touch_value(int node, int index) {
    const Place& place = plan_.places[node];
    if (place.storage == Storage::Tile) values_[place.root].touch(index);
  }

  void touch_gradient(int node, int index) {
    const Place& place = plan_.gradients[node];
    if (place.storage == Storage::Tile) gradients_[place.root].touch(index);
  }

  void touch_gradient_root(int root, int index) {
    if (!plan_.roots[root].is_gradient_batch) gradients_[root].touch(index);
  }

  // Largest first; each at the lowest gap among those alive at the same time.
  void assign(std::vector<Buffer>& buffers) {
    std::stable_sort(buffers.begin(), buffers.end(), [](auto& a, auto& b) { return a.size > b.size; });
    for (size_t i = 0; i < buffers.size(); ++i) {
      std::vector<std::pair<int64_t, int64_t>> taken;
      for (size_t j = 0; j < i; ++j) {
        const bool overlaps = buffers[j].lifetime.first <= buffers[i].lifetime.last &&
                              buffers[i].lifetime.first <= buffers[j].lifetime.last;
        if (overlaps) taken.emplace_back(*buffers[j].offset, *buffers[j].offset + buffers[j].size);
      }
      std::sort(taken.begin(), taken.end());
      int64_t at = 0;
      for (const auto& [begin, end] : taken) {
        if (begin - at >= buffers[i].size) break;
        at = std::max(at, end);
      }
      *buffers[i].offset = at;
      pass_.row_elements = std::max(pass_.row_elements, at + buffers[i].size);
    }
  }

  const Plan& plan_;
  const Graph& graph_;
  Pass& pass_;
  std::vector<Lifetime> values_, gradients_, auxiliaries_;
  std::vector<int64_t> auxiliary_width_;
};

}  // namespace

void allocate_tile(const Plan& plan, Pass& pass) { TileAllocator(plan, pass).run(); }

}  // namespace gatewise
