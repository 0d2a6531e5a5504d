#include "base/atomic_file.h"
#include "cli/command_files.h"
#include "cli/verb.h"
#include "configuration/scoring_rows.h"
#include "report/numbers.h"
#include "report/predictions_text.h"
#include "training/trainer.h"

namespace gatewise {
namespace {

class Predict final : public Verb {
 public:
  void declare(CLI::App& app) override {
    app.add_option("model", source_.model, "directory of a trained model")->required();
    app.add_option("data", source_.files, "files; labels are not needed")->required();
    app.add_option("--output", output_, "CSV file to write, whole or not at all; standard output without it");
    app.add_option("--part", source_.part, "read the files as those of this part (lines to skip)")
        ->check(CLI::IsMember({"train", "validation", "test"}))
        ->capture_default_str();
    app.add_option("--value", values_,
                   "also this value inside the model, as gates/<task>: a column \"name[i]\" for each of its "
                   "numbers; may be given several times");
    app.add_flag("--gates", has_gates_,
                 "also the weights of all gates: a column \"<gate>:<expert>\" for each expert a gate sees");
    app.add_option("--threads", threads_, "workers; 0 means one per core")->check(CLI::Range(0, 1024));
    app.footer(
        "One line per row and one column per task: the probability, the value in original units, or for\n"
        "each class \"task:class\" its probability. Where rows belong to one task, and tasks are alike, "
        "there\n"
        "is one column \"prediction\", that of the row's own task. Values of labels that were transformed "
        "have\n"
        "the digits of 64 bits, other numbers those of 32. The rows of all files are held in memory at\n"
        "once. Fields of [data] can be given as --data.field value.");
  }

  int run(const Overrides& overrides, Console& console) override {
    overrides.allow_only({"data"}, "predict");
    CommandFiles files;
    files.reads("the model", source_.model);
    files.reads_data(source_.files);
    files.writes("--output", output_);
    files.check();
    LoadedModel model = load_scorable_model(source_.model);
    const EncodedData rows = load_scoring_rows(model, source_, overrides, false);
    Pool pool(threads_);
    const FeatureSpace& space = model.encoder->space();
    const std::vector<ValueList> predictions = predict(*model.graph, *model.store, space, rows, pool);
    std::vector<InnerValue> inner;
    if (!values_.empty()) inner = inner_values(*model.graph, *model.store, space, rows, values_, pool);
    if (has_gates_) {
      for (InnerValue& gate : gate_weights(*model.graph, *model.store, space, rows, pool))
        inner.push_back(std::move(gate));
    }
    if (output_.empty()) {
      write_predictions(space, predictions, inner, rows.rows,
                        [&](const std::string& text) { console.result(text); });
      return 0;
    }
    AtomicFile file(output_);
    write_predictions(space, predictions, inner, rows.rows,
                      [&](const std::string& text) { file.write(text); });
    file.commit();
    console.note(output_ + ": " + count_text(rows.rows) + " rows");
    return 0;
  }

 private:
  ScoringSource source_;
  std::string output_;
  std::vector<std::string> values_;
  int threads_ = 0;
  bool has_gates_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_predict() { return std::make_unique<Predict>(); }

}  // namespace gatewise
