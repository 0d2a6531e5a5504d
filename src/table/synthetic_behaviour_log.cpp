#include "table/synthetic_behaviour_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "table/logit_statistics.h"

namespace gatewise {
namespace {

enum Axis { Interest, Quality, Lure, Patience, Length, Activity, Sociability, axis_count };
constexpr std::array<const char*, axis_count> axis_names{"interest", "quality",  "lure",       "patience",
                                                         "length",   "activity", "sociability"};

// Behind the factors of taste and topic.
constexpr int64_t traits = 3;

struct KnownLabel {
  const char* name;
  const char* group;
  double rate;      // 0 of the regression label
  double exposure;  // share of position_bias that reaches it
  std::array<double, axis_count> weights;
};

constexpr std::array<KnownLabel, 13> known_labels{{
    // name, group, rate, exposure, interest, quality, lure, patience, length, activity, sociability
    {"effective_view", "watch", .5, .5, {.9, .6, .2, .5, 0, .3, 0}},
    {"click", "watch", .25, 1, {.6, 0, 1.2, 0, 0, .4, 0}},
    {"long_view", "watch", .15, .5, {.8, .9, -1.2, .7, .5, 0, 0}},
    {"full_watch", "watch", .1, .4, {1, .9, -.6, .8, -1, 0, 0}},
    {"replay", "watch", .03, .3, {1.2, .6, 0, .2, -1, .3, 0}},
    {"like", "interaction", .02, .3, {.8, .9, -.2, 0, 0, .4, .8}},
    {"collect", "interaction", .008, .2, {1, .8, -.2, .3, .6, .2, 0}},
    {"share", "interaction", .005, .2, {.5, .8, .2, 0, -.3, .2, 1.2}},
    {"comment", "interaction", .003, .2, {.6, .3, .4, .2, 0, .6, 1.2}},
    {"follow", "interaction", .002, .2, {.8, 1, 0, .3, 0, .5, .6}},
    {"fast_skip", "rejection", .3, .3, {-.9, -.6, .5, -.9, .3, 0, 0}},
    {"report", "rejection", .001, .2, {-.8, -1, .9, -.3, 0, .3, .3}},
    // The logarithm of the watched time; long items are watched for longer.
    {"watch_time", "watch", 0, .5, {.9, .8, -.4, .8, .8, .1, 0}},
}};

constexpr size_t watch_time_label = known_labels.size() - 1;  // behind the behaviours

constexpr double conflict_below = -0.2;
constexpr int64_t calibration_rows = 20000, truth_rows = 50000;

std::vector<std::string> known_names() {
  std::vector<std::string> names;
  for (size_t known = 0; known < watch_time_label; ++known) names.emplace_back(known_labels[known].name);
  return names;
}

double variance_of(const std::vector<double>& values) {
  const double mean = mean_of(values);
  double sum = 0;
  for (const double value : values) sum += (value - mean) * (value - mean);
  return sum / static_cast<double>(values.size());
}

}  // namespace

struct BehaviourLog::Row {
  int64_t user = 0, item = 0;
  double position = 0;
  std::array<double, axis_count> axes{};
};

void BehaviourLogOptions::declare(OptionSet& set) {
  set.add("users", &users, "number of users").range(1, 1000000);
  set.add("items", &items, "number of items").range(1, 1000000);
  set.add("user_skew", &user_skew, "exponent of the Zipf law of users over rows; 0 makes all alike")
      .range(0, 3);
  set.add("item_skew", &item_skew, "exponent of the Zipf law of items over rows; 0 makes all alike")
      .range(0, 3);
  set.add("factors", &factors, "hidden factors of a user's taste and of an item's topic").range(1, 64);
  set.add("positions", &positions, "places of the list in which items are shown").range(1, 1000);
  set.add("position_bias", &position_bias,
          "what the last place takes from the logit of a click; other behaviours lose a share of it")
      .range(0, 10);
  set.add("exposure_bias", &exposure_bias,
          "how far items that interest a user are shown to them earlier; 0 places at random, 1 by interest "
          "alone")
      .range(0, 1);
  set.add("conflict", &conflict,
          "weight of an item's lure, which brings clicks and skips but no long views; 0 takes the clickbait "
          "away")
      .range(0, 10);
  set.add("signal", &signal, "standard deviation of the logits due to user and item; 0 leaves chance")
      .range(0, 5);
  set.add("behaviours", &behaviours,
          fmt::format("which behaviours, in which order; [] means all: {}", fmt::join(known_names(), ", ")));
  set.add("rates", &rates,
          "share of rows with each behaviour, as many as behaviours; [] means the usual ones, from 0.5 down "
          "to "
          "0.001")
      .range(1e-6, 1 - 1e-6);
  set.add("watch_time", &watch_time,
          "adds the regression label watch_time, the standardised logarithm of the watched time, whose best "
          "attainable R2 is this; 0 leaves it out")
      .range(0, 1);
  set.add("seed", &seed, "fixes users, items and rows").range(0);
}

BehaviourLog::BehaviourLog(const Options& options)
    : options_(options),
      users_(static_cast<uint64_t>(options.seed), "behaviour_log/users", options.users,
             options.factors + traits, options.user_skew),
      items_(static_cast<uint64_t>(options.seed), "behaviour_log/items", options.items,
             options.factors + traits, options.item_skew),
      rows_(static_cast<uint64_t>(options.seed), "behaviour_log/rows"),
      label_draws_(static_cast<uint64_t>(options.seed), "behaviour_log/labels"),
      ids_{{"user", static_cast<uint64_t>(options.users)}, {"item", static_cast<uint64_t>(options.items)}} {
  choose_behaviours();
}

void BehaviourLog::add_label(size_t known) {
  const KnownLabel& label = known_labels[known];
  Behaviour behaviour{label.name, label.group, label.exposure, {label.weights.begin(), label.weights.end()}};
  behaviour.weights[Lure] *= options_.conflict;
  double square = 0;
  for (const double weight : behaviour.weights) square += weight * weight;
  for (double& weight : behaviour.weights) weight /= std::sqrt(square);
  behaviours_.push_back(std::move(behaviour));
  labels_.push_back({label.name, known == watch_time_label ? "regression" : "binary"});
}

void BehaviourLog::choose_behaviours() {
  const std::vector<std::string> names = known_names();
  const std::vector<std::string> chosen = options_.behaviours.empty() ? names : options_.behaviours;
  std::vector<double> rates;
  for (const std::string& name : chosen) {
    const auto known = static_cast<size_t>(std::find(names.begin(), names.end(), name) - names.begin());
    if (known == names.size())
      command_error("synth.behaviours: unknown behaviour \"{}\".{}", name, suggestion(name, names));
    if (std::count(chosen.begin(), chosen.end(), name) > 1)
      command_error("synth.behaviours: got \"{}\" twice, expected each at most once", name);
    add_label(known);
    rates.push_back(known_labels[known].rate);
  }
  if (!options_.rates.empty()) rates = options_.rates;
  if (rates.size() != chosen.size()) {
    command_error("synth.rates: got {} rates for {} behaviours, expected one for each", rates.size(),
                  chosen.size());
  }
  if (options_.watch_time > 0) add_label(watch_time_label);
  calibrate(rates);
}

void BehaviourLog::calibrate(const std::vector<double>& rates) {
  const std::vector<std::vector<double>> scores = sample_scores(calibration_rows);
  for (size_t b = 0; b < rates.size(); ++b) behaviours_[b].bias = bias_for_rate(scores[b], rates[b]);
  if (options_.watch_time == 0) return;
  const double mean = mean_of(scores.back()), deviation = std::sqrt(variance_of(scores.back()));
  // Where all rows are alike (no signal, one place) there is nothing to scale.
  Behaviour& watch_time = behaviours_.back();
  watch_time.scale = deviation > 0 ? std::sqrt(options_.watch_time) / deviation : 0;
  watch_time.bias = -mean * watch_time.scale;
}

BehaviourLog::Row BehaviourLog::draw(const RandomStream& stream, uint64_t step, int64_t row) const {
  const auto number = static_cast<uint64_t>(row);
  Row drawn;
  drawn.user = users_.member(stream.uniform(step, number, 0));
  drawn.item = items_.member(stream.uniform(step, number, 1));
  const float* user = users_.factors(drawn.user);
  const float* item = items_.factors(drawn.item);
  const int64_t factors = options_.factors;
  double match = 0;
  for (int64_t f = 0; f < factors; ++f) match += double{user[f]} * item[f];
  match /= std::sqrt(static_cast<double>(factors));
  drawn.axes[Interest] = match;
  drawn.axes[Quality] = item[factors];
  drawn.axes[Lure] = item[factors + 1];
  drawn.axes[Length] = item[factors + 2];
  drawn.axes[Patience] = user[factors];
  drawn.axes[Activity] = user[factors + 1];
  drawn.axes[Sociability] = user[factors + 2];
  // Ranked by a noisy view of the interest: the upper tail of a normal comes first.
  const double rho = options_.exposure_bias;
  const double rank = rho * match + std::sqrt(1 - rho * rho) * stream.normal(step, number, 2);
  const double tail = 0.5 * std::erfc(rank / std::sqrt(2.0));
  const int64_t place =
      std::min(options_.positions - 1, static_cast<int64_t>(tail * static_cast<double>(options_.positions)));
  if (options_.positions > 1)
    drawn.position = static_cast<double>(place) / static_cast<double>(options_.positions - 1);
  return drawn;
}

double BehaviourLog::score(const Row& row, const Behaviour& behaviour) const {
  double sum = 0;
  for (size_t axis = 0; axis < axis_count; ++axis) sum += behaviour.weights[axis] * row.axes[axis];
  return options_.signal * sum - options_.position_bias * behaviour.exposure * row.position;
}

double BehaviourLog::logit(const Row& row, const Behaviour& behaviour) const {
  return behaviour.bias + behaviour.scale * score(row, behaviour);
}

void BehaviourLog::fill_ids(uint64_t step, int64_t first_row, int64_t rows, uint64_t* values) const {
  for (int64_t row = 0; row < rows; ++row) {
    const auto number = static_cast<uint64_t>(first_row + row);
    values[2 * row] = users_.id(users_.member(rows_.uniform(step, number, 0)));
    values[2 * row + 1] = items_.id(items_.member(rows_.uniform(step, number, 1)));
  }
}

void BehaviourLog::fill(uint64_t step, int64_t first_row, int64_t rows, float* x, float* label_values) const {
  for (int64_t i = 0; i < rows; ++i) {
    const Row row = draw(rows_, step, first_row + i);
    x[2 * i] = static_cast<float>(row.position);
    x[2 * i + 1] = static_cast<float>(row.axes[Length]);
    for (size_t b = 0; b < behaviours_.size(); ++b) {
      const auto number = static_cast<uint64_t>(first_row + i);
      const auto draw = static_cast<uint32_t>(b);
      const double value = logit(row, behaviours_[b]);
      if (labels_[b].kind == "regression") {
        const double noise = std::sqrt(1 - options_.watch_time) * label_draws_.normal(step, number, draw);
        *label_values++ = static_cast<float>(value + noise);
      } else {
        *label_values++ = label_draws_.uniform(step, number, draw) < sigmoid_of(value) ? 1.0f : 0.0f;
      }
    }
  }
}

std::vector<double> BehaviourLog::logits(uint64_t step, int64_t first_row, int64_t rows) const {
  std::vector<double> values;
  for (int64_t i = 0; i < rows; ++i) {
    const Row row = draw(rows_, step, first_row + i);
    for (const Behaviour& behaviour : behaviours_) values.push_back(logit(row, behaviour));
  }
  return values;
}

std::vector<std::vector<double>> BehaviourLog::sample_scores(int64_t rows) const {
  const RandomStream stream(static_cast<uint64_t>(options_.seed), "behaviour_log/sample");
  std::vector<std::vector<double>> scores(behaviours_.size());
  for (int64_t i = 0; i < rows; ++i) {
    const Row row = draw(stream, 0, i);
    for (size_t b = 0; b < behaviours_.size(); ++b) scores[b].push_back(score(row, behaviours_[b]));
  }
  return scores;
}

Json BehaviourLog::truth_of(size_t label, const std::vector<double>& scores) const {
  const Behaviour& behaviour = behaviours_[label];
  Json weights = Json::object();
  for (size_t axis = 0; axis < axis_count; ++axis) weights[axis_names[axis]] = behaviour.weights[axis];
  Json found{{"group", behaviour.group},
             {"bias", behaviour.bias},
             {"exposure", behaviour.exposure},
             {"weights", std::move(weights)}};
  if (labels_[label].kind == "regression") {
    const double explained = behaviour.scale * behaviour.scale * variance_of(scores);
    const double noise = 1 - options_.watch_time;
    found["scale"] = behaviour.scale;
    found["best_r2"] = explained > 0 ? explained / (explained + noise) : 0;
    return found;
  }
  std::vector<double> chances;
  for (const double score : scores) chances.push_back(sigmoid_of(behaviour.bias + score));
  found["rate"] = mean_of(chances);
  found["best_auc"] = best_auc(chances);
  return found;
}

Json BehaviourLog::truth() const {
  const std::vector<std::vector<double>> scores = sample_scores(truth_rows);
  Json behaviours = Json::object(), groups = Json::object(), correlation = Json::object();
  Json conflicts = Json::array();
  for (size_t b = 0; b < behaviours_.size(); ++b) {
    const Behaviour& behaviour = behaviours_[b];
    behaviours[behaviour.name] = truth_of(b, scores[b]);
    groups[behaviour.group].push_back(behaviour.name);
    for (size_t other = 0; other < behaviours_.size(); ++other) {
      const double value = b == other ? 1 : correlation_of(scores[b], scores[other]);
      correlation[behaviour.name][behaviours_[other].name] = value;
      if (other > b && value < conflict_below) conflicts.push_back({behaviour.name, behaviours_[other].name});
    }
  }
  return {{"kind", "behaviour_log"},
          {"options", write_options(options_)},
          {"behaviours", std::move(behaviours)},
          {"groups", std::move(groups)},
          {"logit_correlation", std::move(correlation)},
          {"conflicts", std::move(conflicts)},
          {"sample_rows", truth_rows}};
}

namespace {
const Register<SyntheticTable, BehaviourLog> synthetic_behaviour_log_registered{
    "behaviour_log",
    "users, items and up to twelve binary behaviours, dense to rare, some at odds, as in a short-video log"};
}  // namespace

}  // namespace gatewise
