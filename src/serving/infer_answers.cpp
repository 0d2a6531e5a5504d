// POST /v2/models/NAME/infer.
#include "serving/protocol_call.h"
#include "serving/refusal.h"

namespace gatewise {

void answer_infer(ProtocolWorker& worker, ProtocolCall& call, Response& response) {
  find_model(worker, call, response);
  refuse(501, "infer");
}

}  // namespace gatewise
