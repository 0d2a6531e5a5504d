// The plan for people.
#include "engine/phases.h"
#include "engine/plan.h"
#include "engine/planner.h"

namespace gatewise {
namespace {

std::string bytes_text(int64_t bytes) {
  if (bytes < 10 * 1024) return fmt::format("{} B", bytes);
  if (bytes < 10 * 1024 * 1024) return fmt::format("{:.1f} KiB", static_cast<double>(bytes) / 1024);
  return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1024 * 1024));
}

std::string node_text(const Plan& plan, int id) {
  const Node& node = plan.graph->node(id);
  std::string text =
      fmt::format("{} {} {}", id, node.op ? node.op->name() : node.name, node.signature.shape.text());
  if (!node.op) return text;
  const Json attributes = node.op->attributes();
  if (attributes.contains("activation") && attributes["activation"] != "none") {
    text += fmt::format(" + {}", attributes["activation"].get<std::string>());
  }
  std::vector<std::string> parameters;
  for (const int input : node.inputs) {
    const Node& source = plan.graph->node(input);
    if (source.leaf != Leaf::Parameter && source.leaf != Leaf::Table) continue;
    const std::string more = source.paths.size() > 1 ? fmt::format(" (+{})", source.paths.size() - 1) : "";
    parameters.push_back(source.paths.front() + more);
  }
  if (!parameters.empty()) text += fmt::format(" <{}>", fmt::join(parameters, ", "));
  for (const auto& [name, named] : plan.graph->named_values()) {
    if (named == id) text += " = " + name;
  }
  return text;
}

std::string storage_text(const Plan& plan, int id) {
  const Place& place = plan.places[id];
  switch (place.storage) {
    case Storage::Tile:
      return "tile";
    case Storage::Batch:
      return "batch";
    case Storage::Static:
      return "static";
    default:
      return "-";
  }
}

void write_pass(const Plan& plan, const Pass& pass, std::string& text) {
  const std::string rows = pass.route < 0 ? "rows" : fmt::format("routed rows of {}", pass.route);
  const char* kind = pass.has_forward ? (pass.has_backward ? "forward and backward" : "forward") : "backward";
  text += fmt::format("phase {}: {} over {}, tile memory {} a row\n", pass.phase, kind, rows,
                      bytes_text(pass.row_elements * 4));
  for (const Step& step : pass.steps) {
    switch (step.kind) {
      case StepKind::Forward:
        text += fmt::format("  {:<8} {:<6} {}\n", pass.has_forward ? "forward" : "again",
                            storage_text(plan, step.node), node_text(plan, step.node));
        break;
      case StepKind::Backward:
        text += fmt::format("  {:<8} {:<6} {}\n", "backward", "", node_text(plan, step.node));
        break;
      case StepKind::Seed:
        text += fmt::format("  {:<8} {:<6} loss of {}\n", "seed", "", plan.graph->losses()[step.node].name);
        break;
      case StepKind::Fill:
        text += fmt::format("  {:<8} {:<6} columns {} to {} of buffer {}\n", "clear", "", step.begin,
                            step.end, step.node);
        break;
    }
  }
}

// Fused groups: products with their bias and activation, values that share memory with others.
void write_groups(const Plan& plan, std::string& text) {
  int64_t products = 0, side_by_side = 0, joined = 0, views = 0;
  for (const Node& node : plan.graph->nodes()) {
    if (!plan.is_needed[node.id] || !node.op || node.signature.domain == Domain::Static) continue;
    if (is_view_of_root(plan, node)) ++views;
    for (size_t i = 0; node.op->name() == "concatenate" && i < node.inputs.size(); ++i) {
      if (is_joined_in_place(plan, node, i)) ++joined;
    }
    if (node.inputs.size() < 2 || !node.op->reads_matrix(1)) continue;
    const Node& matrix = plan.graph->node(node.inputs[1]);
    if (matrix.leaf == Leaf::Table) continue;
    ++products;
    if (matrix.paths.size() > 1) ++side_by_side;
  }
  text += fmt::format(
      "fused: {} products with bias and activation in the same pass, {} of them over the layers of several "
      "experts, gates or towers at once; {} views and {} joined parts share memory\n",
      products, side_by_side, views, joined);
}

// What runs only where it was chosen.
void write_sparse(const Plan& plan, std::string& text) {
  for (const Node& node : plan.graph->nodes()) {
    if (!plan.is_needed[node.id] || !node.op) continue;
    if (is_route(node)) {
      const bool is_static = plan.graph->node(node.inputs[0]).signature.domain == Domain::Static;
      text +=
          fmt::format("sparse: {} routes rows to {} branches; {}\n", node.id, node.signature.shape.elements(),
                      is_static ? "the choice is made once a batch, and branches without weight never run"
                                : "a branch runs only for the rows that chose it");
    }
    if (node.op->name() != "alternative") continue;
    const Json ways = node.op->attributes();
    const auto says = [&](const char* mode) {
      return ways.at(mode) == "routed" ? "only those that are chosen" : "every one for every row";
    };
    text += fmt::format("sparse: experts of {}: training runs {}, scoring {}\n", node.id, says("training"),
                        says("scoring"));
  }
}

}  // namespace

std::string Plan::text() const {
  std::string text = fmt::format("{} plan for batches of {} rows: tiles of {} rows, {} lane{} of gradients\n",
                                 options.is_training ? "training" : "scoring", options.batch_rows, tile_rows,
                                 lanes, lanes == 1 ? "" : "s");
  int64_t big = 0;
  for (const ParameterPlace& place : layout->places) big += place.is_big_table ? place.extent() : 0;
  text += fmt::format("memory: parameters {}", bytes_text(layout->arena_size * 4));
  if (big > 0) text += fmt::format(", big embedding tables {}", bytes_text(big * 4));
  if (options.is_training)
    text += fmt::format(", gradients {} x {} lanes", bytes_text(layout->arena_size * 4), lanes);
  text += fmt::format(", tile {} a worker, whole-batch buffers {}\n", bytes_text(tile_bytes(4)),
                      bytes_text(batch_bytes(options.batch_rows, 4)));
  write_groups(*this, text);
  write_sparse(*this, text);
  for (const Stage& stage : stages) {
    switch (stage.kind) {
      case Stage::Kind::Pass:
        write_pass(*this, passes[stage.pass], text);
        break;
      case Stage::Kind::FinishReductions:
        for (const int node : passes[stage.pass].reductions)
          text += "ends the phase: " + node_text(*this, node) + "\n";
        break;
      case Stage::Kind::StaticForward:
      case Stage::Kind::StaticBackward:
        for (const int node : stage.nodes) {
          text += fmt::format("once a batch: {} {}\n",
                              stage.kind == Stage::Kind::StaticForward ? "forward" : "backward",
                              node_text(*this, node));
        }
        break;
    }
  }
  for (const int node : embeddings) text += "touched rows: " + node_text(*this, node) + "\n";
  return text;
}

}  // namespace gatewise
