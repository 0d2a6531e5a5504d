#include "scoring/context_program.h"

#include <algorithm>

#include "base/error.h"

namespace gatewise {

ContextProgram::ContextProgram(const Store<float>& store, const ContextMask& mask)
    : split_(split_by_context(store.graph(), mask)),
      context_values_(split_.context),
      candidate_values_(split_.candidates),
      candidates_(
          std::make_shared<const ScoringProgram>(stored(split_.candidates, store, candidate_values_))) {
  if (!context_graph().outputs().empty()) {
    context_ = std::make_shared<const ScoringProgram>(stored(split_.context, store, context_values_));
    context_inputs_ = context_->inputs();
  }
  find_given();
}

StoredGraph ContextProgram::stored(const GraphPart& part, const Store<float>& store, Values& values) {
  const Layout& whole = store.layout();
  StoredGraph stored(*part.graph, values.layout);
  stored.states = store.states().data();
  stored.parameters.resize(values.layout.places.size());
  for (const SharedLeaf& leaf : part.leaves) {
    if (values.layout.state_of_node[leaf.node] >= 0) {
      values.layout.state_of_node[leaf.node] = whole.state_of_node[leaf.whole];
      continue;
    }
    const int index = values.layout.place_of_node[leaf.node];
    ParameterPlace& place = values.layout.places[index];
    const ParameterPlace& from = whole.places[whole.place_of_node[leaf.whole]];
    if (leaf.rows.empty()) {
      place.row_stride = from.row_stride;
      stored.parameters[index] = store.at(from);
      continue;
    }
    Aligned<float>& copy = values.copies.emplace_back(place.extent());
    float* to = copy.data();
    for (const auto& [begin, end] : leaf.rows) {
      for (int64_t row = begin; row < end; ++row, to += place.row_stride)
        std::copy_n(store.at(from) + row * from.row_stride, place.columns, to);
    }
    stored.parameters[index] = copy.data();
  }
  return stored;
}

// Ids that only the candidates' graph reads are an input of the context all the same.
void ContextProgram::find_given() {
  for (const int node : candidate_inputs()) {
    Given& given = given_.emplace_back();
    if (const auto value = split_.given_values.find(node); value != split_.given_values.end())
      given = {Given::Kind::Output, value->second};
    const auto ids = split_.given_ids.find(node);
    if (ids == split_.given_ids.end()) continue;
    const auto found = std::find(context_inputs_.begin(), context_inputs_.end(), ids->second);
    given = {Given::Kind::Ids, static_cast<size_t>(found - context_inputs_.begin())};
    if (found == context_inputs_.end()) context_inputs_.push_back(ids->second);
  }
}

ContextProgramRun::ContextProgramRun(std::shared_ptr<const ContextProgram> program)
    : program_(std::move(program)), candidates_(program_->candidates_) {
  if (program_->context_ != nullptr) context_.emplace(program_->context_);
}

void ContextProgramRun::forward(std::span<const ScoringInput> context, int64_t rows,
                                std::span<ScoringInput> candidates) {
  if (context.size() != program_->context_inputs().size() || candidates.size() != program_->given_.size()) {
    internal_error("scoring: got {} inputs of the context and {} of candidates, expected {} and {}",
                   context.size(), candidates.size(), program_->context_inputs().size(),
                   program_->given_.size());
  }
  if (context_) context_->forward(1, context.first(program_->context_->inputs().size()));
  for (size_t i = 0; i < candidates.size(); ++i) {
    const ContextProgram::Given& given = program_->given_[i];
    if (given.kind == ContextProgram::Given::Kind::Output)
      candidates[i].values = {context_->output(given.index).data, 0};
    if (given.kind == ContextProgram::Given::Kind::Ids) {
      candidates[i].ids = context[given.index].ids;
      candidates[i].ids.stride = 0;
    }
  }
  candidates_.forward(rows, candidates);
}

}  // namespace gatewise
