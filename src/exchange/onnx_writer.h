// ONNX operators, constants and inputs collected into one model.
#pragma once

#include <onnx/onnx_pb.h>

#include <map>
#include <set>

#include "graph/lowering.h"

namespace gatewise {

// Element types of inputs, as ONNX numbers them.
enum class OnnxType : int32_t { Real = 1, Integer = 7, Text = 8, Double = 11 };

class OnnxWriter final : public Lowering {
 public:
  OnnxWriter();

  // A value that is given with every batch. Sizes are numbers or, for what differs between batches, names.
  std::string input(const std::string& name, OnnxType type, const std::vector<std::string>& sizes);
  void output(const std::string& name, const std::string& value, const std::vector<std::string>& sizes);
  // A constant of this name.
  std::string parameter(const std::string& name, const std::vector<float>& values, const Shape& shape);
  void note(const std::string& key, const std::string& value);

  std::vector<std::string> operators(const std::string& type, const std::vector<std::string>& inputs,
                                     const Json& attributes, int outputs) override;
  std::string reals(const std::vector<double>& values, const Shape& shape) override;
  std::string integers(const std::vector<int64_t>& values) override;
  std::string integer(int64_t value);
  std::string doubles(const std::vector<double>& values, const Shape& shape);
  // Maps every key to its value, others to `other`: an operator of ai.onnx.ml.
  std::string look_up(const std::string& value, const std::vector<std::string>& keys,
                      const std::vector<int64_t>& values, int64_t other);
  std::string look_up(const std::string& value, const std::vector<int64_t>& keys,
                      const std::vector<int64_t>& values, int64_t other);

  // The model as a file's content; checked by the onnx library. Throws Error(Data) when it is larger than the
  // 2 GiB that one file can hold, Error(Internal) when the checker refuses it.
  std::string finish();

 private:
  std::string fresh(const std::string& stem);
  onnx::TensorProto& constant(const std::string& name, int32_t type, const Shape& shape);
  onnx::NodeProto& add_look_up(const std::string& value, const std::vector<int64_t>& values, int64_t other);

  onnx::ModelProto model_;
  std::set<std::string> taken_;
  std::map<std::string, int64_t> counts_;
  std::map<std::string, std::string> constants_;  // by content
};

}  // namespace gatewise
