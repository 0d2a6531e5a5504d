#include "architectures/level.h"

#include <cmath>
#include <map>
#include <set>

#include "base/error.h"

namespace gatewise {
namespace {

Var row_of(Var x, int64_t index) {
  return reshape(slice(x, 0, index, index + 1), Shape{x.shape().elements() / x.shape()[0]});
}

// Values of equal shape [width] one below the other: [count, width].
Var stack(const std::vector<Var>& values) {
  std::vector<Var> rows;
  for (const Var& value : values) rows.push_back(reshape(value, Shape{1, value.shape().elements()}));
  return concatenate(rows, 0);
}

Var rows_of(Var x, Var route) { return x.shape().rank() == 1 ? gather(x, route) : gather_own(x, route); }

std::string folder_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

// "task_experts/click/0" -> "task_experts/*/0".
std::string of_any_task(const std::string& path) {
  const std::string folder = folder_of(path);
  return folder_of(folder) + "/" + own_task + path.substr(folder.size());
}

// Experts that read the same value, in one bank.
struct Source {
  Var x;
  std::vector<int> groups;
  std::vector<std::string> paths;
  std::unique_ptr<ExpertBank> bank;
};

// What all have in common, or the row's own of what each has.
Var own_of(const std::vector<Var>& values, Var own) {
  const auto is_first = [&](const Var& value) { return value.node() == values[0].node(); };
  if (std::all_of(values.begin(), values.end(), is_first)) return values[0];
  return reshape(own_rows(stack(values), own), values[0].shape());
}

// The experts of the consumer that a row has, of a group for each consumer.
struct OwnGroup {
  Var x;                                        // [in]
  std::vector<std::vector<std::string>> paths;  // by consumer
};

class LevelBuilder {
 public:
  LevelBuilder(const Expert& expert, const Gate& gate, const std::vector<ExpertGroup>& groups,
               const std::vector<Consumer>& consumers, std::string scope, Var own)
      : expert_(expert),
        gate_(gate),
        groups_(groups),
        consumers_(consumers),
        scope_(std::move(scope)),
        own_(own) {
    if (gate.capacity_factor() > 0 && expert.trains_dense()) {
      command_error(
          "model.gate.capacity_factor: got {}, but experts with normalisation = \"batch\" train on every "
          "row, so that none can be dropped; set it to 0, or the normalisation to \"layer\" or \"none\"",
          gate.capacity_factor());
    }
    for (const Consumer& consumer : consumers) gate_paths_.push_back(consumer.path);
    if (own_.is_valid() && are_alike()) merge_consumers();
    group_sources();
    for (Source& source : sources_) {
      source.bank =
          expert_.bank(source.x.graph(), source.x.shape(), source.paths, routes() && trains_routed());
    }
    compute_weights();
  }

  LevelOutput build() {
    LevelOutput output;
    output.weights = weights_;
    const bool routes_scoring = routes(), routes_training = routes_scoring && trains_routed();
    Var dense, routed;
    if (!routes_scoring || !routes_training) dense = mix_dense(output);
    if (routes_scoring) routed = mix_routed();
    // Where only chosen experts run, all of them can still be looked at.
    if (!output.experts.is_valid()) output.experts = all_experts(run_dense());
    output.probe = probe(output.experts);
    output.mixed = !routed.is_valid()  ? dense
                   : !dense.is_valid() ? routed
                                       : alternative(dense, routed, routes_training, routes_scoring);
    if (own_.is_valid() && !is_merged_) {
      const Var mixed = own_rows(output.mixed, own_);
      output.mixed = reshape(mixed, Shape{1, mixed.shape().elements()});
    }
    return output;
  }

 private:
  // Whether consumers see groups of equal sizes: at each place all the same one, or each one of its own.
  // (Batch statistics of what several groups read are not those of the row's own reading.)
  bool are_alike() const {
    const Consumer& first = consumers_[0];
    for (const Consumer& consumer : consumers_) {
      if (consumer.sees.size() != first.sees.size() || consumer.extra.is_valid() != first.extra.is_valid())
        return false;
    }
    for (size_t place = 0; place < first.sees.size(); ++place) {
      std::set<int> groups, reads;
      for (const Consumer& consumer : consumers_) {
        groups.insert(consumer.sees[place]);
        if (size_of(consumer.sees[place]) != size_of(first.sees[place])) return false;
        if (groups_[consumer.sees[place]].x.shape().rank() != 1) return false;
        reads.insert(groups_[consumer.sees[place]].x.node());
      }
      if (groups.size() == 1) continue;
      if (groups.size() != consumers_.size() || (reads.size() > 1 && expert_.trains_dense())) return false;
    }
    return true;
  }

  // Makes the consumers one, which is that of the row: its gate, and of what each sees alone its experts.
  void merge_consumers() {
    std::vector<Var> inputs, extras;
    for (const Consumer& consumer : consumers_) {
      inputs.push_back(consumer.x);
      extras.push_back(consumer.extra);
    }
    Consumer merged{consumers_[0].path, own_of(inputs, own_), {}, {}};
    if (extras[0].is_valid()) merged.extra = own_of(extras, own_);
    std::vector<ExpertGroup> groups;
    for (size_t place = 0; place < consumers_[0].sees.size(); ++place) {
      const int first = consumers_[0].sees[place];
      merged.sees.push_back(static_cast<int>(groups.size()));
      groups.push_back(groups_[first]);
      if (consumers_.size() == 1 || consumers_[1].sees[place] == first) continue;
      OwnGroup own;
      std::vector<Var> read;
      for (const Consumer& consumer : consumers_) {
        const ExpertGroup& group = groups_[consumer.sees[place]];
        read.push_back(group.x);
        own.paths.push_back(group.paths);
      }
      own.x = own_of(read, own_);
      own_groups_[static_cast<int>(groups.size()) - 1] = std::move(own);
    }
    consumers_ = {merged};
    groups_ = std::move(groups);
    is_merged_ = true;
  }

  // [experts, hidden] of a group of own experts; composed once.
  Var run_own(int index) {
    Var& made = own_outputs_[index];
    if (made.is_valid()) return made;
    const OwnGroup& group = own_groups_.at(index);
    std::vector<Var> outputs;
    for (size_t expert = 0; expert < group.paths[0].size(); ++expert) {
      std::vector<std::string> paths;
      for (const std::vector<std::string>& of_consumer : group.paths) paths.push_back(of_consumer[expert]);
      outputs.push_back(expert_.run_own(group.x, paths, own_));
    }
    return made = stack(outputs);
  }

  bool is_own(size_t group) const { return own_groups_.contains(static_cast<int>(group)); }

  void group_sources() {
    std::map<int, size_t> of_node;
    first_.assign(groups_.size(), 0);
    source_.assign(groups_.size(), 0);
    for (size_t group = 0; group < groups_.size(); ++group) {
      if (is_own(group)) continue;
      const auto [found, is_new] = of_node.emplace(groups_[group].x.node(), sources_.size());
      if (is_new) sources_.push_back({groups_[group].x, {}, {}, nullptr});
      Source& source = sources_[found->second];
      source_[group] = found->second;
      first_[group] = static_cast<int64_t>(source.paths.size());
      source.groups.push_back(static_cast<int>(group));
      source.paths.insert(source.paths.end(), groups_[group].paths.begin(), groups_[group].paths.end());
    }
  }

  int64_t size_of(int group) const { return static_cast<int64_t>(groups_[group].paths.size()); }

  int64_t seen_by(const Consumer& consumer) const {
    int64_t experts = 0;
    for (const int group : consumer.sees) experts += size_of(group);
    return experts;
  }

  // Gates that choose from equally many experts are one request.
  void compute_weights() {
    weights_.resize(consumers_.size());
    if (is_merged_) {
      all_weights_ = gate_.weights({consumers_[0].x, gate_paths_, seen_by(consumers_[0]), scope_, own_});
      // A gate that takes no notice of `own` has given the weights of all.
      if (all_weights_.shape()[0] != 1) all_weights_ = stack({own_rows(all_weights_, own_)});
      if (consumers_[0].extra.is_valid()) all_weights_ = add(all_weights_, stack({consumers_[0].extra}));
      weights_[0] = row_of(all_weights_, 0);
      return;
    }
    std::map<int64_t, std::vector<size_t>> by_size;
    for (size_t i = 0; i < consumers_.size(); ++i) by_size[seen_by(consumers_[i])].push_back(i);
    for (const auto& [experts, members] : by_size) {
      GateRequest request;
      request.experts = experts;
      request.scope = by_size.size() == 1 ? scope_ : consumers_[members[0]].path + "/";
      std::vector<Var> inputs;
      bool is_shared = true;
      for (const size_t member : members) {
        request.paths.push_back(consumers_[member].path);
        inputs.push_back(consumers_[member].x);
        is_shared &= consumers_[member].x.node() == inputs[0].node();
      }
      request.x = is_shared ? inputs[0] : stack(inputs);
      const Var all = gate_.weights(request);
      if (by_size.size() == 1) all_weights_ = all;
      for (size_t i = 0; i < members.size(); ++i) {
        const Consumer& consumer = consumers_[members[i]];
        Var own = row_of(all, static_cast<int64_t>(i));
        if (consumer.extra.is_valid()) {
          own = add(own, consumer.extra);
          all_weights_ = Var();
        }
        weights_[members[i]] = own;
      }
    }
  }

  bool routes() const {
    if (!gate_.is_sparse() || gate_.routing() == "dense") return false;
    if (gate_.routing() == "routed") return true;
    for (const Consumer& consumer : consumers_) {
      // A gate value that depends on the row keeps its own experts busy for all rows.
      if (consumer.extra.is_valid()) return false;
    }
    double left_out = 1;
    for (const Consumer& consumer : consumers_) {
      const int64_t experts = seen_by(consumer);
      left_out *= 1 - static_cast<double>(gate_.active(experts)) / static_cast<double>(experts);
    }
    return left_out >= 0.5;
  }

  bool trains_routed() const {
    return !expert_.trains_dense() && (gate_.is_sparse_in_training() || gate_.capacity_factor() > 0);
  }

  bool all_see_all() const {
    std::vector<int> every(groups_.size());
    for (size_t i = 0; i < every.size(); ++i) every[i] = static_cast<int>(i);
    return std::all_of(consumers_.begin(), consumers_.end(),
                       [&](const Consumer& consumer) { return consumer.sees == every; });
  }

  Var stacked_weights() const { return all_weights_.is_valid() ? all_weights_ : stack(weights_); }

  struct DenseExperts {
    std::vector<Var> of_source, of_group;
  };
  DenseExperts run_dense() {
    DenseExperts dense;
    for (const Source& source : sources_) dense.of_source.push_back(source.bank->dense(source.x));
    for (size_t group = 0; group < groups_.size(); ++group) {
      dense.of_group.push_back(is_own(group) ? run_own(static_cast<int>(group))
                                             : slice(dense.of_source[source_[group]], 0, first_[group],
                                                     first_[group] + size_of(static_cast<int>(group))));
    }
    return dense;
  }

  Var all_experts(const DenseExperts& dense) const {
    const bool is_one_source = sources_.size() == 1 && own_groups_.empty();
    return is_one_source ? dense.of_source[0] : concatenate(dense.of_group, 0);
  }

  LevelProbe probe(Var experts) const {
    LevelProbe probe{
        scope_.empty() ? "experts" : scope_.substr(0, scope_.size() - 1), experts.node(), {}, {}};
    std::vector<int> first;
    for (size_t group = 0; group < groups_.size(); ++group) {
      first.push_back(static_cast<int>(probe.experts.size()));
      for (const std::string& path : groups_[group].paths)
        probe.experts.push_back(is_own(group) ? ExpertProbe{of_any_task(path), own_task}
                                              : ExpertProbe{path, groups_[group].task});
    }
    for (size_t i = 0; i < weights_.size(); ++i) {
      GateProbe gate{consumers_[i].path, consumers_[i].task, weights_[i].node(), weights_[i].node(), 0, {}};
      if (is_merged_) gate.path = folder_of(gate.path);
      if (is_merged_) gate.task = own_task;
      if (all_weights_.is_valid()) {
        gate.mixed = all_weights_.node();
        gate.row = static_cast<int>(i);
      }
      for (const int group : consumers_[i].sees) {
        for (int64_t j = 0; j < size_of(group); ++j) gate.sees.push_back(first[group] + static_cast<int>(j));
      }
      probe.gates.push_back(std::move(gate));
    }
    return probe;
  }

  Var mix_dense(LevelOutput& output) {
    const auto [of_source, of_group] = run_dense();
    output.experts = all_experts({of_source, of_group});
    if (all_see_all()) return mix(output.experts, stacked_weights());
    std::vector<Var> mixed;
    for (size_t i = 0; i < consumers_.size(); ++i) {
      Var sum;
      int64_t at = 0;
      for (const int group : consumers_[i].sees) {
        const Var part = mix(of_group[group], slice(weights_[i], 0, at, at + size_of(group)));
        sum = sum.is_valid() ? add(sum, part) : part;
        at += size_of(group);
      }
      mixed.push_back(sum);
    }
    return stack(mixed);
  }

  // Consumer's weights over all experts of a source, 0 for those it does not see: [experts of the source].
  Var weights_over(size_t consumer, size_t source) const {
    std::vector<Var> parts;
    for (const int group : sources_[source].groups) {
      int64_t at = 0;
      Var part;
      for (const int seen : consumers_[consumer].sees) {
        if (seen == group) part = slice(weights_[consumer], 0, at, at + size_of(group));
        at += size_of(seen);
      }
      if (!part.is_valid()) {
        part = sources_[source].x.graph().constant(std::vector<double>(size_of(group), 0),
                                                   Shape{size_of(group)});
      }
      parts.push_back(part);
    }
    return concatenate(parts);
  }

  Var mix_routed() {
    Var sum;
    int64_t at = 0;
    for (const int group : own_groups_.empty() ? std::vector<int>() : consumers_[0].sees) {
      const int64_t end = at + size_of(group);
      if (is_own(group)) {
        const Var part = mix(run_own(group), stack({slice(weights_[0], 0, at, end)}));
        sum = sum.is_valid() ? add(sum, part) : part;
      }
      at = end;
    }
    for (size_t index = 0; index < sources_.size(); ++index) {
      const Source& source = sources_[index];
      Var weights;
      if (sources_.size() == 1 && own_groups_.empty() && all_see_all()) {
        weights = stacked_weights();
      } else {
        std::vector<Var> rows;
        for (size_t consumer = 0; consumer < consumers_.size(); ++consumer)
          rows.push_back(weights_over(consumer, index));
        weights = stack(rows);
      }
      // Squares, since weights of different consumers may cancel.
      const Var chosen = gatewise::sum(square(weights), 0);
      const Var way = route(chosen, gate_.capacity_factor());
      const Var part = combine(source.bank->routed(rows_of(source.x, way), way), weights, way);
      sum = sum.is_valid() ? add(sum, part) : part;
    }
    return sum;
  }

  const Expert& expert_;
  const Gate& gate_;
  std::vector<ExpertGroup> groups_;
  std::map<int, OwnGroup> own_groups_;  // by group: those of the row's consumer alone
  std::map<int, Var> own_outputs_;      // by group
  bool is_merged_ = false;              // whether the one consumer is that of the row
  std::vector<Consumer> consumers_;
  std::string scope_;
  Var own_;
  std::vector<std::string> gate_paths_;
  std::vector<Source> sources_;
  std::vector<size_t> source_;  // by group
  std::vector<int64_t> first_;  // by group: its first expert in the source
  std::vector<Var> weights_;    // by consumer
  Var all_weights_;             // [consumers, experts] where one request gave them all
};

}  // namespace

Var LevelOutput::of(int64_t index) const { return row_of(mixed, index); }

LevelOutput build_level(const Expert& expert, const Gate& gate, const std::vector<ExpertGroup>& groups,
                        const std::vector<Consumer>& consumers, const std::string& scope, Var own) {
  return LevelBuilder(expert, gate, groups, consumers, scope, own).build();
}

void name_level(Graph& graph, const LevelOutput& level, const std::string& scope) {
  graph.name_value(scope + "experts", level.experts);
  graph.add_probe(level.probe);
}

}  // namespace gatewise
