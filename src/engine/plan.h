// A plan says, before any data, what runs when and where every value lies. It follows from the graph, the
// nominal batch size and the options alone, never from the number of threads.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/layout.h"
#include "graph/graph.h"

namespace gatewise {

struct PlanOptions {
  bool is_training = true;
  int64_t batch_rows = 1024;  // nominal; other batch sizes run too
  int64_t tile_rows = 0;      // 0: chosen from the shapes
  int64_t lanes = 0;          // 0: chosen from batch and parameters
  // Values stay intact during the backward pass, so that it can be run once per task.
  bool keeps_values = false;
  // Values (by node) that are kept for the whole batch and can be read after a run.
  std::vector<int> watched = {};
  // Values whose gradients are kept for the whole batch; of a value with a fused activation that before it.
  std::vector<int> watched_gradients = {};
  // Parameters and values (by node) that alone are differentiated; empty: all trainable parameters. Nothing
  // below a value is, so that a backward pass stops there; gradients of values are watched.
  std::vector<int> differentiated = {};
};

enum class Storage : uint8_t {
  None,      // not needed, or a route
  External,  // a batch input
  Tile,      // a worker's tile memory
  Batch,     // a whole-batch buffer: the value crosses a phase or is read from outside
  Static,    // one row for the batch
  Parameter
};

// A column range of a root buffer. Views and joined parts share roots.
struct Place {
  Storage storage = Storage::None;
  int root =
      -1;  // Tile, Batch: index into Plan::roots. External: the input node. Static: offset. Parameter: place.
  int64_t offset = 0;
};

// A buffer of rows; its gradient has the same columns.
struct Root {
  int64_t width = 0;
  int64_t stride = 0;
  int route = -1;  // routed rows of this route, or -1 for batch rows
  bool is_batch = false;
  bool has_gradient = false;
  bool is_gradient_batch = false;
};

enum class StepKind : uint8_t { Forward, Backward, Seed, Fill };

// One entry of a pass over a tile.
struct Step {
  StepKind kind = StepKind::Forward;
  int node = -1;                 // Seed: index of the loss. Fill: the root
  int64_t begin = 0, end = 0;    // Fill: columns of the gradient to clear
  std::vector<bool> accumulate;  // Backward: by input
  std::vector<bool> masks = {};  // Backward: by input, whether its gradient is masked (Op::can_mask)
  // Backward: by input, whether the first tile of a branch overwrites the gradient instead of adding to it.
  std::vector<bool> starts_branches = {};
};

// Elements [begin, end) of the parameter arena.
struct ArenaRange {
  int64_t begin, end;
};

// The gradient of a parameter that consists of a block for each branch of a route, one below the other or
// side by side.
struct StartedGradient {
  int place;  // in the layout
  bool is_side_by_side;
};

// One walk over the tiles of a phase: memory is planned for it alone.
struct Pass {
  int phase = 0;
  int route = -1;  // tiles of routed rows, or -1 for batch rows
  bool has_forward = false, has_backward = false;
  std::vector<Step> steps;
  std::vector<ArenaRange> lane_ranges;  // of the gradients that its lanes add to, each in a buffer of its own
  std::vector<StartedGradient> started;   // gradients that start branch by branch here
  std::vector<int> reductions;            // nodes that gather partial results in this pass
  std::vector<int64_t> value_offset;      // by root: elements per tile row before it; -1 if absent
  std::vector<int64_t> gradient_offset;   // by root
  std::vector<int64_t> auxiliary_offset;  // by node
  int64_t row_elements = 0;               // tile memory per row
};

// What happens between passes, in order.
struct Stage {
  enum class Kind : uint8_t { StaticForward, Pass, FinishReductions, StaticBackward };
  Kind kind;
  int pass = -1;           // Pass, FinishReductions
  std::vector<int> nodes;  // StaticForward, StaticBackward: in execution order
};

struct Plan {
  Plan(const Graph& graph, const Layout& layout, PlanOptions options);

  const Graph* graph;
  const Layout* layout;
  PlanOptions options;
  int64_t tile_rows = 128;
  int64_t lanes = 1;

  std::vector<bool> is_needed;     // by node
  std::vector<bool> has_gradient;  // by node
  std::vector<bool> is_masked;     // by node: its one reader masks its gradient (Op::masks_gradient)
  std::vector<int> phase;          // by node: rows, reductions and routes; -1 for the rest
  std::vector<Place> places;       // by node
  std::vector<Place> gradients;    // by node: Row and Routed values with a gradient
  std::vector<Root> roots;
  std::vector<Pass> passes;
  std::vector<Stage> stages;
  std::vector<int64_t> static_gradient;  // by Static operation node: offset, or -1
  int64_t static_size = 0;               // elements of all Static values
  int64_t static_gradient_size = 0;      // elements of gradients of Static values other than parameters
  int64_t lane_static_size = 0;          // the first of them, which passes over rows add to
  std::vector<ArenaRange> cleared;       // gradients that a step sets to 0 before the first pass
  std::vector<int> embeddings;           // embedding nodes with a gradient
  std::vector<int> deferred;             // nodes with gradients to take slice by slice (Op::defers)
  std::vector<int> packed;               // nodes whose matrix is packed for the forward product
  std::vector<int> packed_transposed;    // ... for the gradient of x

  // For people: schedule, phases, fused groups, lanes, bytes.
  std::string text() const;
  int64_t tile_bytes(int64_t element_size) const;
  // Bytes of whole-batch buffers for `rows` rows.
  int64_t batch_bytes(int64_t rows, int64_t element_size) const;
};

}  // namespace gatewise
