// The whole configuration: every top-level table, checked.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "configuration/overrides.h"
#include "features/schema.h"
#include "training/trainer.h"

namespace gatewise {

// [evaluation]
struct EvaluationSection {
  std::vector<std::string> metrics;  // empty: the usual ones
  int64_t resamples = 200;
  int64_t seed = 1;
  int64_t calibration_bins = 10;
  void declare(OptionSet& set);
  EvaluationOptions options() const {
    return {metrics, resamples, static_cast<uint64_t>(seed), calibration_bins};
  }
};

// [synthetic]: fresh rows at every training step in place of files.
struct SyntheticSection {
  std::string kind;
  Json options = Json::object();
  int64_t embedding = 0;  // width for each column of ids; 0: default_embedding_width of their number
  int64_t validation_rows = 10000;
  int64_t test_rows = 10000;
  void declare(OptionSet& set);
};

// [output]
struct OutputSection {
  std::string model;
  void declare(OptionSet& set);
};

// [continue]: what `fit --from` does with the model to start from.
struct ContinueSection {
  Json copy = Json::object();       // new task -> task whose parameters it starts from
  std::vector<std::string> freeze;  // patterns of paths
  void declare(OptionSet& set);
};

// A table of a configuration; empty where it has none.
inline Json table_of(const Json& json, const char* name) { return json.value(name, Json::object()); }

struct Configuration {
  // Plug-in libraries that it was read with (base/plugin.h). Files of configurations load them; those written
  // beside models do not, since reading a model must not run code that the model names.
  std::vector<std::string> plugins;
  Schema schema;
  Json model;  // {type, every option}
  TrainingOptions training;
  EvaluationSection evaluation;
  std::optional<SyntheticSection> synthetic;
  std::optional<ContinueSection> continuation;  // not written out: the model that comes of it stands alone
  OutputSection output;
  // Lines, first those about options that the model or the optimiser does not have.
  std::vector<std::string> warnings;

  // Throws Error(Command) for unknown tables and fields, with the nearest known name, and for every value
  // that can be judged without data.
  static Configuration from_json(const Json& json);
  // All tables with every field written out.
  Json to_json() const;
};

// Throws Error(Command) for an unknown metric, and for one that fits none of the kinds of tasks, if any are
// given.
void check_metrics(const std::vector<std::string>& metrics, const std::vector<std::string>& kinds,
                   const std::string& where);

// The options of every table of the configuration, by its dotted name: {"training.stop": {summary, options}}.
Json describe_sections();

// Where a configuration comes from.
struct ConfigurationSource {
  std::vector<std::string> inputs;  // one .toml file, or data files
  std::vector<std::string> labels;  // label columns of data files
};

// Throws Error(Command) for a data file whose name a configuration could not hold.
void require_utf8(const std::vector<std::string>& files);

// What a person should know of a configuration that was proposed.
struct ProposalNotes {
  std::vector<std::string> notes;  // what each label is taken for
  std::vector<std::string> warnings;
};

bool is_configuration_file(const std::string& path);
// Reads the file, or proposes a configuration for the data files, applies the overrides, and loads the
// plug-ins that it names. What was proposed for a task or the split gives way to overrides that it
// contradicts. `told` takes what is to be said of a proposal.
Json read_configuration(const ConfigurationSource& source, const Overrides& overrides,
                        ProposalNotes* told = nullptr);

}  // namespace gatewise
