#include "training/probes.h"

#include <cmath>
#include <set>

namespace gatewise {
namespace {

// Rows walked for probes, as a share of those that training walks.
constexpr double most_work = 0.01;

std::vector<int64_t> spread(int64_t rows, int64_t wanted) {
  const int64_t count = std::min(rows, wanted);
  std::vector<int64_t> sample(count);
  for (int64_t i = 0; i < count; ++i) sample[i] = i * rows / count;
  return sample;
}

// In steps of training. A row forward and backward counts 3; a probe runs its rows forward twice and backward
// once for every task.
int64_t interval(int64_t sample_rows, int64_t tasks, int64_t batch_rows) {
  const double work = static_cast<double>(sample_rows) * static_cast<double>(2 + 2 * tasks) / 3;
  return std::max<int64_t>(
      1, static_cast<int64_t>(std::ceil(work / (most_work * static_cast<double>(batch_rows)))));
}

std::vector<int> parameters_of(const Store<float>& store,
                               const std::vector<std::vector<GradientBlock>>& experts) {
  std::set<std::string> paths;
  for (const auto& blocks : experts) {
    for (const GradientBlock& block : blocks) paths.insert(block.path);
  }
  std::set<int> nodes;
  for (const PathBlock& block : store.layout().blocks) {
    if (paths.contains(block.path)) nodes.insert(store.layout().places[block.place].node);
  }
  return {nodes.begin(), nodes.end()};
}

}  // namespace

void ProbeOptions::declare(OptionSet& set) {
  set.add("rows", &rows,
          "validation rows (or training rows without any) on which experts and gates are watched; 0: never")
      .range(0, 65536);
  set.add("every_steps", &every_steps,
          "steps of training between probes; 0: as often as keeps them at one row in a hundred")
      .range(0);
}

std::vector<std::vector<GradientBlock>> expert_blocks(const Graph& graph, const Layout& layout) {
  const std::vector<GradientBlock> all = gradient_blocks(layout);
  std::vector<std::vector<GradientBlock>> experts;
  for (const LevelProbe& level : graph.probes()) {
    for (const ExpertProbe& expert : level.experts) {
      std::vector<GradientBlock>& own = experts.emplace_back();
      for (const GradientBlock& block : all) {
        if (expert.holds(block.path)) own.push_back(block);
      }
    }
  }
  return experts;
}

Prober::Prober(const Graph& graph, Store<float>& store, const FeatureSpace& space, const EncodedData& data,
               const ProbeOptions& options, int64_t batch_rows, Pool& pool)
    : graph_(graph),
      space_(space),
      pool_(pool),
      data_(data),
      sample_(spread(data.rows, options.rows)),
      loader_(graph, space),
      blocks_(expert_blocks(graph, store.layout())) {
  const auto tasks = static_cast<int64_t>(space.tasks.size());
  const auto rows = static_cast<int64_t>(sample_.size());
  every_steps_ = options.every_steps > 0 ? options.every_steps : interval(rows, tasks, batch_rows);
  PlanOptions plan;
  plan.is_training = false;
  plan.batch_rows = rows;
  for (const LevelProbe& level : graph.probes()) {
    plan.watched.push_back(level.outputs);
    size_ += 2 * level.experts.size();
    for (const GateProbe& gate : level.gates) {
      plan.watched.push_back(gate.weights);
      size_ += gate.sees.size() + 1;
    }
  }
  program_.emplace(store, pool, plan);
  const std::vector<int> parameters = parameters_of(store, blocks_);
  // Batch statistics need two rows.
  if (!parameters.empty() && rows >= 2 && TaskGradients::fits(store, space)) {
    gradients_.emplace(graph, store, space, pool, rows, parameters);
    size_ += blocks_.size() * space.tasks.size();
  }
  reset();
}

void Prober::reset() {
  count_ = 0;
  sums_.assign(size_, 0);
}

void Prober::restore(const Json& json) {
  count_ = json.at("count").get<int64_t>();
  sums_ = json.at("sums").get<std::vector<double>>();
  sums_.resize(size_);
}

void Prober::add_outputs(const LevelProbe& level, const ConstRows<float>& outputs, int64_t rows) {
  const auto experts = static_cast<int64_t>(level.experts.size());
  const int64_t hidden = graph_.node(level.outputs).signature.shape.elements() / experts;
  for (int64_t expert = 0; expert < experts; ++expert) {
    int64_t zeros = 0;
    double size = 0;
    for (int64_t row = 0; row < rows; ++row) {
      const float* values = outputs.data + row * outputs.stride + expert * hidden;
      for (int64_t unit = 0; unit < hidden; ++unit) {
        zeros += values[unit] == 0 ? 1 : 0;
        size += std::abs(values[unit]);
      }
    }
    const auto numbers = static_cast<double>(rows * hidden);
    add(static_cast<double>(zeros) / numbers);
    add(size / numbers);
  }
}

void Prober::add_gate(const GateProbe& gate, const ConstRows<float>& weights, int64_t rows) {
  const size_t experts = gate.sees.size();
  std::vector<double> means(experts, 0);
  double entropy = 0;
  for (int64_t row = 0; row < rows; ++row) {
    const float* w = weights.data + row * weights.stride;
    double total = 0;
    for (size_t i = 0; i < experts; ++i) total += std::abs(w[i]);
    for (size_t i = 0; i < experts; ++i) {
      means[i] += w[i];
      const double share = total > 0 ? std::abs(w[i]) / total : 0;
      if (share > 0) entropy -= share * std::log(share);
    }
  }
  for (const double mean : means) add(mean / static_cast<double>(rows));
  add(entropy / static_cast<double>(rows));
}

void Prober::add_gradients(int64_t steps) {
  const std::vector<Aligned<float>> gradients = gradients_->of(data_, sample_, static_cast<uint64_t>(steps));
  for (const std::vector<GradientBlock>& expert : blocks_) {
    for (const Aligned<float>& gradient : gradients) {
      double squares = 0;
      for (const GradientBlock& block : expert)
        squares += gradient.size() > 0 ? squared_norm(block, gradient.data()) : 0;
      add(std::sqrt(squares));
    }
  }
}

void Prober::measure(int64_t steps) {
  place_ = 0;
  program_->parameters_changed();
  const auto rows = static_cast<int64_t>(sample_.size());
  program_->forward(loader_.gather(data_, sample_, pool_), Run{});
  for (const LevelProbe& level : graph_.probes()) {
    add_outputs(level, program_->value(level.outputs), rows);
    for (const GateProbe& gate : level.gates) add_gate(gate, program_->value(gate.weights), rows);
  }
  if (gradients_) add_gradients(steps);
  ++count_;
}

void Prober::finish_epoch(Json& epoch) {
  if (count_ > 0) epoch["probes"] = record();
  reset();
}

void Prober::finish_run(Json& epochs, int64_t steps) {
  if (epochs.empty() || epochs.back().contains("probes")) return;
  measure(steps);
  finish_epoch(epochs.back());
}

Json Prober::record() const {
  if (count_ == 0) return {};
  size_t place = 0;
  const auto next = [&] { return sums_[place++] / static_cast<double>(count_); };
  Json record = Json::object();
  for (const LevelProbe& level : graph_.probes()) {
    Json& found = record[level.name];
    for (size_t expert = 0; expert < level.experts.size(); ++expert) {
      found["zero_share"].push_back(next());
      found["scale"].push_back(next());
    }
    for (const GateProbe& gate : level.gates) {
      Json weights = Json::array();
      for (size_t i = 0; i < gate.sees.size(); ++i) weights.push_back(next());
      found["gates"][gate.path] = {{"weights", std::move(weights)}, {"entropy", next()}};
    }
  }
  if (!gradients_) return record;
  for (const LevelProbe& level : graph_.probes()) {
    for (size_t expert = 0; expert < level.experts.size(); ++expert) {
      for (const TaskSpace& task : space_.tasks) record[level.name]["gradient"][task.name].push_back(next());
    }
  }
  return record;
}

}  // namespace gatewise
