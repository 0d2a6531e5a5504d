#include "python/src/model.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "configuration/warm_start.h"
#include "diagnosis/diagnose.h"
#include "diagnosis/sharing.h"
#include "features/column_views.h"
#include "features/propose.h"
#include "python/src/training_observer.h"
#include "report/model_text.h"
#include "scoring/example_rows.h"
#include "training/trainer.h"

namespace nb = nanobind;

namespace gatewise {
namespace {

// Rows of a block that one worker scores at a time.
constexpr int64_t block_rows = 512;

Table table_for(const Schema& schema, const Frame& frame, bool with_labels, bool all_columns) {
  ReadOptions options = schema.data.read_options(Part::Train);
  options.columns = schema.requests(with_labels);
  options.all_columns = all_columns;
  return frame.table(options);
}

// The schema with a role for every column of the table, and what a person should know of those.
Schema complete_schema(const Schema& schema, const Table& table, TrainingObserver& observer) {
  if (!schema.completes_columns) return schema;
  for (const ColumnProposal& proposal : propose_columns(table, schema)) {
    for (const std::string& warning : proposal.warnings)
      observer.on_warning(fmt::format("column \"{}\": {}", proposal.column.name, warning));
  }
  return resolve_schema(schema, table);
}

TrainingRows encode_frames(const Configuration& configuration, const Frame& train, const Frame* validation,
                           const Encoder* start, TrainingObserver& observer) {
  Schema schema = configuration.schema;
  if (start != nullptr) {
    schema.columns = start->schema().columns;
    schema.completes_columns = false;
  }
  PartTables tables;
  tables[0] = table_for(schema, train, true, schema.completes_columns);
  schema = complete_schema(schema, *tables[0], observer);
  if (validation != nullptr) tables[1] = table_for(schema, *validation, true, false);
  return encode_training_rows(std::move(tables), schema, start);
}

Json sizes_of(const TrainingRows& rows) {
  Json sizes = Json::object();
  if (rows.train) sizes["train"] = rows.train->rows;
  if (rows.validation) sizes["validation"] = rows.validation->rows;
  if (rows.test) sizes["test"] = rows.test->rows;
  return sizes;
}

}  // namespace

PythonModel::PythonModel(LoadedModel loaded) : model_(std::move(loaded)) {}

std::unique_ptr<PythonModel> PythonModel::fit(const Json& json, const Frame& train, const Frame* validation,
                                              const PythonModel* start, const TrainingCalls& calls) {
  CallingObserver observer(calls);
  std::unique_ptr<PythonModel> fitted;
  {
    const nb::gil_scoped_release unlocked;
    const Configuration configuration = Configuration::from_json(
        start == nullptr ? json : continue_configuration(json, start->model_, "the model to start from"));
    for (const std::string& line : configuration.warnings) observer.on_warning(line);
    if (configuration.schema.tasks.empty() && !configuration.schema.other_tasks)
      command_error("tasks: no task is named; hand over labels");
    const TrainingRows rows = encode_frames(configuration, train, validation,
                                            start == nullptr ? nullptr : &*start->model_.encoder, observer);
    UntrainedModel model = make_model(configuration, rows, start == nullptr ? nullptr : &start->model_);
    Pool pool(static_cast<int>(configuration.training.threads));
    TrainingRun run;
    run.stop_request = observer.stop_request();
    run.observer = &observer;
    run.ends_after = [&](const Json&) { return observer.is_ended(); };
    LoadedModel loaded;
    loaded.history = fit_model(model, configuration, rows, run, pool);
    loaded.metrics = measure_model(model, configuration, rows, pool);
    loaded.configuration = completed_configuration(configuration, rows, "");
    loaded.encoder = rows.encoder;
    loaded.graph = std::move(model.graph);
    loaded.store = std::move(model.store);
    loaded.version = GATEWISE_VERSION;
    fitted = std::make_unique<PythonModel>(std::move(loaded));
    fitted->rows_ = sizes_of(rows);
  }
  fitted->interruption_ = observer.failure();
  return fitted;
}

std::unique_ptr<PythonModel> PythonModel::load(const std::string& directory) {
  LoadedModel loaded = load_model(directory);
  if (!loaded.encoder) {
    data_error(
        "{}: the model takes encoded rows and cannot read tables; got no encoder.json, expected a model that "
        "gatewise fit or this package has written",
        directory);
  }
  return std::make_unique<PythonModel>(std::move(loaded));
}

void PythonModel::save(const std::string& directory) const {
  save_model(directory, {*model_.graph, *model_.store, &*model_.encoder, model_.configuration, model_.history,
                         model_.metrics, example_rows(*model_.graph, *model_.store, *model_.encoder)});
}

Json PythonModel::outputs() const {
  Json outputs = Json::array();
  for (const PredictionColumns& columns : predictor().columns()) {
    outputs.push_back({{"name", columns.name},
                       {"kind", columns.kind},
                       {"offset", columns.offset},
                       {"width", columns.width},
                       {"classes", columns.class_names},
                       {"type", columns.is_wide ? "float64" : "float32"}});
  }
  return outputs;
}

std::vector<std::string> PythonModel::features() const {
  std::vector<std::string> names;
  for (const ColumnRequest& request : model_.encoder->schema().requests(false)) names.push_back(request.name);
  return names;
}

Json PythonModel::description() const { return describe_model(*model_.graph, model_.encoder->space()); }

void PythonModel::set_parameter_arrays(const nb::dict& values) {
  const std::lock_guard lock(mutex_);
  set_parameters_of(*model_.store, values);
  predictor_.reset();  // it has packed the old ones
}

// Planned when it is first needed; afterwards all threads share it.
const Predictor& PythonModel::predictor() const {
  const std::lock_guard lock(mutex_);
  if (!predictor_) {
    predictor_ = std::make_shared<const Predictor>(*model_.graph, *model_.store, &model_.encoder->space());
  }
  return *predictor_;
}

EncodedData PythonModel::encode(const Frame& frame, bool with_labels) const {
  Schema schema = model_.encoder->schema();
  schema.split = SplitSpec();  // every row counts, whatever part it would be
  return model_.encoder->encode(table_for(schema, frame, with_labels, false), with_labels);
}

EncodedData PythonModel::encode_weighed(const Frame& frame, const Json& weights) const {
  EncodedData rows = encode(frame, true);
  if (weights.empty()) return rows;
  const FeatureSpace& space = model_.encoder->space();
  if (space.has_own_labels())
    command_error(
        "sample_weight: rows that belong to one task each are weighed by the model's own weight column");
  if (rows.weights.empty()) rows.weights.assign(rows.labels.size(), 1);
  for (size_t task = 0; task < space.tasks.size(); ++task) {
    if (!weights.contains(space.tasks[task].name)) continue;
    const auto column = weights[space.tasks[task].name].get<std::string>();
    ReadOptions options;
    options.columns = {{column, ColumnType::Number, {}, "|"}};
    const Table table = frame.table(options);
    const auto values = numbers_of(table, column);
    for (int64_t row = 0; row < rows.rows; ++row) {
      const double weight = values->values[row];
      if (!(weight >= 0))
        value_error(table, row, column, fmt::format("the weight is {}; expected a number from 0 on", weight));
      rows.weights[row * rows.tasks + static_cast<int64_t>(task)] = static_cast<float>(weight);
    }
  }
  return rows;
}

bool PythonModel::is_wide() const {
  const std::vector<PredictionColumns>& columns = predictor().columns();
  return std::any_of(columns.begin(), columns.end(),
                     [](const PredictionColumns& output) { return output.is_wide; });
}

template <class Number>
void PythonModel::predict(const Frame& frame, int threads, Number* predictions) const {
  const EncodedData rows = encode(frame, false);
  predictor();
  const int64_t blocks = (rows.rows + block_rows - 1) / block_rows;
  Pool pool(blocks <= 1 ? 1 : threads);
  std::vector<std::unique_ptr<PredictionRun>> runs(pool.threads());
  pool.run(blocks, [&](int64_t block, int worker) {
    if (!runs[worker]) runs[worker] = std::make_unique<PredictionRun>(predictor_);
    const int64_t first = block * block_rows, count = std::min(block_rows, rows.rows - first);
    Number* to = predictions + first * predictor_->width();
    runs[worker]->predict(rows, first, count, to);
    predictor_->require_finite(to, count, first);
  });
}

template void PythonModel::predict(const Frame&, int, float*) const;
template void PythonModel::predict(const Frame&, int, double*) const;

Json PythonModel::evaluate(const Frame& frame, const Json& options, int threads, const Json& weights) const {
  const EvaluationOptions wanted = read_options<EvaluationSection>(options, "evaluation").options();
  const EncodedData rows = encode_weighed(frame, weights);
  Pool pool(threads);
  return gatewise::evaluate(*model_.graph, *model_.store, model_.encoder->space(), rows, wanted, pool);
}

Json PythonModel::diagnose(const Frame& frame, const Json& options, int threads, const Json& weights,
                           const std::string& by, const Frame* train) const {
  const EncodedData rows = encode_weighed(frame, weights);
  Pool pool(threads);
  DiagnosisRequest request{*model_.graph,
                           *model_.store,
                           model_.encoder->space(),
                           model_.configuration,
                           model_.history,
                           rows,
                           {},
                           {},
                           "no rows to train single-task models on were given",
                           read_options<DiagnosisOptions>(options, "diagnosis")};
  if (!by.empty()) {
    ReadOptions column = model_.encoder->schema().data.read_options(Part::Train);
    column.columns = {slice_request(model_.encoder->schema(), by)};
    request.slices = make_slices(frame.table(column), by);
  }
  look_for_sharing(request, pool);
  if (train != nullptr && request.shared != SharedParts::Nothing) {
    TrainingRows training;
    training.encoder = *model_.encoder;
    training.train = std::make_shared<const EncodedData>(encode(*train, true));
    request.rivals = train_rivals(Configuration::from_json(model_.configuration), training, rows,
                                  request.options.training_seeds, pool, [](const std::string&) {});
  }
  return gatewise::diagnose(request, pool);
}

Json fit_result(const PythonModel& model, const std::string& name) {
  return {{"model", name},
          {"rows", model.rows()},
          {"parameters", model.parameters()},
          {"configuration", model.configuration()},
          {"history", model.history()},
          {"metrics", model.metrics()}};
}

}  // namespace gatewise
