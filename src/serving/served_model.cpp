#include "serving/served_model.h"

#include <algorithm>

#include "serving/json_text.h"

namespace gatewise {
namespace {

constexpr size_t most_divisions = 8;

std::string json_key(const std::string& name) {
  std::string key;
  append_json_text(key, name);
  return key + ":";
}

// Only look-ups in tables join lists of ids; whatever else reads ids takes one for each row.
bool reads_lists(const Graph& graph, const Node& ids) {
  bool is_read = false;
  for (const Node& reader : graph.nodes()) {
    if (std::find(reader.inputs.begin(), reader.inputs.end(), ids.id) == reader.inputs.end()) continue;
    if (reader.op->name() != "embedding") return false;
    is_read = true;
  }
  return is_read;
}

std::vector<EncodedInput> encoded_inputs(const ServableModel& model) {
  std::vector<EncodedInput> inputs;
  const ScoringProgram& program = *model.predictor->program();
  for (const int place : program.inputs()) {
    const Node& node = program.graph().node(place);
    EncodedInput& input = inputs.emplace_back();
    input.name = node.name;
    input.is_ids = node.leaf == Leaf::Ids;
    input.takes_lists = input.is_ids && reads_lists(program.graph(), node) &&
                        (!model.loaded.encoder || node.name.starts_with("bags/"));
    if (!input.is_ids) input.width = node.signature.shape.elements();
  }
  return inputs;
}

}  // namespace

ServedModel::ServedModel(std::string name, int64_t version, std::shared_ptr<const ServableModel> model)
    : name_(std::move(name)), version_(version), model_(std::move(model)) {
  inputs_ = encoded_inputs(*model_);
  if (model_->loaded.encoder) {
    columns_ = raw_columns(*model_->loaded.encoder);
    divisions_ = std::make_unique<ContextPredictors>(model_, most_divisions);
  }
  for (size_t i = 0; i < columns_.size(); ++i) all_slots_.of_column.push_back(static_cast<int32_t>(i));
  all_slots_.width = static_cast<int64_t>(columns_.size());
  for (const PredictionColumns& output : model_->predictor->columns()) {
    OutputText& text = output_texts_.emplace_back();
    text.key = json_key(output.name);
    for (const std::string& name_of_class : output.class_names)
      text.class_keys.push_back(json_key(name_of_class));
  }
  head_ = R"({"model_name":)";
  append_json_text(head_, name_);
  head_ += R"(,"model_version":")" + std::to_string(version_) + '"';
}

ScoringSession& ServedModel::session(size_t worker) const {
  const std::lock_guard lock(mutex_);
  if (sessions_.size() <= worker) sessions_.resize(worker + 1);
  if (!sessions_[worker]) sessions_[worker] = std::make_unique<ScoringSession>(model_->predictor);
  return *sessions_[worker];
}

void ServedModel::end_session(size_t worker) const noexcept {
  const std::lock_guard lock(mutex_);
  if (worker < sessions_.size()) sessions_[worker].reset();
}

RankingSession& ServedModel::ranking(ScoringSession& session, const std::vector<bool>& context) const {
  auto& known = session.rankings;
  const auto at =
      std::find_if(known.begin(), known.end(), [&](auto& ranking) { return ranking->context == context; });
  if (at != known.end()) {
    std::rotate(known.begin(), at, at + 1);
    return *known.front();
  }
  std::vector<std::string> names;
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (context[i]) names.push_back(columns_[i].name);
  }
  auto made = std::make_unique<RankingSession>(divisions_->get(names));
  made->context = context;
  RowSlots &of_context = made->context_slots, &of_candidates = made->candidate_slots;
  for (const bool is_context : context) {
    of_context.of_column.push_back(is_context ? static_cast<int32_t>(of_context.width++) : -1);
    of_candidates.of_column.push_back(is_context ? -1 : static_cast<int32_t>(of_candidates.width++));
  }
  if (known.size() == most_divisions) known.pop_back();
  known.insert(known.begin(), std::move(made));
  return *known.front();
}

}  // namespace gatewise
