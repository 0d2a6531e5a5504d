#include "exchange/onnx_writer.h"

#include <onnx/checker.h>

#include "base/error.h"

namespace gatewise {
namespace {

constexpr int64_t ir_version = 8, opset = 17, ml_opset = 3;
constexpr size_t largest_model = (size_t{1} << 31) - 1;

void set_attribute(onnx::NodeProto& node, const std::string& name, const Json& value) {
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name(name);
  if (value.is_number_integer()) {
    attribute.set_type(onnx::AttributeProto::INT);
    attribute.set_i(value.get<int64_t>());
  } else if (value.is_number_float()) {
    attribute.set_type(onnx::AttributeProto::FLOAT);
    attribute.set_f(value.get<float>());
  } else if (value.is_string()) {
    attribute.set_type(onnx::AttributeProto::STRING);
    attribute.set_s(value.get<std::string>());
  } else {
    attribute.set_type(onnx::AttributeProto::INTS);
    for (const Json& entry : value) attribute.add_ints(entry.get<int64_t>());
  }
}

void set_sizes(onnx::ValueInfoProto& info, int32_t type, const std::vector<std::string>& sizes) {
  auto& tensor = *info.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(type);
  auto& shape = *tensor.mutable_shape();
  for (const std::string& size : sizes) {
    auto& dimension = *shape.add_dim();
    if (size.find_first_not_of("0123456789") == std::string::npos) {
      dimension.set_dim_value(std::stoll(size));
    } else {
      dimension.set_dim_param(size);
    }
  }
}

// The bytes of numbers, as protocol buffers keep them whole.
template <class T>
std::string bytes_of(const std::vector<T>& values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  if (!values.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
  return bytes;
}

}  // namespace

OnnxWriter::OnnxWriter() {
  model_.set_ir_version(ir_version);
  model_.set_producer_name("gatewise");
  model_.mutable_graph()->set_name("gatewise");
  auto& standard = *model_.add_opset_import();
  standard.set_domain("");
  standard.set_version(opset);
}

std::string OnnxWriter::fresh(const std::string& stem) {
  std::string name;
  do {
    name = fmt::format("{}_{}", stem, counts_[stem]++);
  } while (!taken_.insert(name).second);
  return name;
}

std::string OnnxWriter::input(const std::string& name, OnnxType type, const std::vector<std::string>& sizes) {
  if (!taken_.insert(name).second) internal_error("the ONNX model has two values called \"{}\"", name);
  onnx::ValueInfoProto& info = *model_.mutable_graph()->add_input();
  info.set_name(name);
  set_sizes(info, static_cast<int32_t>(type), sizes);
  return name;
}

void OnnxWriter::output(const std::string& name, const std::string& value,
                        const std::vector<std::string>& sizes) {
  const std::string own = taken_.insert(name).second ? name : fresh(name);
  onnx::NodeProto& node = *model_.mutable_graph()->add_node();
  node.set_op_type("Identity");
  node.add_input(value);
  node.add_output(own);
  onnx::ValueInfoProto& info = *model_.mutable_graph()->add_output();
  info.set_name(own);
  set_sizes(info, static_cast<int32_t>(OnnxType::Real), sizes);
}

void OnnxWriter::note(const std::string& key, const std::string& value) {
  auto& entry = *model_.add_metadata_props();
  entry.set_key(key);
  entry.set_value(value);
}

std::vector<std::string> OnnxWriter::operators(const std::string& type,
                                               const std::vector<std::string>& inputs, const Json& attributes,
                                               int outputs) {
  onnx::NodeProto& node = *model_.mutable_graph()->add_node();
  node.set_op_type(type);
  for (const std::string& input : inputs) node.add_input(input);
  std::vector<std::string> names;
  for (int i = 0; i < outputs; ++i) {
    names.push_back(fresh(type));
    node.add_output(names.back());
  }
  for (const auto& [name, value] : attributes.items()) set_attribute(node, name, value);
  return names;
}

onnx::TensorProto& OnnxWriter::constant(const std::string& name, int32_t type, const Shape& shape) {
  onnx::TensorProto& tensor = *model_.mutable_graph()->add_initializer();
  tensor.set_name(name);
  tensor.set_data_type(type);
  for (const int64_t size : shape.sizes) tensor.add_dims(size);
  return tensor;
}

std::string OnnxWriter::parameter(const std::string& name, const std::vector<float>& values,
                                  const Shape& shape) {
  const std::string own = taken_.insert(name).second ? name : fresh(name);
  constant(own, onnx::TensorProto::FLOAT, shape).set_raw_data(bytes_of(values));
  return own;
}

std::string OnnxWriter::reals(const std::vector<double>& values, const Shape& shape) {
  const std::string bytes = bytes_of(std::vector<float>(values.begin(), values.end()));
  const auto [found, is_new] = constants_.emplace("real " + shape.text() + bytes, "");
  if (is_new) {
    found->second = fresh("constant");
    constant(found->second, onnx::TensorProto::FLOAT, shape).set_raw_data(bytes);
  }
  return found->second;
}

std::string OnnxWriter::doubles(const std::vector<double>& values, const Shape& shape) {
  const std::string name = fresh("constant");
  constant(name, onnx::TensorProto::DOUBLE, shape).set_raw_data(bytes_of(values));
  return name;
}

std::string OnnxWriter::integers(const std::vector<int64_t>& values) {
  const std::string bytes = bytes_of(values);
  const auto [found, is_new] = constants_.emplace("integers " + bytes, "");
  if (is_new) {
    found->second = fresh("constant");
    constant(found->second, onnx::TensorProto::INT64, Shape{static_cast<int64_t>(values.size())})
        .set_raw_data(bytes);
  }
  return found->second;
}

std::string OnnxWriter::integer(int64_t value) {
  const std::string name = fresh("constant");
  constant(name, onnx::TensorProto::INT64, Shape{}).set_raw_data(bytes_of(std::vector<int64_t>{value}));
  return name;
}

std::string OnnxWriter::look_up(const std::string& value, const std::vector<std::string>& keys,
                                const std::vector<int64_t>& values, int64_t other) {
  onnx::NodeProto& node = add_look_up(value, values, other);
  onnx::AttributeProto& attribute = *node.add_attribute();
  attribute.set_name("keys_strings");
  attribute.set_type(onnx::AttributeProto::STRINGS);
  for (const std::string& key : keys) attribute.add_strings(key);
  return node.output(0);
}

std::string OnnxWriter::look_up(const std::string& value, const std::vector<int64_t>& keys,
                                const std::vector<int64_t>& values, int64_t other) {
  onnx::NodeProto& node = add_look_up(value, values, other);
  set_attribute(node, "keys_int64s", keys);
  return node.output(0);
}

onnx::NodeProto& OnnxWriter::add_look_up(const std::string& value, const std::vector<int64_t>& values,
                                         int64_t other) {
  if (model_.opset_import_size() == 1) {
    auto& learning = *model_.add_opset_import();
    learning.set_domain("ai.onnx.ml");
    learning.set_version(ml_opset);
  }
  onnx::NodeProto& node = *model_.mutable_graph()->add_node();
  node.set_op_type("LabelEncoder");
  node.set_domain("ai.onnx.ml");
  node.add_input(value);
  node.add_output(fresh("LabelEncoder"));
  set_attribute(node, "values_int64s", values);
  set_attribute(node, "default_int64", other);
  return node;
}

std::string OnnxWriter::finish() {
  if (model_.ByteSizeLong() > largest_model) {
    data_error(
        "onnx: the model has {:.1f} GiB, more than the 2 GiB that an ONNX file can hold; serve it by "
        "gatewise "
        "serve, or train it with smaller or hashed embedding tables",
        static_cast<double>(model_.ByteSizeLong()) / (1 << 30));
  }
  try {
    onnx::checker::check_model(model_);
  } catch (const std::exception& error) {
    internal_error("onnx: the checker refuses the model: {}", error.what());
  }
  return model_.SerializeAsString();
}

}  // namespace gatewise
