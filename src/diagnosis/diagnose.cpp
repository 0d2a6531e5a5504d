#include "diagnosis/diagnose.h"

#include <fmt/format.h>

#include <cmath>

#include "base/error.h"
#include "diagnosis/result_json.h"
#include "diagnosis/rows.h"

namespace gatewise {
namespace {

constexpr int64_t row_blocks = 10;
constexpr int64_t fewest_rows = 20;
constexpr int64_t most_watched_numbers = int64_t{1} << 27;
constexpr int64_t fewest_batch_rows = 64;

// Feature columns with numbers far off once encoded.
std::vector<std::string> wild_columns(const FeatureSpace& space, const EncodedData& data, double wild) {
  std::vector<std::string> columns;
  for (const NumericFeature& feature : space.numeric) {
    double largest = 0;
    for (int64_t row = 0; row < data.rows; ++row) {
      for (int64_t i = 0; i < feature.width; ++i) {
        const double size = std::abs(data.numeric[row * data.numeric_width + feature.offset + i]);
        largest = std::max(largest, size);
      }
    }
    if (largest > wild) columns.push_back(feature.name);
  }
  return columns;
}

// The columns of the features that tell where their values are missing.
std::map<std::string, std::string> columns_of_indicators(const Json& configuration) {
  std::map<std::string, std::string> columns;
  const Json specs = configuration.value("columns", Json::object());
  for (const auto& [column, spec] : specs.items()) {
    if (spec.is_object() && spec.value("missing_indicator", false)) columns[column + "_missing"] = column;
  }
  return columns;
}

std::vector<int64_t> rows_to_look_at(const DiagnosisRequest& request) {
  const EncodedData& rows = request.rows;
  if (rows.labels.empty()) data_error("diagnose: the rows have no labels");
  if (rows.rows < fewest_rows)
    data_error("diagnose: got {} rows, expected at least {}; shares of so few mean nothing", rows.rows,
               fewest_rows);
  const int64_t width = std::max<int64_t>(1, watched_width(request.graph));
  const int64_t most = std::max(fewest_rows, most_watched_numbers / width);
  return spread_rows(rows.rows, std::min(request.options.rows, most));
}

// As in training, unless blocks of the rows would then have no batch of their own.
int64_t gradient_batch(const DiagnosisRequest& request, int64_t rows) {
  int64_t batch = 1024;
  if (request.configuration.contains("training"))
    batch = request.configuration["training"].value("batch_rows", batch);
  return std::clamp(batch, int64_t{2}, std::max(fewest_batch_rows, rows / row_blocks));
}

std::string normaliser_of(const DiagnosisRequest& request) {
  const std::string usual = TrainingOptions().normaliser;
  return request.configuration.contains("training")
             ? request.configuration["training"].value("normaliser", usual)
             : usual;
}

// How far a gate's mean weights moved in training: half the sum of the changes of their shares.
double moved(const Json& from, const Json& to) {
  double of_from = 0, of_to = 0, change = 0;
  for (size_t i = 0; i < from.size(); ++i) {
    of_from += std::abs(from[i].get<double>());
    of_to += std::abs(to[i].get<double>());
  }
  for (size_t i = 0; i < from.size() && of_from > 0 && of_to > 0; ++i)
    change += std::abs(std::abs(from[i].get<double>()) / of_from - std::abs(to[i].get<double>()) / of_to);
  return 0.5 * change;
}

// Per gate: {epochs, weights: [epoch][expert], entropy: [epoch], drift}, from the probes of the history.
Json drift_of(const Json& history) {
  Json levels = Json::object();
  if (!history.is_object() || !history.contains("epochs")) return levels;
  for (const Json& epoch : history["epochs"]) {
    const Json probes = epoch.value("probes", Json::object());
    for (const auto& [level, found] : probes.items()) {
      const Json gates = found.value("gates", Json::object());
      for (const auto& [path, gate] : gates.items()) {
        Json& course = levels[level][path];
        course["epochs"].push_back(epoch["epoch"]);
        course["weights"].push_back(gate["weights"]);
        course["entropy"].push_back(gate["entropy"]);
      }
    }
  }
  for (auto& [level, gates] : levels.items()) {
    for (auto& [path, course] : gates.items()) {
      // One look tells of no movement.
      course["drift"] = course["epochs"].size() < 2
                            ? Json()
                            : Json(moved(course["weights"].front(), course["weights"].back()));
    }
  }
  return levels;
}

// "levels/0/shared_experts" of "levels/0/shared_experts/2".
std::string bank_of(const std::string& expert) { return expert.substr(0, expert.rfind('/')); }

// What a remedy has to know of the other verdicts of the level, and of the tasks.
void add_company(const Background& background, std::vector<Verdict>& verdicts) {
  const auto count = [&](const Verdict& like, const auto& is_alike) {
    return std::count_if(verdicts.begin(), verdicts.end(), [&](const Verdict& other) {
      return other.kind == like.kind && other.level == like.level && is_alike(other);
    });
  };
  for (Verdict& verdict : verdicts) {
    if (verdict.kind == "unused_expert") {
      verdict.evidence["unused_in_level"] = count(
          verdict, [&](const Verdict& other) { return bank_of(other.expert) == bank_of(verdict.expert); });
    }
    if (verdict.kind != "degradation") continue;
    verdict.evidence["captured_in_level"] = count(verdict, [](const Verdict&) { return true; });
    verdict.evidence["captured_by_this_task"] =
        count(verdict, [&](const Verdict& other) { return other.tasks == verdict.tasks; });
    for (size_t task = 0; task < background.tasks.size(); ++task) {
      const TaskSpace& of_task = background.space.tasks[task];
      if (of_task.name == verdict.tasks[0] && of_task.kind == "regression")
        verdict.evidence["label_deviation"] = background.tasks[task].label_deviation;
    }
    for (const WatchedLevel& level : background.levels) {
      if (level.name != verdict.level) continue;
      verdict.evidence["shared_experts"] =
          std::count_if(level.experts.begin(), level.experts.end(),
                        [](const ExpertProbe& expert) { return expert.task.empty(); });
    }
  }
}

Json verdicts_json(std::vector<Verdict> verdicts, const Background& background, const Json& configuration) {
  add_company(background, verdicts);
  std::stable_sort(verdicts.begin(), verdicts.end(),
                   [](const Verdict& a, const Verdict& b) { return a.confidence > b.confidence; });
  Json list = Json::array();
  for (Verdict& verdict : verdicts) {
    Json item{{"kind", verdict.kind}, {"where", verdict.where}};
    if (!verdict.level.empty()) item["level"] = verdict.level;
    if (!verdict.expert.empty()) item["expert"] = verdict.expert;
    item["tasks"] = verdict.tasks;
    item["text"] = verdict.text;
    item["confidence"] = verdict.confidence;
    item["evidence"] = verdict.evidence;
    if (!configuration.empty()) {
      const Remedy remedy = remedy_for(verdict, configuration);
      item["remedy"] = {{"text", remedy.text}, {"changes", remedy.changes}};
    }
    list.push_back(std::move(item));
  }
  return list;
}

Json sharing_json(const DiagnosisRequest& request, const JudgedModel& whole) {
  Json sharing{{"text", "Not judged: " + request.why_no_single}, {"tasks", Json::object()}};
  sharing["shares"] = request.shared == SharedParts::Nothing      ? "nothing"
                      : request.shared == SharedParts::Embeddings ? "embeddings"
                                                                  : "parameters";
  if (request.rivals.singles.empty()) return sharing;
  const SharingOptions options{request.options.resamples, static_cast<uint64_t>(request.options.seed)};
  sharing["tasks"] = compare_with_single(whole, request.rivals, options);
  if (sharing["tasks"].empty())
    data_error(
        "diagnose: --single: the model has none of the tasks, so nothing compares; name one of theirs");
  const std::string what = request.shared == SharedParts::Embeddings ? "of embeddings alone " : "";
  sharing["text"] = sharing_text(sharing["tasks"], what);
  return sharing;
}

}  // namespace

void look_for_sharing(DiagnosisRequest& request, Pool& pool) {
  request.shared = shared_parts(request.graph, request.store, request.space, request.rows, pool);
  if (request.shared != SharedParts::Nothing) return;
  request.why_no_single = request.space.tasks.size() == 1
                              ? "the model has one task, so nothing is shared"
                              : "the model shares nothing between its tasks, so nothing of the kind can help "
                                "or hurt";
}

Json diagnose(const DiagnosisRequest& request, Pool& pool) {
  const DiagnosisOptions& options = request.options;
  const FeatureSpace& space = request.space;
  const std::vector<int64_t> chosen = rows_to_look_at(request);
  EncodedData data = select_rows(request.rows, chosen);
  Scorer scorer(request.graph, request.store, space, pool);
  const std::vector<WatchedLevel> levels = watch(request.graph, request.store, space, data, pool);
  const GradientStatistics gradients =
      measure_gradients(request.graph, request.store, space, data, gradient_batch(request, data.rows),
                        normaliser_of(request), pool);
  const Effects effects =
      measure_effects(request.graph, request.store, space, data, options.most_effects, pool);
  const std::vector<ValueList> predictions = scorer.predict(data);
  const std::vector<TaskFacts> tasks = task_facts(space, data, predictions, options);
  const Background background{space,   levels, gradients.pairs,
                              effects, tasks,  wild_columns(space, data, options.wild_number),
                              options};
  const Observed whole = observe(levels, gradients, 0, data.rows, false);
  std::vector<Observed> parts;
  for (int64_t block = 0; block < row_blocks; ++block) {
    const int64_t first = block * data.rows / row_blocks, last = (block + 1) * data.rows / row_blocks;
    parts.push_back(observe(levels, gradients, first, last - first, true));
  }
  Json result{{"diagnosis", 1}, {"rows", request.rows.rows}, {"rows_looked_at", data.rows}};
  result["sharing"] = sharing_json(request, {space, request.rows, scorer.predict(request.rows)});
  result["verdicts"] = verdicts_json(judge(whole, parts, background), background, request.configuration);
  result["thresholds"] = write_options(options);
  result["tasks"] = tasks_json(background);
  std::optional<Slices> slices;
  if (request.slices) slices = select_slices(*request.slices, chosen);
  result["levels"] = levels_json(whole, background, drift_of(request.history), slices);
  result["gradients"] = gradients_json(gradients, whole, background);
  const auto columns = static_cast<int64_t>(space.numeric.size() + space.ids.size() + space.bags.size());
  if (columns <= options.columns) {
    result["columns"] = columns_json(
        permute_columns(scorer, space, data, options.shuffles, static_cast<uint64_t>(options.seed),
                        columns_of_indicators(request.configuration)),
        background);
  }
  return result;
}

std::vector<Remedy> remedies_of(const Json& diagnosis) {
  std::vector<Remedy> remedies;
  for (const Json& verdict : diagnosis["verdicts"]) {
    if (!verdict.contains("remedy")) continue;
    remedies.push_back({verdict["remedy"]["text"].get<std::string>(), verdict["remedy"]["changes"]});
  }
  return remedies;
}

}  // namespace gatewise
