// Answers the requests of the Open Inference Protocol and those for raw rows with the models of a repository
// (docs/serving.md lists all of them).
#pragma once

#include <atomic>
#include <memory>

#include "serving/model_repository.h"
#include "serving/protocol_options.h"
#include "serving/request.h"

namespace gatewise {

class ProtocolHandlers final : public RequestHandlers {
 public:
  // The repository must outlive the handlers.
  explicit ProtocolHandlers(ModelRepository& repository, ProtocolOptions options = {})
      : repository_(repository), options_(options) {}

  // For one worker each; may be called by any thread.
  std::unique_ptr<RequestHandler> make() override;

 private:
  ModelRepository& repository_;
  ProtocolOptions options_;
  std::atomic<size_t> workers_{0};
};

}  // namespace gatewise
