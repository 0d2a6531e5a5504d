// One version of a model as the server has it: what it takes to score and to describe it.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "scoring/context_predictor.h"
#include "scoring/raw_columns.h"
#include "scoring/servable_model.h"

namespace gatewise {

// Where the columns of a model stand in the raw rows that are read: all, or those of one side of a ranking
// request.
struct RowSlots {
  std::vector<int32_t> of_column;  // by column of the model; -1: on the other side
  int64_t width = 0;
};

// An input of the model's graph, as `infer` takes it.
struct EncodedInput {
  std::string name;
  bool is_ids = false;
  bool takes_lists = false;  // of ids: any number for each row
  int64_t width = 1;         // numbers per row
};

// A model divided by the columns of a ranking request's context, and the memory to score with it.
struct RankingSession {
  explicit RankingSession(std::shared_ptr<const ContextPredictor> predictor) : run(std::move(predictor)) {}

  std::vector<bool> context;  // by column of the model
  ContextRun run;
  RowSlots context_slots, candidate_slots;
};

// The memory in which one worker scores with one model.
struct ScoringSession {
  explicit ScoringSession(const std::shared_ptr<const Predictor>& predictor) : run(predictor) {}

  PredictionRun run;
  EncodedData encoded;
  std::vector<ScoringInput> inputs;
  std::vector<double> predictions;                        // [rows, width]
  std::vector<double> scores;                             // [rows]
  std::vector<std::unique_ptr<RankingSession>> rankings;  // last used first
};

// An output as JSON has it: `key` is "\"income\":"; `class_keys` those of a multiclass task.
struct OutputText {
  std::string key;
  std::vector<std::string> class_keys;
};

struct ServingCounters {
  std::atomic<int64_t> requests{0}, faults{0}, rows{0}, nanoseconds{0};  // time of requests without fault
  std::atomic<int64_t> last{0};  // milliseconds since 1970 of the last request without fault
};

class ServedModel {
 public:
  ServedModel(std::string name, int64_t version, std::shared_ptr<const ServableModel> model);

  const std::string& name() const { return name_; }
  int64_t version() const { return version_; }
  const ServableModel& model() const { return *model_; }
  const std::vector<RawColumn>& columns() const { return columns_; }  // of raw rows, as the encoder's
  const std::vector<OutputText>& output_texts() const { return output_texts_; }
  const RowSlots& all_slots() const { return all_slots_; }             // the same columns, as slots
  const std::vector<EncodedInput>& inputs() const { return inputs_; }  // as ScoringProgram::inputs()
  // What answers about this version begin with: {"model_name":"census","model_version":"1"
  const std::string& head() const { return head_; }

  // That of the worker of this number, made when it first asks; only that worker uses it.
  ScoringSession& session(size_t worker) const;
  // Frees it. Only that worker asks for this.
  void end_session(size_t worker) const noexcept;
  // That of the session for a context of these columns. Throws as ContextPredictor().
  RankingSession& ranking(ScoringSession& session, const std::vector<bool>& context) const;
  ServingCounters& counters() const { return counters_; }

 private:
  std::string name_;
  int64_t version_;
  std::shared_ptr<const ServableModel> model_;
  mutable std::unique_ptr<ContextPredictors> divisions_;  // null: rows come encoded
  std::vector<RawColumn> columns_;
  RowSlots all_slots_;
  std::vector<EncodedInput> inputs_;
  std::vector<OutputText> output_texts_;
  std::string head_;
  mutable std::mutex mutex_;  // of the list of sessions
  mutable std::vector<std::unique_ptr<ScoringSession>> sessions_;
  mutable ServingCounters counters_;
};

}  // namespace gatewise
