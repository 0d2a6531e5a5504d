// Predictions of a trained model: its program for scoring, and what its outputs mean. One Predictor serves
// any number of threads; each has a PredictionRun of its own.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "scoring/input_bindings.h"

namespace gatewise {

// Columns [offset, offset + width) of a row of predictions.
struct PredictionColumns {
  std::string name;
  std::string kind = {};  // binary: a probability. multiclass: one for each class. regression: original units
  int64_t offset = 0, width = 1;
  std::vector<std::string> class_names = {};
  size_t output = 0;     // of Graph::outputs()
  bool is_wide = false;  // in original units of a label that was transformed, which take 64 bits
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
  void bind(const EncodedData& data, int64_t first, std::vector<ScoringInput>& inputs) const {
    bindings_.bind(data, first, inputs);
  }
  // Ids of an input are less; 0 where it is no ids.
  int64_t id_limit(size_t input) const { return bindings_.id_limit(input); }
  // Throws Error(Data) when an id of the inputs names no row of its table, or no task.
  void check_ids(int64_t rows, std::span<const ScoringInput> inputs) const {
    bindings_.check_ids(rows, inputs);
  }

  // Writes `predictions` [rows, width], of floats or of doubles, of the rows that a run, of the program or of
  // one with the same outputs, has scored. `tasks`: of the rows, where they share one output, which means
  // what their task means; null otherwise.
  template <class Number>
  void write(const ScoringRun& run, int64_t rows, const Ids* tasks, Number* predictions) const;
  // Throws Error(Data) when a prediction of a task is not finite in `predictions` [rows, width], which begin
  // with row `first` of what the message counts.
  template <class Number>
  void require_finite(const Number* predictions, int64_t rows, int64_t first = 0) const;

 private:
  void add_columns(const Graph& graph, const FeatureSpace* space);

  friend class PredictionRun;
  std::shared_ptr<const ScoringProgram> program_;
  InputBindings bindings_;
  std::vector<PredictionColumns> columns_;
  int64_t width_ = 0;
  std::vector<const Scaling*> scalings_;  // by column group of regression, null otherwise; own rows: by task
  std::vector<Scaling> kept_scalings_;
  bool has_own_labels_ = false;
};

class PredictionRun {
 public:
  explicit PredictionRun(std::shared_ptr<const Predictor> predictor);

  const Predictor& predictor() const { return *predictor_; }
  // Writes `predictions` [rows, predictor().width()], float or double. What is too large for the model is not
  // finite in them. Floats round values in original units (PredictionColumns::is_wide).
  template <class Number>
  void predict(int64_t rows, std::span<const ScoringInput> inputs, Number* predictions);
  // The same for rows [first, first + rows) of encoded data.
  template <class Number>
  void predict(const EncodedData& data, int64_t first, int64_t rows, Number* predictions);

 private:
  std::shared_ptr<const Predictor> predictor_;
  ScoringRun run_;
  std::vector<ScoringInput> inputs_;
};

}  // namespace gatewise
