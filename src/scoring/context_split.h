// Divides the graph of a model between a context, which is the same for many rows, and the candidates, which
// differ: what follows from the context alone becomes a graph of its own, to be run once.
//
// A product of both, x W + b with x = [context, candidates], is divided too: the context's graph computes
// context W_context + b, and the candidates' graph starts its sums from there. So most of the first layers is
// computed once as well. Everything else that reads both belongs to the candidates' graph, where values of
// the context are inputs that are the same for all rows (stride 0).
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "graph/graph.h"

namespace gatewise {

// Which inputs come with the context: by name, for each number of an input whether it does; one entry for
// ids. Inputs that are not named come with every candidate.
using ContextMask = std::map<std::string, std::vector<bool>>;

// A parameter or state of a part, which is one of the whole graph or some of its rows.
struct SharedLeaf {
  int node = -1;                                       // of the part
  int whole = -1;                                      // of the whole graph
  std::vector<std::pair<int64_t, int64_t>> rows = {};  // [begin, end) of the first axis; empty: all
};

struct GraphPart {
  std::unique_ptr<Graph> graph = std::make_unique<Graph>();
  std::vector<SharedLeaf> leaves = {};
};

// An input of which only some numbers belong to a part has the same name there, and those numbers side by
// side.
struct ContextSplit {
  GraphPart context;     // its outputs are what the candidates read
  GraphPart candidates;  // its outputs are those of the whole graph, in their order
  // Inputs of the candidates' graph: the output of the context's graph (by its index in Graph::outputs()) or
  // the ids (by node) that each of them is.
  std::map<int, size_t> given_values;
  std::map<int, int> given_ids;
};

// Divides what scoring needs of the graph. Throws Error(Command) when a mask does not fit its input.
ContextSplit split_by_context(const Graph& whole, const ContextMask& mask);

}  // namespace gatewise
