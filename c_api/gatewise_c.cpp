// The C API over the library: every function catches everything and keeps the message for its thread.
#include <gatewise/gatewise.h>

#include <algorithm>
#include <new>

#include "base/error.h"
#include "scoring/servable_model.h"

namespace {

using namespace gatewise;

thread_local std::string last_error;

gatewise_status fail(gatewise_status status, const char* message) noexcept {
  try {
    last_error = message;
  } catch (...) {
    last_error.clear();
  }
  return status;
}

template <class Action>
gatewise_status guarded(const Action& action) noexcept {
  try {
    action();
    return GATEWISE_OK;
  } catch (const Error& error) {
    const Fault fault = error.fault();
    return fail(fault == Fault::Data      ? GATEWISE_DATA_ERROR
                : fault == Fault::Command ? GATEWISE_USAGE_ERROR
                                          : GATEWISE_INTERNAL_ERROR,
                error.what());
  } catch (const std::bad_alloc&) {
    return fail(GATEWISE_INTERNAL_ERROR, "out of memory");
  } catch (const std::exception& error) {
    return fail(GATEWISE_INTERNAL_ERROR, error.what());
  } catch (...) {
    return fail(GATEWISE_INTERNAL_ERROR, "unknown fault");
  }
}

}  // namespace

struct gatewise_model {
  std::shared_ptr<const ServableModel> model;
};

struct gatewise_scorer {
  explicit gatewise_scorer(std::shared_ptr<const ServableModel> of)
      : model(std::move(of)), run(model->predictor) {}

  std::shared_ptr<const ServableModel> model;
  PredictionRun run;
  // Memory of requests.
  std::vector<RawValue> values;
  std::vector<std::string_view> texts;
  EncodedData encoded;
  std::vector<ScoringInput> inputs;
  std::vector<float> predictions;
};

namespace {

const PredictionColumns* output_of(const gatewise_model* model, size_t output) {
  const std::vector<PredictionColumns>& columns = model->model->predictor->columns();
  return output < columns.size() ? &columns[output] : nullptr;
}

const Node* input_of(const gatewise_model* model, size_t input) {
  const ScoringProgram& program = *model->model->predictor->program();
  return input < program.inputs().size() ? &program.graph().node(program.inputs()[input]) : nullptr;
}

std::string_view view(const gatewise_text& text) {
  return text.size == 0 ? std::string_view() : std::string_view(text.data, text.size);
}

RawValue raw(const gatewise_value& value, std::vector<std::string_view>& texts) {
  switch (value.kind) {
    case GATEWISE_MISSING:
      return {};
    case GATEWISE_NUMBER:
      return value.as.number;
    case GATEWISE_ID:
      return value.as.id;
    case GATEWISE_TEXT:
      return view(value.as.text);
    case GATEWISE_NUMBERS:
      return std::span(value.as.numbers.items, value.as.numbers.count);
    case GATEWISE_IDS:
      return std::span(value.as.ids.items, value.as.ids.count);
    case GATEWISE_TEXTS: {
      const size_t first = texts.size();
      for (size_t i = 0; i < value.as.texts.count; ++i) texts.push_back(view(value.as.texts.items[i]));
      return std::span<const std::string_view>(texts.data() + first, value.as.texts.count);
    }
  }
  command_error("rows: got {} as kind of a value, expected one of gatewise_value_kind", value.kind);
}

void encode(gatewise_scorer& scorer, size_t rows, const gatewise_value* values) {
  if (!scorer.model->encoder)
    command_error("rows: the model takes encoded rows only; call gatewise_score_encoded()");
  const size_t count = rows * scorer.model->encoder->columns().size();
  size_t texts = 0;
  for (size_t i = 0; i < count; ++i) texts += values[i].kind == GATEWISE_TEXTS ? values[i].as.texts.count : 0;
  scorer.texts.clear();
  scorer.texts.reserve(texts);  // values point into it
  scorer.values.clear();
  for (size_t i = 0; i < count; ++i) scorer.values.push_back(raw(values[i], scorer.texts));
  scorer.model->encoder->encode(scorer.values, static_cast<int64_t>(rows), scorer.encoded);
}

void take_inputs(gatewise_scorer& scorer, const gatewise_input* inputs) {
  const ScoringProgram& program = *scorer.model->predictor->program();
  scorer.inputs.resize(program.inputs().size());
  for (size_t i = 0; i < scorer.inputs.size(); ++i) {
    const gatewise_input& from = inputs[i];
    const Node& node = program.graph().node(program.inputs()[i]);
    const bool is_ids = node.leaf == Leaf::Ids;
    if ((is_ids ? static_cast<const void*>(from.ids) : from.values) == nullptr)
      command_error("scoring: input \"{}\": got no {}", node.name, is_ids ? "ids" : "values");
    scorer.inputs[i].values = {from.values, from.stride};
    scorer.inputs[i].ids = {from.ids, from.stride, from.offsets, from.weights};
  }
}

// Predictions reach the caller's memory once they are known to be good.
float* room_for(gatewise_scorer& scorer, size_t rows) {
  const size_t count = rows * static_cast<size_t>(scorer.model->predictor->width());
  if (scorer.predictions.size() < count) scorer.predictions.resize(count);
  return scorer.predictions.data();
}

void hand_over(const gatewise_scorer& scorer, size_t rows, float* predictions) {
  const Predictor& predictor = *scorer.model->predictor;
  predictor.require_finite(scorer.predictions.data(), static_cast<int64_t>(rows));
  std::copy_n(scorer.predictions.data(), rows * static_cast<size_t>(predictor.width()), predictions);
}

}  // namespace

const char* gatewise_last_error(void) { return last_error.c_str(); }

const char* gatewise_version(void) { return GATEWISE_VERSION; }

gatewise_status gatewise_load(const char* directory, gatewise_model** model) {
  return guarded([&] { *model = new gatewise_model{std::make_shared<const ServableModel>(directory)}; });
}

void gatewise_free_model(gatewise_model* model) { delete model; }

gatewise_status gatewise_new_scorer(const gatewise_model* model, gatewise_scorer** scorer) {
  return guarded([&] { *scorer = new gatewise_scorer(model->model); });
}

void gatewise_free_scorer(gatewise_scorer* scorer) { delete scorer; }

const char* gatewise_model_version(const gatewise_model* model) {
  return model->model->loaded.version.c_str();
}

size_t gatewise_prediction_width(const gatewise_model* model) {
  return static_cast<size_t>(model->model->predictor->width());
}

size_t gatewise_output_count(const gatewise_model* model) {
  return model->model->predictor->columns().size();
}

const char* gatewise_output_name(const gatewise_model* model, size_t output) {
  const PredictionColumns* columns = output_of(model, output);
  return columns == nullptr ? nullptr : columns->name.c_str();
}

const char* gatewise_output_kind(const gatewise_model* model, size_t output) {
  const PredictionColumns* columns = output_of(model, output);
  return columns == nullptr ? nullptr : columns->kind.c_str();
}

size_t gatewise_output_offset(const gatewise_model* model, size_t output) {
  const PredictionColumns* columns = output_of(model, output);
  return columns == nullptr ? 0 : static_cast<size_t>(columns->offset);
}

size_t gatewise_output_width(const gatewise_model* model, size_t output) {
  const PredictionColumns* columns = output_of(model, output);
  return columns == nullptr ? 0 : static_cast<size_t>(columns->width);
}

const char* gatewise_class_name(const gatewise_model* model, size_t output, size_t class_index) {
  const PredictionColumns* columns = output_of(model, output);
  if (columns == nullptr || class_index >= columns->class_names.size()) return nullptr;
  return columns->class_names[class_index].c_str();
}

size_t gatewise_feature_count(const gatewise_model* model) {
  return model->model->encoder ? model->model->encoder->columns().size() : 0;
}

const char* gatewise_feature_name(const gatewise_model* model, size_t feature) {
  return feature < gatewise_feature_count(model) ? model->model->encoder->columns()[feature].c_str()
                                                 : nullptr;
}

ptrdiff_t gatewise_find_feature(const gatewise_model* model, const char* name) {
  return model->model->encoder ? model->model->encoder->find(name) : -1;
}

gatewise_status gatewise_score_rows(gatewise_scorer* scorer, size_t rows, const gatewise_value* values,
                                    float* predictions) {
  return guarded([&] {
    encode(*scorer, rows, values);
    scorer->run.predict(scorer->encoded, 0, static_cast<int64_t>(rows), room_for(*scorer, rows));
    hand_over(*scorer, rows, predictions);
  });
}

size_t gatewise_input_count(const gatewise_model* model) {
  return model->model->predictor->program()->inputs().size();
}

const char* gatewise_input_name(const gatewise_model* model, size_t input) {
  const Node* node = input_of(model, input);
  return node == nullptr ? nullptr : node->name.c_str();
}

size_t gatewise_input_width(const gatewise_model* model, size_t input) {
  const Node* node = input_of(model, input);
  if (node == nullptr || node->leaf == Leaf::Ids) return 0;
  return static_cast<size_t>(node->signature.shape.elements());
}

size_t gatewise_input_ids(const gatewise_model* model, size_t input) {
  const Node* node = input_of(model, input);
  if (node == nullptr || node->leaf != Leaf::Ids) return 0;
  return static_cast<size_t>(model->model->predictor->id_limit(input));
}

gatewise_status gatewise_score_encoded(gatewise_scorer* scorer, size_t rows, const gatewise_input* inputs,
                                       float* predictions) {
  return guarded([&] {
    take_inputs(*scorer, inputs);
    scorer->model->predictor->check_ids(static_cast<int64_t>(rows), scorer->inputs);
    scorer->run.predict(static_cast<int64_t>(rows), scorer->inputs, room_for(*scorer, rows));
    hand_over(*scorer, rows, predictions);
  });
}
