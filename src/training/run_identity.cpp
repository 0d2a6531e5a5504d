#include "training/run_identity.h"

#include <map>

#include "base/error.h"
#include "base/random.h"
#include "training/stopping.h"

namespace gatewise {
namespace {

const std::vector<std::string> changeable{"training.optimiser.rate", "training.optimiser.clip_norm"};

// As short as a message needs it, whatever bytes are in it.
std::string shown(const std::map<std::string, Json>& identity, const std::string& name) {
  const auto found = identity.find(name);
  if (found == identity.end()) return "nothing";
  constexpr size_t longest = 100;
  const std::string text = found->second.dump(-1, ' ', false, Json::error_handler_t::replace);
  return text.size() <= longest ? text : text.substr(0, longest) + "...";
}

std::map<std::string, Json> by_name(const Json& identity) {
  std::map<std::string, Json> fields;
  for (const Json& field : identity) fields[field.at(0).get<std::string>()] = field.at(1);
  return fields;
}

Json settings_of(const TrainingOptions& options) {
  Json settings = write_options(options);
  for (const char* name : {"epochs", "threads", "checkpoint_seconds", "metrics", "probes"})
    settings.erase(name);
  settings["optimiser"] = write_options(read_options<OptimiserOptions>(options.optimiser, ""));
  settings["schedule"] = write_options(read_options<ScheduleOptions>(options.schedule, ""));
  settings["stop"] = write_options(read_options<StopOptions>(options.stop, ""));
  return settings;
}

}  // namespace

void add_identity(Json& identity, const std::string& name, const Json& value) {
  if (value.is_object()) {
    for (const auto& [key, field] : value.items()) add_identity(identity, name + "." + key, field);
  } else if (value.is_array() && !value.empty() && value.front().is_object()) {
    for (size_t i = 0; i < value.size(); ++i)
      add_identity(identity, fmt::format("{}[{}]", name, i), value[i]);
  } else {
    identity.push_back(Json::array({name, value}));
  }
}

std::string digest_of(const std::string& content) { return fmt::format("{:016x}", mix64(fnv1a(content))); }

Json identity_of_run(const TrainingRun& run, const TrainingOptions& options, const EncodedData* rows,
                     const FeatureSpace& space, const Store<float>& store) {
  const auto digest = [](const Json& json) {
    return digest_of(json.dump(-1, ' ', false, Json::error_handler_t::replace));
  };
  Json identity = run.identity;
  add_identity(identity, "training", settings_of(options));
  add_identity(identity, "rows", rows == nullptr ? 0 : rows->rows);
  add_identity(identity, "frozen parameters", run.frozen);
  add_identity(identity, "parameters", store.parameter_count());
  add_identity(identity, "the digest of the tasks and features", digest(space.to_json()));
  add_identity(identity, "the digest of the graph", digest(store.graph().to_json()));
  return identity;
}

std::vector<std::string> compare_identities(const std::string& path, const Json& saved,
                                            const Json& expected) {
  if (!saved.is_array()) {
    command_error(
        "{}: this checkpoint was written by an earlier Gatewise, which did not keep what the run was made "
        "of; finish it with that version, or delete it to start over",
        path);
  }
  const std::map<std::string, Json> before = by_name(saved), now = by_name(expected);
  std::vector<std::string> names;
  for (const Json& field : expected) names.push_back(field[0].get<std::string>());
  for (const auto& [name, value] : before) {
    if (!now.contains(name)) names.push_back(name);
  }
  std::vector<std::string> changes;
  for (const std::string& name : names) {
    if (before.contains(name) && now.contains(name) && before.at(name) == now.at(name)) continue;
    if (std::find(changeable.begin(), changeable.end(), name) == changeable.end()) {
      command_error(
          "{}: this checkpoint was made with {} = {}, the run has {}; use the same configuration and data, "
          "or delete it to start over",
          path, name, shown(before, name), shown(now, name));
    }
    changes.push_back(fmt::format("{} was {} in the part of the run that {} holds, and is {} from there on",
                                  name, shown(before, name), path, shown(now, name)));
  }
  return changes;
}

}  // namespace gatewise
