// The order of work: one forward pass per phase, the last one fused with its backward pass, then the backward
// passes of earlier phases, which recompute what is not kept for the whole batch.
#include <algorithm>
#include <set>

#include "base/error.h"
#include "engine/planner.h"

namespace gatewise {
namespace {

struct Interval {
  int64_t begin, end;
};

// The columns of one gradient root that have been written so far in this step.
class Coverage {
 public:
  std::vector<Interval> missing(int64_t begin, int64_t end) const {
    std::vector<Interval> gaps;
    int64_t at = begin;
    for (const Interval& done : covered_) {
      if (done.end <= at || done.begin >= end) continue;
      if (done.begin > at) gaps.push_back({at, done.begin});
      at = std::max(at, done.end);
    }
    if (at < end) gaps.push_back({at, end});
    return gaps;
  }

  void add(int64_t begin, int64_t end) {
    covered_.push_back({begin, end});
    std::sort(covered_.begin(), covered_.end(), [](auto& a, auto& b) { return a.begin < b.begin; });
  }

 private:
  std::vector<Interval> covered_;
};

struct PhaseKey {
  int phase;
  int route;
  bool operator==(const PhaseKey&) const = default;
};

class PassBuilder {
 public:
  PassBuilder(Plan& plan, const Phases& phases)
      : plan_(plan), graph_(*plan.graph), phases_(phases), coverage_(plan.roots.size()) {}

  void run() {
    collect_keys();
    count_gradient_writers();
    add_passes();
    find_cleared();
  }

 private:
  void add_passes() {
    for (size_t i = 0; i < keys_.size(); ++i) {
      const bool is_last = i + 1 == keys_.size();
      add_static_forward(keys_[i].phase, false);
      forward_pass(keys_[i], is_last && plan_.options.is_training && keys_[i].route < 0);
    }
    add_static_forward(0, true);
    if (!plan_.options.is_training) return;
    // What was left for the end of the forward pass reaches no row: its gradients come first.
    add_static_backward(static_cast<int>(keys_.size()));
    for (size_t i = keys_.size(); i-- > 0;) {
      if (!plan_.passes[pass_of_key_[i]].has_backward) backward_pass(keys_[i]);
      add_static_backward(static_cast<int>(i));
    }
  }

  PhaseKey key_of(const Node& node) const {
    int route = node.signature.domain == Domain::Routed ? node.signature.route : -1;
    if (is_reduction(node)) {
      const Signature& input = graph_.node(node.inputs[0]).signature;
      if (input.domain == Domain::Routed) route = input.route;
    }
    return {plan_.phase[node.id], route};
  }

  bool runs(const Node& node) const {
    return plan_.is_needed[node.id] && node.leaf == Leaf::None && plan_.phase[node.id] >= 0;
  }

  void collect_keys() {
    for (const Node& node : graph_.nodes()) {
      if (!runs(node)) continue;
      const PhaseKey key = key_of(node);
      if (std::find(keys_.begin(), keys_.end(), key) == keys_.end()) keys_.push_back(key);
    }
    std::sort(keys_.begin(), keys_.end(),
              [](auto& a, auto& b) { return std::pair(a.phase, a.route) < std::pair(b.phase, b.route); });
    static_stage_.assign(graph_.nodes().size(), -1);
  }

  // Static operations that the phase may read; with `is_rest` all that remain.
  void add_static_forward(int phase, bool is_rest) {
    Stage stage{Stage::Kind::StaticForward, -1, {}};
    for (const Node& node : graph_.nodes()) {
      const bool is_static_op =
          plan_.is_needed[node.id] && node.leaf == Leaf::None && plan_.phase[node.id] < 0;
      if (!is_static_op || static_stage_[node.id] >= 0) continue;
      if (!is_rest && phases_.available[node.id] > phase) continue;
      static_stage_[node.id] = static_cast<int>(pass_of_key_.size());
      stage.nodes.push_back(node.id);
    }
    if (!stage.nodes.empty()) plan_.stages.push_back(stage);
  }

  void add_static_backward(int key) {
    Stage stage{Stage::Kind::StaticBackward, -1, {}};
    for (auto node = graph_.nodes().rbegin(); node != graph_.nodes().rend(); ++node) {
      if (static_stage_[node->id] == key && plan_.has_gradient[node->id]) stage.nodes.push_back(node->id);
    }
    if (!stage.nodes.empty()) plan_.stages.push_back(stage);
  }

  void forward_pass(PhaseKey key, bool with_backward) {
    Pass pass = new_pass(key);
    pass.has_forward = true;
    for (const Node& node : graph_.nodes()) {
      if (!runs(node) || !(key_of(node) == key)) continue;
      if (is_reduction(node) || is_route(node)) pass.reductions.push_back(node.id);
      // The gradient of a reduction is known only after the whole forward pass.
      if (is_reduction(node) && plan_.has_gradient[node.id]) with_backward = false;
      if (!is_view_of_root(plan_, node)) pass.steps.push_back({StepKind::Forward, node.id, 0, 0, {}});
    }
    pass.has_backward = with_backward;
    if (with_backward) add_backward_steps(pass, key);
    const bool ends_phase = !pass.reductions.empty();
    pass_of_key_.push_back(static_cast<int>(plan_.passes.size()));
    finish(std::move(pass));
    if (ends_phase) plan_.stages.push_back({Stage::Kind::FinishReductions, pass_of_key_.back(), {}});
  }

  void backward_pass(PhaseKey key) {
    Pass pass = new_pass(key);
    pass.has_backward = true;
    Pass backward = pass;
    add_backward_steps(backward, key);
    if (backward.steps.empty()) return;
    add_recomputation(pass, backward);
    pass.steps.insert(pass.steps.end(), backward.steps.begin(), backward.steps.end());
    finish(std::move(pass));
  }

  Pass new_pass(PhaseKey key) const {
    Pass pass;
    pass.phase = key.phase;
    pass.route = key.route;
    return pass;
  }

  // Parameters whose gradients the pass adds to tile by tile; branches that one worker owns need no lane.
  void find_lane_ranges(Pass& pass) const {
    std::set<int> places;
    for (const Step& step : pass.steps) {
      if (step.kind != StepKind::Backward) continue;
      const Node& node = graph_.node(step.node);
      for (size_t i = 0; i < node.inputs.size(); ++i) {
        const int place = plan_.layout->place_of_node[node.inputs[i]];
        if (place >= 0 && plan_.has_gradient[node.inputs[i]] && !plan_.layout->places[place].is_table &&
            !node.op->owns_branch(static_cast<int>(i)) && !is_deferred(plan_, node, static_cast<int>(i))) {
          places.insert(place);
        }
      }
    }
    for (const int index : places) {
      const ParameterPlace& place = plan_.layout->places[index];
      // Neighbours leave gaps of padding at most.
      if (!pass.lane_ranges.empty() && place.offset - pass.lane_ranges.back().end < 16) {
        pass.lane_ranges.back().end = place.offset + place.extent();
      } else {
        pass.lane_ranges.push_back({place.offset, place.offset + place.extent()});
      }
    }
  }

  // Gradients that nothing but the owners of their branches adds to need not be cleared first.
  void find_started(Pass& pass) {
    for (Step& step : pass.steps) {
      if (step.kind != StepKind::Backward) continue;
      const Node& node = graph_.node(step.node);
      step.starts_branches.assign(node.inputs.size(), false);
      for (size_t i = 0; i < node.inputs.size(); ++i) {
        const int input = node.inputs[i];
        if (graph_.node(input).leaf != Leaf::Parameter || !plan_.has_gradient[input]) continue;
        if (!node.op->owns_branch(static_cast<int>(i)) || gradient_writers_[input] != 1) continue;
        step.starts_branches[i] = true;
        pass.started.push_back({plan_.layout->place_of_node[input], node.op->column_blocks() > 1});
      }
    }
  }

  void count_gradient_writers() {
    gradient_writers_.assign(graph_.nodes().size(), 0);
    for (const Node& node : graph_.nodes()) {
      if (node.leaf != Leaf::None || !plan_.has_gradient[node.id]) continue;
      for (const int input : node.inputs) ++gradient_writers_[input];
    }
    for (const Penalty& penalty : graph_.penalties()) ++gradient_writers_[penalty.node];
  }

  // The arena but for what passes start.
  void find_cleared() {
    std::vector<ArenaRange> started;
    for (const Pass& pass : plan_.passes) {
      for (const StartedGradient& gradient : pass.started) {
        const ParameterPlace& place = plan_.layout->places[gradient.place];
        started.push_back({place.offset, place.offset + place.extent()});
      }
    }
    std::sort(started.begin(), started.end(), [](auto& a, auto& b) { return a.begin < b.begin; });
    int64_t at = 0;
    for (const ArenaRange& range : started) {
      if (range.begin > at) plan_.cleared.push_back({at, range.begin});
      at = range.end;
    }
    if (at < plan_.layout->arena_size) plan_.cleared.push_back({at, plan_.layout->arena_size});
  }

  void finish(Pass pass) {
    allocate_tile(plan_, pass);
    find_lane_ranges(pass);
    find_started(pass);
    plan_.stages.push_back({Stage::Kind::Pass, static_cast<int>(plan_.passes.size()), {}});
    plan_.passes.push_back(std::move(pass));
  }

  // The key whose backward pass runs a node: gathers scatter gradients per batch row, in the row phase before
  // them.
  PhaseKey backward_key(const Node& node) const {
    PhaseKey key = key_of(node);
    if (node.op->name() == "gather") key = {key.phase - 1, -1};
    return key;
  }

  void add_backward_steps(Pass& pass, PhaseKey key) {
    for (size_t i = 0; i < graph_.losses().size(); ++i) {
      const Node& node = graph_.node(graph_.losses()[i].node);
      if (node.leaf != Leaf::None || !(key_of(node) == key)) continue;
      Step step{StepKind::Seed, static_cast<int>(i), 0, 0, {false}};
      if (plan_.has_gradient[node.id]) step.accumulate[0] = claim(pass, plan_.gradients[node.id], 1);
      pass.steps.push_back(std::move(step));
    }
    for (auto node = graph_.nodes().rbegin(); node != graph_.nodes().rend(); ++node) {
      if (!runs(*node) || !plan_.has_gradient[node->id] || !(backward_key(*node) == key)) continue;
      if (is_view_of_root(plan_, *node)) continue;
      if (node->signature.domain != Domain::Static) {
        fill_missing(pass, plan_.gradients[node->id], node->signature.shape.elements());
      }
      Step step{StepKind::Backward,
                node->id,
                0,
                0,
                std::vector<bool>(node->inputs.size(), true),
                std::vector<bool>(node->inputs.size(), false)};
      Pass scratch;
      for (size_t i = 0; i < node->inputs.size(); ++i) {
        const Node& input = graph_.node(node->inputs[i]);
        const bool is_target = plan_.has_gradient[input.id] && input.signature.domain != Domain::Static &&
                               node->op->has_gradient(static_cast<int>(i));
        if (!is_target || is_joined_in_place(plan_, *node, i)) continue;
        step.accumulate[i] = claim(scratch, plan_.gradients[input.id], input.signature.shape.elements());
        step.masks[i] = plan_.is_masked[whole_behind_views(plan_, input.id)];
      }
      pass.steps.insert(pass.steps.end(), scratch.steps.begin(), scratch.steps.end());
      pass.steps.push_back(std::move(step));
    }
  }

  // Prepares a write of `width` columns: true when the writer must add to what is there.
  bool claim(Pass& pass, const Place& place, int64_t width) {
    Coverage& coverage = coverage_[place.root];
    const int64_t end = place.offset + width;
    const std::vector<Interval> gaps = coverage.missing(place.offset, end);
    if (gaps.size() == 1 && gaps[0].begin == place.offset && gaps[0].end == end) {
      coverage.add(place.offset, end);
      return false;
    }
    fill_missing(pass, place, width);
    return true;
  }

  void fill_missing(Pass& pass, const Place& place, int64_t width) {
    Coverage& coverage = coverage_[place.root];
    for (const Interval& gap : coverage.missing(place.offset, place.offset + width)) {
      pass.steps.push_back({StepKind::Fill, place.root, gap.begin, gap.end, {}});
      coverage.add(gap.begin, gap.end);
    }
  }

  // Forward steps that the backward steps of another pass need again.
  void add_recomputation(Pass& pass, const Pass& backward) {
    std::vector<bool> runs_again(graph_.nodes().size(), false);
    const std::function<void(int)> want = [&](int id) {
      const Node& node = graph_.node(id);
      if (plan_.places[id].storage != Storage::Tile || node.leaf != Leaf::None || runs_again[id]) return;
      runs_again[id] = true;
      for (size_t i = 0; i < node.inputs.size(); ++i) {
        if (node.op->uses_input(static_cast<int>(i), true)) want(node.inputs[i]);
      }
    };
    for (const Step& step : backward.steps) {
      if (step.kind == StepKind::Seed) want(graph_.losses()[step.node].node);
      if (step.kind != StepKind::Backward) continue;
      const Node& node = graph_.node(step.node);
      for (size_t i = 0; i < node.inputs.size(); ++i) {
        if (node.op->backward_reads_input(static_cast<int>(i))) want(node.inputs[i]);
      }
      if (node.op->backward_reads_output() && node.signature.domain != Domain::Static) want(node.id);
      if (auxiliary_width(node) > 0 && !runs_again[node.id]) {
        for (const int input : node.inputs) want(input);
        runs_again[node.id] = true;
      }
    }
    for (const Node& node : graph_.nodes()) {
      if (runs_again[node.id] && !is_view_of_root(plan_, node)) {
        pass.steps.push_back({StepKind::Forward, node.id, 0, 0, {}});
      }
    }
  }

  int64_t auxiliary_width(const Node& node) const {
    std::vector<Signature> inputs;
    for (const int input : node.inputs) inputs.push_back(graph_.node(input).signature);
    return node.op->auxiliary_width(inputs);
  }

  Plan& plan_;
  const Graph& graph_;
  const Phases& phases_;
  std::vector<Coverage> coverage_;
  std::vector<PhaseKey> keys_;
  std::vector<int> pass_of_key_;
  std::vector<int> static_stage_;
  std::vector<int> gradient_writers_;  // by node: how many operations and penalties add to its gradient
};

}  // namespace

void build_passes(Plan& plan, const Phases& phases) { PassBuilder(plan, phases).run(); }

}  // namespace gatewise
