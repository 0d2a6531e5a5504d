#include "features/feature_space.h"

#include <algorithm>
#include <cmath>

namespace gatewise {
namespace {

template <class Item, class Write>
Json list_of(const std::vector<Item>& items, const Write& write) {
  Json list = Json::array();
  for (const Item& item : items) list.push_back(write(item));
  return list;
}

Json write_task(const TaskSpace& task) {
  return {{"name", task.name},
          {"kind", task.kind},
          {"classes", task.classes},
          {"class_names", task.class_names},
          {"weight", task.weight},
          {"loss", task.loss},
          {"loss_options", task.loss_options},
          {"class_weights", task.class_weights},
          {"parents", task.parents},
          {"only_where", task.only_where},
          {"scaling", task.scaling.to_json()},
          {"training_mean", task.training_mean}};
}

TaskSpace read_task(const Json& json) {
  TaskSpace task;
  json.at("name").get_to(task.name);
  json.at("kind").get_to(task.kind);
  json.at("classes").get_to(task.classes);
  json.at("class_names").get_to(task.class_names);
  json.at("weight").get_to(task.weight);
  json.at("loss").get_to(task.loss);
  task.loss_options = json.at("loss_options");
  json.at("class_weights").get_to(task.class_weights);
  json.at("parents").get_to(task.parents);
  task.only_where = json.value("only_where", "");
  task.scaling = Scaling::from_json(json.at("scaling"));
  // JSON has no word for the mean of no label.
  const Json& mean = json.at("training_mean");
  task.training_mean = mean.is_null() ? std::nan("") : mean.get<double>();
  return task;
}

}  // namespace

bool FeatureSpace::has_own_labels() const {
  return !task_column.empty() && std::all_of(tasks.begin(), tasks.end(), [&](const TaskSpace& task) {
    const TaskSpace& first = tasks.front();
    return task.kind == first.kind && task.classes == first.classes && task.loss == first.loss &&
           task.loss_options == first.loss_options;
  });
}

std::vector<std::vector<std::string>> FeatureSpace::prediction_columns() const {
  std::vector<std::vector<std::string>> columns;
  const size_t outputs = has_own_labels() ? 1 : tasks.size();
  for (size_t output = 0; output < outputs; ++output) {
    const std::string name = has_own_labels() ? "prediction" : tasks[output].name;
    std::vector<std::string>& own = columns.emplace_back();
    if (tasks[output].kind != "multiclass") own.push_back(name);
    for (const std::string& label : tasks[output].class_names) own.push_back(name + ":" + label);
  }
  return columns;
}

Json FeatureSpace::to_json() const {
  Json json;
  json["numeric"] = list_of(numeric, [](const NumericFeature& feature) {
    return Json{{"name", feature.name}, {"offset", feature.offset}, {"width", feature.width}};
  });
  json["ids"] = list_of(ids, [](const IdFeature& feature) {
    return Json{{"name", feature.name}, {"column", feature.column}, {"table", feature.table}};
  });
  json["bags"] = list_of(bags, [](const BagFeature& feature) {
    return Json{
        {"name", feature.name}, {"bag", feature.bag}, {"table", feature.table}, {"pooling", feature.pooling}};
  });
  json["tables"] = list_of(tables, [](const EmbeddingTable& table) {
    return Json{{"name", table.name}, {"rows", table.rows}, {"width", table.width}};
  });
  json["tasks"] = list_of(tasks, write_task);
  if (!task_column.empty()) json["task_column"] = task_column;
  return json;
}

FeatureSpace FeatureSpace::from_json(const Json& json) {
  FeatureSpace space;
  for (const Json& item : json.at("numeric")) {
    space.numeric.push_back({item.at("name"), item.at("offset"), item.at("width")});
  }
  for (const Json& item : json.at("ids"))
    space.ids.push_back({item.at("name"), item.at("column"), item.at("table")});
  for (const Json& item : json.at("bags")) {
    space.bags.push_back({item.at("name"), item.at("bag"), item.at("table"), item.at("pooling")});
  }
  for (const Json& item : json.at("tables")) {
    space.tables.push_back({item.at("name"), item.at("rows"), item.at("width")});
  }
  for (const Json& item : json.at("tasks")) space.tasks.push_back(read_task(item));
  space.task_column = json.value("task_column", "");
  return space;
}

}  // namespace gatewise
