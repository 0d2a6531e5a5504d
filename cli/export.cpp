#include "base/atomic_file.h"
#include "cli/command_files.h"
#include "cli/verb.h"
#include "configuration/scoring_rows.h"
#include "exchange/onnx_export.h"
#include "report/numbers.h"

namespace gatewise {
namespace {

class Export final : public Verb {
 public:
  void declare(CLI::App& app) override {
    app.add_option("model", model_, "directory of a trained model")->required();
    app.add_option("--onnx", onnx_, "file to write, in the format ONNX (opset 17)")->required();
    app.add_flag(
        "--encoded", is_encoded_,
        "take encoded rows (numbers scaled, categories as indices) instead of the columns of a table");
    app.add_flag("--onnx-routing", routes_,
                 "run only the experts that sparse gates choose, row by row; otherwise all run, in few large "
                 "operators, with weights that are exactly 0");
    app.add_option("--values", values_, "values inside the model as further outputs, as gates/a,gates/b")
        ->delimiter(',');
    app.footer(
        "Columns are inputs of their names: numbers as double with NaN where missing, texts with \"\" where "
        "missing,\n"
        "ids as whole numbers with -1 where missing (where -1 is a known id, the number that the metadata\n"
        "missing:<column> has); lists are padded and have a second input <column>/weights that is 0 behind\n"
        "their end. Hashed columns enter as the index of their bucket. A run with an unknown or missing "
        "task\n"
        "fails. Predictions are in original units, rounded to 32 bits.");
  }

  int run(const Overrides& overrides, Console& console) override {
    overrides.allow_only({}, "export");
    CommandFiles files;
    files.reads("the model", model_);
    files.writes("--onnx", onnx_);
    files.check();
    const LoadedModel model = load_scorable_model(model_);
    OnnxOptions options;
    options.routes = routes_;
    options.values = values_;
    AtomicFile file(onnx_);
    const std::string content = export_onnx(*model.graph, *model.store, model.encoder->space(), options,
                                            is_encoded_ ? nullptr : &*model.encoder);
    file.write(content);
    file.commit();
    console.note(fmt::format("{}: {} bytes", onnx_, count_text(static_cast<int64_t>(content.size()))));
    return 0;
  }

 private:
  std::string model_, onnx_;
  std::vector<std::string> values_;
  bool is_encoded_ = false, routes_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_export() { return std::make_unique<Export>(); }

}  // namespace gatewise
