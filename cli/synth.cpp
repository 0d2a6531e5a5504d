#include "base/atomic_file.h"
#include "base/error.h"
#include "cli/command_files.h"
#include "cli/verb.h"
#include "report/numbers.h"
#include "table/synthetic.h"

namespace gatewise {
namespace {

class Synth final : public Verb {
 public:
  void declare(CLI::App& app) override {
    app.add_option("kind", kind_, "kind of table; gatewise describe KIND shows its options")->required();
    app.add_option("--rows", rows_, "number of rows")->required();
    app.add_option("--output", output_, "CSV file to write")->required();
    app.add_option("--truth", truth_, "JSON file for what made the rows");
    app.add_flag("--json", is_json_, "print what was written, and the truth, as JSON");
    app.footer("Every option of the kind is given as --name value.");
  }

  bool takes_any_option() const override { return true; }

  int run(const Overrides& overrides, Console& console) override {
    Json options = Json::object();
    overrides.apply(options);
    if (rows_ < 1) command_error("--rows: got {}, expected at least 1", rows_);
    CommandFiles files;
    files.writes("--output", output_);
    files.writes("--truth", truth_);
    files.check();
    const auto table = make_synthetic_table(kind_, options, "synth");
    write_csv(*table, rows_, output_);
    if (!truth_.empty()) write_file_atomically(truth_, table->truth().dump(2) + "\n");
    if (is_json_) {
      const Json result{{"output", output_}, {"rows", rows_}, {"truth", table->truth()}};
      console.result(result.dump(2) + "\n");
    } else {
      console.note(output_ + ": " + count_text(rows_) + " rows of " +
                   count_text(table->id_columns() + table->width()) + " features and " +
                   count_text(table->tasks()) + (table->tasks() == 1 ? " label" : " labels"));
    }
    return 0;
  }

 private:
  std::string kind_, output_, truth_;
  int64_t rows_ = 0;
  bool is_json_ = false;
};

}  // namespace

std::unique_ptr<Verb> make_synth() { return std::make_unique<Synth>(); }

}  // namespace gatewise
