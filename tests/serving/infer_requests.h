// Inference requests to a served model with columns of every kind.
#pragma once

#include "serving/protocol_call.h"
#include "tests/serving/served_models.h"

namespace gatewise {

inline constexpr const char* infer_path = "/v2/models/all/infer";

template <class T>
std::string bytes_of(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

inline std::string bytes_of_texts(const std::vector<std::string>& texts) {
  std::string bytes;
  for (const std::string& text : texts)
    bytes += bytes_of(std::vector{static_cast<uint32_t>(text.size())}) + text;
  return bytes;
}

// A request that grows tensor by tensor.
struct Tensors {
  Json inputs = Json::array();
  std::string binary;

  template <class T>
  void add(const std::string& name, const char* datatype, const std::vector<int64_t>& shape,
           const std::vector<T>& values, bool is_binary) {
    Json input{{"name", name}, {"shape", shape}, {"datatype", datatype}};
    std::string bytes;
    if constexpr (std::is_same_v<T, std::string>) {
      bytes = bytes_of_texts(values);
    } else {
      bytes = bytes_of(values);
    }
    if (is_binary) {
      input["parameters"] = {{"binary_data_size", bytes.size()}};
      binary += bytes;
    } else {
      input["data"] = values;
    }
    inputs.push_back(input);
  }
};

class InferRequests : public ServedModels {
 protected:
  Answer infer(const Tensors& tensors, Json rest = Json::object()) {
    rest["inputs"] = tensors.inputs;
    const std::string json = rest.dump();
    return ask("POST", infer_path, json + tensors.binary, static_cast<int64_t>(json.size()),
               "application/octet-stream");
  }

  // Every feature as a tensor of texts, as the file has them.
  static Tensors texts(bool is_binary) {
    std::map<std::string, std::vector<std::string>> columns;
    for (const auto& fields : fields_of(every_kind_csv)) {
      for (const auto& [name, text] : fields) columns[name].push_back(text);
    }
    Tensors tensors;
    for (const auto& [name, column] : columns) {
      if (name == "click" || name == "amount" || name == "grade") continue;
      tensors.add(name, "BYTES", {6, 1}, column, is_binary);
    }
    for (Json& input : tensors.inputs) {
      // Lists as fields of a file have one axis.
      const std::string name = input["name"];
      if (name == "seen" || name == "weights" || name == "tags" || name == "place") input["shape"] = {6};
    }
    return tensors;
  }

  // What the graph reads.
  Tensors encoded(bool is_binary) const {
    const EncodedData data = model_->encoded();
    const FeatureSpace& space = model_->encoder.space();
    Tensors tensors;
    tensors.add("numeric", "FP32", {data.rows, data.numeric_width}, data.numeric, is_binary);
    for (const IdFeature& feature : space.ids) {
      std::vector<uint32_t> ids;
      for (int64_t row = 0; row < data.rows; ++row)
        ids.push_back(data.ids[row * data.id_columns + feature.column]);
      tensors.add("ids/" + feature.name, "UINT32", {data.rows}, ids, is_binary);
    }
    for (const BagFeature& feature : space.bags) {
      const EncodedBag& bag = data.bags[feature.bag];
      const std::string name = "bags/" + feature.name;
      const auto items = static_cast<int64_t>(bag.ids.size());
      tensors.add(name, "INT64", {items}, std::vector<int64_t>(bag.ids.begin(), bag.ids.end()), is_binary);
      tensors.add(name + "/offsets", "INT64", {data.rows + 1}, bag.offsets, is_binary);
      if (!bag.weights.empty()) tensors.add(name + "/weights", "FP32", {items}, bag.weights, is_binary);
    }
    return tensors;
  }

  static std::vector<std::vector<float>> rows_of_outputs(const Json& outputs) {
    std::vector<std::vector<float>> rows(outputs[0]["shape"][0].get<size_t>());
    for (const Json& output : outputs) {
      const auto width = output["shape"][1].get<size_t>();
      EXPECT_EQ(output["data"].size(), rows.size() * width);
      for (size_t i = 0; i < output["data"].size(); ++i)
        rows[i / width].push_back(static_cast<float>(output["data"][i].get<double>()));
    }
    return rows;
  }
};

}  // namespace gatewise
