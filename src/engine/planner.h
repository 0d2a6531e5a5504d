// The steps by which a Plan is made; internal to the engine.
#pragma once

#include "engine/phases.h"
#include "engine/plan.h"

namespace gatewise {

// What is needed and what has a gradient.
void find_needed(Plan& plan);
void find_gradients(Plan& plan);
// Where values and gradients lie.
void place_values(Plan& plan);
// Whose gradients are masked by the reader of the value.
void find_masked(Plan& plan);
// Order, zero fills, accumulation, recomputation and tile memory.
void build_passes(Plan& plan, const Phases& phases);
// Tile memory of one pass from the lifetimes of its values.
void allocate_tile(const Plan& plan, Pass& pass);
// Tile rows and lanes.
void choose_tiles(Plan& plan);

// Whether the engine runs the node at all (views only rename memory).
bool is_view_of_root(const Plan& plan, const Node& node);
// The node whose value the given one renames, as a whole; itself where it is no such view.
int whole_behind_views(const Plan& plan, int node);
// Whether the part of a concatenation lies inside the whole already.
bool is_joined_in_place(const Plan& plan, const Node& whole, size_t part);

// Whether the gradient of the parameter is taken after the tiles (Op::defers).
bool is_deferred(const Plan& plan, const Node& node, int input);

}  // namespace gatewise
