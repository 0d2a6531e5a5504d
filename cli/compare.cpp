#include <filesystem>
#include <map>
#include <numeric>
#include <set>

#include "base/atomic_file.h"
#include "base/error.h"
#include "cli/report_option.h"
#include "cli/training_files.h"
#include "cli/verb.h"
#include "experiment/comparison.h"
#include "report/compare_report.h"
#include "report/comparison_text.h"
#include "report/numbers.h"

namespace gatewise {
namespace {

constexpr int interrupted_run = 130;

// "a/census.toml" -> "census"
std::string stem_of_configuration(const std::string& path) {
  return std::filesystem::path(path).stem().string();
}

class Compare final : public Verb {
 public:
  void declare(CLI::App& app) override {
    app.add_option("configurations", files_, "configurations (.toml) over the same rows")->required();
    app.add_option("--architectures", architectures_,
                   "take every configuration with each of these in place of its model.type, as "
                   "mmoe,shared_bottom,linear; options that one lacks are left out")
        ->delimiter(',');
    app.add_option("--seeds", seeds_, "runs of each configuration, each with a seed of its own")
        ->check(CLI::Range(1, 100000))
        ->capture_default_str();
    app.add_option("--first-seed", first_seed_, "the first seed; the others follow it")
        ->check(CLI::Range(int64_t{0}, int64_t{1} << 40))
        ->capture_default_str();
    app.add_flag("--same-rows", is_same_rows_,
                 "seeds change the initial weights and the order of rows alone; otherwise also which rows "
                 "are validated and tested on, where [split] draws them, or the synthetic rows");
    app.add_option("--baseline", baseline_,
                   "name of the configuration that the others are compared with; the first one without it");
    app.add_option("--metric", metrics_,
                   "metrics to compare, as auc,log_loss; by default [evaluation] metrics")
        ->delimiter(',');
    app.add_option("--external", externals_,
                   "name=predictions.csv: predictions of another system for the test rows, in the form of "
                   "gatewise predict; may be given several times")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    app.add_flag("--equal-parameters", is_equal_,
                 "scale the widths of each configuration so that it has as many parameters outside the "
                 "embeddings as the baseline");
    app.add_option("--widths", widths_,
                   "the options that --equal-parameters scales, all by one factor; expert.units without it")
        ->delimiter(',');
    app.add_option("--threads", threads_, "models at a time, each on one thread; 0 means one per core")
        ->check(CLI::Range(0, 1024));
    app.add_option("--journal", journal_,
                   "file that takes every finished run, and from which none is run again; by default the "
                   "first configuration's name and \".journal\"");
    app.add_option("--csv", csv_, "file for the values behind the tables, one per line");
    report_.declare(app);
    app.add_flag("--json", is_json_, "print JSON");
    app.footer(
        "Every configuration is trained with every seed and measured on its test rows, or its validation "
        "rows if there\nare none. Fields given as --table.field value hold for all configurations. A killed "
        "run loses the models under\nway and nothing else: the same command goes on, and with more seeds it "
        "runs only the new ones.");
  }

  int run(const Overrides& overrides, Console& console) override {
    if (!is_equal_ && !widths_.empty())
      command_error("--widths: says what --equal-parameters scales; give that too, or drop --widths");
    Comparison comparison = read(overrides, console);
    const std::string journal_file =
        journal_.empty() ? stem_of_configuration(files_[0]) + ".journal" : journal_;
    check_files(comparison, journal_file);
    warn_of_files(comparison, console);
    comparison.prepare();
    Journal journal(journal_file);
    if (journal.was_cut())
      console.warning(journal.path() + ": the last line was not whole and has been cut off");
    // Rows of every contestant, for every run under way.
    const size_t cores = std::max(1u, std::thread::hardware_concurrency());
    SharedRows rows(comparison.contestants.size() + cores, !is_same_rows_);
    read_externals(comparison, rows, console);
    if (is_equal_) equalise(comparison, rows, console);
    const std::vector<Json> results = run_all(comparison, rows, journal, console);
    if (std::any_of(results.begin(), results.end(), [](const Json& result) { return result.is_null(); })) {
      console.error("interrupted; " + journal.path() + " holds the finished runs; the same command goes on");
      return interrupted_run;
    }
    const Json compared = compare_results(comparison, results, rows);
    if (!csv_.empty()) write_file_atomically(csv_, comparison_csv(compared));
    console.result(is_json_ ? compared.dump(2) + "\n" : comparison_text(compared, console.result_style()));
    report_.write(compare_report, compared, console);
    return 0;
  }

 private:
  Comparison read(const Overrides& overrides, Console& console) const {
    Comparison comparison;
    for (const std::string& file : files_) {
      if (!is_configuration_file(file))
        command_error("{}: got a file of another kind, expected a configuration (.toml)", file);
      const Json json = read_configuration({{file}, {}}, overrides);
      if (architectures_.empty()) add(comparison, stem_of_configuration(file), file, json, false, console);
      for (const std::string& architecture : architectures_) {
        Json with_type = json;
        with_type["model"]["type"] = architecture;
        const std::string name =
            files_.size() == 1 ? architecture : stem_of_configuration(file) + " " + architecture;
        add(comparison, name, file, with_type, true, console);
      }
    }
    for (const std::string& text : externals_)
      comparison.externals.push_back(ExternalPredictions::parse(text));
    comparison.baseline = baseline_.empty() ? comparison.contestants[0].name : baseline_;
    comparison.seeds.resize(static_cast<size_t>(seeds_));
    std::iota(comparison.seeds.begin(), comparison.seeds.end(), first_seed_);
    comparison.scope = is_same_rows_ ? SeedScope::Training : SeedScope::Everything;
    comparison.metrics = metrics_;
    return comparison;
  }

  void check_files(const Comparison& comparison, const std::string& journal) const {
    CommandFiles files;
    for (const std::string& file : files_) files.reads("a configuration", file);
    for (const Contestant& contestant : comparison.contestants)
      files.reads_files_of(contestant.configuration.to_json());
    for (const ExternalPredictions& external : comparison.externals)
      files.reads("a file of predictions", external.path());
    files.writes("--csv", csv_);
    report_.add_to(files);
    files.keeps("--journal", journal);
    files.check();
  }

  static void warn_of_files(const Comparison& comparison, Console& console) {
    std::set<std::string> lines;
    for (const Contestant& contestant : comparison.contestants) {
      for (const std::string& line : warnings_of_shared_files(contestant.configuration.schema.data)) {
        if (lines.insert(line).second) console.warning(line);
      }
    }
  }

  static void read_externals(Comparison& comparison, SharedRows& rows, Console& console) {
    comparison.read_externals(rows);
    for (const ExternalPredictions& external : comparison.externals) {
      const std::vector<std::string>&missing = external.missing_tasks(), &unused = external.unused_columns();
      const std::string columns = fmt::format("columns of no task are not used: {}", fmt::join(unused, ", "));
      if (!missing.empty()) {
        console.warning(fmt::format("{}: has no predictions of {}{}", external.path(),
                                    fmt::join(missing, ", "), unused.empty() ? "" : "; " + columns));
      } else if (!unused.empty()) {
        console.note(external.path() + ": " + columns);
      }
    }
  }

  static void add(Comparison& comparison, const std::string& name, const std::string& file, const Json& json,
                  bool is_replaced, Console& console) {
    Contestant contestant{name, file, Configuration::from_json(json)};
    // Not where the architecture was put in: lacking options are the rule there.
    if (!is_replaced) {
      for (const std::string& line : contestant.configuration.warnings) console.note(name + ": " + line);
    }
    comparison.contestants.push_back(std::move(contestant));
  }

  void equalise(Comparison& comparison, SharedRows& rows, Console& console) const {
    std::vector<std::string> options;
    for (const std::string& option : widths_.empty() ? std::vector<std::string>{"expert.units"} : widths_)
      options.push_back(option.starts_with("model.") ? option.substr(6) : option);
    comparison.equalise(rows, options);
    for (const Contestant& contestant : comparison.contestants) {
      for (const Json& changed : contestant.changed_widths) {
        console.note(fmt::format("{}: {} = {} in place of {}", contestant.name,
                                 changed["option"].get<std::string>(), changed["to"].dump(),
                                 changed["from"].dump()));
      }
      if (!contestant.why_unequal.empty()) console.warning(contestant.name + ": " + contestant.why_unequal);
    }
  }

  std::vector<Json> run_all(const Comparison& comparison, SharedRows& rows, Journal& journal,
                            Console& console) const {
    StopSignals signals;
    const std::vector<Trial> trials = comparison.trials();
    size_t done = 0, known = 0;
    const auto start = std::chrono::steady_clock::now();
    const auto tell = [&](const Trial& trial, const Json& result, bool is_new) {
      ++done;
      known += !is_new;
      if (result.contains("error"))
        console.warning(
            fmt::format("{} seed {}: {}", trial.name, trial.seed, result["error"].get<std::string>()));
      const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
      const double left = spent.count() / static_cast<double>(std::max<size_t>(1, done - known)) *
                          static_cast<double>(trials.size() - done);
      console.progress(fmt::format("{} of {} runs  {} left", done, trials.size(), duration_text(left)));
    };
    const ExperimentOptions options{threads_, &journal, signals.flag()};
    std::vector<Json> results = run_trials(rows, options, trials, tell);
    if (known > 0)
      console.note(fmt::format("{} of {} runs were in {}", known, trials.size(), journal.path()));
    return results;
  }

  std::vector<std::string> files_, architectures_, metrics_, externals_, widths_;
  std::string baseline_, journal_, csv_;
  int64_t seeds_ = 5, first_seed_ = 1;
  int threads_ = 0;
  bool is_same_rows_ = false, is_equal_ = false, is_json_ = false;
  ReportOption report_;
};

}  // namespace

std::unique_ptr<Verb> make_compare() { return std::make_unique<Compare>(); }

}  // namespace gatewise
