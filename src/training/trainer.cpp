#include "training/trainer.h"

#include <chrono>
#include <cmath>

#include "base/error.h"
#include "training/batch_source.h"
#include "training/checkpointing.h"
#include "training/divergence.h"
#include "training/frozen.h"
#include "training/probes.h"
#include "training/run_identity.h"
#include "training/validation.h"
#include "training/warnings.h"

namespace gatewise {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

class TrainingLoop {
 public:
  TrainingLoop(const Graph& graph, Store<float>& store, const FeatureSpace& space, const TrainingData& data,
               const TrainingOptions& options, const TrainingRun& run, Pool& pool)
      : graph_(graph),
        store_(store),
        space_(space),
        data_(data),
        options_(options),
        run_(run),
        pool_(pool),
        schedule_(read_options<ScheduleOptions>(options.schedule, "training.schedule")),
        stopper_(read_options<StopOptions>(options.stop, "training.stop"), space.tasks),
        loader_(graph, space, options.normaliser),
        batches_(graph, data, options, loader_, pool),
        steps_per_epoch_(batches_.steps_per_epoch()),
        program_(store, pool, plan_options(graph, space, options)),
        optimiser_(store, pool, read_options<OptimiserOptions>(options.optimiser, "training.optimiser")),
        scorer_(graph, store, space, pool),
        frozen_(store, run.frozen) {
    // Rows of one task have a single loss, whose coefficients hold the tasks' weights.
    if (space.has_own_labels()) own_loss_ = graph.losses()[0].node;
    for (const TaskSpace& task : space.tasks) task_weights_.push_back(own_loss_ < 0 ? task.weight : 1);
    state_.task_losses.assign(space.tasks.size(), 0);
    state_.task_steps.assign(space.tasks.size(), 0);
    state_.penalties.assign(graph.penalties().size(), 0);
    const auto probes = read_options<ProbeOptions>(options.probes, "training.probes");
    const EncodedData* watched = data.validation != nullptr ? data.validation : data.train;
    if (probes.rows > 0 && watched != nullptr && !graph.probes().empty())
      prober_.emplace(graph, store, space, *watched, probes, options.batch_rows, options.normaliser, pool);
    if (data.validation != nullptr)
      validator_.emplace(scorer_, stopper_, space, *data.validation, options.metrics);
  }

  Json run() {
    state_.history = {{"epochs", Json::array()}, {"warnings", Json::array()}};
    if (run_.is_resuming) restore();
    if (state_.step == 0) warn_before_training();
    while (state_.epoch < options_.epochs && !stopper_.should_stop() && !is_ended_) {
      if (!run_epoch()) {
        // What was learnt since then is in the checkpoint.
        if (!state_.best.is_empty()) restore_weights(store_, state_.best);
        state_.history["stopped_by"] = "request";
        return state_.history;
      }
    }
    // Whatever fails from here on, nothing learnt is lost.
    if (!is_saved_) save();
    finish();
    return state_.history;
  }

 private:
  static PlanOptions plan_options(const Graph& graph, const FeatureSpace& space,
                                  const TrainingOptions& options) {
    PlanOptions plan;
    plan.batch_rows = options.batch_rows;
    if (space.has_own_labels()) plan.watched = {graph.losses()[0].node};
    return plan;
  }

  // False when a stop was requested; a checkpoint has then been written.
  bool run_epoch() {
    const auto start = Clock::now();
    const int64_t first_step = state_.step;
    int64_t rows = 0;
    auto last_report = start;
    while (state_.step < steps_per_epoch_) {
      rows += run_step();
      if (run_.stop_request != nullptr && run_.stop_request->load()) {
        save();
        return false;
      }
      save_if_due();
      if (run_.observer != nullptr && seconds_since(last_report) > 0.1) {
        report_progress(seconds_since(start), rows, first_step);
        last_report = Clock::now();
      }
    }
    finish_epoch(static_cast<double>(rows) / seconds_since(start));
    save_if_due();
    return true;
  }

  int64_t run_step() {
    const int64_t step = state_.epoch * steps_per_epoch_ + state_.step;
    const Batch<float>& batch = batches_.next(state_.epoch, state_.step);
    Run run;
    run.seed = static_cast<uint64_t>(options_.seed);
    run.step = static_cast<uint64_t>(step);
    run.is_training = true;
    const StepResult result = program_.step(batch, run, task_weights_);
    const std::vector<double> losses =
        own_loss_ < 0 ? result.losses : loader_.own_losses(program_.value(own_loss_));
    if (!std::isfinite(result.total))
      report_diverged_loss(parts_not_finite(result, losses), diverged_at(step));
    frozen_.clear(program_.gradients());
    optimiser_.apply(program_, rate_of(step));
    frozen_.restore();
    state_.total_loss += result.total;
    for (size_t task = 0; task < task_weights_.size(); ++task) {
      if (loader_.present_weights()[task] <= 0) continue;
      state_.task_losses[task] += losses[task];
      state_.task_steps[task] += 1;
    }
    for (size_t i = 0; i < result.penalties.size(); ++i) state_.penalties[i] += result.penalties[i];
    ++state_.step;
    is_saved_ = false;
    const int64_t rows = batch.rows;
    // The end of the first epoch is shown in any case.
    if (prober_ && (prober_->is_due(step + 1) || step + 1 == steps_per_epoch_)) prober_->measure(step + 1);
    return rows;
  }

  std::vector<std::string> parts_not_finite(const StepResult& result,
                                            const std::vector<double>& losses) const {
    std::vector<std::string> parts;
    for (size_t task = 0; task < losses.size(); ++task) {
      if (!std::isfinite(losses[task])) parts.push_back("task \"" + space_.tasks[task].name + "\"");
    }
    for (size_t i = 0; i < result.penalties.size(); ++i) {
      if (!std::isfinite(result.penalties[i]))
        parts.push_back("penalty \"" + graph_.penalties()[i].name + "\"");
    }
    return parts;
  }

  double rate_of(int64_t step) const {
    return learning_rate(schedule_, optimiser_.options().rate, step, options_.epochs * steps_per_epoch_);
  }

  DivergedAt diverged_at(int64_t step) const {
    return {step, step / steps_per_epoch_ + 1, rate_of(step), has_checkpoint_ ? run_.checkpoint : ""};
  }

  void report_progress(double seconds, int64_t rows, int64_t first_step) {
    Progress progress;
    progress.epoch = state_.epoch + 1;
    progress.epochs = options_.epochs;
    progress.step = state_.step;
    progress.steps = steps_per_epoch_;
    progress.rows_per_second = static_cast<double>(rows) / seconds;
    const int64_t left = (options_.epochs - state_.epoch) * steps_per_epoch_ - state_.step;
    progress.seconds_left =
        seconds / static_cast<double>(state_.step - first_step) * static_cast<double>(left);
    progress.loss = state_.total_loss / static_cast<double>(state_.step);
    run_.observer->on_progress(progress);
  }

  void finish_epoch(double rows_per_second) {
    const int64_t last_step = state_.epoch * steps_per_epoch_ + state_.step - 1;
    require_finite_weights(store_, diverged_at(last_step));
    Json record;
    record["epoch"] = state_.epoch + 1;
    record["rate"] = rate_of(last_step);
    record["loss"] = state_.total_loss / static_cast<double>(steps_per_epoch_);
    for (size_t task = 0; task < task_weights_.size(); ++task) {
      const auto steps = static_cast<double>(std::max<int64_t>(1, state_.task_steps[task]));
      record["losses"][space_.tasks[task].name] = state_.task_losses[task] / steps;
    }
    for (size_t i = 0; i < state_.penalties.size(); ++i) {
      record["penalties"][graph_.penalties()[i].name] =
          state_.penalties[i] / static_cast<double>(steps_per_epoch_);
    }
    record["rows_per_second"] = rows_per_second;
    if (prober_) prober_->finish_epoch(record);
    bool is_best = true;
    if (validator_) is_best = judge(record);
    record["is_best"] = is_best;
    if (is_best) {
      state_.best = copy_weights(store_);
      state_.history["best_epoch"] = state_.epoch + 1;
    }
    state_.history["epochs"].push_back(record);
    if (state_.epoch == 0) warn_of_units();
    ++state_.epoch;
    state_.step = 0;
    state_.total_loss = 0;
    state_.task_losses.assign(space_.tasks.size(), 0);
    state_.task_steps.assign(space_.tasks.size(), 0);
    state_.penalties.assign(graph_.penalties().size(), 0);
    if (run_.observer != nullptr) run_.observer->on_epoch(record);
    is_ended_ = run_.ends_after && run_.ends_after(record);
  }

  // Adds what validation rows say to the epoch's record; whether it is the best so far.
  bool judge(Json& record) {
    Validator::Judgement judgement = validator_->judge();
    const auto& values = judgement.values;
    if (state_.epoch == 0 &&
        std::none_of(values.begin(), values.end(), [](auto value) { return value.has_value(); })) {
      warn(
          {fmt::format("{} is undefined on the validation rows of every task ({}): training does not stop "
                       "early, and its last epoch is kept",
                       stopper_.metric_of(0), judgement.why_undefined)});
    }
    record["validation"] = std::move(judgement.tasks);
    return stopper_.is_best(values);
  }

  void finish() {
    if (prober_) prober_->finish_run(state_.history["epochs"], state_.epoch * steps_per_epoch_);
    if (state_.best.is_empty()) {
      state_.history["best_epoch"] = state_.epoch;
      warn(
          {"no epoch's predictions of the validation rows are finite numbers, and the last epoch is kept; "
           "lower "
           "training.optimiser.rate, or look for wild values in the features of those rows"});
    } else {
      restore_weights(store_, state_.best);
    }
    state_.history["stopped_by"] = is_ended_ ? "caller" : stopper_.should_stop() ? "patience" : "epochs";
    state_.history["activation_bytes"] = activation_bytes();
    warn_of_units();
    if (data_.validation == nullptr) return;
    const Json validation = scorer_.evaluate(*data_.validation, {{}, 0, 1});
    warn(find_stuck_tasks(validation));
    warn(find_stuck_classes(validation, space_, *data_.validation));
  }

  // The most that any part of the run has taken.
  int64_t activation_bytes() const { return std::max(state_.activation_bytes, program_.activation_bytes()); }

  void warn_before_training() {
    warn(run_.warnings);
    if (data_.train != nullptr) {
      warn(find_wild_numbers(space_, *data_.train));
      warn(find_wild_labels(space_, *data_.train));
    }
    const int64_t steps = options_.epochs * steps_per_epoch_;
    if (schedule_.warm_up_steps >= steps) {
      warn({fmt::format(
          "training.schedule.warm_up_steps: {} is not less than the {} steps of the run, which never "
          "reaches its learning rate",
          schedule_.warm_up_steps, steps)});
    }
  }

  void warn_of_units() {
    const EncodedData* rows = data_.train != nullptr ? data_.train : data_.validation;
    if (rows != nullptr) warn(find_degenerate_units(graph_, store_, space_, *rows, pool_));
  }

  void warn(const std::vector<std::string>& warnings) {
    for (const std::string& warning : warnings) {
      const Json& told = state_.history["warnings"];
      if (std::find(told.begin(), told.end(), Json(warning)) != told.end()) continue;
      state_.history["warnings"].push_back(warning);
      if (run_.observer != nullptr) run_.observer->on_warning(warning);
    }
  }

  void save_if_due() {
    if (seconds_since(last_checkpoint_) > static_cast<double>(options_.checkpoint_seconds)) save();
  }

  void save() {
    if (run_.checkpoint.empty()) return;
    require_finite_weights(store_, diverged_at(state_.epoch * steps_per_epoch_ + state_.step - 1));
    state_.stopper = stopper_.to_json();
    if (prober_) state_.probes = prober_->to_json();
    state_.optimiser_steps = optimiser_.steps();
    state_.activation_bytes = activation_bytes();
    save_training(run_.checkpoint, state_, store_, optimiser_, identity());
    has_checkpoint_ = is_saved_ = true;
    last_checkpoint_ = Clock::now();
  }

  void restore() {
    if (run_.checkpoint.empty()) command_error("resume: no checkpoint file is configured");
    if (!restore_training(run_.checkpoint, state_, store_, optimiser_, identity())) return;
    has_checkpoint_ = is_saved_ = true;
    try {
      stopper_.restore(state_.stopper);
      if (prober_ && !state_.probes.is_null()) prober_->restore(state_.probes);
    } catch (const Json::exception& fault) {
      data_error("{}: the state of the run is damaged ({}); delete it to start over", run_.checkpoint,
                 fault.what());
    }
    if (state_.step > steps_per_epoch_) {
      data_error("{}: got step {} of an epoch of {}; delete it to start over", run_.checkpoint, state_.step,
                 steps_per_epoch_);
    }
    optimiser_.set_steps(state_.optimiser_steps);
    program_.parameters_changed();
    warn(state_.changes);
  }

  const Json& identity() {
    if (identity_.is_null()) identity_ = identity_of_run(run_, options_, data_.train, space_, store_);
    return identity_;
  }

  const Graph& graph_;
  Store<float>& store_;
  const FeatureSpace& space_;
  const TrainingData& data_;
  const TrainingOptions& options_;
  const TrainingRun& run_;
  Pool& pool_;
  ScheduleOptions schedule_;
  Stopper stopper_;
  BatchLoader loader_;
  BatchSource batches_;
  const int64_t steps_per_epoch_;
  Program<float> program_;
  Optimiser<float> optimiser_;
  Scorer scorer_;
  FrozenPaths frozen_;
  std::vector<double> task_weights_;
  int own_loss_ = -1;  // node of the loss of rows of one task
  std::optional<Prober> prober_;
  std::optional<Validator> validator_;
  Json identity_;
  Clock::time_point last_checkpoint_ = Clock::now();
  bool has_checkpoint_ = false;  // of this run
  bool is_saved_ = false;        // nothing has changed since the checkpoint
  bool is_ended_ = false;        // by the caller
  TrainingState state_;
};

}  // namespace

Json train(const Graph& graph, Store<float>& store, const FeatureSpace& space, const TrainingData& data,
           const TrainingOptions& options, const TrainingRun& run, Pool& pool) {
  if ((data.train == nullptr) == (data.stream == nullptr))
    internal_error("training needs rows or a stream, not both");
  return TrainingLoop(graph, store, space, data, options, run, pool).run();
}

}  // namespace gatewise
