// A configuration from a file, or proposed from the columns of data files.
#include <algorithm>

#include "base/error.h"
#include "base/plugin.h"
#include "base/toml.h"
#include "configuration/configuration.h"
#include "features/propose.h"
#include "losses/loss.h"

namespace gatewise {
namespace {

bool is_overridden(const Overrides& overrides, const std::vector<std::string>& path) {
  const auto holds = [&](const Override& item) {
    const size_t depth = std::min(item.path.size(), path.size());
    return std::equal(item.path.begin(), item.path.begin() + static_cast<std::ptrdiff_t>(depth),
                      path.begin());
  };
  return std::any_of(overrides.list().begin(), overrides.list().end(), holds);
}

// Drops what was proposed for the task but does not go with the kind or the loss that the overrides ask for.
void settle_task(const std::string& name, Json& task, const Overrides& overrides) {
  const auto is_own = [&](const char* key) { return is_overridden(overrides, {"tasks", name, key}); };
  const auto drop = [&](std::initializer_list<const char*> keys) {
    for (const char* key : keys) {
      if (!is_own(key)) task.erase(key);
    }
  };
  bool takes_transform = true;
  if (task.contains("loss") && task["loss"].is_string() && task["loss"] != "") {
    const std::string where = "tasks." + name + ".loss";
    const auto loss = Registry<Loss>::instance()
                          .find(task["loss"].get<std::string>(), "loss", where)
                          .make(task.value("loss_options", Json::object()), where + "_options");
    takes_transform = !loss->least_label();
    if (!is_own("kind")) task["kind"] = loss->task_kind();
  }
  if (task["kind"] != "multiclass") drop({"classes"});
  if (task["kind"] != "binary") drop({"equals"});
  if (task["kind"] != "regression" || !takes_transform) drop({"transform"});
}

// The same for the split.
void settle_split(Json& split, const Overrides& overrides) {
  const std::string kind = split.value("kind", "");
  const bool takes_fractions = (kind == "fraction" || kind == "time") && !split.contains("from");
  if (!takes_fractions && !is_overridden(overrides, {"split", "fractions"})) split.erase("fractions");
}

void settle_proposal(Json& json, const Overrides& overrides) {
  for (const auto& [name, task] : json["tasks"].items()) {
    if (task.is_object() && is_overridden(overrides, {"tasks", name})) settle_task(name, task, overrides);
  }
  if (json.contains("split") && json["split"].is_object() && overrides.has("split"))
    settle_split(json["split"], overrides);
}

Json propose(const ConfigurationSource& source, const Overrides& overrides, ProposalNotes* told) {
  Json given{{"data", Json::object()}};
  overrides.apply(given, "data");
  DataSpec data = Schema::from_json(given).data;
  require_utf8(source.inputs);
  if (!source.inputs.empty()) data.train = source.inputs;
  if (data.train.empty()) {
    command_error(
        "no data is named; give a configuration (.toml) or a data file, as gatewise fit train.csv "
        "--labels clicked");
  }
  Proposal proposal = propose_configuration(data.train, source.labels, data);
  if (told != nullptr) *told = {proposal.notes(), proposal.warnings()};
  return std::move(proposal.configuration);
}

}  // namespace

bool is_configuration_file(const std::string& path) { return path.ends_with(".toml"); }

Json read_configuration(const ConfigurationSource& source, const Overrides& overrides, ProposalNotes* told) {
  const std::vector<std::string>& inputs = source.inputs;
  const auto configurations = std::count_if(inputs.begin(), inputs.end(), is_configuration_file);
  if (configurations > 0 && inputs.size() > 1) {
    command_error(
        "got {} inputs, expected one configuration (.toml), or data files alone; data files of a "
        "configuration are given as --data.train FILE",
        inputs.size());
  }
  Json json = Json::object();
  const bool is_proposed = configurations == 0 && !overrides.has("synthetic");
  if (configurations == 1) {
    if (!source.labels.empty()) {
      command_error("--labels: the configuration {} names its tasks; drop --labels, or give data files alone",
                    inputs[0]);
    }
    json = read_toml_file(inputs[0]);
  } else if (is_proposed) {
    json = propose(source, overrides, told);
  }
  overrides.apply(json);
  for (const std::string& plugin : plugins_of(json)) load_plugin(plugin);
  if (is_proposed) settle_proposal(json, overrides);
  return json;
}

}  // namespace gatewise
