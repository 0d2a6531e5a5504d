// Hierarchy of multi-gate experts (Wang et al. 2024, "HoME"): normalised experts, two levels with a mask by
// groups of tasks, feature gates that give every group of experts its own view of the input, and self gates
// that keep a group learning from its own tasks. What the paper leaves open is an option with its default in
// the help.
#include "architectures/mixture.h"
#include "base/error.h"

namespace gatewise {
namespace {

struct HomeOptions : MixtureOptions {
  Json groups = Json::object();
  int64_t shared_experts = 2;
  int64_t group_experts = 2;
  int64_t task_experts = 1;
  bool mask = true;
  bool feature_gate = true;
  bool layer_2_feature_gate = true;
  int64_t feature_gate_factors = 2;
  int64_t feature_gate_rank = 0;
  bool self_gate = true;
  bool layer_2_self_gate = false;

  // The paper's expert: batch norm and swish after the last layer, relu before.
  static Json default_expert() {
    return {
        {"type", "mlp"}, {"normalisation", "batch"}, {"activation", "swish"}, {"hidden_activation", "relu"}};
  }
  HomeOptions() { expert = default_expert(); }

  void declare(OptionSet& set) {
    set.add(
        "groups", &groups,
        "{name = [tasks], ...}: which tasks belong together, every task once; {}: one group of all tasks");
    set.add("shared_experts", &shared_experts,
            "experts of all tasks in each of the two layers (open in the paper)")
        .range(1, 4096)
        .search(1, 8, true);
    set.add("group_experts", &group_experts, "experts of each group in each layer (open in the paper)")
        .range(1, 4096)
        .search(1, 8, true);
    set.add("task_experts", &task_experts, "experts of each task in the second layer (open in the paper)")
        .range(1, 4096)
        .search(1, 8, true);
    set.add("mask", &mask, "hierarchy mask: whether groups and tasks see only shared experts and their own");
    set.add("feature_gate", &feature_gate,
            "whether each group of experts reads the input through a gate of its own");
    set.add("layer_2_feature_gate", &layer_2_feature_gate,
            "whether the experts of the second layer do so too");
    set.add("feature_gate_factors", &feature_gate_factors, "low-rank gates that a feature gate mixes")
        .range(1, 64);
    set.add("feature_gate_rank", &feature_gate_rank, "rank of each; 0: width / factors, as in the paper")
        .range(0, 65536);
    set.add("self_gate", &self_gate,
            "whether a group's vector adds its own experts by a gate over them alone");
    set.add("layer_2_self_gate", &layer_2_self_gate,
            "whether tasks do so with their own experts in the second layer (open in the paper)");
    MixtureOptions::declare(set);
  }
};

HomeOptions with_expert_defaults(HomeOptions options) {
  options.expert = with_part_defaults(HomeOptions::default_expert(), options.expert);
  return options;
}

class HomeBuilder {
 public:
  HomeBuilder(const HomeOptions& options, const MixtureParts& parts, const ModelInputs& inputs)
      : options_(options), parts_(parts), inputs_(inputs), graph_(inputs.x.graph()) {
    read_groups();
  }

  Heads build() {
    const std::vector<Var> z = first_layer();
    return build_towers(*parts_.tower, second_layer(z), inputs_.tasks, inputs_.row_task);
  }

 private:
  int group_count() const { return static_cast<int>(groups_.size()); }

  void read_groups() {
    std::vector<std::string> names;
    for (const TaskHead& task : inputs_.tasks) names.push_back(task.name);
    group_of_.assign(names.size(), -1);
    if (!options_.groups.is_object())
      command_error("model.groups: got {}, expected a table {{name = [tasks]}}", options_.groups.dump());
    for (const auto& [group, members] : options_.groups.items()) {
      groups_.push_back(group);
      if (!members.is_array())
        command_error("model.groups.{}: got {}, expected a list of tasks", group, members.dump());
      if (members.empty())
        command_error("model.groups.{}: got [], expected at least one task; leave the group out", group);
      for (const Json& member : members) add_to_group(group, member, names);
    }
    if (groups_.empty()) {
      groups_.push_back("all");
      std::fill(group_of_.begin(), group_of_.end(), 0);
    }
    for (size_t task = 0; task < names.size(); ++task) {
      if (group_of_[task] < 0)
        command_error("model.groups: task \"{}\" is in no group; add it to one", names[task]);
    }
  }

  void add_to_group(const std::string& group, const Json& member, const std::vector<std::string>& names) {
    const std::string name = member.is_string() ? member.get<std::string>() : member.dump();
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end())
      command_error("model.groups.{}: no task \"{}\".{}", group, name, suggestion(name, names));
    int& place = group_of_[found - names.begin()];
    if (place >= 0) command_error("model.groups.{}: task \"{}\" is in a group already", group, name);
    place = group_count() - 1;
  }

  // v through a gate of low rank between 0 and 2 for every value, 1 at the start.
  Var feature_gated(Var v, const std::string& path) const {
    const int64_t width = v.shape().last(), factors = options_.feature_gate_factors;
    const int64_t rank =
        options_.feature_gate_rank > 0 ? options_.feature_gate_rank : std::max<int64_t>(1, width / factors);
    const Var mixing = graph_.parameter(path + "/mix/weight", Shape{width, factors}, Initializer());
    const Var down = graph_.parameter_blocks(numbered_paths(path + "/down", factors),
                                             Shape{width, factors * rank}, Initializer());
    const Var up = graph_.parameter_bank(numbered_paths(path + "/up", factors), Shape{factors, rank, width},
                                         Initializer::zero());
    const Var low = reshape(linear(v, down, Var()), Shape{factors, rank});
    const Var gates = times(sigmoid(grouped_linear(low, up, Var())), 2);
    return multiply(v, mix(gates, softmax(linear(v, mixing, Var()))));
  }

  Var read(Var v, const std::string& path, bool is_second) const {
    const bool is_gated = options_.feature_gate && (!is_second || options_.layer_2_feature_gate);
    return is_gated ? feature_gated(v, path) : v;
  }

  // Weights of a gate over the own group of experts, at their place among those a consumer sees.
  Var self_weights(Var v, const std::string& path, const std::vector<ExpertGroup>& groups,
                   const std::vector<int>& sees, int own) const {
    const auto experts = static_cast<int64_t>(groups[own].paths.size());
    const Var logits =
        reshape(mlp_bank(v, {path}, {.units = {experts}, .output_activation = "none", .initializer = {}}),
                Shape{experts});
    std::vector<Var> parts;
    for (const int group : sees) {
      const auto size = static_cast<int64_t>(groups[group].paths.size());
      parts.push_back(group != own   ? graph_.constant(std::vector<double>(size, 0), Shape{size})
                      : experts == 1 ? sigmoid(logits)
                                     : softmax(logits));
    }
    return concatenate(parts);
  }

  // Groups of experts: shared first, then one per group. Gives a vector per group and, last, the shared one.
  std::vector<Var> first_layer() {
    const Var v = inputs_.x, selector = inputs_.select(options_.gate_features, "model.gate_features");
    std::vector<ExpertGroup> experts{{read(v, "meta/shared_feature_gate", false),
                                      numbered_paths("meta/shared_experts", options_.shared_experts)}};
    std::vector<int> all{0};
    for (int group = 0; group < group_count(); ++group) {
      const std::string& name = groups_[group];
      experts.push_back({read(v, "meta/feature_gates/" + name, false),
                         numbered_paths("meta/group_experts/" + name, options_.group_experts)});
      all.push_back(group + 1);
    }
    std::vector<Consumer> consumers;
    for (int group = 0; group < group_count(); ++group) {
      const std::vector<int> sees = options_.mask ? std::vector<int>{0, group + 1} : all;
      Consumer consumer{"meta/gates/" + groups_[group], selector, sees, {}};
      if (options_.self_gate) {
        consumer.extra =
            self_weights(selector, "meta/self_gates/" + groups_[group], experts, sees, group + 1);
      }
      consumers.push_back(consumer);
    }
    Consumer shared{"meta/shared_gate", selector, all, {}};
    if (options_.self_gate) shared.extra = self_weights(selector, "meta/shared_self_gate", experts, all, 0);
    consumers.push_back(shared);
    const LevelOutput level = build_level(*parts_.expert, *parts_.gate, experts, consumers, "meta/");
    name_level(graph_, level, "meta/");
    std::vector<Var> z;
    for (int i = 0; i <= group_count(); ++i) z.push_back(level.of(i));
    return z;
  }

  // Groups of experts: shared, one per group, one per task. Gives [tasks, hidden].
  Var second_layer(const std::vector<Var>& z) {
    std::vector<ExpertGroup> experts{{read(z.back(), "tasks/shared_feature_gate", true),
                                      numbered_paths("tasks/shared_experts", options_.shared_experts)}};
    for (int group = 0; group < group_count(); ++group) {
      const std::string& name = groups_[group];
      experts.push_back({read(z[group], "tasks/feature_gates/" + name, true),
                         numbered_paths("tasks/group_experts/" + name, options_.group_experts)});
    }
    const auto tasks = static_cast<int>(inputs_.tasks.size());
    for (int task = 0; task < tasks; ++task) {
      const std::string& name = inputs_.tasks[task].name;
      experts.push_back({read(z[group_of_[task]], "tasks/task_feature_gates/" + name, true),
                         numbered_paths("tasks/task_experts/" + name, options_.task_experts), name});
    }
    std::vector<int> all;
    for (int i = 0; i < static_cast<int>(experts.size()); ++i) all.push_back(i);
    std::vector<Consumer> consumers;
    for (int task = 0; task < tasks; ++task) {
      const std::string& name = inputs_.tasks[task].name;
      const int own = 1 + group_count() + task;
      const std::vector<int> sees = options_.mask ? std::vector<int>{0, 1 + group_of_[task], own} : all;
      const Var selector = concatenate({z[group_of_[task]], z.back()});
      Consumer consumer{"tasks/gates/" + name, selector, sees, {}, name};
      if (options_.layer_2_self_gate)
        consumer.extra = self_weights(selector, "tasks/self_gates/" + name, experts, sees, own);
      consumers.push_back(consumer);
    }
    const LevelOutput level =
        build_level(*parts_.expert, *parts_.gate, experts, consumers, "tasks/", inputs_.row_task);
    name_level(graph_, level, "tasks/");
    return level.mixed;
  }

  const HomeOptions& options_;
  const MixtureParts& parts_;
  const ModelInputs& inputs_;
  Graph& graph_;
  std::vector<std::string> groups_;
  std::vector<int> group_of_;  // by task
};

class Home final : public Architecture {
 public:
  using Options = HomeOptions;

  explicit Home(const Options& options) : options_(with_expert_defaults(options)), parts_(options_) {}

  Heads build(const ModelInputs& inputs) const override {
    return HomeBuilder(options_, parts_, inputs).build();
  }

 private:
  Options options_;
  MixtureParts parts_;
};

const Register<Architecture, Home> home_registered{"home",
                                                   "two levels of normalised experts for groups of tasks and "
                                                   "tasks, with feature and self gates (Wang et al. "
                                                   "2024)"};

}  // namespace
}  // namespace gatewise
