// The C API on values and inputs of any kind: a status and a message, never an exception.
#include <gatewise/gatewise.h>

#include <cmath>

#include "tests/fuzz/random_rows.h"
#include "tests/fuzz/saved_sample.h"
#include "tests/fuzz/target.h"

namespace gatewise {
namespace {

struct Loaded {
  Loaded() {
    const SavedSample saved;
    fuzz_require(gatewise_load(saved.path().c_str(), &model) == GATEWISE_OK, gatewise_last_error());
    fuzz_require(gatewise_new_scorer(model, &scorer) == GATEWISE_OK, gatewise_last_error());
  }
  ~Loaded() {
    gatewise_free_scorer(scorer);
    gatewise_free_model(model);
  }
  gatewise_model* model = nullptr;
  gatewise_scorer* scorer = nullptr;
};

void check_status(gatewise_status status, const std::vector<float>& predictions) {
  const std::string message = gatewise_last_error();
  fuzz_require(status != GATEWISE_INTERNAL_ERROR, "an internal error: " + message);
  if (status != GATEWISE_OK) {
    fuzz_require(!message.empty(), "an error without a message");
    command_error("{}", message);
  }
  for (const float value : predictions)
    fuzz_require(std::isfinite(value), fmt::format("the prediction {} without a word", value));
}

gatewise_value c_value(const RawValue& raw, std::deque<std::vector<gatewise_text>>& texts) {
  gatewise_value value{};
  value.kind = static_cast<int>(raw.index());
  if (const auto* number = std::get_if<double>(&raw)) value.as.number = *number;
  if (const auto* id = std::get_if<uint64_t>(&raw)) value.as.id = *id;
  if (const auto* text = std::get_if<std::string_view>(&raw)) value.as.text = {text->data(), text->size()};
  if (const auto* list = std::get_if<std::span<const double>>(&raw))
    value.as.numbers = {list->data(), list->size()};
  if (const auto* list = std::get_if<std::span<const uint64_t>>(&raw))
    value.as.ids = {list->data(), list->size()};
  if (const auto* list = std::get_if<std::span<const std::string_view>>(&raw)) {
    std::vector<gatewise_text>& kept = texts.emplace_back();
    for (const std::string_view item : *list) kept.push_back({item.data(), item.size()});
    value.as.texts = {kept.data(), kept.size()};
  }
  return value;
}

void score_raw(const Loaded& loaded, std::string_view input) {
  const RandomRows given(input, gatewise_feature_count(loaded.model));
  std::deque<std::vector<gatewise_text>> texts;
  std::vector<gatewise_value> values;
  for (const RawValue& raw : given.values) values.push_back(c_value(raw, texts));
  if (!values.empty() && input.size() % 61 == 60) values.back().kind = static_cast<int>(input.size());
  std::vector<float> predictions(static_cast<size_t>(given.rows) * gatewise_prediction_width(loaded.model));
  check_status(
      gatewise_score_rows(loaded.scorer, static_cast<size_t>(given.rows), values.data(), predictions.data()),
      predictions);
}

void score_encoded(const Loaded& loaded, std::string_view input) {
  Taker from(input);
  constexpr size_t rows = 2;
  std::deque<std::vector<float>> values;
  std::deque<std::vector<uint32_t>> ids;
  std::deque<std::vector<int64_t>> offsets;
  std::vector<gatewise_input> inputs;
  for (size_t i = 0; i < gatewise_input_count(loaded.model); ++i) {
    const size_t width = gatewise_input_width(loaded.model, i);
    gatewise_input& one = inputs.emplace_back();
    one.stride = width == 0 ? 1 : static_cast<ptrdiff_t>(width);
    std::vector<float>& numbers = values.emplace_back(rows * std::max<size_t>(width, 4));
    for (float& number : numbers) number = static_cast<float>(static_cast<int8_t>(from.byte()));
    std::vector<uint32_t>& names = ids.emplace_back(4);
    for (uint32_t& name : names) name = from.byte() % 8 == 7 ? from.take<uint32_t>() : from.byte() % 4;
    // Offsets may be wrong, but lie inside the list.
    std::vector<int64_t>& bounds = offsets.emplace_back(rows + 1);
    for (int64_t& bound : bounds) bound = from.byte() % 5;
    const uint8_t kind = from.byte();
    if (kind % 16 != 15) one.values = numbers.data();
    if (kind % 16 != 14) one.ids = names.data();
    if (kind % 4 == 1) one.offsets = bounds.data();
    if (kind % 8 == 1) one.weights = numbers.data();
  }
  std::vector<float> predictions(rows * gatewise_prediction_width(loaded.model));
  check_status(gatewise_score_encoded(loaded.scorer, rows, inputs.data(), predictions.data()), predictions);
}

void call_c_api(std::string_view input) {
  static const Loaded loaded;
  if (input.empty()) return;
  gatewise_find_feature(loaded.model, std::string(input).c_str());
  gatewise_class_name(loaded.model, static_cast<uint8_t>(input[0]), input.size());
  input[0] % 2 == 0 ? score_raw(loaded, input.substr(1)) : score_encoded(loaded, input.substr(1));
}

std::vector<std::string> calls() {
  std::vector<std::string> seeds{std::string(400, '\0'), std::string(1, '\1') + std::string(400, '\0')};
  for (const std::string& rows : fuzz_targets().at("rows").seeds())
    seeds.push_back(std::string(1, '\0') + rows);
  std::string encoded(1, '\1');
  for (int i = 0; i < 300; ++i) encoded += static_cast<char>(i * 37);
  seeds.push_back(encoded);
  return seeds;
}

const RegisterFuzzTarget c_api_registered{"c_api", {.run = call_c_api, .seeds = calls, .mutations = 4000}};

}  // namespace
}  // namespace gatewise
