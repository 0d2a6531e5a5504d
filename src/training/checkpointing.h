// What a training run needs to go on to the same bits.
#pragma once

#include "engine/optimiser.h"

namespace gatewise {

// A copy of all weights and states.
struct Weights {
  std::vector<float> arena, states;
  std::vector<std::vector<float>> big_tables;
  bool is_empty() const { return arena.empty() && big_tables.empty(); }
};
Weights copy_weights(const Store<float>& store);
void restore_weights(Store<float>& store, const Weights& weights);

struct TrainingState {
  int64_t epoch = 0;  // finished epochs
  int64_t step = 0;   // finished steps of the running epoch
  double total_loss = 0;
  std::vector<double> task_losses;
  std::vector<int64_t> task_steps;  // steps in which the task had a row
  std::vector<double> penalties;    // by penalty of the graph
  Json history;
  Json stopper;
  Json probes;
  int64_t optimiser_steps = 0;
  int64_t activation_bytes = 0;  // the most until then
  Weights best;
  std::vector<std::string> changes;  // what restore_training() found changed; not stored
};

// `identity` is stored, and compared when restoring, as compare_identities() does.
void save_training(const std::string& path, const TrainingState& state, Store<float>& store,
                   Optimiser<float>& optimiser, const Json& identity);
// False when there is no checkpoint. Throws Error(Data) when it is damaged.
bool restore_training(const std::string& path, TrainingState& state, Store<float>& store,
                      Optimiser<float>& optimiser, const Json& identity);

}  // namespace gatewise
