// Training: batches, schedule, early stopping, checkpoints.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>

#include "engine/optimiser.h"
#include "features/encoded_data.h"
#include "features/feature_space.h"
#include "metrics/metric.h"
#include "table/synthetic.h"

namespace gatewise {

// [training]
struct TrainingOptions {
  int64_t epochs = 10;
  int64_t batch_rows = 1024;
  int64_t seed = 1;
  int64_t threads = 0;  // 0: one per core
  std::string normaliser = "present";
  Json optimiser = Json::object();
  Json schedule = Json::object();
  Json stop = Json::object();
  Json task_sampling = Json::object();  // TaskSamplingOptions; empty: every row once an epoch
  Json probes = Json::object();         // ProbeOptions
  std::vector<std::string> metrics;     // empty: the usual ones of each task's kind
  int64_t checkpoint_seconds = 60;
  int64_t steps_per_epoch = 1000;  // of streamed rows
  void declare(OptionSet& set);
};

// [training.schedule]: the learning rate of a step.
struct ScheduleOptions {
  std::string kind = "constant";
  int64_t warm_up_steps = 0;
  double warm_up_from = 0;    // share of the rate at the first step of the warm-up
  int64_t step_every = 1000;  // "step": steps between cuts
  double step_factor = 0.1;
  int64_t total_steps = 0;  // "cosine": 0 means all steps of the run
  double final_factor = 0;  // "cosine": share of the rate at the end
  void declare(OptionSet& set);
};
// Step counts from 0. Formulas as PyTorch's LinearLR, StepLR and CosineAnnealingLR.
double learning_rate(const ScheduleOptions& schedule, double rate, int64_t step, int64_t run_steps);

// [training.stop]: when to stop, judged on validation rows only.
struct StopOptions {
  std::string policy = "mean";  // one, mean, any, all
  std::string task;             // "one": the task that decides
  std::string metric;           // empty: auc, log_loss or r2, by the kind of task
  int64_t patience = 3;         // epochs without improvement; 0 never stops
  double min_change = 0;
  Json weights = Json::object();  // "mean": task -> weight
  void declare(OptionSet& set);
};

// What the caller is told while training runs.
struct Progress {
  int64_t epoch = 0, epochs = 0;  // counted from 1
  int64_t step = 0, steps = 0;    // within the epoch
  double rows_per_second = 0;
  double seconds_left = 0;  // of all epochs, without early stopping
  double loss = 0;          // mean total loss of this epoch so far
};
class TrainingObserver {
 public:
  virtual ~TrainingObserver() = default;
  virtual void on_progress(const Progress&) {}
  virtual void on_epoch(const Json& /*record*/) {}  // an entry of history["epochs"]
  virtual void on_warning(const std::string&) {}
};

// Rows to train on: encoded rows, or fresh synthetic rows at every step.
struct TrainingData {
  const EncodedData* train = nullptr;
  const SyntheticTable* stream = nullptr;
  // Of a stream: id column -> id -> row of the embedding table.
  std::vector<std::vector<uint32_t>> stream_indices{};
  const EncodedData* validation = nullptr;  // may be null: no early stopping
};

struct TrainingRun {
  std::string checkpoint;                     // file to write to; empty: none
  bool is_resuming = false;                   // continue from the checkpoint if it exists
  std::atomic<bool>* stop_request = nullptr;  // when it becomes true: checkpoint, then return with the best
  TrainingObserver* observer = nullptr;
  std::vector<std::string> frozen = {};  // paths to hold still, as freeze() returns them
  // What else the run is made of, as add_identity() writes it (run_identity.h): a checkpoint is continued by
  // the same only.
  Json identity = Json::array();
  std::vector<std::string> warnings = {};  // known before the first step, for the history and the observer
  // Asked after every epoch with its entry of history["epochs"]: whether that was the last one. The history
  // then says that training was "stopped_by" the "caller". Empty: no.
  std::function<bool(const Json& epoch)> ends_after = {};
};

// Trains the store in place and leaves the best weights in it. Returns the history:
// {epochs: [{epoch, rate, loss (all that is trained on), losses (by task, before task weights), penalties (by
// name, as they count in the loss), validation, rows_per_second, probes? (Prober::record(), of epochs in
// which one was due), is_best}], best_epoch, stopped_by, warnings,
// activation_bytes (peak of tiles x workers and whole-batch buffers)}; means over the steps of an epoch.
// Throws Error(Data) when the loss or a weight stops being finite (step, tasks, likely cause; the last
// checkpoint, whose weights are finite, stays).
Json train(const Graph& graph, Store<float>& store, const FeatureSpace& space, const TrainingData& data,
           const TrainingOptions& options, const TrainingRun& run, Pool& pool);

// Predictions per task: [rows] in original units, in 64 bits where labels were transformed, or
// [rows, classes]. Where rows belong to one task (FeatureSpace::has_own_labels) a single entry: each row's
// own.
std::vector<ValueList> predict(const Graph& graph, Store<float>& store, const FeatureSpace& space,
                               const EncodedData& data, Pool& pool);

// A value inside the model on every row, by its name in build_graph(): the weights of a gate, outputs of
// experts.
struct InnerValue {
  std::string name;
  int64_t width = 0;                     // numbers a row
  std::vector<float> values;             // [rows, width], as the model computes them when it scores
  std::vector<std::string> labels = {};  // of each number; empty: their places
};

// The weights of every gate, by the names of build_graph(), each number labelled by its expert. Throws
// Error(Data) for a model that has none.
std::vector<InnerValue> gate_weights(const Graph& graph, Store<float>& store, const FeatureSpace& space,
                                     const EncodedData& data, Pool& pool);

// Throws Error(Command) for unknown names, with the nearest known one.
std::vector<InnerValue> inner_values(const Graph& graph, Store<float>& store, const FeatureSpace& space,
                                     const EncodedData& data, const std::vector<std::string>& names,
                                     Pool& pool);

struct EvaluationOptions {
  std::vector<std::string> metrics;  // empty: the usual ones of each kind
  int64_t resamples = 200;           // of the bootstrap; 0: no intervals
  uint64_t seed = 1;
  int64_t calibration_bins = 0;  // 0: no calibration
};
// {tasks: {<task>: {<metric>: {value, low, high, direction, why_undefined?, details?}}}, rows, calibration?:
// {<task>: as calibration()}}.
Json evaluate(const Graph& graph, Store<float>& store, const FeatureSpace& space, const EncodedData& data,
              const EvaluationOptions& options, Pool& pool);

// The same of predictions made elsewhere, in the form of predict(); a task without any is left out.
Json judge_predictions(const FeatureSpace& space, const EncodedData& data,
                       const std::vector<ValueList>& predictions, const EvaluationOptions& options);

// The usual metrics of a kind of task.
std::vector<std::string> default_metrics(const std::string& task_kind);

}  // namespace gatewise
