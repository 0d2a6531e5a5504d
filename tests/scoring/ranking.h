// Rows that share a context: what a divided graph makes of them is compared with what the whole graph makes.
#pragma once

#include <list>

#include "scoring/context_program.h"
#include "tests/engine/graph_run.h"

namespace gatewise {

constexpr int64_t ranked_rows = 150;

struct ContextCase {
  std::string name;
  ContextMask mask;
};

// Values as after training: biases and running statistics are not what they start from.
inline void fill_values(Store<float>& store) {
  store.initialise(3);
  const RandomStream stream(4, "values");
  uint64_t at = 0;
  for (const std::string& path : store.paths()) {
    std::vector<float> values = store.get(path);
    for (float& value : values) value += static_cast<float>(0.2 * stream.uniform(0, ++at, 0) - 0.1);
    store.set(path, values);
  }
  for (int64_t i = 0; i < store.states().size(); ++i)
    store.states()[i] = static_cast<float>(0.5 + stream.uniform(1, static_cast<uint64_t>(i), 0));
}

inline bool is_of_context(const ContextMask& mask, const std::string& name, size_t element = 0) {
  const auto found = mask.find(name);
  return found != mask.end() && found->second[element];
}

// Rows of a feed as inputs of a graph that has some of them.
class RankedInputs {
 public:
  // The numbers for which `keeps` is set, of rows [first, ...).
  void add_values(const std::vector<double>& given, int64_t width, const std::vector<bool>& keeps,
                  int64_t first) {
    std::vector<float>& kept = values_.emplace_back();
    for (int64_t i = first * width; i < static_cast<int64_t>(given.size()); ++i) {
      if (keeps[i % width]) kept.push_back(static_cast<float>(given[i]));
    }
    list.push_back({{kept.data(), std::count(keeps.begin(), keeps.end(), true)}, {}});
  }
  void add_ids(const IdFeed& given, int64_t first) {
    const bool is_bag = !given.offsets.empty();
    const int64_t* offsets = is_bag ? given.offsets.data() + first : nullptr;
    list.push_back({{}, {given.ids.data() + (is_bag ? 0 : first), 1, offsets, nullptr}});
  }

  std::vector<ScoringInput> list;

 private:
  std::list<std::vector<float>> values_;
};

class Ranking {
 public:
  Ranking(const Graph& graph, Feed feed, const ContextMask& mask)
      : graph_(graph), mask_(mask), feed_(std::move(feed)) {
    for (const Node& node : graph.nodes()) {
      if (!node.name.empty()) node_named_[node.name] = node.id;
    }
    share_context();
  }

  RankedInputs whole(const ScoringProgram& program) const {
    RankedInputs inputs;
    for (const int node : program.inputs()) add(inputs, graph_.node(node), 0, {});
    return inputs;
  }
  RankedInputs context(const ContextProgram& program) const {
    RankedInputs inputs;
    for (const int node : program.context_inputs()) add(inputs, program.context_graph().node(node), 0, true);
    return inputs;
  }
  RankedInputs candidates(const ContextProgram& program, int64_t first) const {
    RankedInputs inputs;
    for (size_t i = 0; i < program.candidate_inputs().size(); ++i) {
      const Node& node = program.candidate_graph().node(program.candidate_inputs()[i]);
      if (program.is_given(i)) {
        inputs.list.emplace_back();
      } else {
        add(inputs, node, first, false);
      }
    }
    return inputs;
  }

 private:
  // All rows have the context of one whose bag is not empty.
  void share_context() {
    constexpr int64_t source = 5;
    for (auto& [node, values] : feed_.inputs) {
      const int64_t width = graph_.node(node).signature.shape.elements();
      for (int64_t i = 0; i < static_cast<int64_t>(values.size()); ++i) {
        if (is_of_context(mask_, graph_.node(node).name, static_cast<size_t>(i % width)))
          values[i] = values[source * width + i % width];
      }
    }
    for (auto& [node, ids] : feed_.ids) {
      if (!is_of_context(mask_, graph_.node(node).name)) continue;
      if (ids.offsets.empty()) {
        ids.ids.assign(ranked_rows, ids.ids[source]);
        continue;
      }
      const std::vector<uint32_t> bag(ids.ids.begin() + ids.offsets[source],
                                      ids.ids.begin() + ids.offsets[source + 1]);
      ids.ids.clear();
      ids.offsets = {0};
      for (int64_t row = 0; row < ranked_rows; ++row) {
        ids.ids.insert(ids.ids.end(), bag.begin(), bag.end());
        ids.offsets.push_back(static_cast<int64_t>(ids.ids.size()));
      }
    }
  }

  // side: true for the context's numbers, false for the candidates', nothing for all.
  void add(RankedInputs& inputs, const Node& node, int64_t first, std::optional<bool> side) const {
    const int of_whole = node_named_.at(node.name);
    if (node.leaf == Leaf::Ids) return inputs.add_ids(feed_.ids.at(of_whole), first);
    const int64_t width = graph_.node(of_whole).signature.shape.elements();
    std::vector<bool> keeps(static_cast<size_t>(width), true);
    for (size_t i = 0; i < keeps.size() && side; ++i) keeps[i] = is_of_context(mask_, node.name, i) == *side;
    inputs.add_values(feed_.inputs.at(of_whole), width, keeps, first);
  }

  const Graph& graph_;
  const ContextMask& mask_;
  Feed feed_;
  std::map<std::string, int> node_named_;
};

inline void expect_agreement(const ContextCase& context_case, const Ranking& ranking,
                             const Store<float>& store) {
  const Graph& graph = store.graph();
  const auto whole = std::make_shared<const ScoringProgram>(store);
  ScoringRun expected(whole);
  const RankedInputs whole_inputs = ranking.whole(*whole);
  expected.forward(ranked_rows, whole_inputs.list);
  const auto divided = std::make_shared<const ContextProgram>(store, context_case.mask);
  ContextProgramRun together(divided), alone(divided);
  const RankedInputs context = ranking.context(*divided);
  RankedInputs candidates = ranking.candidates(*divided, 0);
  together.forward(context.list, ranked_rows, candidates.list);
  for (size_t output = 0; output < graph.outputs().size(); ++output) {
    const int64_t width = graph.node(graph.outputs()[output].second).signature.shape.elements();
    const ConstRows<float> wanted = expected.output(output), got = together.candidates().output(output);
    for (int64_t row = 0; row < ranked_rows; ++row) {
      for (int64_t i = 0; i < width; ++i) {
        const float value = wanted.data[row * wanted.stride + i];
        const float difference = std::abs(got.data[row * got.stride + i] - value);
        ASSERT_LE(difference, 1e-6f * std::max(1.0f, std::abs(value)))
            << context_case.name << ", " << graph.outputs()[output].first << ", row " << row;
      }
      if (row % 31 != 0) continue;
      RankedInputs one = ranking.candidates(*divided, row);
      alone.forward(context.list, 1, one.list);
      ASSERT_TRUE(std::equal(got.data + row * got.stride, got.data + row * got.stride + width,
                             alone.candidates().output(output).data))
          << context_case.name << ", " << graph.outputs()[output].first << ", row " << row;
    }
  }
}

}  // namespace gatewise
