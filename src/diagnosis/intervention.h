// A model in which experts can be taken out and gates made uniform, to see what they are worth.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "engine/store.h"
#include "training/scoring.h"

namespace gatewise {

class Intervention {
 public:
  // Copies the model with its parameters. Every gate w of the copy becomes
  //   kept(w) x (sum of w) + uniform x (sum of w) / experts,
  // where kept(w) are the shares of w without the experts that are taken out: what is left fills their place,
  // as if the gate had never seen them. Gates whose weights may be negative, or do not fill up (AdaTT's own
  // weights, cross-stitch units, HoME's self gates), lose the weight without filling it.
  Intervention(const Graph& graph, const Store<float>& store, const FeatureSpace& space, Pool& pool);

  // From now on these experts of the level (places in LevelProbe::experts) are taken out of every gate.
  void remove(size_t level, const std::set<int>& experts);
  // From now on this gate (place in LevelProbe::gates) weighs all that it sees alike.
  void make_uniform(size_t level, size_t gate);
  void reset();

  // As Scorer::predict().
  std::vector<ValueList> predict(const EncodedData& data);

 private:
  struct Switch {
    int keep = -1, uniform = -1;         // inputs of the copy
    std::vector<float> keeps, uniforms;  // [experts seen]
  };

  Var rebuilt(Var weights, size_t level, const std::vector<size_t>& gates);
  Var switched(Var weights, size_t level, size_t gate, bool fills_up);

  std::vector<LevelProbe> levels_;
  FeatureSpace space_;
  std::vector<std::vector<Switch>> switches_;  // by level and gate
  std::unique_ptr<Graph> graph_;
  std::unique_ptr<Store<float>> store_;
  std::unique_ptr<BatchLoader> loader_;
  std::unique_ptr<Program<float>> program_;
};

}  // namespace gatewise
