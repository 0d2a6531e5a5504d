#include "cli/verb.h"
#include "configuration/configuration.h"
#include "configuration/scoring_rows.h"
#include "features/labels.h"
#include "report/metrics_text.h"
#include "report/numbers.h"

namespace gatewise {
namespace {

class Evaluate final : public Verb {
 public:
  void declare(CLI::App& app) override {
    app.add_option("model", source_.model, "directory of a trained model")->required();
    app.add_option("data", source_.files, "files with labels")->required();
    app.add_option("--resamples", resamples_, "bootstrap resamples for the intervals; 0: no intervals")
        ->check(CLI::Range(0, 100000));
    app.add_option("--part", source_.part, "read the files as those of this part (lines to skip)")
        ->check(CLI::IsMember({"train", "validation", "test"}))
        ->capture_default_str();
    app.add_option("--threads", threads_, "workers; 0 means one per core")->check(CLI::Range(0, 1024));
    app.add_flag("--json", is_json_, "print JSON");
    app.footer(
        "The rows of all files are held in memory at once. Fields of [data] and [evaluation] can be given "
        "as\n"
        "--table.field value.");
  }

  int run(const Overrides& overrides, Console& console) override {
    overrides.allow_only({"data", "evaluation"}, "evaluate");
    LoadedModel model = load_scorable_model(source_.model);
    Json section{{"evaluation", model.configuration.value("evaluation", Json::object())}};
    overrides.apply(section, "evaluation");
    if (resamples_ >= 0) section["evaluation"]["resamples"] = resamples_;
    const EvaluationOptions options = Configuration::from_json(section).evaluation.options();
    std::vector<std::string> kinds;
    for (const TaskSpace& task : model.encoder->space().tasks) kinds.push_back(task.kind);
    check_metrics(options.metrics, kinds, "evaluation.metrics");
    const EncodedData rows = load_scoring_rows(model, source_, overrides, true);
    for (const std::string& line : warnings_of_labels(model.encoder->schema(), rows)) console.warning(line);
    Pool pool(threads_);
    const Json found = evaluate(*model.graph, *model.store, model.encoder->space(), rows, options, pool);
    if (is_json_) {
      console.result(found.dump(2) + "\n");
    } else {
      console.note(count_text(rows.rows) + " rows");
      console.result(metrics_text(found, console.result_style()));
    }
    return 0;
  }

 private:
  ScoringSource source_;
  int64_t resamples_ = -1;
  int threads_ = 0;
  bool is_json_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_evaluate() { return std::make_unique<Evaluate>(); }

}  // namespace gatewise
