#include "serving/infer_request.h"

#include "serving/json_faults.h"
#include "serving/json_values.h"
#include "serving/refusal.h"

namespace gatewise {
namespace {

void read_parameters(InferRequest& request, simdjson::dom::element parameters) {
  if (!parameters.is_object()) refuse(400, "parameters: expected an object");
  check_given_once(json_object(parameters), "parameters");
  for (const simdjson::dom::key_value_pair parameter : json_object(parameters)) {
    bool value = false;
    if (parameter.key.starts_with("sequence_"))
      refuse(400, "parameters: \"{}\": models here keep no state between requests",
             parameter.key.substr(0, 200));
    const bool is_binary = parameter.key == "binary_data_output", is_encoded = parameter.key == "encoded";
    if (!is_binary && !is_encoded) continue;
    if (parameter.value.get(value) != simdjson::SUCCESS)
      refuse(400, "parameters: \"{}\": expected true or false", parameter.key);
    if (is_binary) request.is_binary = value;
    if (is_encoded) request.is_encoded = value ? 1 : 0;
  }
}

std::span<const RequestTensor> read_tensors(ProtocolWorker& worker, const ProtocolCall& call,
                                            simdjson::dom::element inputs) {
  if (!inputs.is_array()) refuse(400, "inputs: expected a list of tensors");
  const simdjson::dom::array list = json_array(inputs);
  const std::span<RequestTensor> tensors = worker.memory.take<RequestTensor>(json_count(list));
  std::string_view binary;
  if (call.request.json_bytes >= 0)
    binary = call.request.body.substr(static_cast<size_t>(call.request.json_bytes));
  size_t at = 0;
  for (const simdjson::dom::element input : list)
    new (&tensors[at++]) RequestTensor(read_tensor(input, binary));
  if (!binary.empty())
    refuse(400, "inputs: the body has {} bytes behind the tensors that are described", binary.size());
  return tensors;
}

}  // namespace

InferRequest read_infer_request(ProtocolWorker& worker, const ProtocolCall& call) {
  InferRequest request;
  simdjson::dom::element inputs;
  bool has_inputs = false;
  for (const simdjson::dom::key_value_pair field : read_json(worker, call)) {
    if (field.key == "id") {
      if (field.value.get(request.id) != simdjson::SUCCESS) refuse(400, "id: expected a text");
      request.has_id = true;
    } else if (field.key == "parameters") {
      read_parameters(request, field.value);
    } else if (field.key == "inputs") {
      inputs = field.value;
      has_inputs = true;
    } else if (field.key == "outputs") {
      request.outputs = field.value;
      request.has_outputs = true;
    }
  }
  if (!has_inputs) refuse(400, "body: has no \"inputs\", a list of tensors");
  request.tensors = read_tensors(worker, call, inputs);
  if (request.tensors.empty()) refuse(400, "inputs: has no tensor; GET /v2/models/{} lists them", call.name);
  return request;
}

}  // namespace gatewise
