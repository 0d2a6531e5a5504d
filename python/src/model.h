// A model as Python sees it: trained or loaded, measured, scored from any number of threads.
#pragma once

#include <nanobind/nanobind.h>

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "configuration/fit.h"
#include "python/src/frame.h"
#include "python/src/graph_values.h"
#include "scoring/predictor.h"

namespace gatewise {

// What is told and asked while a model trains; each may be None.
struct TrainingCalls {
  nanobind::object on_epoch;     // record of the history -> true to stop
  nanobind::object on_progress;  // {epoch, epochs, step, steps, rows_per_second, seconds_left, loss, text}
  nanobind::object on_warning;   // text
};

class PythonModel {
 public:
  // Trains on the rows of `train`; `validation` may be null, then `configuration` may split rows off. With
  // `start` its encoder and parameters are where training begins. All but the calls runs without the
  // interpreter lock. A signal (Ctrl-C) or an exception of a call ends training after the step; the model
  // then has the weights of its best epoch and interruption() tells.
  static std::unique_ptr<PythonModel> fit(const Json& configuration, const Frame& train,
                                          const Frame* validation, const PythonModel* start,
                                          const TrainingCalls& calls);
  static std::unique_ptr<PythonModel> load(const std::string& directory);
  explicit PythonModel(LoadedModel loaded);

  void save(const std::string& directory) const;

  // What the estimator has to remember, kept with the history under "python".
  void note(const Json& note) { model_.history["python"] = note; }

  const Json& configuration() const { return model_.configuration; }
  const Json& history() const { return model_.history; }
  const Json& metrics() const { return model_.metrics; }
  // {train, validation, test}: rows of the parts that there were; empty for a loaded model.
  const Json& rows() const { return rows_; }
  int64_t parameters() const { return model_.store->parameter_count(); }
  // Parameters and states by path, as saved; see graph_values.h. None may be set while other threads predict.
  nanobind::dict parameter_arrays() const { return parameters_of(*model_.store); }
  void set_parameter_arrays(const nanobind::dict& values);
  // [{name, kind, offset, width, classes, type}] of the columns of predictions; the type is "float32", or
  // "float64" where those would be rounded.
  Json outputs() const;
  // Columns that rows to score have to have.
  std::vector<std::string> features() const;
  Json description() const;

  // `predictions` [frame rows, width()], float, or double where is_wide().
  int64_t width() const { return predictor().width(); }
  bool is_wide() const;
  template <class Number>
  void predict(const Frame& frame, int threads, Number* predictions) const;
  // `weights`: task -> column of the frame that its rows are weighed by, in place of what the model was
  // trained with.
  Json evaluate(const Frame& frame, const Json& options, int threads, const Json& weights) const;
  // `by`: a column whose slices gates are shown by; empty: none. `train`: rows to train a model of each task
  // alone on; null: none is trained.
  Json diagnose(const Frame& frame, const Json& options, int threads, const Json& weights,
                const std::string& by, const Frame* train) const;

  const LoadedModel& loaded() const { return model_; }
  // The exception that ended training, as KeyboardInterrupt, or None.
  nanobind::object interruption() const {
    return interruption_.is_valid() ? interruption_ : nanobind::none();
  }

 private:
  const Predictor& predictor() const;
  EncodedData encode(const Frame& frame, bool with_labels) const;
  EncodedData encode_weighed(const Frame& frame, const Json& weights) const;

  LoadedModel model_;
  Json rows_ = Json::object();
  nanobind::object
      interruption_;  // none as long as it is not valid: models are made without the interpreter lock
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const Predictor> predictor_;
};

// The result of a training run as "gatewise fit --json" gives it.
Json fit_result(const PythonModel& model, const std::string& name);

}  // namespace gatewise
