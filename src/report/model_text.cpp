#include "report/model_text.h"

#include "engine/layout.h"
#include "report/numbers.h"
#include "report/text_table.h"

namespace gatewise {
namespace {

Json parameter_groups(const Layout& layout, int64_t& total) {
  std::vector<std::string> order;
  std::map<std::string, std::pair<int64_t, int64_t>> groups;
  for (const PathBlock& block : layout.blocks) {
    if (block.place < 0) continue;
    const std::string group = block.path.substr(0, block.path.find('/'));
    if (!groups.contains(group)) order.push_back(group);
    auto& [arrays, values] = groups[group];
    ++arrays;
    values += block.rows * block.columns;
    total += block.rows * block.columns;
  }
  Json list = Json::array();
  for (const std::string& group : order) {
    const auto& [arrays, values] = groups[group];
    list.push_back({{"group", group}, {"arrays", arrays}, {"values", values}});
  }
  return list;
}

}  // namespace

Json describe_model(const Graph& graph, const FeatureSpace& space) {
  Json json;
  json["inputs"] = {{"numeric_width", space.numeric_width()},
                    {"categorical", space.ids.size()},
                    {"bags", space.bags.size()}};
  for (const EmbeddingTable& table : space.tables)
    json["embeddings"].push_back({{"table", table.name}, {"rows", table.rows}, {"width", table.width}});
  for (const TaskSpace& task : space.tasks) {
    Json item{{"name", task.name}, {"kind", task.kind}, {"weight", task.weight}};
    if (task.kind == "multiclass") item["classes"] = task.class_names;
    json["tasks"].push_back(std::move(item));
  }
  int64_t total = 0;
  Json groups = parameter_groups(Layout(graph), total);
  json["parameters"] = {
      {"total", total}, {"bytes", total * int64_t{sizeof(float)}}, {"groups", std::move(groups)}};
  return json;
}

std::string model_text(const Json& model, const Style& style) {
  const Json& inputs = model["inputs"];
  std::string text =
      fmt::format("{}: {} numbers, {} categorical columns, {} bags\n", style.heading("reads"),
                  inputs["numeric_width"].dump(), inputs["categorical"].dump(), inputs["bags"].dump());
  for (const Json& task : model["tasks"]) {
    text += fmt::format("{}: {} ({}", style.heading("predicts"), task["name"].get<std::string>(),
                        task["kind"].get<std::string>());
    if (task.contains("classes")) text += fmt::format(", {} classes", task["classes"].size());
    text += ")\n";
  }
  const Json& parameters = model["parameters"];
  text += fmt::format("{}: {} in all, {}\n", style.heading("parameters"),
                      count_text(parameters["total"].get<int64_t>()),
                      bytes_text(parameters["bytes"].get<int64_t>()));
  TextTable table;
  table.add_column("group");
  table.add_column("arrays", Align::Right);
  table.add_column("values", Align::Right);
  for (const Json& group : parameters["groups"]) {
    table.add_row({group["group"].get<std::string>(), count_text(group["arrays"].get<int64_t>()),
                   count_text(group["values"].get<int64_t>())});
  }
  return text + table.text(style, 2);
}

}  // namespace gatewise
