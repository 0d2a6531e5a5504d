#include "training/probes.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace gatewise {
namespace {

// Rows walked for probes, as a share of those that training walks.
constexpr double most_work = 0.01;

// Evenly spread; rows of one task each by their tasks, as BatchLoader lays them out.
std::vector<int64_t> sample_of(const EncodedData& data, int64_t wanted) {
  const int64_t count = std::min(data.rows, wanted);
  std::vector<int64_t> sample(count);
  for (int64_t i = 0; i < count; ++i) sample[i] = i * data.rows / count;
  if (!data.row_task.empty()) {
    std::stable_sort(sample.begin(), sample.end(),
                     [&](int64_t a, int64_t b) { return data.row_task[a] < data.row_task[b]; });
  }
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
               const ProbeOptions& options, int64_t batch_rows, const std::string& normaliser, Pool& pool)
    : graph_(graph),
      space_(space),
      pool_(pool),
      data_(data),
      sample_(sample_of(data, options.rows)),
      loader_(graph, space),
      blocks_(expert_blocks(graph, store.layout())) {
  const auto tasks = static_cast<int64_t>(space.tasks.size());
  const auto rows = static_cast<int64_t>(sample_.size());
  every_steps_ = options.every_steps > 0 ? options.every_steps : interval(rows, tasks, batch_rows);
  PlanOptions plan;
  plan.is_training = false;
  plan.batch_rows = rows;
  std::vector<uint32_t> row_task;
  for (size_t i = 0; i < sample_.size() && !data.row_task.empty(); ++i)
    row_task.push_back(data.row_task[sample_[i]]);
  for (const LevelProbe& level : graph.probes()) {
    plan.watched.push_back(level.outputs);
    size_ += 3 * level.experts.size();
    for (const GateProbe& gate : level.gates) plan.watched.push_back(gate.weights);
    std::vector<GateView>& views = views_.emplace_back(gate_views(level, space, row_task, rows));
    std::erase_if(views, [](const GateView& view) { return view.rows.empty(); });
    for (const GateView& view : views) size_ += level.gates[view.gate].sees.size() + 1;
  }
  program_.emplace(store, pool, plan);
  const std::vector<int> parameters = parameters_of(store, blocks_);
  // Batch statistics need two rows.
  if (!parameters.empty() && rows >= 2 && TaskGradients::fits(store, space)) {
    gradients_.emplace(graph, store, space, pool, rows, normaliser, parameters);
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
  // Of another version, whose numbers are others.
  if (sums_.size() != size_) reset();
}

// [experts, rows of the sample]: where some gate gives the expert a weight other than 0; everywhere in a
// level without gates.
std::vector<bool> Prober::rows_served(const LevelProbe& level, const std::vector<GateView>& views) const {
  const size_t rows = sample_.size();
  std::vector<bool> is_served(level.experts.size() * rows, level.gates.empty());
  for (const GateView& view : views) {
    const GateProbe& gate = level.gates[view.gate];
    const ConstRows<float> weights = program_->value(gate.weights);
    for (const int64_t row : view.rows) {
      for (size_t i = 0; i < gate.sees.size(); ++i) {
        if (weights.data[row * weights.stride + static_cast<int64_t>(i)] != 0)
          is_served[static_cast<size_t>(gate.sees[i]) * rows + static_cast<size_t>(row)] = true;
      }
    }
  }
  return is_served;
}

void Prober::add_outputs(const LevelProbe& level, const std::vector<GateView>& views) {
  const size_t experts = level.experts.size(), rows = sample_.size();
  const ConstRows<float> outputs = program_->value(level.outputs);
  const std::vector<bool> is_served = rows_served(level, views);
  const int64_t hidden =
      graph_.node(level.outputs).signature.shape.elements() / static_cast<int64_t>(experts);
  for (size_t expert = 0; expert < experts; ++expert) {
    int64_t numbers = 0, zeros = 0;
    double size = 0;
    for (size_t row = 0; row < rows; ++row) {
      if (!is_served[expert * rows + row]) continue;
      const float* values =
          outputs.data + static_cast<int64_t>(row) * outputs.stride + static_cast<int64_t>(expert) * hidden;
      for (int64_t unit = 0; unit < hidden; ++unit) {
        zeros += values[unit] == 0 ? 1 : 0;
        size += std::abs(values[unit]);
      }
      numbers += hidden;
    }
    add(static_cast<double>(numbers));
    add(static_cast<double>(zeros));
    add(size);
  }
}

void Prober::add_gate(const GateView& view, size_t experts, const ConstRows<float>& weights) {
  std::vector<double> means(experts, 0);
  double entropy = 0;
  for (const int64_t row : view.rows) {
    const float* w = weights.data + row * weights.stride;
    double total = 0;
    for (size_t i = 0; i < experts; ++i) total += std::abs(w[i]);
    for (size_t i = 0; i < experts; ++i) {
      means[i] += w[i];
      const double share = total > 0 ? std::abs(w[i]) / total : 0;
      if (share > 0) entropy -= share * std::log(share);
    }
  }
  const auto rows = static_cast<double>(view.rows.size());
  for (const double mean : means) add(mean / rows);
  add(entropy / rows);
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
  program_->forward(loader_.gather(data_, sample_, pool_), Run{});
  for (size_t index = 0; index < views_.size(); ++index) {
    const LevelProbe& level = graph_.probes()[index];
    add_outputs(level, views_[index]);
    for (const GateView& view : views_[index]) {
      const GateProbe& gate = level.gates[view.gate];
      add_gate(view, gate.sees.size(), program_->value(gate.weights));
    }
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
  for (size_t index = 0; index < views_.size(); ++index) {
    const LevelProbe& level = graph_.probes()[index];
    Json& found = record[level.name];
    for (size_t expert = 0; expert < level.experts.size(); ++expert) {
      const double numbers = next(), zeros = next(), size = next();
      found["zero_share"].push_back(numbers > 0 ? Json(zeros / numbers) : Json());
      found["scale"].push_back(numbers > 0 ? Json(size / numbers) : Json());
    }
    for (const GateView& view : views_[index]) {
      Json weights = Json::array();
      for (size_t i = 0; i < level.gates[view.gate].sees.size(); ++i) weights.push_back(next());
      found["gates"][view.name] = {{"weights", std::move(weights)}, {"entropy", next()}};
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
