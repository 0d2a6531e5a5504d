#include "diagnosis/statistics.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>

#include "base/random.h"

namespace gatewise {
namespace {

constexpr double at_bound = 1e-3;          // of the range of a bounded activation
constexpr int64_t covariance_rows = 2048;  // that effective ranks and similarities are taken from
constexpr double most_operations = 1e10;

// Rows on which somebody listens to the expert.
std::vector<int64_t> rows_served(const WatchedLevel& level, int expert, int64_t first, int64_t rows) {
  std::vector<bool> is_served(rows, level.gates.empty());
  for (const WatchedGate& gate : level.gates) {
    const auto place = std::find(gate.sees.begin(), gate.sees.end(), expert);
    if (place == gate.sees.end()) continue;
    for (size_t i = 0; i < gate.rows.size(); ++i) {
      const int64_t row = gate.rows[i] - first;
      if (row < 0 || row >= rows) continue;
      const float weight =
          gate.weights[static_cast<int64_t>(i) * gate.experts() + (place - gate.sees.begin())];
      if (weight != 0) is_served[row] = true;
    }
  }
  std::vector<int64_t> served;
  for (int64_t row = 0; row < rows; ++row) {
    if (is_served[row]) served.push_back(first + row);
  }
  return served;
}

void measure_values(const WatchedLevel& level, int64_t expert, const std::vector<int64_t>& rows,
                    ExpertStatistics& found) {
  const double margin = at_bound * (level.high - level.low);
  int64_t zeros = 0, saturated = 0;
  double sum = 0, absolute = 0;
  for (const int64_t row : rows) {
    const float* values = level.output(row, expert);
    for (int64_t unit = 0; unit < level.hidden; ++unit) {
      const double value = values[unit];
      zeros += value == 0 ? 1 : 0;
      saturated += level.high > level.low && (value < level.low + margin || value > level.high - margin);
      sum += value;
      absolute += std::abs(value);
    }
  }
  const double numbers = std::max(1.0, static_cast<double>(rows.size()) * static_cast<double>(level.hidden));
  found.rows = static_cast<int64_t>(rows.size());
  found.zero_share = static_cast<double>(zeros) / numbers;
  found.saturated_share = static_cast<double>(saturated) / numbers;
  found.mean = sum / numbers;
  found.scale = absolute / numbers;
}

void measure_units(const WatchedLevel& level, int64_t expert, const std::vector<int64_t>& rows,
                   ExpertStatistics& found) {
  std::set<uint64_t> seen;
  for (int64_t unit = 0; unit < level.hidden; ++unit) {
    int64_t zeros = 0;
    uint64_t hash = 0;
    for (const int64_t row : rows) {
      const float value = level.output(row, expert)[unit];
      zeros += value == 0 ? 1 : 0;
      hash = mix64(hash ^ std::bit_cast<uint32_t>(value));
    }
    const auto count = static_cast<int64_t>(rows.size());
    found.unit_zero_shares.push_back(count == 0 ? 0
                                                : static_cast<double>(zeros) / static_cast<double>(count));
    if (count == 0) continue;
    if (zeros == count) {
      ++found.dead_units;
    } else if (!seen.insert(hash).second) {
      ++found.identical_units;
    }
  }
}

// Outputs of an expert on rows, each unit less its mean: [rows, hidden].
std::vector<double> centred(const WatchedLevel& level, int64_t expert, const std::vector<int64_t>& rows) {
  const int64_t hidden = level.hidden;
  std::vector<double> values, means(hidden, 0);
  for (const int64_t row : rows) {
    const float* from = level.output(row, expert);
    values.insert(values.end(), from, from + hidden);
    for (int64_t unit = 0; unit < hidden; ++unit) means[unit] += from[unit];
  }
  for (size_t i = 0; i < values.size(); ++i)
    values[i] -= means[i % hidden] / static_cast<double>(rows.size());
  return values;
}

// Squared Frobenius norm of a' b of two [rows, hidden].
double cross_norm(const std::vector<double>& a, const std::vector<double>& b, int64_t hidden) {
  std::vector<double> product(hidden * hidden, 0);
  const auto rows = static_cast<int64_t>(a.size()) / hidden;
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t i = 0; i < hidden; ++i) {
      const double x = a[row * hidden + i];
      if (x == 0) continue;
      for (int64_t j = 0; j < hidden; ++j) product[i * hidden + j] += x * b[row * hidden + j];
    }
  }
  double norm = 0;
  for (const double value : product) norm += value * value;
  return norm;
}

std::vector<int64_t> thinned(const std::vector<int64_t>& rows, int64_t wanted) {
  std::vector<int64_t> chosen;
  const auto count = std::min<int64_t>(wanted, static_cast<int64_t>(rows.size()));
  for (int64_t i = 0; i < count; ++i) chosen.push_back(rows[i * static_cast<int64_t>(rows.size()) / count]);
  return chosen;
}

double effective_rank(const WatchedLevel& level, int64_t expert, const std::vector<int64_t>& rows) {
  const std::vector<int64_t> few = thinned(rows, covariance_rows);
  if (few.size() < 2) return 0;
  const std::vector<double> values = centred(level, expert, few);
  double trace = 0;
  for (const double value : values) trace += value * value;
  const double norm = cross_norm(values, values, level.hidden);
  return norm > 0 ? trace * trace / norm : 0;
}

void add_histogram(const WatchedLevel& level, int64_t expert, const std::vector<int64_t>& rows,
                   const LevelStatistics& of_level, ExpertStatistics& found) {
  found.histogram.assign(histogram_bins, 0);
  const double width = (of_level.histogram_high - of_level.histogram_low) / histogram_bins;
  for (const int64_t row : rows) {
    for (int64_t unit = 0; unit < level.hidden; ++unit) {
      const double value = level.output(row, expert)[unit] - of_level.histogram_low;
      const auto bin = width > 0 ? static_cast<int64_t>(value / width) : 0;
      ++found.histogram[std::clamp<int64_t>(bin, 0, histogram_bins - 1)];
    }
  }
}

GateStatistics measure_gate(const WatchedGate& gate, int64_t first, int64_t rows) {
  GateStatistics found;
  const int64_t experts = gate.experts();
  found.weights.assign(experts, 0);
  found.shares.assign(experts, 0);
  found.leads.assign(experts, 0);
  for (size_t i = 0; i < gate.rows.size(); ++i) {
    if (gate.rows[i] < first || gate.rows[i] >= first + rows) continue;
    const float* weights = gate.weights.data() + static_cast<int64_t>(i) * experts;
    double total = 0, entropy = 0;
    int64_t leader = 0;
    for (int64_t expert = 0; expert < experts; ++expert) {
      total += std::abs(weights[expert]);
      if (std::abs(weights[expert]) > std::abs(weights[leader])) leader = expert;
    }
    for (int64_t expert = 0; expert < experts; ++expert) {
      const double share = total > 0 ? std::abs(weights[expert]) / total : 0;
      found.weights[expert] += weights[expert];
      found.shares[expert] += share;
      if (share > 0) entropy -= share * std::log(share);
    }
    if (total > 0) found.leads[leader] += 1;
    found.entropy += entropy;
    found.effective_experts += std::exp(entropy);
    ++found.rows;
  }
  const double count = std::max(1.0, static_cast<double>(found.rows));
  for (std::vector<double>* means : {&found.weights, &found.shares, &found.leads}) {
    for (double& mean : *means) mean /= count;
  }
  found.entropy /= count;
  found.effective_experts /= count;
  return found;
}

}  // namespace

LevelStatistics measure_level(const WatchedLevel& level, int64_t first, int64_t rows, bool in_detail) {
  LevelStatistics found;
  if (in_detail && !level.outputs.empty()) {
    const auto [low, high] = std::minmax_element(level.outputs.begin(), level.outputs.end());
    found.histogram_low = *low;
    found.histogram_high = *high;
  }
  for (size_t expert = 0; expert < level.experts.size(); ++expert) {
    const auto place = static_cast<int64_t>(expert);
    const std::vector<int64_t> served = rows_served(level, static_cast<int>(expert), first, rows);
    ExpertStatistics& of_expert = found.experts.emplace_back();
    measure_values(level, place, served, of_expert);
    if (!in_detail) continue;
    measure_units(level, place, served, of_expert);
    of_expert.effective_rank = effective_rank(level, place, served);
    add_histogram(level, place, served, found, of_expert);
  }
  for (const WatchedGate& gate : level.gates) found.gates.push_back(measure_gate(gate, first, rows));
  return found;
}

std::vector<std::vector<double>> expert_similarity(const WatchedLevel& level) {
  const auto experts = static_cast<int64_t>(level.experts.size()), hidden = level.hidden;
  const int64_t all = static_cast<int64_t>(level.outputs.size()) / std::max<int64_t>(1, experts * hidden);
  const double pairs = 0.5 * static_cast<double>(experts * (experts + 1));
  const double per_row = pairs * static_cast<double>(hidden * hidden);
  const auto rows = static_cast<int64_t>(
      std::min({static_cast<double>(all), static_cast<double>(covariance_rows), most_operations / per_row}));
  if (rows < std::min<int64_t>(all, 128) || rows < 2) return {};
  std::vector<int64_t> chosen(rows);
  for (int64_t i = 0; i < rows; ++i) chosen[i] = i * all / rows;
  std::vector<std::vector<double>> outputs;
  for (int64_t expert = 0; expert < experts; ++expert) outputs.push_back(centred(level, expert, chosen));
  std::vector<double> own;
  for (const std::vector<double>& values : outputs) own.push_back(cross_norm(values, values, hidden));
  std::vector<std::vector<double>> similarity(experts, std::vector<double>(experts, 1));
  for (int64_t a = 0; a < experts; ++a) {
    for (int64_t b = 0; b < a; ++b) {
      const double size = std::sqrt(own[a] * own[b]);
      similarity[a][b] = similarity[b][a] = size > 0 ? cross_norm(outputs[a], outputs[b], hidden) / size : 0;
    }
  }
  return similarity;
}

std::vector<std::vector<double>> gate_similarity(const WatchedLevel& level) {
  const size_t gates = level.gates.size();
  std::vector<std::vector<double>> shares;  // by gate: [rows, experts of the level]
  const size_t experts = level.experts.size();
  for (const WatchedGate& gate : level.gates) {
    if (gate.rows != level.gates[0].rows) return {};
    std::vector<double>& own = shares.emplace_back(gate.rows.size() * experts, 0.0);
    for (size_t row = 0; row < gate.rows.size(); ++row) {
      const float* weights = gate.weights.data() + row * gate.sees.size();
      double total = 0;
      for (size_t i = 0; i < gate.sees.size(); ++i) total += std::abs(weights[i]);
      for (size_t i = 0; i < gate.sees.size() && total > 0; ++i)
        own[row * experts + static_cast<size_t>(gate.sees[i])] = std::abs(weights[i]) / total;
    }
  }
  std::vector<std::vector<double>> similarity(gates, std::vector<double>(gates, 1));
  for (size_t a = 0; a < gates; ++a) {
    for (size_t b = 0; b < a; ++b) {
      double overlap = 0;
      for (size_t i = 0; i < shares[a].size(); ++i) overlap += std::min(shares[a][i], shares[b][i]);
      const double rows = std::max(1.0, static_cast<double>(level.gates[a].rows.size()));
      similarity[a][b] = similarity[b][a] = overlap / rows;
    }
  }
  return similarity;
}

}  // namespace gatewise
