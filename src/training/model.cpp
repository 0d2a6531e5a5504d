#include "training/model.h"

#include "base/error.h"
#include "losses/loss.h"

namespace gatewise {
namespace {

constexpr const char* default_architecture = "mmoe";

Var build_features(Graph& graph, const FeatureSpace& space, std::map<std::string, Var>& features) {
  std::vector<Var> parts;
  if (space.numeric_width() > 0) {
    const Var numeric = graph.input("numeric", Shape{space.numeric_width()});
    parts.push_back(numeric);
    for (const NumericFeature& feature : space.numeric) {
      features[feature.name] = slice(numeric, 0, feature.offset, feature.offset + feature.width);
    }
  }
  std::vector<Var> tables;
  for (const EmbeddingTable& table : space.tables) {
    // Small random entries: large ones would drown scaled numbers, equal ones would keep ids alike.
    tables.push_back(
        graph.table("embeddings/" + table.name, table.rows, table.width, Initializer::normal(0.1)));
  }
  const auto add = [&](const std::string& name, Var value) {
    parts.push_back(value);
    const auto found = features.find(name);
    features[name] = found == features.end() ? value : concatenate({found->second, value});
  };
  for (const IdFeature& feature : space.ids) {
    add(feature.name, embedding(graph.ids("ids/" + feature.name), tables[feature.table]));
  }
  for (const BagFeature& feature : space.bags) {
    const Pooling pooling = feature.pooling == "mean" ? Pooling::Mean : Pooling::Sum;
    add(feature.name, embedding(graph.ids("bags/" + feature.name), tables[feature.table], pooling));
  }
  if (parts.empty()) command_error("columns: no column is a feature; give at least one a role");
  return concatenate(parts);
}

std::unique_ptr<Loss> make_loss(const TaskSpace& task) {
  const std::string name = task.loss.empty() ? default_loss(task.kind) : task.loss;
  const std::string where = "tasks." + task.name + ".loss";
  auto loss =
      Registry<Loss>::instance().find(name, "loss", where).make(task.loss_options, where + "_options");
  if (loss->task_kind() != task.kind) {
    command_error("{}: \"{}\" is for {} tasks, the task is {}", where, name, loss->task_kind(), task.kind);
  }
  if (loss->least_label() && task.scaling.transform() != "none") {
    command_error("{}: \"{}\" is of labels in their own units; got transform = \"{}\", expected \"none\"",
                  where, name, task.scaling.transform());
  }
  return loss;
}

void add_task(Graph& graph, const TaskSpace& task, int64_t index, Var logits, Var labels) {
  const std::unique_ptr<Loss> loss = make_loss(task);
  Var label = slice(labels, 0, index, index + 1);
  if (loss->is_over_classes()) label = reshape(label, Shape{});
  graph.add_loss(task.name, loss->rows(logits, label));
  graph.name_value("logits/" + task.name, logits);
  graph.add_output(task.name, loss->prediction(logits));
}

// Tasks with one and the same elementwise loss are taken side by side: fewer, longer loops.
void add_stacked_tasks(Graph& graph, const FeatureSpace& space, Var logits, Var labels) {
  const auto count = static_cast<int64_t>(space.tasks.size());
  const std::unique_ptr<Loss> loss = make_loss(space.tasks[0]);
  const Var side_by_side = reshape(logits, Shape{count});
  const Var rows = loss->rows(side_by_side, labels);
  const Var predictions = loss->prediction(side_by_side);
  for (int64_t task = 0; task < count; ++task) {
    const std::string& name = space.tasks[task].name;
    graph.add_loss(name, slice(rows, 0, task, task + 1));
    graph.name_value("logits/" + name, slice(side_by_side, 0, task, task + 1));
    graph.add_output(name, slice(predictions, 0, task, task + 1));
  }
}

// Rows of one task: one output, one loss.
void add_own_task(Graph& graph, const FeatureSpace& space, const Heads& heads, Var labels, Var row_task) {
  Var logits = heads.own;
  if (!logits.is_valid()) {
    std::vector<Var> rows;
    for (const Var& task : heads.of_task) rows.push_back(reshape(task, Shape{1, task.shape().elements()}));
    logits = own_rows(concatenate(rows, 0), row_task);
  }
  const std::unique_ptr<Loss> loss = make_loss(space.tasks[0]);
  graph.add_loss(own_output, loss->rows(logits, loss->is_over_classes() ? reshape(labels, Shape{}) : labels));
  graph.name_value("logits", logits);
  graph.add_output(own_output, loss->prediction(logits));
}

bool can_stack(const FeatureSpace& space, const Heads& heads) {
  const TaskSpace& first = space.tasks[0];
  return heads.stacked.is_valid() && heads.stacked.shape().last() == 1 &&
         std::all_of(space.tasks.begin(), space.tasks.end(), [&](const TaskSpace& task) {
           return task.kind == first.kind && task.loss == first.loss &&
                  task.loss_options == first.loss_options;
         });
}

}  // namespace

namespace {

std::string type_of(const Json& model) {
  return model.is_object() && model.contains("type") && model["type"].is_string()
             ? model["type"].get<std::string>()
             : default_architecture;
}

std::vector<TaskHead> heads_of(const FeatureSpace& space) {
  std::vector<TaskHead> heads;
  for (const TaskSpace& task : space.tasks) {
    heads.push_back({task.name, task.kind == "multiclass" ? task.classes : 1, task.kind, task.only_where});
  }
  return heads;
}

}  // namespace

std::string default_loss(const std::string& task_kind) {
  if (task_kind == "binary") return "binary_cross_entropy";
  if (task_kind == "multiclass") return "softmax_cross_entropy";
  return "squared_error";
}

std::unique_ptr<Graph> build_graph(const FeatureSpace& space, const Json& model) {
  if (space.tasks.empty()) command_error("tasks: there is none; add a table [tasks.<name>]");
  auto graph = std::make_unique<Graph>();
  ModelInputs inputs;
  inputs.x = build_features(*graph, space, inputs.features);
  const bool is_own = space.has_own_labels();
  const Var labels = graph->input("labels", Shape{is_own ? 1 : static_cast<int64_t>(space.tasks.size())});
  if (is_own) inputs.row_task = graph->ids("row_task");
  inputs.tasks = heads_of(space);
  const auto architecture = make_part<Architecture>(model, "model", default_architecture);
  const Heads heads = architecture->build(inputs);
  for (const TaskSpace& task : space.tasks) make_loss(task);  // refused, whichever of them is built
  if (is_own) {
    add_own_task(*graph, space, heads, labels, inputs.row_task);
    return graph;
  }
  if (can_stack(space, heads)) {
    add_stacked_tasks(*graph, space, heads.stacked, labels);
    return graph;
  }
  for (size_t task = 0; task < space.tasks.size(); ++task) {
    add_task(*graph, space.tasks[task], static_cast<int64_t>(task), heads.of_task[task], labels);
  }
  return graph;
}

std::vector<int64_t> chain_of_tasks(const FeatureSpace& space, const Json& model) {
  return make_part<Architecture>(model, "model", default_architecture)->chain(heads_of(space));
}

std::vector<std::string> leave_out_foreign_options(Json& model) {
  std::vector<std::string> lines;
  if (!model.is_object()) return lines;
  const auto& registry = Registry<Architecture>::instance();
  const std::string type = type_of(model);
  const auto knows = [&](const std::string& architecture, const std::string& option) {
    const Json& options = registry.find(architecture, "architecture", "model.type").options;
    return std::any_of(options.begin(), options.end(),
                       [&](const Json& known) { return known.at("name") == option; });
  };
  const Json given = model;
  for (const auto& [option, value] : given.items()) {
    if (option == "type" || knows(type, option)) continue;
    std::vector<std::string> owners;
    for (const std::string& name : registry.names()) {
      if (knows(name, option)) owners.push_back(name);
    }
    if (owners.empty()) continue;
    model.erase(option);
    lines.push_back(fmt::format("model.{}: \"{}\" has no such option, which is one of {}; it is left out",
                                option, type, fmt::join(owners, ", ")));
  }
  return lines;
}

Json complete_model_options(const Json& model) {
  const std::string type = type_of(model);
  Json complete = {{"type", type}};
  for (const Json& option :
       Registry<Architecture>::instance().find(type, "architecture", "model.type").options) {
    const std::string name = option.at("name").get<std::string>();
    const Json& usual = option.at("default");
    complete[name] =
        model.is_object() && model.contains(name) ? with_part_defaults(usual, model[name]) : usual;
  }
  return complete;
}

}  // namespace gatewise
