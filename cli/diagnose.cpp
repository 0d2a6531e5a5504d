#include "diagnosis/diagnose.h"

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/toml.h"
#include "cli/report_option.h"
#include "cli/training_files.h"
#include "cli/verb.h"
#include "report/diagnosis_report.h"
#include "report/diagnosis_text.h"
#include "report/numbers.h"
#include "training/model.h"

namespace gatewise {
namespace {

class Diagnose final : public Verb {
 public:
  void declare(CLI::App& app) override {
    app.add_option("model", source_.model, "directory of a trained model")->required();
    app.add_option("data", source_.files,
                   "files with labels, best ones that the model has not seen; without any the test (or "
                   "validation) rows of the model's own configuration");
    app.add_option("--single", singles_,
                   "a model of one task, or one that shares nothing but embeddings, to compare with in place "
                   "of training models for each; may be given several times: for every task, and for other "
                   "seeds of one");
    app.add_flag("--no-single", has_no_single_, "leave the comparison with single-task models out");
    app.add_option("--by", by_, "also show gate weights by slices of this column of the files");
    app.add_option("--suggest", suggest_,
                   "file to write: the configuration with the settings that the verdicts suggest");
    app.add_option("--part", source_.part, "read the files as those of this part (lines to skip)")
        ->check(CLI::IsMember({"train", "validation", "test"}))
        ->capture_default_str();
    app.add_option("--threads", threads_, "workers; 0 means one per core")->check(CLI::Range(0, 1024));
    report_.declare(app);
    app.add_flag("--json", is_json_, "print JSON, as docs/diagnosis.md describes it");
    std::string footer = "Thresholds and sizes are options as --diagnosis.NAME VALUE:\n";
    for (const Json& option : describe_options<DiagnosisOptions>()) {
      footer += fmt::format("  {} ({}): {}\n", option["name"].get<std::string>(), option["default"].dump(),
                            option["help"].get<std::string>());
    }
    app.footer(
        footer +
        "Training single-task models reads the files of the model's configuration again, whose paths are "
        "relative to the current folder. Fields of [data] can be given as --data.field value.");
  }

  int run(const Overrides& overrides, Console& console) override {
    overrides.allow_only({"data", "diagnosis"}, "diagnose");
    Json section{{"diagnosis", Json::object()}};
    overrides.apply(section, "diagnosis");
    check_arguments();
    LoadedModel model = load_scorable_model(source_.model);
    check_files(model);
    Pool pool(threads_);
    const EncodedData rows = load_rows(model, overrides);
    DiagnosisRequest request{*model.graph,
                             *model.store,
                             model.encoder->space(),
                             model.configuration,
                             model.history,
                             rows,
                             {},
                             {},
                             {},
                             read_options<DiagnosisOptions>(section["diagnosis"], "diagnosis")};
    console.note(count_text(rows.rows) + (rows.rows == 1 ? " row" : " rows"));
    if (!by_.empty()) request.slices = load_slices(model, source_, overrides, by_);
    find_singles(model, rows, overrides, pool, console, request);
    Json result = diagnose(request, pool);
    result["model"] = source_.model;
    console.result(is_json_ ? result.dump(2) + "\n" : diagnosis_text(result, console.result_style(), 100));
    report_.write(diagnosis_report, result, console);
    if (!suggest_.empty()) suggest(model, result, console);
    return 0;
  }

 private:
  void check_arguments() const {
    if (has_no_single_ && !singles_.empty())
      command_error("--no-single: got --single too, expected one of them; drop one");
    if (!by_.empty() && source_.files.empty())
      command_error("--by: the column is read from files; name them behind the model");
  }

  void check_files(const LoadedModel& model) const {
    CommandFiles files;
    files.reads("the model", source_.model);
    files.reads_data(source_.files);
    for (const std::string& single : singles_) files.reads("a model to compare with", single);
    files.reads_files_of(model.configuration);
    files.writes("--suggest", suggest_);
    report_.add_to(files);
    files.check();
  }

  // Of the files, or of the model's own configuration.
  EncodedData load_rows(const LoadedModel& model, const Overrides& overrides) const {
    if (!source_.files.empty()) return load_scoring_rows(model, source_, overrides, true);
    require_same_files(model, source_.model, "name the files to look at behind the model");
    TrainingRows own = load_training_rows(Configuration::from_json(model.configuration), nullptr);
    if (own.encoder.to_json() != model.encoder->to_json()) {
      data_error(
          "{}: the rows of its configuration are encoded differently now; name the files to look at behind "
          "the "
          "model",
          source_.model);
    }
    if (own.test) return std::move(*own.test);
    if (own.validation) return std::move(*own.validation);
    command_error(
        "{}: its configuration has neither test nor validation rows; name files with labels behind the model",
        source_.model);
  }

  EncodedData encode_again(const Encoder& encoder, const Overrides& overrides) const {
    LoadedModel reader;
    reader.encoder = encoder;
    return load_scoring_rows(reader, source_, overrides, true);
  }

  void find_singles(const LoadedModel& model, const EncodedData& rows, const Overrides& overrides, Pool& pool,
                    Console& console, DiagnosisRequest& request) const {
    look_for_sharing(request, pool);
    if (request.shared == SharedParts::Nothing) return;
    if (has_no_single_) {
      request.why_no_single = "--no-single was given";
      return;
    }
    for (const std::string& path : singles_)
      request.rivals.singles.push_back(load_single(path, rows, overrides, pool));
    if (singles_.empty()) train_singles(model, rows, overrides, pool, console, request);
  }

  JudgedModel load_single(const std::string& path, const EncodedData& rows, const Overrides& overrides,
                          Pool& pool) const {
    LoadedModel single = load_scorable_model(path);
    const FeatureSpace& space = single.encoder->space();
    EncodedData own = source_.files.empty() ? rows : load_scoring_rows(single, source_, overrides, true);
    if (space.tasks.size() > 1 &&
        shared_parts(*single.graph, *single.store, space, own, pool) == SharedParts::Parameters) {
      command_error(
          "--single: got {}, a model of {} tasks that share parameters, expected one of a single task, or "
          "one "
          "that shares nothing but embeddings (single_task); name such a model, or leave --single out to "
          "have "
          "them trained",
          path, space.tasks.size());
    }
    std::vector<ValueList> predictions = predict(*single.graph, *single.store, space, own, pool);
    return {space, std::move(own), std::move(predictions)};
  }

  void train_singles(const LoadedModel& model, const EncodedData& rows, const Overrides& overrides,
                     Pool& pool, Console& console, DiagnosisRequest& request) const {
    const Configuration configuration = Configuration::from_json(model.configuration);
    TrainingRows training;
    require_same_files(
        model, source_.model,
        "give --single MODEL, or --no-single: models of single tasks would be trained on other "
        "rows");
    try {
      training = load_training_rows(configuration, nullptr);
    } catch (const Error& error) {
      throw Error(error.fault(),
                  fmt::format("{}; these are the rows that single-task models would be trained "
                              "on: give --single MODEL, or --no-single",
                              error.what()));
    }
    const EncodedData judged = source_.files.empty() ? rows : encode_again(training.encoder, overrides);
    request.rivals = train_rivals(configuration, training, judged, request.options.training_seeds, pool,
                                  [&](const std::string& what) { console.note("training " + what); });
  }

  // What is written can be fitted; that a remedy cannot is no reason to fail.
  void suggest(const LoadedModel& model, const Json& result, Console& console) const {
    Json suggested;
    try {
      suggested = suggested_configuration(model.configuration, remedies_of(result));
      build_graph(model.encoder->space(), Configuration::from_json(suggested).model);
    } catch (const Error& error) {
      console.warning(fmt::format("--suggest: {} is not written; {}", suggest_, error.what()));
      return;
    }
    AtomicFile file(suggest_);
    file.write(to_toml(suggested));
    file.commit();
    console.note(suggest_ + ": the suggested configuration, for gatewise fit " + suggest_);
  }

  ScoringSource source_;
  std::vector<std::string> singles_;
  std::string by_, suggest_;
  int threads_ = 0;
  bool has_no_single_ = false, is_json_ = false;
  ReportOption report_;
};

}  // namespace

std::unique_ptr<Verb> make_diagnose() { return std::make_unique<Diagnose>(); }

}  // namespace gatewise
