#include "scoring/context_predictor.h"

#include <algorithm>

#include "base/error.h"

namespace gatewise {
namespace {

const Encoder& encoder_of(const ServableModel& model) {
  if (!model.loaded.encoder) {
    command_error(
        "context: the model takes encoded rows only, which have no columns to name; save it with the "
        "encoder of its rows");
  }
  return *model.loaded.encoder;
}

std::vector<bool> columns_named(const RowEncoder& encoder, std::span<const std::string> names) {
  std::vector<bool> columns(encoder.columns().size(), false);
  for (const std::string& name : names) {
    const int64_t column = encoder.find(name);
    if (column < 0) command_error("context: no column \"{}\".{}", name, suggestion(name, encoder.columns()));
    columns[static_cast<size_t>(column)] = true;
  }
  return columns;
}

RowPart candidate_part(const RowEncoder& encoder, std::span<const std::string> names) {
  std::vector<bool> columns = columns_named(encoder, names);
  columns.flip();
  return {std::move(columns), "candidate", true};
}

// The encoded columns of the context as inputs of the model's graph.
ContextMask mask_of(const FeatureSpace& space, const EncodedColumns& context) {
  ContextMask mask;
  std::vector<bool>& numeric = mask["numeric"];
  numeric.assign(static_cast<size_t>(space.numeric_width()), false);
  for (const int64_t column : context.numeric) numeric[static_cast<size_t>(column)] = true;
  for (const int64_t column : context.ids)
    mask["ids/" + space.ids[static_cast<size_t>(column)].name] = {true};
  for (const int64_t bag : context.bags) mask["bags/" + space.bags[static_cast<size_t>(bag)].name] = {true};
  if (context.has_task) mask["row_task"] = {true};
  return mask;
}

// What the encoded rows of a part hold; of numbers a graph needs to know no more than that they are there.
FeatureSpace space_of(const FeatureSpace& whole, const EncodedColumns& kept) {
  FeatureSpace space;
  space.tables = whole.tables;
  space.tasks = whole.tasks;
  if (kept.has_task) space.task_column = whole.task_column;
  for (const int64_t column : kept.ids) {
    space.ids.push_back(whole.ids[static_cast<size_t>(column)]);
    space.ids.back().column = static_cast<int64_t>(space.ids.size()) - 1;
  }
  for (const int64_t bag : kept.bags) {
    space.bags.push_back(whole.bags[static_cast<size_t>(bag)]);
    space.bags.back().bag = static_cast<int64_t>(space.bags.size()) - 1;
  }
  return space;
}

InputBindings bindings_of(const Graph& graph, std::span<const int> inputs, const FeatureSpace& space) {
  return InputBindings(graph, inputs, &space);
}

std::vector<std::string> ascending(std::span<const std::string> names) {
  std::vector<std::string> sorted(names.begin(), names.end());
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  return sorted;
}

}  // namespace

ContextPredictor::ContextPredictor(const std::shared_ptr<const ServableModel>& model,
                                   std::span<const std::string> context)
    : ContextPredictor(encoder_of(*model), model, context) {}

ContextPredictor::ContextPredictor(const Encoder& encoder, std::shared_ptr<const ServableModel> model,
                                   std::span<const std::string> context)
    : model_(std::move(model)),
      context_(encoder, {columns_named(*model_->encoder, context), "context", false}),
      candidates_(encoder, candidate_part(*model_->encoder, context)),
      program_(std::make_shared<const ContextProgram>(*model_->loaded.store,
                                                      mask_of(encoder.space(), context_.encoded()))),
      context_inputs_(bindings_of(program_->context_graph(), program_->context_inputs(),
                                  space_of(encoder.space(), context_.encoded()))),
      candidate_inputs_(bindings_of(program_->candidate_graph(), program_->candidate_inputs(),
                                    space_of(encoder.space(), candidates_.encoded()))) {
  for (size_t i = 0; i < program_->candidate_inputs().size(); ++i) {
    if (program_->is_given(i)) candidate_inputs_.leave_to_caller(i);
  }
}

ContextRun::ContextRun(std::shared_ptr<const ContextPredictor> predictor)
    : predictor_(std::move(predictor)), run_(predictor_->program_) {}

template <class Number>
void ContextRun::predict(std::span<const RawValue> context, std::span<const RawValue> candidates,
                         int64_t rows, Number* predictions) {
  const ContextPredictor& of = *predictor_;
  of.context_.encode(context, 1, context_values_);
  of.candidates_.encode(candidates, rows, candidate_values_);
  if (rows == 0) return;
  of.context_inputs_.bind(context_values_, 0, context_inputs_);
  of.candidate_inputs_.bind(candidate_values_, 0, candidate_inputs_);
  run_.forward(context_inputs_, rows, candidate_inputs_);
  Ids tasks;
  if (of.context_.encoded().has_task) tasks = {context_values_.row_task.data(), 0, nullptr, nullptr};
  if (of.candidates_.encoded().has_task) tasks = {candidate_values_.row_task.data(), 1, nullptr, nullptr};
  const bool is_own = of.model_->loaded.encoder->space().has_own_labels();
  of.model_->predictor->write(run_.candidates(), rows, is_own ? &tasks : nullptr, predictions);
}

template void ContextRun::predict(std::span<const RawValue>, std::span<const RawValue>, int64_t, float*);
template void ContextRun::predict(std::span<const RawValue>, std::span<const RawValue>, int64_t, double*);

ContextPredictors::ContextPredictors(std::shared_ptr<const ServableModel> model, size_t most)
    : model_(std::move(model)), most_(std::max<size_t>(most, 1)) {}

std::shared_ptr<const ContextPredictor> ContextPredictors::get(std::span<const std::string> context) {
  const std::vector<std::string> names = ascending(context);
  const auto take = [&]() -> std::shared_ptr<const ContextPredictor> {
    const auto found = std::find_if(entries_.begin(), entries_.end(),
                                    [&](const Entry& entry) { return entry.context == names; });
    if (found == entries_.end()) return nullptr;
    std::rotate(entries_.begin(), found, found + 1);
    return entries_.front().predictor;
  };
  {
    const std::lock_guard lock(mutex_);
    if (auto known = take()) return known;
  }
  // Outside the lock: others go on meanwhile. Who comes second takes what the first has made.
  auto made = std::make_shared<const ContextPredictor>(model_, names);
  const std::lock_guard lock(mutex_);
  if (auto known = take()) return known;
  entries_.insert(entries_.begin(), {names, std::move(made)});
  if (entries_.size() > most_) entries_.pop_back();
  return entries_.front().predictor;
}

}  // namespace gatewise
