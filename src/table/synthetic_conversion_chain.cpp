#include "table/synthetic_conversion_chain.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "table/directions.h"
#include "table/logit_statistics.h"

namespace gatewise {
namespace {

constexpr int64_t tastes = 2;  // factors of a user's taste and an item's topic
constexpr int64_t calibrated_rows = 20000, judged_rows = 50000;
constexpr std::array<const char*, 4> early_steps{"click", "cart", "checkout", "payment"};

std::vector<std::string> step_names(int64_t steps) {
  std::vector<std::string> names(early_steps.begin(), early_steps.begin() + std::max<int64_t>(1, steps - 1));
  if (steps > 1) names.emplace_back("purchase");
  return names;
}

template <class Numbers>
double product_of(const std::vector<double>& a, const Numbers& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * static_cast<double>(b[i]);
  return sum;
}

}  // namespace

struct ConversionChain::Row {
  int64_t user = 0, item = 0;
  std::vector<float> x;
  double intent = 0;
};

void ConversionChainOptions::declare(OptionSet& set) {
  set.add("steps", &steps, "events after exposure: click, [cart, checkout, payment,] purchase").range(1, 5);
  set.add("rates", &rates,
          "mean probability over all rows of each step given the steps before it; [] means 0.1 for the click "
          "and 0.2 for "
          "every later one")
      .range(1e-6, 1 - 1e-6);
  set.add("later_labels", &later_labels,
          "label of a step on rows that did not reach it: zero, or missing, so that it is learnt on the rows "
          "that did")
      .choices({"zero", "missing"});
  set.add("shared", &shared,
          "correlation between the logits of any two steps as far as the columns tell; above 0 rows that "
          "reach a step "
          "are unlike the others")
      .range(0, 1);
  set.add("hidden", &hidden,
          "standard deviation in every logit of the row's intent, which no column shows; 0 leaves no bias "
          "behind the "
          "columns")
      .range(0, 5);
  set.add("signal", &signal, "standard deviation of the logits due to the columns").range(0, 5);
  set.add("users", &users, "number of users").range(1, 1000000);
  set.add("items", &items, "number of items").range(1, 1000000);
  set.add("user_skew", &user_skew, "exponent of the Zipf law of users over rows; 0 makes all alike")
      .range(0, 3);
  set.add("item_skew", &item_skew, "exponent of the Zipf law of items over rows; 0 makes all alike")
      .range(0, 3);
  set.add("dimension", &dimension, "number of features, each standard normal").range(1, 10000);
  set.add("seed", &seed, "fixes users, items, weights and rows").range(0);
}

ConversionChain::ConversionChain(const Options& options)
    : options_(options),
      users_(static_cast<uint64_t>(options.seed), "conversion_chain/users", options.users,
             tastes + options.steps, options.user_skew),
      items_(static_cast<uint64_t>(options.seed), "conversion_chain/items", options.items,
             tastes + options.steps, options.item_skew),
      rows_(static_cast<uint64_t>(options.seed), "conversion_chain/rows"),
      label_draws_(static_cast<uint64_t>(options.seed), "conversion_chain/labels"),
      ids_{{"user", static_cast<uint64_t>(options.users)}, {"item", static_cast<uint64_t>(options.items)}} {
  for (const std::string& name : step_names(options_.steps)) labels_.push_back({name, "binary"});
  for (int64_t i = 0; i < options_.dimension; ++i) features_.push_back(fmt::format("x{}", i));
  if (options_.dimension <= options_.steps) {
    command_error("synth.dimension: got {}, expected at least {} for {} steps", options_.dimension,
                  options_.steps + 1, options_.steps);
  }
  directions_ = orthonormal(RandomStream(static_cast<uint64_t>(options.seed), "conversion_chain/directions"),
                            options_.steps + 1, options_.dimension);
  std::vector<double> rates = options_.rates;
  if (rates.empty()) {
    rates.assign(labels_.size(), 0.2);
    rates[0] = 0.1;
  }
  if (rates.size() != labels_.size())
    command_error("synth.rates: got {} rates for {} steps, expected one for each", rates.size(),
                  labels_.size());

  const RandomStream sample(static_cast<uint64_t>(options.seed), "conversion_chain/sample");
  std::vector<std::vector<double>> scores(labels_.size());
  for (int64_t i = 0; i < calibrated_rows; ++i) {
    const Row row = draw(sample, 0, i);
    const std::vector<double> signals = signals_of(row);
    for (size_t s = 0; s < signals.size(); ++s)
      scores[s].push_back(signals[s] + options_.hidden * row.intent);
  }
  for (size_t s = 0; s < rates.size(); ++s) biases_.push_back(bias_for_rate(scores[s], rates[s]));
}

ConversionChain::Row ConversionChain::draw(const RandomStream& stream, uint64_t step, int64_t row) const {
  const auto number = static_cast<uint64_t>(row);
  Row drawn;
  drawn.user = users_.member(stream.uniform(step, number, 0));
  drawn.item = items_.member(stream.uniform(step, number, 1));
  drawn.intent = stream.normal(step, number, 2);
  for (int64_t i = 0; i < options_.dimension; ++i)
    drawn.x.push_back(static_cast<float>(stream.normal(step, number, static_cast<uint32_t>(4 + i))));
  return drawn;
}

std::vector<double> ConversionChain::signals_of(const Row& row) const {
  const float* user = users_.factors(row.user);
  const float* item = items_.factors(row.item);
  double match = 0;
  for (int64_t f = 0; f < tastes; ++f) match += double{user[f]} * item[f];
  match /= std::sqrt(static_cast<double>(tastes));
  const double common = (match + product_of(directions_[0], row.x)) / std::sqrt(2.0);
  std::vector<double> signals;
  for (int64_t s = 0; s < options_.steps; ++s) {
    const double own = (double{user[tastes + s]} + item[tastes + s] + product_of(directions_[1 + s], row.x)) /
                       std::sqrt(3.0);
    signals.push_back(options_.signal *
                      (std::sqrt(options_.shared) * common + std::sqrt(1 - options_.shared) * own));
  }
  return signals;
}

void ConversionChain::fill_ids(uint64_t step, int64_t first_row, int64_t rows, uint64_t* values) const {
  for (int64_t row = 0; row < rows; ++row) {
    const auto number = static_cast<uint64_t>(first_row + row);
    values[2 * row] = users_.id(users_.member(rows_.uniform(step, number, 0)));
    values[2 * row + 1] = items_.id(items_.member(rows_.uniform(step, number, 1)));
  }
}

void ConversionChain::fill(uint64_t step, int64_t first_row, int64_t rows, float* x,
                           float* label_values) const {
  const float not_reached = options_.later_labels == "zero" ? 0.0f : std::nanf("");
  for (int64_t i = 0; i < rows; ++i) {
    const Row row = draw(rows_, step, first_row + i);
    std::copy(row.x.begin(), row.x.end(), x + i * options_.dimension);
    const std::vector<double> signals = signals_of(row);
    bool is_reached = true;
    for (size_t s = 0; s < signals.size(); ++s) {
      const double chance = sigmoid_of(biases_[s] + signals[s] + options_.hidden * row.intent);
      const double draw =
          label_draws_.uniform(step, static_cast<uint64_t>(first_row + i), static_cast<uint32_t>(s));
      const bool happens = is_reached && draw < chance;
      *label_values++ = is_reached ? static_cast<float>(happens) : not_reached;
      is_reached = happens;
    }
  }
}

std::vector<double> ConversionChain::logits(uint64_t step, int64_t first_row, int64_t rows) const {
  std::vector<double> values;
  for (int64_t i = 0; i < rows; ++i) {
    const Row row = draw(rows_, step, first_row + i);
    const std::vector<double> signals = signals_of(row);
    for (size_t s = 0; s < signals.size(); ++s)
      values.push_back(biases_[s] + signals[s] + options_.hidden * row.intent);
  }
  return values;
}

// The intent is integrated out by the trapezoidal rule, which is all but exact for smooth functions under a
// normal density.
Json ConversionChain::truth() const {
  constexpr double spacing = 0.5;
  constexpr int half_points = 12;
  const RandomStream sample(static_cast<uint64_t>(options_.seed), "conversion_chain/sample");
  const size_t steps = labels_.size();
  // By step and row: probability of the step alone; of the whole chain up to and with it; the signal.
  std::vector<std::vector<double>> alone(steps), chain(steps), signal(steps);
  for (int64_t i = 0; i < judged_rows; ++i) {
    const std::vector<double> signals = signals_of(draw(sample, 0, i));
    std::vector<double> step_sum(steps), chain_sum(steps);
    double total = 0;
    for (int point = -half_points; point <= half_points; ++point) {
      const double intent = spacing * point, density = std::exp(-intent * intent / 2);
      double product = density;
      total += density;
      for (size_t s = 0; s < steps; ++s) {
        const double chance = sigmoid_of(biases_[s] + signals[s] + options_.hidden * intent);
        product *= chance;
        step_sum[s] += density * chance;
        chain_sum[s] += product;
      }
    }
    for (size_t s = 0; s < steps; ++s) {
      alone[s].push_back(step_sum[s] / total);
      chain[s].push_back(chain_sum[s] / total);
      signal[s].push_back(signals[s]);
    }
  }
  Json entries = Json::object(), correlation = Json::object();
  for (size_t s = 0; s < steps; ++s) {
    const std::vector<double> reached = s == 0 ? std::vector<double>(chain[0].size(), 1.0) : chain[s - 1];
    std::vector<double> given_reached;
    for (size_t row = 0; row < reached.size(); ++row) given_reached.push_back(chain[s][row] / reached[row]);
    entries[labels_[s].name] = {{"rate", mean_of(chain[s])},
                                {"conditional_on_all_rows", mean_of(alone[s])},
                                {"conditional_on_reached_rows", mean_of(chain[s]) / mean_of(reached)},
                                {"learnt_on_reached_rows", mean_of(given_reached)},
                                {"best_auc", best_auc(chain[s])},
                                {"best_auc_on_reached_rows", best_auc(given_reached, reached)},
                                {"bias", biases_[s]}};
    for (size_t other = 0; other < steps; ++other)
      correlation[labels_[s].name][labels_[other].name] =
          s == other ? 1 : correlation_of(signal[s], signal[other]);
  }
  return {{"kind", "conversion_chain"},
          {"options", write_options(options_)},
          {"sample_rows", judged_rows},
          {"steps", std::move(entries)},
          {"logit_correlation", std::move(correlation)}};
}

namespace {
const Register<SyntheticTable, ConversionChain> synthetic_conversion_chain_registered{
    "conversion_chain",
    "a chain of events as click and purchase, later ones seen on a selected part of the rows only"};
}  // namespace

}  // namespace gatewise
