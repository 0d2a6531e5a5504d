// Predictions of a trained model: its program for scoring, and what its outputs mean. One Predictor serves
// any number of threads; each has a PredictionRun of its own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/scoring_program.h"
#include "features/encoded_data.h"
#include "features/feature_space.h"

namespace gatewise {

// Columns [offset, offset + width) of a row of predictions.
struct PredictionColumns {
  std::string name;
  std::string kind = {};  // binary: a probability. multiclass: one for each class. regression: original units
  int64_t offset = 0, width = 1;
  std::vector<std::string> class_names = {};
  size_t output = 0;  // of Graph::outputs()
};

class Predictor {
 public:
  // `space`: what the model's tasks are; null for a graph of other inputs, whose outputs are given as they
  // are (kind ""). Graph and store must outlive the predictor and not change. Throws as ScoringProgram().
  Predictor(const Graph& graph, const Store<float>& store, const FeatureSpace* space);

  const std::vector<PredictionColumns>& columns() const { return columns_; }
  int64_t width() const { return width_; }
  const std::shared_ptr<const ScoringProgram>& program() const { return program_; }

  // Where the inputs of rows [first, ...) lie in encoded data, in the order of ScoringProgram::inputs().
  void bind(const EncodedData& data, int64_t first, std::vector<ScoringInput>& inputs) const;
  // Ids of an input are less; 0 where it is no ids.
  int64_t id_limit(size_t input) const { return bindings_[input].limit; }
  // Throws Error(Data) when an id of the inputs names no row of its table, or no task.
  void check_ids(int64_t rows, std::span<const ScoringInput> inputs) const;

 private:
  friend class PredictionRun;
  struct Binding {
    enum class Kind : uint8_t { Unknown, Numeric, Id, Bag, Task } kind = Kind::Unknown;
    int64_t index = 0;
    int64_t limit = 0;  // ids are less
  };

  void add_columns(const Graph& graph, const FeatureSpace* space);
  void add_binding(const Graph& graph, const Node& node, const FeatureSpace* space);

  std::shared_ptr<const ScoringProgram> program_;
  std::vector<PredictionColumns> columns_;
  int64_t width_ = 0;
  std::vector<Binding> bindings_;         // by input
  std::vector<const Scaling*> scalings_;  // by column group of regression, null otherwise; own rows: by task
  std::vector<Scaling> kept_scalings_;
  bool has_ids_ = false;
  int own_task_input_ = -1;  // where rows share one output: the input that names their tasks
};

class PredictionRun {
 public:
  explicit PredictionRun(std::shared_ptr<const Predictor> predictor);

  const Predictor& predictor() const { return *predictor_; }
  // Writes `predictions` [rows, predictor().width()].
  void predict(int64_t rows, std::span<const ScoringInput> inputs, float* predictions);
  // The same for rows [first, first + rows) of encoded data.
  void predict(const EncodedData& data, int64_t first, int64_t rows, float* predictions);

 private:
  std::shared_ptr<const Predictor> predictor_;
  ScoringRun run_;
  std::vector<ScoringInput> inputs_;
};

}  // namespace gatewise
