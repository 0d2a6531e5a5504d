// The parts of an inference request: which outputs in which form, and the tensors, bound to a model's inputs.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "serving/protocol_call.h"
#include "serving/request_tensor.h"

namespace gatewise {

struct InferRequest {
  std::string_view id;
  bool has_id = false;
  bool is_binary = false;  // the form of outputs that do not say
  int is_encoded = -1;     // the parameter "encoded"; -1: not given
  simdjson::dom::element outputs;
  bool has_outputs = false;
  std::span<const RequestTensor> tensors;
};

// Throws Refusal naming the field at fault.
InferRequest read_infer_request(ProtocolWorker& worker, const ProtocolCall& call);

// Binds the tensors: raw features, into worker.rows, or inputs of the graph, into the session. Which of the
// two the parameter "encoded" says, or else their names. Return the number of rows; throw Refusal naming the
// tensor that is unknown, given twice, missing, or has a wrong shape or type.
bool takes_encoded(const InferRequest& request, const ServedModel& model);
int64_t bind_features(ProtocolWorker& worker, const InferRequest& request, const ServedModel& model);
int64_t bind_inputs(ProtocolWorker& worker, const InferRequest& request, const ServedModel& model,
                    ScoringSession& session);

}  // namespace gatewise
