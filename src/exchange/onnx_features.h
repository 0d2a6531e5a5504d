// Columns of a table to encoded rows, written in ONNX operators.
#pragma once

#include "exchange/onnx_writer.h"
#include "features/encoder.h"

namespace gatewise {

// Throws Error(Data) if one of the `names` is what the input for the weights of a bag is called.
void check_weight_inputs(const std::vector<std::string>& bags, const std::vector<std::string>& names);

// The encoded rows by the names that build_graph() gives its inputs; of a bag also "<name>/weights". Adds an
// input for every column that is a feature. Throws Error(Data) for columns whose inputs would have one name.
std::map<std::string, std::string> write_features(OnnxWriter& writer, const Encoder& encoder);

}  // namespace gatewise
