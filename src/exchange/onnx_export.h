// A trained model as an ONNX file: ai.onnx opset 17, ai.onnx.ml 3.
#pragma once

#include <string>
#include <vector>

#include "engine/store.h"
#include "features/encoder.h"

namespace gatewise {

struct OnnxOptions {
  // Whether chosen experts alone run, each on its rows. Otherwise all experts run on all rows, in few large
  // operators; weights of experts that are not chosen are exactly 0 in both.
  bool routes = false;
  std::vector<std::string> values =
      {};  // named values of the graph as further outputs: the weights of a gate
};

// The model for scoring, as the content of a file. Inputs of encoded rows are those of build_graph():
// "numeric" [rows, width], "ids/<feature>" [rows], for bags "bags/<feature>" [rows, longest] and
// "bags/<feature>/weights" of the same sizes, 0 behind the end of a bag; "row_task" [rows] where rows belong
// to one task each. With features, every column is an input of its name: numbers (double, NaN where missing),
// texts, ids (whole numbers; the metadata "missing:<column>" tells which number is a missing one: -1, or
// another where -1 is a known id), and for lists "<column>/weights" again. An unknown or missing task makes
// the run fail. Outputs: "<task>" [rows] or [rows, classes] in original units. Parameters keep their paths;
// what a bank joins is called as what its paths share, with * for the rest, and the metadata "paths:<name>"
// lists the paths. Throws Error(Command) for unknown values, Error(Data) for a model larger than a file can
// be and for a feature that has the name of another input.
std::string export_onnx(const Graph& graph, const Store<float>& store, const FeatureSpace& space,
                        const OnnxOptions& options, const Encoder* encoder = nullptr);

}  // namespace gatewise
