#include "graph/probe.h"

namespace gatewise {

bool ExpertProbe::holds(const std::string& parameter) const {
  const size_t star = path.find(own_task);
  if (star == std::string::npos) return parameter.starts_with(path + "/");
  if (!parameter.starts_with(path.substr(0, star))) return false;
  const size_t end = parameter.find('/', star);
  return end != std::string::npos && parameter.substr(end).starts_with(path.substr(star + 1) + "/");
}

Json LevelProbe::to_json() const {
  Json json{{"name", name}, {"outputs", outputs}, {"experts", Json::array()}, {"gates", Json::array()}};
  for (const ExpertProbe& expert : experts)
    json["experts"].push_back({{"path", expert.path}, {"task", expert.task}});
  for (const GateProbe& gate : gates) {
    json["gates"].push_back({{"path", gate.path},
                             {"task", gate.task},
                             {"weights", gate.weights},
                             {"mixed", gate.mixed},
                             {"row", gate.row},
                             {"sees", gate.sees}});
  }
  return json;
}

LevelProbe LevelProbe::from_json(const Json& json) {
  LevelProbe level;
  level.name = json.at("name").get<std::string>();
  level.outputs = json.at("outputs").get<int>();
  for (const Json& item : json.at("experts"))
    level.experts.push_back({item.at("path").get<std::string>(), item.at("task").get<std::string>()});
  for (const Json& item : json.at("gates")) {
    GateProbe gate;
    gate.path = item.at("path").get<std::string>();
    gate.task = item.at("task").get<std::string>();
    gate.weights = item.at("weights").get<int>();
    gate.mixed = item.at("mixed").get<int>();
    gate.row = item.at("row").get<int>();
    gate.sees = item.at("sees").get<std::vector<int>>();
    level.gates.push_back(std::move(gate));
  }
  return level;
}

}  // namespace gatewise
