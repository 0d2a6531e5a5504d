#include <chrono>
#include <filesystem>

#include "base/atomic_file.h"
#include "base/error.h"
#include "base/toml.h"
#include "cli/report_option.h"
#include "cli/training_files.h"
#include "cli/verb.h"
#include "experiment/tuner.h"
#include "report/numbers.h"
#include "report/tune_report.h"
#include "report/tune_text.h"

namespace gatewise {
namespace {

constexpr int interrupted_search = 130;

// "a/census.toml" -> "census"
std::string stem_of_input(const std::string& path) {
  const std::string name = std::filesystem::path(path).filename().string();
  return name.substr(0, name.find('.', 1));
}

class Tune final : public Verb {
 public:
  void declare(CLI::App& app) override {
    app.add_option("inputs", source_.inputs, "one configuration (.toml), or data files to propose one for");
    app.add_option("--labels", source_.labels, "label columns of data files, as a,b")->delimiter(',');
    app.add_option("--output", output_,
                   "file for the best configuration; by default the first input's name and \".best.toml\"");
    app.add_option("--journal", journal_,
                   "file that takes every finished run, and from which none is run again; by default the "
                   "first input's name and \".tune.journal\"");
    app.add_option("--threads", threads_,
                   "models at a time, each on one thread; 0 means one per core; no result depends on it")
        ->check(CLI::Range(0, 1024));
    report_.declare(app);
    app.add_flag("--json", is_json_, "print JSON");
    app.footer(
        "Options to search are given as ranges, in the file or as --table.field value:\n"
        "  rate = { min = 1e-4, max = 1e-1, log = true }, units = [{ search = true }], type = { choices = "
        "[\"mmoe\", \"ple\"] }\n"
        "Without any, those that gatewise describe shows as tuned are searched. [tune] says how many trials, "
        "what to\n"
        "improve and which constraints hold (gatewise describe tune). A killed search loses the models under "
        "way:\n"
        "the same command goes on, and with more trials it adds to them.");
  }

  int run(const Overrides& overrides, Console& console) override {
    Json json = read_configuration(source_, overrides);
    const std::string output = named(output_, ".best.toml", json),
                      journal_file = named(journal_, ".tune.journal", json);
    check_files(json, output, journal_file);
    const DataSpec data = Schema::from_json({{"data", table_of(json, "data")}}).data;
    for (const std::string& line : warnings_of_shared_files(data)) console.warning(line);
    TuneSection section = read_options<TuneSection>(table_of(json, "tune"), "tune");
    json.erase("tune");
    json.erase("continue");
    if (section.parallel == 0) section.parallel = std::max<int64_t>(1, std::thread::hardware_concurrency());
    SharedRows rows(static_cast<size_t>(section.parallel) + 1, false);
    Tuner tuner(SearchPlan::read(json), section, rows);
    Journal journal(journal_file);
    if (journal.was_cut())
      console.warning(journal.path() + ": the last line was not whole and has been cut off");
    tell_plan(tuner, section, console);
    const auto start = std::chrono::steady_clock::now();
    const bool is_complete = search(tuner, section, journal, console);
    if (!is_complete) {
      console.error("interrupted; " + journal.path() + " holds the finished runs; the same command goes on");
      return interrupted_search;
    }
    const Json best = tuner.best_configuration();
    Configuration::from_json(best);
    write_file_atomically(output, to_toml(best));
    Json result = tuner.result();
    result["seconds"] = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    result["configuration"] = output;
    console.result(is_json_ ? result.dump(2) + "\n" : tune_text(result, console.result_style()));
    console.note("best configuration: " + output + "; gatewise fit " + output + " trains it");
    report_.write(tune_report, result, console);
    return 0;
  }

 private:
  std::string named(const std::string& given, const std::string& ending, const Json& json) const {
    if (!given.empty()) return given;
    if (!source_.inputs.empty()) return stem_of_input(source_.inputs[0]) + ending;
    return table_of(json, "synthetic").value("kind", "gatewise") + ending;
  }

  void check_files(const Json& configuration, const std::string& output, const std::string& journal) const {
    CommandFiles files;
    if (!source_.inputs.empty() && is_configuration_file(source_.inputs[0]))
      files.reads("the configuration", source_.inputs[0]);
    files.reads_files_of(configuration);
    files.writes("--output", output);
    report_.add_to(files);
    files.keeps("--journal", journal);
    files.check();
  }

  static void tell_plan(const Tuner& tuner, const TuneSection& section, Console& console) {
    const SearchSpace& space = tuner.searcher().space();
    std::vector<std::string> names;
    for (const Dimension& dimension : space.dimensions()) names.push_back(dimension.name);
    console.note(fmt::format("{} trials, {} at a time, to improve {} on the validation rows", section.trials,
                             section.parallel, tuner.objective().text()));
    console.note(fmt::format("searching {}", fmt::join(names, ", ")));
    for (const std::string& line : tuner.notes()) console.note(line);
  }

  bool search(Tuner& tuner, const TuneSection& section, Journal& journal, Console& console) const {
    StopSignals signals;
    const auto start = std::chrono::steady_clock::now();
    int64_t ended = 0, known = 0, known_runs = 0;
    Json best;
    const auto tell = [&](const Json& trial, int64_t runs) {
      ++ended;
      known += runs == section.seeds;
      known_runs += runs;
      const Objective& objective = tuner.objective();
      const bool is_better =
          trial["status"] == "finished" && (best.is_null() || objective.cost(trial["value"].get<double>()) <
                                                                  objective.cost(best.get<double>()));
      if (is_better) best = trial["value"];
      console.note(trial_text(trial, is_better ? best : Json(), section.trials));
      const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
      const double left = spent.count() / static_cast<double>(std::max<int64_t>(1, ended - known)) *
                          static_cast<double>(section.trials - ended);
      console.progress(fmt::format("{} of {} trials  best {}  {} left", ended, section.trials,
                                   best.is_null() ? "none" : value_text(best.get<double>()),
                                   duration_text(left)));
    };
    const ExperimentOptions options{threads_, &journal, signals.flag()};
    bool is_complete = tuner.run(options, tell);
    if (is_complete) {
      console.progress("the best trial once more, for the intervals of its metrics");
      is_complete = tuner.measure_best(options);
    }
    if (known_runs > 0) console.note(fmt::format("{} runs were in {}", known_runs, journal.path()));
    return is_complete;
  }

  ConfigurationSource source_;
  std::string output_, journal_;
  int threads_ = 0;
  bool is_json_ = false;
  ReportOption report_;
};

}  // namespace

std::unique_ptr<Verb> make_tune() { return std::make_unique<Tune>(); }

}  // namespace gatewise
