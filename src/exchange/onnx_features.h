// Columns of a table to encoded rows, written in ONNX operators.
#pragma once

#include "exchange/onnx_writer.h"
#include "features/encoder.h"

namespace gatewise {

// The encoded rows by the names that build_graph() gives its inputs; of a bag also "<name>/weights". Adds an
// input for every column that is a feature.
std::map<std::string, std::string> write_features(OnnxWriter& writer, const Encoder& encoder);

}  // namespace gatewise
