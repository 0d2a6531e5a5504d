// What experts and gates do while a model trains: the probes of its graph on a small fixed sample of rows.
#pragma once

#include <optional>

#include "training/gate_views.h"
#include "training/task_gradients.h"
#include "training/trainer.h"

namespace gatewise {

// [training.probes]
struct ProbeOptions {
  int64_t rows = 256;
  int64_t every_steps = 0;
  void declare(OptionSet& set);
};

class Prober {
 public:
  // Takes its sample of `data` (labelled), evenly spread. `normaliser`: as training divides the losses.
  Prober(const Graph& graph, Store<float>& store, const FeatureSpace& space, const EncodedData& data,
         const ProbeOptions& options, int64_t batch_rows, const std::string& normaliser, Pool& pool);

  // Whether a probe is due after so many steps of the run.
  bool is_due(int64_t steps) const { return steps % every_steps_ == 0; }
  // Adds what the sample shows now to the sums.
  void measure(int64_t steps);

  // The means since the last reset: {<level>: {zero_share: [experts], scale: [experts; mean absolute output],
  // gradient: {<task>: [experts; norm over the sample times the task's weight]}, gates: {<name>: {weights:
  // [experts seen], entropy (nats)}}}}; null where nothing was measured. Gates are those of gate_views() with
  // rows in the sample; an expert's numbers are of rows on which some gate gives it a weight other than 0,
  // and null without any. Gradients are those of the experts' own parameters and left out where they would
  // take too much memory.
  Json record() const;
  void reset();

  // Moves what was measured into the epoch's entry of the history, as "probes".
  void finish_epoch(Json& epoch);
  // The last entry shows the end of the run, however that came: measures once more if it has no probes.
  void finish_run(Json& epochs, int64_t steps);

  // For checkpoints.
  Json to_json() const { return {{"count", count_}, {"sums", sums_}}; }
  void restore(const Json& json);

 private:
  // The sums' next number; numbers come in one fixed order.
  void add(double value) { sums_[place_++] += value; }
  void add_outputs(const LevelProbe& level, const std::vector<GateView>& views);
  void add_gate(const GateView& view, size_t experts, const ConstRows<float>& weights);
  std::vector<bool> rows_served(const LevelProbe& level, const std::vector<GateView>& views) const;
  void add_gradients(int64_t steps);

  const Graph& graph_;
  FeatureSpace space_;
  Pool& pool_;
  const EncodedData& data_;
  std::vector<int64_t> sample_;               // in the order in which the loader lays rows out
  std::vector<std::vector<GateView>> views_;  // by level; of rows in the sample
  int64_t every_steps_ = 1;
  BatchLoader loader_;
  std::optional<Program<float>> program_;
  std::optional<TaskGradients> gradients_;
  std::vector<std::vector<GradientBlock>> blocks_;  // by expert of all levels
  size_t size_ = 0, place_ = 0;
  int64_t count_ = 0;
  std::vector<double> sums_;
};

// The parameters of every expert of every level, level by level.
std::vector<std::vector<GradientBlock>> expert_blocks(const Graph& graph, const Layout& layout);

}  // namespace gatewise
