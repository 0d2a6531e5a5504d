#include "scoring/context_split.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "graph/ops.h"

namespace gatewise {
namespace {

// What a value depends on: parameters alone, the context, or candidates too.
enum class Side : uint8_t { None, Context, Candidates };

class GraphSplitter {
 public:
  GraphSplitter(const Graph& whole, const ContextMask& mask)
      : whole_(whole), mask_(mask), side_(whole.nodes().size(), Side::None), pieces_(whole.nodes().size()) {}

  ContextSplit split() {
    find_needed_nodes();
    for (const Node& node : whole_.nodes()) {
      if (is_needed_[node.id]) find_side(node);
    }
    for (const auto& [name, node] : whole_.outputs())
      split_.candidates.graph->add_output(name, in_candidates(node));
    return std::move(split_);
  }

 private:
  // Elements [begin, end) of a value, which as a whole is on one side. Of an input of both sides: of the
  // numbers on that side.
  struct Piece {
    int node;
    Side side;
    int64_t begin, end;
  };

  const Node& node_of(int id) const { return whole_.node(id); }

  void find_needed_nodes() {
    is_needed_.assign(whole_.nodes().size(), false);
    for (const auto& [name, node] : whole_.outputs()) is_needed_[node] = true;
    for (auto node = whole_.nodes().rbegin(); node != whole_.nodes().rend(); ++node) {
      for (size_t i = 0; is_needed_[node->id] && i < node->inputs.size(); ++i) {
        if (is_read(*node, i)) is_needed_[node->inputs[i]] = true;
      }
    }
  }

  static bool is_read(const Node& node, size_t input) {
    return node.op->uses_input(static_cast<int>(input), false);
  }

  void find_side(const Node& node) {
    Side& side = side_[node.id];
    if (node.leaf == Leaf::Input || node.leaf == Leaf::Ids) return find_side_of_input(node);
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (is_read(node, i)) side = std::max(side, side_[node.inputs[i]]);
    }
    if (side != Side::Candidates || !is_joint(node)) return;
    std::vector<Piece> pieces;
    bool is_divided = false;
    for (const int input : node.inputs) {
      is_divided |= pieces_[input].has_value() || side_[input] == Side::Context;
      for (const Piece& piece : pieces_of(input)) append(pieces, piece);
    }
    if (!is_divided) return;
    if (node.op->name() == "slice") pieces = cut(pieces, node);
    if (!has_candidates(pieces)) side = Side::Context;
    pieces_[node.id] = std::move(pieces);
  }

  void find_side_of_input(const Node& node) {
    const auto found = mask_.find(node.name);
    const int64_t elements = node.signature.shape.elements();
    if (found == mask_.end()) {
      side_[node.id] = Side::Candidates;
      return;
    }
    const std::vector<bool>& mask = found->second;
    if (static_cast<int64_t>(mask.size()) != elements) {
      command_error("context: input \"{}\" has {} numbers, got a mask of {}", node.name, elements,
                    mask.size());
    }
    const auto of_context = std::count(mask.begin(), mask.end(), true);
    side_[node.id] = of_context == elements ? Side::Context : Side::Candidates;
    if (of_context == 0 || of_context == elements) return;
    if (node.signature.shape.rank() != 1) {
      command_error("context: input \"{}\" is no list of numbers and cannot be divided", node.name);
    }
    std::vector<Piece> pieces;
    int64_t next[2] = {0, 0};
    for (const bool is_context : mask) {
      int64_t& at = next[is_context ? 1 : 0];
      append(pieces, {node.id, is_context ? Side::Context : Side::Candidates, at, at + 1});
      ++at;
    }
    pieces_[node.id] = std::move(pieces);
  }

  // Operations on lists of numbers that only join, cut or hand on.
  static bool is_joint(const Node& node) {
    const std::string name = node.op->name();
    return node.signature.domain == Domain::Row && node.signature.shape.rank() == 1 &&
           (name == "concatenate" || name == "slice" || name == "stop_gradient" || name == "dropout");
  }

  std::vector<Piece> pieces_of(int node) const {
    if (pieces_[node]) return *pieces_[node];
    return {{node, side_[node], 0, node_of(node).signature.shape.elements()}};
  }

  static bool has_candidates(const std::vector<Piece>& pieces) {
    return std::any_of(pieces.begin(), pieces.end(),
                       [](auto& piece) { return piece.side == Side::Candidates; });
  }
  static bool has_context(const std::vector<Piece>& pieces) {
    return std::any_of(pieces.begin(), pieces.end(), [](auto& piece) { return piece.side == Side::Context; });
  }
  // What depends on parameters alone is computed with the context.
  static bool belongs_to(Side side, const Piece& piece) {
    return (piece.side == Side::Candidates) == (side == Side::Candidates);
  }

  static void append(std::vector<Piece>& pieces, const Piece& piece) {
    if (!pieces.empty() && pieces.back().node == piece.node && pieces.back().side == piece.side &&
        pieces.back().end == piece.begin) {
      pieces.back().end = piece.end;
    } else {
      pieces.push_back(piece);
    }
  }

  static std::vector<Piece> cut(const std::vector<Piece>& whole, const Node& node) {
    const Json attributes = node.op->attributes();
    const auto begin = attributes.at("begin").get<int64_t>(), end = attributes.at("end").get<int64_t>();
    std::vector<Piece> kept;
    int64_t at = 0;
    for (const Piece& piece : whole) {
      const int64_t width = piece.end - piece.begin;
      const int64_t first = std::clamp(begin - at, int64_t{0}, width),
                    last = std::clamp(end - at, int64_t{0}, width);
      if (first < last) kept.push_back({piece.node, piece.side, piece.begin + first, piece.begin + last});
      at += width;
    }
    return kept;
  }

  GraphPart& part(Side side) { return side == Side::Context ? split_.context : split_.candidates; }
  std::map<int, Var>& made(Side side) { return side == Side::Context ? in_context_ : in_candidates_; }

  Var in_context(int id) {
    return once(Side::Context, id, [&] { return compose_in_context(node_of(id)); });
  }
  Var in_candidates(int id) {
    return once(Side::Candidates, id, [&] { return compose_in_candidates(node_of(id)); });
  }

  template <class Compose>
  Var once(Side side, int id, const Compose& compose) {
    const auto found = made(side).find(id);
    if (found != made(side).end()) return found->second;
    const Var value = compose();
    made(side)[id] = value;
    return value;
  }

  Var compose_in_context(const Node& node) {
    return pieces_[node.id] ? join(Side::Context, *pieces_[node.id]) : copy(Side::Context, node);
  }

  Var compose_in_candidates(const Node& node) {
    const Side side = side_[node.id];
    if (side == Side::Context) {
      if (node.leaf == Leaf::Ids) return give_ids(node);
      // Routes and routed values stay where their rows are.
      return node.signature.domain == Domain::Row ? give(in_context(node.id)) : copy(Side::Candidates, node);
    }
    if (pieces_[node.id]) return join(Side::Candidates, *pieces_[node.id]);
    if (is_divisible_product(node)) return divide_product(node);
    return copy(Side::Candidates, node);
  }

  // The context's value as an input of the candidates.
  Var give(Var value) {
    const auto found = given_.find(value.node());
    if (found != given_.end()) return found->second;
    const size_t output = split_.context.graph->outputs().size();
    const std::string name = fmt::format("context/{}", output);
    split_.context.graph->add_output(name, value);
    const Var input = split_.candidates.graph->input(name, value.shape());
    split_.given_values[input.node()] = output;
    given_[value.node()] = input;
    return input;
  }

  Var give_ids(const Node& node) {
    const Var input = split_.candidates.graph->ids("context/" + node.name);
    split_.given_ids[input.node()] = in_context(node.id).node();
    return input;
  }

  // Pieces side by side. Pieces of the context that lie side by side already are given as one.
  Var join(Side side, const std::vector<Piece>& pieces) {
    std::vector<Var> parts;
    for (size_t i = 0; i < pieces.size();) {
      if (pieces[i].side == side || pieces[i].side == Side::None) {
        parts.push_back(value_of(side, pieces[i++]));
        continue;
      }
      std::vector<Piece> of_context;
      for (; i < pieces.size() && pieces[i].side == Side::Context; ++i) of_context.push_back(pieces[i]);
      parts.push_back(give(join(Side::Context, of_context)));
    }
    return concatenate(parts);
  }

  Var value_on(Side side, int node) { return side == Side::Context ? in_context(node) : in_candidates(node); }

  Var value_of(Side side, const Piece& piece) {
    const Node& node = node_of(piece.node);
    const Var value = pieces_[node.id] ? numbers_of(side, node) : value_on(side, node.id);
    const bool is_whole = piece.begin == 0 && piece.end == value.shape().elements();
    return is_whole ? value : slice(value, 0, piece.begin, piece.end);
  }

  // The numbers of a divided input that belong to this side.
  Var numbers_of(Side side, const Node& node) {
    const auto key = std::pair(side, node.id);
    const auto found = numbers_.find(key);
    if (found != numbers_.end()) return found->second;
    const std::vector<bool>& mask = mask_.at(node.name);
    const int64_t count = std::count(mask.begin(), mask.end(), side == Side::Context);
    return numbers_[key] = part(side).graph->input(node.name, Shape{count});
  }

  Var copy(Side side, const Node& node) {
    if (!node.op) return copy_leaf(side, node);
    std::vector<Var> inputs;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (!is_read(node, i)) {
        inputs.push_back(unread(side, node_of(node.inputs[i])));
      } else {
        inputs.push_back(value_on(side, node.inputs[i]));
      }
    }
    return part(side).graph->apply(node.op, inputs);
  }

  // Something of the same shape in the place of what only training reads.
  Var unread(Side side, const Node& node) {
    Graph& graph = *part(side).graph;
    const Signature& signature = node.signature;
    if (signature.domain == Domain::Static)
      return graph.constant(std::vector<double>(static_cast<size_t>(signature.shape.elements())),
                            signature.shape);
    return graph.input(fmt::format("unread/{}", graph.nodes().size()), signature.shape);
  }

  Var copy_leaf(Side side, const Node& node) {
    Graph& graph = *part(side).graph;
    const Shape& shape = node.signature.shape;
    switch (node.leaf) {
      case Leaf::Input:
        return graph.input(node.name, shape);
      case Leaf::Ids:
        return graph.ids(node.name);
      case Leaf::Constant:
        return graph.constant(node.constant, shape);
      case Leaf::Scalar:
        return graph.scalar(node.name);
      default:
        break;
    }
    const Var value = node.leaf == Leaf::State ? graph.state(node.name, shape, node.constant)
                      : node.leaf == Leaf::Table
                          ? graph.table(node.name, shape[0], shape[1], Initializer::zero())
                          : graph.parameter(node.name, shape, Initializer::zero());
    part(side).leaves.push_back({value.node(), node.id});
    return value;
  }

  bool is_divisible_product(const Node& node) const {
    if (node.op == nullptr || node.op->name() != "linear") return false;
    const auto& pieces = pieces_[node.inputs[0]];
    if (!pieces || !has_context(*pieces) || !has_candidates(*pieces)) return false;
    return node.inputs.size() == 2 || side_[node.inputs[2]] == Side::None;
  }

  Var divide_product(const Node& node) {
    const int x = node.inputs[0];
    const Var bias = node.inputs.size() == 3 ? in_context(node.inputs[2]) : Var();
    const Var start = linear(half(Side::Context, x), rows_of_weight(Side::Context, node), bias);
    return split_.candidates.graph->apply(
        node.op, {half(Side::Candidates, x), rows_of_weight(Side::Candidates, node), give(start)});
  }

  // The pieces of one side, side by side; one value for all products that read it.
  Var half(Side side, int x) {
    const auto key = std::pair(side, x);
    const auto found = halves_.find(key);
    if (found != halves_.end()) return found->second;
    std::vector<Piece> own;
    for (const Piece& piece : *pieces_[x]) {
      if (belongs_to(side, piece)) append(own, piece);
    }
    return halves_[key] = join(side, own);
  }

  // The rows of a weight that one side's pieces are multiplied by.
  Var rows_of_weight(Side side, const Node& product) {
    std::vector<std::pair<int64_t, int64_t>> rows;
    int64_t at = 0;
    for (const Piece& piece : *pieces_[product.inputs[0]]) {
      const int64_t width = piece.end - piece.begin;
      if (belongs_to(side, piece)) rows.emplace_back(at, at + width);
      at += width;
    }
    const Node& weight = node_of(product.inputs[1]);
    if (weight.leaf == Leaf::Parameter) {
      int64_t count = 0;
      for (const auto& [begin, end] : rows) count += end - begin;
      Graph& graph = *part(side).graph;
      const Var kept = graph.parameter(fmt::format("{}/rows of {}", weight.name, product.id),
                                       Shape{count, weight.signature.shape[1]}, Initializer::zero());
      part(side).leaves.push_back({kept.node(), weight.id, std::move(rows)});
      return kept;
    }
    const Var all = value_on(side, weight.id);
    std::vector<Var> kept;
    for (const auto& [begin, end] : rows) kept.push_back(slice(all, 0, begin, end));
    return concatenate(kept, 0);
  }

  const Graph& whole_;
  const ContextMask& mask_;
  std::vector<bool> is_needed_;
  std::vector<Side> side_;                                 // by node
  std::vector<std::optional<std::vector<Piece>>> pieces_;  // by node: of values whose parts differ in side
  ContextSplit split_;
  std::map<int, Var> in_context_, in_candidates_;  // by node of the whole graph
  std::map<int, Var> given_;                       // by node of the context's graph
  std::map<std::pair<Side, int>, Var> numbers_, halves_;
};

}  // namespace

ContextSplit split_by_context(const Graph& whole, const ContextMask& mask) {
  return GraphSplitter(whole, mask).split();
}

}  // namespace gatewise
