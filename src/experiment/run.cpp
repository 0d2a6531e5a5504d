#include "experiment/run.h"

#include <chrono>
#include <condition_variable>
#include <thread>

namespace gatewise {
namespace {

class TrialRun {
 public:
  TrialRun(SharedRows& rows, const ExperimentOptions& options, const NextTrial& next, const TrialDone& done)
      : rows_(rows), options_(options), next_(next), done_(done) {}

  bool run() {
    const unsigned cores = std::max(1u, std::thread::hardware_concurrency());
    const int workers = options_.workers > 0 ? options_.workers : static_cast<int>(cores);
    working_ = workers;
    std::vector<std::thread> threads;
    for (int worker = 0; worker < workers; ++worker) threads.emplace_back([this] { work(); });
    wait_for_workers();
    for (std::thread& thread : threads) thread.join();
    if (failure_) std::rethrow_exception(failure_);
    return !is_stopping_;
  }

 private:
  // Looks at the caller's stop request from time to time: trials look at ours.
  void wait_for_workers() {
    std::unique_lock lock(mutex_);
    while (working_ > 0) {
      changed_.wait_for(lock, std::chrono::milliseconds(50));
      if (options_.stop_request == nullptr || !options_.stop_request->load()) continue;
      is_stopping_ = true;
      changed_.notify_all();
    }
  }

  void work() {
    try {
      while (std::optional<Trial> trial = take()) finish(*trial, result_of(*trial));
    } catch (...) {
      const std::lock_guard lock(mutex_);
      if (!failure_) failure_ = std::current_exception();
      is_stopping_ = true;
    }
    const std::lock_guard lock(mutex_);
    --working_;
    changed_.notify_all();
  }

  // The next trial; waits while one may still follow from a trial under way.
  std::optional<Trial> take() {
    std::unique_lock lock(mutex_);
    while (!is_stopping_) {
      if (std::optional<Trial> trial = next_()) {
        ++under_way_;
        trial->number = started_++;
        return trial;
      }
      if (under_way_ == 0) break;
      changed_.wait(lock);
    }
    return {};
  }

  struct Outcome {
    std::string key;
    Json result;
    bool is_new = true;
  };

  Outcome result_of(const Trial& trial) {
    Outcome outcome;
    outcome.key = trial_key(trial.configuration, rows_.identity(trial.configuration), trial.ending);
    if (options_.journal != nullptr) {
      const std::lock_guard lock(mutex_);
      if (const Json* known = options_.journal->find(outcome.key)) return {outcome.key, *known, false};
    }
    outcome.result = run_trial(trial, *rows_.get(trial.configuration), &is_stopping_);
    return outcome;
  }

  void finish(const Trial& trial, const Outcome& outcome) {
    const std::lock_guard lock(mutex_);
    --under_way_;
    changed_.notify_all();
    if (outcome.result.is_null()) return;
    if (options_.journal != nullptr && outcome.is_new)
      options_.journal->add(outcome.key, {{"name", trial.name}, {"seed", trial.seed}}, outcome.result);
    if (done_) done_(trial, outcome.result, outcome.is_new);
  }

  SharedRows& rows_;
  const ExperimentOptions options_;
  const NextTrial& next_;
  const TrialDone& done_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<bool> is_stopping_{false};
  int working_ = 0, under_way_ = 0;
  size_t started_ = 0;
  std::exception_ptr failure_;
};

}  // namespace

bool run_trials(SharedRows& rows, const ExperimentOptions& options, const NextTrial& next,
                const TrialDone& done) {
  return TrialRun(rows, options, next, done).run();
}

std::vector<Json> run_trials(SharedRows& rows, const ExperimentOptions& options,
                             const std::vector<Trial>& trials, const TrialDone& done) {
  std::vector<Json> results(trials.size());
  size_t started = 0;
  run_trials(
      rows, options,
      [&]() -> std::optional<Trial> {
        if (started == trials.size()) return {};
        return trials[started++];
      },
      [&](const Trial& trial, const Json& result, bool is_new) {
        results[trial.number] = result;
        if (done) done(trial, result, is_new);
      });
  return results;
}

}  // namespace gatewise
