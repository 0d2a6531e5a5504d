// A model in which experts can be taken out and gates made uniform, to see what they are worth.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/store.h"
#include "training/scoring.h"

namespace gatewise {

class Intervention {
 public:
  // Copies the model with its parameters. Every gate w of the copy becomes
  //   kept(w) + uniform x (sum of w) / experts.
  // kept(w) is what the gate gives without the experts that are taken out. Where they compete for their
  // weights in a softmax, or for a place among the k largest, they are taken out before that: the gate
  // chooses as if it had never seen them. Where weights are divided by their sum, or are codes (dselect_k),
  // what is left fills their place. Other gates (sigmoid, AdaTT's own weights, cross-stitch units, HoME's
  // self gates) give the other experts what they gave them before.
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
    std::vector<float> handicaps;        // [experts seen], added before the gate chooses
  };
  // A value that experts compete by, [gates, experts] or [experts], and the gates (places in the level; -1:
  // none of those that are switched) of its rows.
  struct Contest {
    size_t level = 0;
    std::vector<int> gates;
    int64_t experts = 0;
    std::string path;  // of the parameter that is added to it in the copy
  };
  // How the weights of a level's mixture come about.
  struct Origin {
    std::map<int, Contest>& contests;  // by node
    size_t level = 0;
    int64_t experts = 0;
    bool fills_up = false;  // whether they are divided by their sum
  };

  static void trace(const Graph& graph, int id, const std::vector<int>& gates, Origin& origin);
  static void trace_inputs(const Graph& graph, const Node& node, const std::vector<int>& gates,
                           Origin& origin);
  Var rebuilt(Var weights, size_t level, const std::vector<int>& gates, bool fills_up);
  Var switched(Var weights, size_t level, size_t gate, bool fills_up);

  std::vector<LevelProbe> levels_;
  FeatureSpace space_;
  std::vector<std::vector<Switch>> switches_;  // by level and gate
  std::map<int, Contest> contests_;            // by node of the model
  std::unique_ptr<Graph> graph_;
  std::unique_ptr<Store<float>> store_;
  std::unique_ptr<BatchLoader> loader_;
  std::unique_ptr<Program<float>> program_;
};

}  // namespace gatewise
