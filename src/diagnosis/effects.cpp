#include "diagnosis/effects.h"

#include <cmath>

#include "base/random.h"
#include "diagnosis/rows.h"
#include "diagnosis/sharing.h"

namespace gatewise {
namespace {

double value_of(const std::string& metric, const MetricInput& input) {
  return make_metric(metric)->evaluate(input).value.value_or(NAN);
}

}  // namespace

TaskScores score(const FeatureSpace& space, const EncodedData& data,
                 const std::vector<ValueList>& predictions) {
  TaskScores scores;
  for (size_t task = 0; task < space.tasks.size(); ++task) {
    const std::string& kind = space.tasks[task].kind;
    const JudgedTask judged(space, task, data, predictions);
    const double loss = value_of(kind == "regression" ? "rmse" : "log_loss", judged.input());
    scores.loss.push_back(kind == "regression" ? loss * loss : loss);
    scores.main.push_back(value_of(main_metric(kind), judged.input()));
  }
  return scores;
}

Effects measure_effects(const Graph& graph, const Store<float>& store, const FeatureSpace& space,
                        const EncodedData& data, int64_t most, Pool& pool) {
  Effects effects;
  Intervention intervention(graph, store, space, pool);
  const auto scored = [&] {
    const TaskScores scores = score(space, data, intervention.predict(data));
    intervention.reset();
    return scores;
  };
  effects.intact = scored();
  int64_t experts = 0, gates = 0;
  for (const LevelProbe& level : graph.probes()) {
    experts += level.gates.empty() ? 0 : static_cast<int64_t>(level.experts.size());
    gates += static_cast<int64_t>(level.gates.size());
  }
  for (size_t index = 0; index < graph.probes().size(); ++index) {
    const LevelProbe& level = graph.probes()[index];
    std::vector<TaskScores>& removed = effects.removed.emplace_back();
    std::vector<TaskScores>& own_removed = effects.own_removed.emplace_back(space.tasks.size());
    std::vector<TaskScores>& uniform = effects.uniform.emplace_back();
    if (level.gates.empty()) continue;
    for (size_t expert = 0; expert < level.experts.size() && experts <= most; ++expert) {
      intervention.remove(index, {static_cast<int>(expert)});
      removed.push_back(scored());
    }
    for (size_t task = 0; task < space.tasks.size() && experts <= most; ++task) {
      std::set<int> own;
      for (size_t expert = 0; expert < level.experts.size(); ++expert) {
        if (level.experts[expert].task == space.tasks[task].name) own.insert(static_cast<int>(expert));
      }
      if (own.empty()) continue;
      intervention.remove(index, own);
      own_removed[task] = scored();
    }
    for (size_t gate = 0; gate < level.gates.size() && gates <= most; ++gate) {
      intervention.make_uniform(index, gate);
      uniform.push_back(scored());
    }
  }
  return effects;
}

namespace {

// Mean and standard error of the mean, number by number.
void summarise_draws(const std::vector<std::vector<double>>& draws, std::vector<double>& means,
                     std::vector<double>& errors) {
  const auto count = static_cast<double>(draws.size());
  for (size_t task = 0; task < draws[0].size(); ++task) {
    double mean = 0, squares = 0;
    for (const std::vector<double>& draw : draws) mean += draw[task] / count;
    for (const std::vector<double>& draw : draws) squares += (draw[task] - mean) * (draw[task] - mean);
    means.push_back(mean);
    errors.push_back(count > 1 ? std::sqrt(squares / (count - 1) / count) : NAN);
  }
}

struct Encoding {
  PermutedColumn::Kind kind;
  int64_t first, width;
};

// One column may be encoded in several ways, which then move together.
ColumnEffect permute_column(const std::string& column, const std::vector<Encoding>& encodings, Scorer& scorer,
                            const FeatureSpace& space, EncodedData& data, int64_t shuffles, uint64_t seed) {
  std::vector<std::vector<double>> losses, mains;
  for (int64_t shuffle = 0; shuffle < shuffles; ++shuffle) {
    std::vector<std::unique_ptr<PermutedColumn>> permuted;
    const uint64_t key = mix64(seed + static_cast<uint64_t>(shuffle));
    for (const Encoding& encoding : encodings) {
      permuted.push_back(
          std::make_unique<PermutedColumn>(data, encoding.kind, encoding.first, encoding.width, key));
    }
    TaskScores scores = score(space, data, scorer.predict(data));
    losses.push_back(std::move(scores.loss));
    mains.push_back(std::move(scores.main));
  }
  ColumnEffect effect{column, {}, {}};
  summarise_draws(losses, effect.permuted.loss, effect.errors.loss);
  summarise_draws(mains, effect.permuted.main, effect.errors.main);
  return effect;
}

}  // namespace

std::vector<ColumnEffect> permute_columns(Scorer& scorer, const FeatureSpace& space, EncodedData& data,
                                          int64_t shuffles, uint64_t seed,
                                          const std::map<std::string, std::string>& column_of) {
  std::vector<std::string> order;
  std::map<std::string, std::vector<Encoding>> columns;
  const auto add = [&](const std::string& feature, Encoding encoding) {
    const auto named = column_of.find(feature);
    const std::string& column = named == column_of.end() ? feature : named->second;
    if (!columns.contains(column)) order.push_back(column);
    columns[column].push_back(encoding);
  };
  for (const NumericFeature& feature : space.numeric)
    add(feature.name, {PermutedColumn::Kind::Numeric, feature.offset, feature.width});
  for (const IdFeature& feature : space.ids) add(feature.name, {PermutedColumn::Kind::Id, feature.column, 1});
  for (const BagFeature& feature : space.bags) add(feature.name, {PermutedColumn::Kind::Bag, feature.bag, 1});
  std::vector<ColumnEffect> effects;
  for (const std::string& column : order)
    effects.push_back(permute_column(column, columns[column], scorer, space, data, shuffles, seed));
  return effects;
}

}  // namespace gatewise
