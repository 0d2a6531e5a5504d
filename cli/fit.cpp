#include "configuration/fit.h"

#include <unistd.h>

#include <filesystem>

#include "base/error.h"
#include "base/file_lock.h"
#include "base/temporary_place.h"
#include "base/toml.h"
#include "base/utf8.h"
#include "cli/report_option.h"
#include "cli/training_files.h"
#include "cli/verb.h"
#include "configuration/warm_start.h"
#include "model_file/manifest.h"
#include "report/fit_report.h"
#include "report/metrics_text.h"
#include "report/numbers.h"
#include "scoring/example_rows.h"
#include "training/run_identity.h"

namespace gatewise {
namespace {

constexpr int interrupted = 130;

// "data/train.csv.xz" -> "train".
std::string stem_of(const std::string& path) {
  const std::string name = std::filesystem::path(path).filename().string();
  return name.substr(0, name.find('.', 1));
}

// Found out before hours of training, not after.
void check_output(const std::string& directory) {
  if (!is_utf8(directory)) {
    command_error("--output: the path {} is not valid UTF-8, which a model's files are; choose another",
                  with_bytes_escaped(directory));
  }
  refuse_to_replace(directory);
  const std::filesystem::path parent = std::filesystem::absolute(directory).lexically_normal().parent_path();
  if (!std::filesystem::is_directory(parent)) {
    data_error("{}: the folder {} does not exist; make it, or choose another --output", directory,
               parent.string());
  }
  if (access(parent.c_str(), W_OK) != 0) {
    data_error("{}: the folder {} cannot be written to; choose another --output", directory, parent.string());
  }
}

class Fit final : public Verb {
 public:
  void declare(CLI::App& app) override {
    app.add_option("inputs", source_.inputs, "one configuration (.toml), or data files to propose one for");
    app.add_option("--labels", source_.labels, "label columns of data files, as a,b")->delimiter(',');
    app.add_option(
        "--output", output_,
        "directory of the model; by default [output] model, or the first input's name and \".model\"");
    app.add_flag("--resume", is_resuming_,
                 "go on from the checkpoint of an interrupted run of the same command");
    app.add_option(
        "--from", from_,
        "start from this trained model, whose vocabularies take in new values and which new tasks join; "
        "[continue] says what they copy and what stays frozen");
    app.add_option("--threads", threads_, "workers; 0 means one per core; no result depends on it")
        ->check(CLI::Range(0, 1024));
    report_.declare(app);
    app.add_flag("--json", is_json_, "print the result as JSON (docs/reports.md)");
    app.footer(
        "Every field of the configuration can be given as --table.field value, as --training.epochs 3 or\n"
        "--data.train train.csv; gatewise describe lists the tables. Paths are relative to the current\n"
        "folder. While training, a checkpoint lies beside the model as <output>.checkpoint, and "
        "<output>.lock\n"
        "keeps other runs from writing it.");
  }

  int run(const Overrides& overrides, Console& console) override {
    std::optional<LoadedModel> start;
    if (!from_.empty()) start = load_start();
    Configuration configuration = Configuration::from_json(read_json(overrides, start, console));
    if (configuration.continuation && !start) {
      command_error(
          "continue: this table says what becomes of a trained model's parameters; name the model by --from, "
          "or "
          "drop the table");
    }
    for (const std::string& line : configuration.warnings) console.warning(line);
    if (threads_ >= 0) configuration.training.threads = threads_;
    const std::string output = output_directory(configuration);
    check_output(output);
    check_files(configuration, output);
    const FileLock lock(lock_of(output), "another fit is writing " + output +
                                             "; wait until it has ended, or choose another --output");
    for (const std::string& line : warnings_of_shared_files(configuration.schema.data)) console.warning(line);
    const bool has_task = !configuration.schema.tasks.empty() || configuration.schema.other_tasks;
    if (!has_task && !configuration.synthetic) {
      command_error(
          "no task is named and no column looks like a label; name label columns as --labels clicked,liked, "
          "or add tables [tasks.<name>]");
    }

    const Json files = contents_of_files(configuration);
    const TrainingRows rows = load_training_rows(configuration, start ? &*start->encoder : nullptr);
    UntrainedModel model = make_model(configuration, rows, start ? &*start : nullptr);
    tell_sizes(rows, *model.store, console);

    Pool pool(static_cast<int>(configuration.training.threads));
    Json history = train_model(model, rows, configuration, files, pool, console);
    if (history.is_null()) return interrupted;
    if (!files.is_null()) history["files"] = files;
    const Json metrics = measure_model(model, configuration, rows, pool);
    const Json completed = completed_configuration(configuration, rows, output);
    save(output, {*model.graph, *model.store, &rows.encoder, completed, history, metrics,
                  example_rows(*model.graph, *model.store, rows.encoder)});
    const Json result{{"model", output},
                      {"rows", sizes(rows)},
                      {"parameters", model.store->parameter_count()},
                      {"configuration", completed},
                      {"history", history},
                      {"metrics", metrics}};
    show(result, console);
    report_.write(fit_report, result, console);
    return 0;
  }

 private:
  LoadedModel load_start() const {
    LoadedModel model = load_model(from_);
    if (!model.encoder) data_error("{}: the model has no encoder, so new data cannot be read for it", from_);
    return model;
  }

  void check_files(const Configuration& configuration, const std::string& output) const {
    CommandFiles files;
    if (!source_.inputs.empty() && is_configuration_file(source_.inputs[0]))
      files.reads("the configuration", source_.inputs[0]);
    files.reads_files_of(configuration.to_json());
    report_.add_to(files);
    files.keeps("--output", output);
    files.keeps("the checkpoint", checkpoint_of(output));
    files.keeps("the lock", lock_of(output));
    files.check();
  }

  Json read_telling(const Overrides& overrides, Console& console) const {
    ProposalNotes told;
    Json json = read_configuration(source_, overrides, &told);
    for (const std::string& line : told.warnings) console.warning(line);
    for (const std::string& line : told.notes) console.note(line);
    return json;
  }

  // A model to start from knows what the columns of data files are: nothing is proposed then.
  Json read_json(const Overrides& overrides, const std::optional<LoadedModel>& start,
                 Console& console) const {
    if (!start) return read_telling(overrides, console);
    if (!source_.labels.empty())
      command_error("--labels: the model {} names its tasks; drop --labels", from_);
    const std::vector<std::string>& inputs = source_.inputs;
    const bool is_file = !inputs.empty() && is_configuration_file(inputs[0]);
    Json json;
    if (is_file) {
      json = read_configuration(source_, overrides);
    } else {
      require_utf8(inputs);
      json = data_of_files(inputs, *start);
    }
    // Where no file names these tables, single fields change those of the model.
    keep_settings(is_file ? read_toml_file(inputs[0]) : Json::object(), *start, json);
    overrides.apply(json);
    if (json.contains("synthetic"))
      command_error("synthetic: --from goes on with rows of files; drop one of them");
    return continue_configuration(json, *start, from_);
  }

  std::string output_directory(const Configuration& configuration) const {
    std::string output = !output_.empty() ? output_ : configuration.output.model;
    if (output.empty()) {
      if (!source_.inputs.empty()) {
        output = stem_of(source_.inputs[0]) + ".model";
      } else if (configuration.synthetic) {
        output = configuration.synthetic->kind + ".model";
      } else {
        output = stem_of(configuration.schema.data.train[0]) + ".model";
      }
    }
    while (output.size() > 1 && output.ends_with('/')) output.pop_back();
    return output;
  }

  static std::string checkpoint_of(const std::string& output) { return output + ".checkpoint"; }
  static std::string lock_of(const std::string& output) { return output + ".lock"; }

  static void tell_sizes(const TrainingRows& rows, const Store<float>& store, Console& console) {
    std::string text =
        rows.train ? count_text(rows.train->rows) + " training rows" : "streamed training rows";
    if (rows.validation) text += ", " + count_text(rows.validation->rows) + " validation rows";
    if (rows.test) text += ", " + count_text(rows.test->rows) + " test rows";
    if (!rows.new_tasks.empty()) text += fmt::format(", new tasks {}", fmt::join(rows.new_tasks, ", "));
    console.note(text + "; " + count_text(store.parameter_count()) + " parameters");
    if (!rows.validation) console.note("there are no validation rows: training will not stop early");
  }

  // The history, or null when training was interrupted.
  Json train_model(UntrainedModel& model, const TrainingRows& rows, const Configuration& configuration,
                   const Json& files, Pool& pool, Console& console) const {
    ConsoleObserver observer(console);
    StopSignals signals;
    TrainingRun run;
    run.checkpoint = checkpoint_of(output_directory(configuration));
    if (!files.is_null()) add_identity(run.identity, "files", files);
    run.is_resuming = is_resuming_;
    run.stop_request = signals.flag();
    run.observer = &observer;
    const bool has_checkpoint = std::filesystem::exists(run.checkpoint);
    if (is_resuming_ && !has_checkpoint)
      console.note(run.checkpoint + " is not there: starting from the beginning");
    if (!is_resuming_ && has_checkpoint) {
      console.warning(run.checkpoint +
                      ": the checkpoint of an interrupted run will be replaced; stop now and add "
                      "--resume to go on from it");
    }
    Json history = fit_model(model, configuration, rows, run, pool);
    if (history.value("stopped_by", "") != "request") return history;
    console.error("interrupted; " + run.checkpoint +
                  " holds the state of the run; the same command with --resume goes on from it");
    return {};
  }

  static void save(const std::string& output, const ModelParts& parts) {
    const std::string checkpoint = checkpoint_of(output);
    const std::string way_on = fmt::format(
        "; nothing learnt is lost: {} holds the finished run, so the same command with --resume only writes "
        "the model",
        checkpoint);
    const bool is_resumable = std::filesystem::exists(checkpoint);
    try {
      save_model(output, parts);
    } catch (const Interrupted&) {
      throw Interrupted(output + ": interrupted while it was written" + (is_resumable ? way_on : ""));
    } catch (const Error& error) {
      if (!is_resumable) throw;
      throw Error(error.fault(), error.what() + way_on);
    }
    std::filesystem::remove(checkpoint);
  }

  // {part: rows} of the parts that are held in memory.
  static Json sizes(const TrainingRows& rows) {
    Json sizes = Json::object();
    if (rows.train) sizes["train"] = rows.train->rows;
    if (rows.validation) sizes["validation"] = rows.validation->rows;
    if (rows.test) sizes["test"] = rows.test->rows;
    return sizes;
  }

  void show(const Json& result, Console& console) const {
    const Json &history = result["history"], &metrics = result["metrics"];
    if (is_json_) {
      console.result(result.dump(2) + "\n");
      return;
    }
    const std::string part = metrics.contains("test")         ? "test"
                             : metrics.contains("validation") ? "validation"
                                                              : "train";
    const Json& best = history.value("best_epoch", Json());
    const double activation_bytes = history.value("activation_bytes", 0.0);
    console.note(fmt::format("best epoch {} of {}; stopped by {}; activations took {:.1f} MiB at most",
                             best.dump(), history["epochs"].size(), history.value("stopped_by", ""),
                             activation_bytes / (1024 * 1024)));
    console.result(fmt::format("{}, {} rows\n", console.result_style().heading(part),
                               count_text(metrics[part]["rows"].get<int64_t>())) +
                   metrics_text(metrics[part], console.result_style()));
    console.note("model: " + result["model"].get<std::string>());
  }

  ConfigurationSource source_;
  std::string output_, from_;
  ReportOption report_;
  int threads_ = -1;
  bool is_resuming_ = false, is_json_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_fit() { return std::make_unique<Fit>(); }

}  // namespace gatewise
