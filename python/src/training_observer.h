// Python's callbacks while a model trains, and its signals.
#pragma once

#include <atomic>
#include <optional>

#include "python/src/model.h"
#include "training/trainer.h"

namespace gatewise {

// Training runs without the interpreter lock; each call here takes it.
class CallingObserver final : public TrainingObserver {
 public:
  explicit CallingObserver(const TrainingCalls& calls) : calls_(calls) {}

  void on_progress(const Progress& progress) override;
  void on_epoch(const Json& record) override;
  void on_warning(const std::string& text) override;

  // For TrainingRun: whether a call has asked to end after this epoch, or failed.
  bool is_ended() const { return is_ended_; }
  std::atomic<bool>* stop_request() { return &stops_; }
  // The exception of a signal handler or of a call, or None. Needs the interpreter lock.
  nanobind::object failure() { return std::move(failure_); }

 private:
  template <class Call>
  void guarded(const Call& call);

  const TrainingCalls& calls_;
  std::atomic<bool> stops_{false};
  bool is_ended_ = false;
  nanobind::object failure_ = nanobind::none();
};

}  // namespace gatewise
