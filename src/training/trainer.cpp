#include "training/trainer.h"

#include <chrono>
#include <cmath>

#include "base/error.h"
#include "training/batches.h"
#include "training/checkpointing.h"
#include "training/frozen.h"
#include "training/probes.h"
#include "training/scoring.h"
#include "training/stopping.h"
#include "training/task_sampling.h"
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
    const int64_t rows = data.train == nullptr ? 0 : data.train->rows;
    steps_per_epoch_ = data.stream != nullptr ? options.steps_per_epoch
                                              : (rows + options.batch_rows - 1) / options.batch_rows;
    if (steps_per_epoch_ == 0) data_error("training: there is no row to train on");
    if (!options.task_sampling.empty()) start_task_sampling();
    const auto probes = read_options<ProbeOptions>(options.probes, "training.probes");
    const EncodedData* watched = data.validation != nullptr ? data.validation : data.train;
    if (probes.rows > 0 && watched != nullptr && !graph.probes().empty())
      prober_.emplace(graph, store, space, *watched, probes, options.batch_rows, pool);
  }

  Json run() {
    state_.history = {{"epochs", Json::array()}, {"warnings", Json::array()}};
    if (run_.is_resuming) restore();
    if (state_.step == 0) warn(run_.warnings);
    if (state_.step == 0 && data_.train != nullptr) warn(find_wild_numbers(space_, *data_.train));
    while (state_.epoch < options_.epochs && !stopper_.should_stop() && !is_ended_) {
      if (!run_epoch()) {
        // What was learnt since then is in the checkpoint.
        if (!state_.best.is_empty()) restore_weights(store_, state_.best);
        state_.history["stopped_by"] = "request";
        return state_.history;
      }
    }
    finish();
    return state_.history;
  }

 private:
  void start_task_sampling() {
    if (data_.train == nullptr || data_.train->row_task.empty()) {
      command_error(
          "training.task_sampling: rows are drawn by the task they belong to, and these belong to none; give "
          "the "
          "column that names it the role \"task\", or drop the table");
    }
    const auto sampling = read_options<TaskSamplingOptions>(options_.task_sampling, "training.task_sampling");
    sampler_.emplace(data_.train->row_task, sampling.temperature, static_cast<uint64_t>(options_.seed));
  }

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
    auto last_checkpoint = start, last_report = start;
    while (state_.step < steps_per_epoch_) {
      rows += run_step();
      if (run_.stop_request != nullptr && run_.stop_request->load()) {
        save();
        return false;
      }
      if (!run_.checkpoint.empty() &&
          seconds_since(last_checkpoint) > static_cast<double>(options_.checkpoint_seconds)) {
        save();
        last_checkpoint = Clock::now();
      }
      if (run_.observer != nullptr && seconds_since(last_report) > 0.1) {
        report_progress(seconds_since(start), rows, first_step);
        last_report = Clock::now();
      }
    }
    finish_epoch(static_cast<double>(rows) / seconds_since(start));
    if (!run_.checkpoint.empty()) save();
    return true;
  }

  int64_t run_step() {
    const int64_t step = state_.epoch * steps_per_epoch_ + state_.step;
    const Batch<float>& batch = next_batch(step);
    Run run;
    run.seed = static_cast<uint64_t>(options_.seed);
    run.step = static_cast<uint64_t>(step);
    run.is_training = true;
    const StepResult result = program_.step(batch, run, task_weights_);
    const std::vector<double> losses =
        own_loss_ < 0 ? result.losses : loader_.own_losses(program_.value(own_loss_));
    if (!std::isfinite(result.total)) explain_divergence(result, losses, step);
    frozen_.clear(program_.gradients());
    optimiser_.apply(program_, learning_rate(schedule_, optimiser_.options().rate, step,
                                             options_.epochs * steps_per_epoch_));
    frozen_.restore();
    state_.total_loss += result.total;
    for (size_t task = 0; task < task_weights_.size(); ++task) {
      if (loader_.present_weights()[task] <= 0) continue;
      state_.task_losses[task] += losses[task];
      state_.task_steps[task] += 1;
    }
    for (size_t i = 0; i < result.penalties.size(); ++i) state_.penalties[i] += result.penalties[i];
    ++state_.step;
    const int64_t rows = batch.rows;
    // The end of the first epoch is shown in any case.
    if (prober_ && (prober_->is_due(step + 1) || step + 1 == steps_per_epoch_)) prober_->measure(step + 1);
    return rows;
  }

  const Batch<float>& next_streamed_batch(uint64_t step) {
    const SyntheticTable& stream = *data_.stream;
    const int64_t rows = options_.batch_rows, width = stream.width(), tasks = stream.tasks();
    const int64_t id_columns = stream.id_columns();
    float* x = loader_.x(rows);
    float* labels = loader_.labels(rows);
    uint32_t* indices = loader_.ids(rows);
    streamed_ids_.resize(rows * id_columns);
    constexpr int64_t rows_at_once = 128;
    pool_.run((rows + rows_at_once - 1) / rows_at_once, [&](int64_t job, int) {
      const int64_t begin = job * rows_at_once, count = std::min(rows_at_once, rows - begin);
      uint64_t* ids = streamed_ids_.data() + begin * id_columns;
      stream.fill_ids(step, begin, count, ids);
      stream.fill(step, begin, count, x + begin * width, labels + begin * tasks);
      for (int64_t i = 0; i < count * id_columns; ++i)
        indices[begin * id_columns + i] = data_.stream_indices[i % id_columns][ids[i]];
    });
    return loader_.made(rows);
  }

  const Batch<float>& next_batch(int64_t step) {
    if (data_.stream != nullptr) return next_streamed_batch(static_cast<uint64_t>(step) + 1);
    // The order of an epoch is a function of (seed, epoch, position): a resumed run enters it anywhere.
    const auto count = static_cast<uint64_t>(data_.train->rows);
    const uint64_t key = mix64(static_cast<uint64_t>(options_.seed)) ^ static_cast<uint64_t>(state_.epoch);
    const Permutation order(count, key);
    const int64_t first = state_.step * options_.batch_rows;
    const int64_t rows = std::min(options_.batch_rows, data_.train->rows - first);
    row_numbers_.resize(rows);
    constexpr int64_t numbers_per_job = 512;
    pool_.run((rows + numbers_per_job - 1) / numbers_per_job, [&](int64_t job, int) {
      for (int64_t i = job * numbers_per_job; i < std::min(rows, (job + 1) * numbers_per_job); ++i) {
        row_numbers_[i] = sampler_ ? sampler_->row(state_.epoch, first + i)
                                   : static_cast<int64_t>(order(static_cast<uint64_t>(first + i)));
      }
    });
    return loader_.gather(*data_.train, row_numbers_, pool_);
  }

  [[noreturn]] void explain_divergence(const StepResult& result, const std::vector<double>& losses,
                                       int64_t step) const {
    std::string guilty;
    for (size_t i = 0; i < result.penalties.size(); ++i) {
      if (!std::isfinite(result.penalties[i])) guilty = "penalty \"" + graph_.penalties()[i].name + "\"";
    }
    for (size_t task = 0; task < losses.size(); ++task) {
      if (!std::isfinite(losses[task])) guilty = "task \"" + space_.tasks[task].name + "\"";
    }
    const std::string kept = has_checkpoint_ ? "; the last good checkpoint is " + run_.checkpoint : "";
    data_error(
        "training: the loss of {} is not finite at step {} (epoch {}); likely causes: a learning rate of {} "
        "that is "
        "too high, or unscaled numbers or labels; lower training.optimiser.rate, set clip_norm, or scale the "
        "columns{}",
        guilty, step, state_.epoch + 1, optimiser_.options().rate, kept);
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
    Json record;
    record["epoch"] = state_.epoch + 1;
    record["rate"] =
        learning_rate(schedule_, optimiser_.options().rate, state_.epoch * steps_per_epoch_ + state_.step - 1,
                      options_.epochs * steps_per_epoch_);
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
    if (data_.validation != nullptr) {
      record["validation"] = validate()["tasks"];
      is_best = judge(record["validation"]);
    }
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

  Json validate() {
    EvaluationOptions evaluation;
    evaluation.resamples = 0;
    evaluation.metrics = options_.metrics;
    const auto add = [&](const std::string& metric) {
      std::vector<std::string>& all = evaluation.metrics;
      if (std::find(all.begin(), all.end(), metric) == all.end()) all.push_back(metric);
    };
    bool is_usual = options_.metrics.empty();
    for (size_t task = 0; task < space_.tasks.size() && options_.metrics.empty(); ++task) {
      const std::vector<std::string> usual = default_metrics(space_.tasks[task].kind);
      is_usual = is_usual && std::find(usual.begin(), usual.end(), stopper_.metric_of(task)) != usual.end();
      for (const std::string& metric : usual) add(metric);
      if (!data_.validation->groups.empty()) add("grouped_auc");
    }
    if (is_usual) return scorer_.evaluate(*data_.validation, {{}, 0, 1});
    for (size_t task = 0; task < space_.tasks.size(); ++task) add(stopper_.metric_of(task));
    return scorer_.evaluate(*data_.validation, evaluation);
  }

  // Whether the epoch is the best so far.
  bool judge(const Json& validation) {
    std::vector<std::optional<double>> values;
    std::string why;
    for (size_t task = 0; task < space_.tasks.size(); ++task) {
      const Json& metric = validation.at(space_.tasks[task].name).at(stopper_.metric_of(task));
      const Json& value = metric.at("value");
      values.push_back(value.is_null() ? std::nullopt : std::optional(value.get<double>()));
      if (why.empty()) why = metric.value("why_undefined", "");
    }
    if (state_.epoch == 0 &&
        std::none_of(values.begin(), values.end(), [](auto v) { return v.has_value(); })) {
      warn(
          {fmt::format("{} is undefined on the validation rows of every task ({}): training does not stop "
                       "early, and its last epoch is kept",
                       stopper_.metric_of(0), why)});
    }
    return stopper_.is_best(values);
  }

  void finish() {
    if (prober_) prober_->finish_run(state_.history["epochs"], state_.epoch * steps_per_epoch_);
    if (!state_.best.is_empty()) restore_weights(store_, state_.best);
    state_.history["stopped_by"] = is_ended_ ? "caller" : stopper_.should_stop() ? "patience" : "epochs";
    state_.history["activation_bytes"] = program_.activation_bytes();
    warn_of_units();
    if (data_.validation != nullptr) warn(find_stuck_tasks(scorer_.evaluate(*data_.validation, {{}, 0, 1})));
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

  void save() {
    if (run_.checkpoint.empty()) return;
    state_.stopper = stopper_.to_json();
    if (prober_) state_.probes = prober_->to_json();
    state_.optimiser_steps = optimiser_.steps();
    save_training(run_.checkpoint, state_, store_, optimiser_, run_identity());
    has_checkpoint_ = true;
  }

  void restore() {
    if (run_.checkpoint.empty()) command_error("resume: no checkpoint file is configured");
    if (!restore_training(run_.checkpoint, state_, store_, optimiser_, run_identity())) return;
    has_checkpoint_ = true;
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
  }

  // What must not change between a run and its continuation.
  Json run_identity() const {
    Json identity{{"seed", options_.seed},
                  {"batch_rows", options_.batch_rows},
                  {"optimiser", optimiser_.options().kind},
                  {"rows", data_.train == nullptr ? 0 : data_.train->rows},
                  {"parameters", store_.parameter_count()}};
    if (sampler_) identity["task_sampling"] = options_.task_sampling;
    return identity;
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
  Program<float> program_;
  Optimiser<float> optimiser_;
  Scorer scorer_;
  FrozenPaths frozen_;
  std::vector<double> task_weights_;
  int own_loss_ = -1;  // node of the loss of rows of one task
  std::vector<int64_t> row_numbers_;
  std::vector<uint64_t> streamed_ids_;
  std::optional<TaskSampler> sampler_;
  std::optional<Prober> prober_;
  int64_t steps_per_epoch_ = 0;
  bool has_checkpoint_ = false;  // of this run
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
