// The rules about experts and gates.
#include "diagnosis/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace gatewise {
namespace {

double median_of(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : 0.5 * (values[half - 1] + values[half]);
}

std::string percent(double share) { return fmt::format("{:.0f} %", 100 * share); }

Verdict of_expert_verdict(const std::string& kind, const WatchedLevel& level, size_t expert) {
  Verdict verdict{kind, level.experts[expert].path, level.name, level.experts[expert].path, {}, {}, {}, 1};
  if (level.experts[expert].path.starts_with("bottoms/"))
    verdict.where = level.name + ": " + level.experts[expert].path;
  return verdict;
}

void judge_scale(const LevelStatistics& found, const WatchedLevel& level, size_t expert, double median,
                 const DiagnosisOptions& options, std::vector<Verdict>& verdicts) {
  const ExpertStatistics& of_expert = found.experts[expert];
  const double idle = std::max(of_expert.zero_share, of_expert.saturated_share);
  if (idle > options.zero_share) {
    Verdict verdict = of_expert_verdict("collapse", level, expert);
    const bool is_zero = of_expert.zero_share >= of_expert.saturated_share;
    verdict.evidence = {{is_zero ? "zero_share" : "saturated_share", idle},
                        {"threshold", options.zero_share},
                        {"dead_units", of_expert.dead_units},
                        {"units", level.hidden}};
    verdict.text = fmt::format("{} of its outputs are {}", percent(idle), is_zero ? "0" : "saturated");
    verdicts.push_back(std::move(verdict));
    return;
  }
  if (!(median > 0)) return;
  const double ratio = of_expert.scale / median;
  if (ratio > 1 / options.scale_factor && ratio < options.scale_factor) return;
  Verdict verdict = of_expert_verdict("collapse", level, expert);
  verdict.evidence = {
      {"scale", of_expert.scale}, {"median_scale", median}, {"threshold", options.scale_factor}};
  verdict.text = ratio > 1
                     ? fmt::format("its outputs are {:.0f} times as large as the median expert's", ratio)
                     : fmt::format("its outputs are {:.0f} times smaller than the median expert's",
                                   1 / std::max(ratio, 1e-9));
  verdicts.push_back(std::move(verdict));
}

}  // namespace

void find_collapse(const Observed& seen, const Background& background, std::vector<Verdict>& verdicts) {
  for (size_t index = 0; index < seen.levels.size(); ++index) {
    const LevelStatistics& found = seen.levels[index];
    std::vector<double> scales;
    for (const ExpertStatistics& expert : found.experts) {
      if (expert.rows > 0) scales.push_back(expert.scale);
    }
    const double median = scales.size() < 2 ? 0 : median_of(scales);
    for (size_t expert = 0; expert < found.experts.size(); ++expert) {
      if (found.experts[expert].rows == 0) continue;
      judge_scale(found, background.levels[index], expert, median, background.options, verdicts);
    }
  }
}

void find_degradation(const Observed& seen, const Background& background, std::vector<Verdict>& verdicts) {
  size_t place = 0;
  for (const WatchedLevel& level : background.levels) {
    for (size_t expert = 0; expert < level.experts.size(); ++expert, ++place) {
      if (place >= seen.gradient_shares.size() || !level.experts[expert].task.empty()) continue;
      const std::vector<double>& shares = seen.gradient_shares[place];
      if (shares.size() < 2) continue;
      const auto largest = std::max_element(shares.begin(), shares.end());
      if (*largest <= background.options.gradient_share) continue;
      const std::string& task = background.space.tasks[largest - shares.begin()].name;
      Verdict verdict = of_expert_verdict("degradation", level, expert);
      verdict.tasks = {task};
      verdict.evidence = {{"gradient_share", *largest}, {"threshold", background.options.gradient_share}};
      for (size_t i = 0; i < shares.size(); ++i)
        verdict.evidence["by_task"][background.space.tasks[i].name] = shares[i];
      verdict.text =
          fmt::format("task {} gives {} of the gradient of this shared expert", task, percent(*largest));
      verdicts.push_back(std::move(verdict));
    }
  }
}

namespace {

// The share of a gate's weight that goes to the task's own experts, over what it would be if all were weighed
// alike; NaN where the gate does not choose between own and other experts.
double own_use(const WatchedLevel& level, const WatchedGate& gate, const GateStatistics& found) {
  double share = 0, own = 0;
  for (size_t i = 0; i < gate.sees.size(); ++i) {
    const std::string& owner = level.experts[gate.sees[i]].task;
    if (owner != gate.task && owner != own_task) continue;
    share += found.shares[i];
    own += 1;
  }
  if (own == 0 || own == static_cast<double>(gate.sees.size()) || gate.task.empty()) return NAN;
  return share / (own / static_cast<double>(gate.sees.size()));
}

}  // namespace

void find_underfitting(const Observed& seen, const Background& background, std::vector<Verdict>& verdicts) {
  std::vector<double> labels;
  for (const TaskFacts& task : background.tasks) labels.push_back(static_cast<double>(task.informative));
  const double median = median_of(labels);
  for (size_t index = 0; index < seen.levels.size(); ++index) {
    const WatchedLevel& level = background.levels[index];
    for (size_t gate = 0; gate < level.gates.size(); ++gate) {
      const double use = own_use(level, level.gates[gate], seen.levels[index].gates[gate]);
      if (std::isnan(use) || use >= background.options.own_share) continue;
      const std::vector<TaskSpace>& tasks = background.space.tasks;
      const auto task = static_cast<size_t>(
          std::find_if(tasks.begin(), tasks.end(),
                       [&](const TaskSpace& known) { return known.name == level.gates[gate].task; }) -
          tasks.begin());
      if (task >= tasks.size() || labels[task] >= background.options.rare_labels * median) continue;
      const TaskScores* without = nullptr;
      if (index < background.effects.own_removed.size() &&
          !background.effects.own_removed[index][task].loss.empty())
        without = &background.effects.own_removed[index][task];
      if (without == nullptr) continue;
      const double before = background.effects.intact.loss[task], after = without->loss[task];
      if (!(after - before <= background.options.no_cost * before)) continue;
      Verdict verdict{"underfitting", level.gates[gate].name, level.name, "", {tasks[task].name}, {}, {}, 1};
      verdict.evidence = {{"labels", labels[task]},
                          {"median_labels", median},
                          {"own_share_of_uniform", use},
                          {"threshold", background.options.own_share},
                          {"loss", before},
                          {"loss_without_own", after}};
      verdict.text = fmt::format(
          "task {} with {:.0f} informative labels (median {:.0f}) gives its own experts {} of a uniform "
          "share, and does without them at no cost",
          tasks[task].name, labels[task], median, percent(use));
      verdicts.push_back(std::move(verdict));
    }
  }
}

void find_polarisation(const Observed& seen, const Background& background, std::vector<Verdict>& verdicts) {
  for (size_t index = 0; index < seen.levels.size(); ++index) {
    const WatchedLevel& level = background.levels[index];
    for (size_t place = 0; place < level.gates.size(); ++place) {
      const WatchedGate& gate = level.gates[place];
      const GateStatistics& found = seen.levels[index].gates[place];
      if (gate.sees.size() < 2 || !gate.depends_on_rows || found.rows == 0) continue;
      const auto largest = std::max_element(found.shares.begin(), found.shares.end());
      if (*largest <= background.options.polarisation) continue;
      const std::string& expert = level.experts[gate.sees[largest - found.shares.begin()]].path;
      Verdict verdict{"polarisation", gate.name, level.name, expert, {}, {}, {}, 1};
      if (!gate.task.empty()) verdict.tasks = {gate.task};
      verdict.evidence = {{"mean_share", *largest},
                          {"threshold", background.options.polarisation},
                          {"leads", found.leads[largest - found.shares.begin()]},
                          {"effective_experts", found.effective_experts},
                          {"experts", gate.sees.size()}};
      verdict.text = fmt::format("gives {} of its weight to {}: {:.2f} of {} experts are in use",
                                 percent(*largest), expert, found.effective_experts, gate.sees.size());
      verdicts.push_back(std::move(verdict));
    }
  }
}

void find_unused(const Observed& seen, const Background& background, std::vector<Verdict>& verdicts) {
  for (size_t index = 0; index < seen.levels.size(); ++index) {
    const WatchedLevel& level = background.levels[index];
    for (size_t expert = 0; expert < level.experts.size(); ++expert) {
      double most = -1;
      for (size_t place = 0; place < level.gates.size(); ++place) {
        const WatchedGate& gate = level.gates[place];
        const auto seat = std::find(gate.sees.begin(), gate.sees.end(), static_cast<int>(expert));
        if (seat == gate.sees.end() || !gate.depends_on_rows || gate.rows.empty()) continue;
        const double share = seen.levels[index].gates[place].shares[seat - gate.sees.begin()];
        most = std::max(most, share * static_cast<double>(gate.sees.size()));
      }
      if (most < 0 || most >= background.options.unused) continue;
      // Said already, with its reason.
      const bool is_told = std::any_of(verdicts.begin(), verdicts.end(), [&](const Verdict& other) {
        return other.kind == "underfitting" && other.level == level.name &&
               other.tasks[0] == level.experts[expert].task;
      });
      if (is_told) continue;
      const auto& removed = background.effects.removed;
      const double rise = index < removed.size() && expert < removed[index].size()
                              ? largest_rise(removed[index][expert], background.effects.intact)
                              : NAN;
      if (rise > background.options.no_cost) continue;
      Verdict verdict = of_expert_verdict("unused_expert", level, expert);
      verdict.evidence = {{"largest_share_of_uniform", most}, {"threshold", background.options.unused}};
      verdict.evidence["largest_relative_rise_without"] = std::isnan(rise) ? Json() : Json(rise);
      verdict.text = fmt::format("no gate gives it more than {} of a uniform share{}", percent(most),
                                 std::isnan(rise) ? "" : ", and no task loses anything without it");
      verdicts.push_back(std::move(verdict));
    }
  }
}

}  // namespace gatewise
