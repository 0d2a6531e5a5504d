// Times ranking requests: candidates with half of the columns each and a context that has the others, beside
// whole rows with the context in every one.
//
//   bench_ranking encoded MODEL            the model's one input is a list of numbers, drawn here
//   bench_ranking raw MODEL FILE.csv       values of features as texts, without quotes; every other column is
//                                          the context's
//
// Predictions are compared before anything is timed. Prints rows of a Markdown table: microseconds of
// processor time, medians over rounds in which both take turns, and the ratio round by round.
#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include "base/error.h"
#include "base/random.h"
#include "scoring/context_predictor.h"

namespace {

using namespace gatewise;

constexpr int64_t sizes[] = {1, 10, 100, 1000};
constexpr int rounds = 21;

double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double seconds_of(const std::function<void()>& action) {
  for (int64_t count = 1;; count *= 2) {
    const double start = processor_seconds();
    for (int64_t i = 0; i < count; ++i) action();
    const double seconds = processor_seconds() - start;
    if (seconds > 5e-3) return seconds / static_cast<double>(count);
  }
}

std::string name_of(const char* directory) { return std::filesystem::path(directory).filename().string(); }

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void check_agreement(const std::vector<float>& got, const std::vector<float>& expected) {
  double most = 0;
  for (size_t i = 0; i < got.size(); ++i)
    most = std::max(
        most, static_cast<double>(std::abs(got[i] - expected[i]) / std::max(1.0f, std::abs(expected[i]))));
  if (!(most <= 1e-6)) data_error("the predictions of candidates and of whole rows differ by {}", most);
}

void compare(const std::string& model, int64_t rows, const std::function<void()>& whole,
             const std::function<void()>& divided) {
  std::vector<double> of_whole, of_divided, ratios;
  for (int round = 0; round < rounds; ++round) {
    of_whole.push_back(seconds_of(whole));
    of_divided.push_back(seconds_of(divided));
    ratios.push_back(of_whole.back() / of_divided.back());
  }
  std::sort(ratios.begin(), ratios.end());
  std::printf("| %s | %d | %.2f | %.2f | %.2f (%.2f to %.2f) |\n", model.c_str(), static_cast<int>(rows),
              1e6 * median(of_whole), 1e6 * median(of_divided), ratios[ratios.size() / 2], ratios.front(),
              ratios.back());
}

void run_encoded(const char* directory) {
  const ServableModel model(directory);
  const ScoringProgram& program = *model.predictor->program();
  if (program.inputs().size() != 1) data_error("{}: got several inputs, expected one of numbers", directory);
  const Node& node = program.graph().node(program.inputs()[0]);
  const int64_t width = node.signature.shape.elements(), half = width / 2;
  ContextMask mask;
  mask[node.name].assign(static_cast<size_t>(width), false);
  for (int64_t i = 0; i < half; ++i) mask[node.name][static_cast<size_t>(2 * i)] = true;
  const auto divided = std::make_shared<const ContextProgram>(*model.loaded.store, mask);
  const RandomStream stream(1, "rows");
  std::vector<float> context, candidates, whole;
  for (uint32_t i = 0; i < half; ++i) context.push_back(static_cast<float>(stream.normal(0, 0, i)));
  for (uint64_t row = 0; row < 1000; ++row) {
    for (int64_t i = 0; i < width; ++i) {
      const bool is_context = mask[node.name][static_cast<size_t>(i)];
      whole.push_back(is_context ? context[i / 2]
                                 : static_cast<float>(stream.normal(1, row, static_cast<uint32_t>(i))));
      if (!is_context) candidates.push_back(whole.back());
    }
  }
  ContextProgramRun run(divided);
  PredictionRun whole_run(model.predictor);
  std::vector<float> expected(1000 * model.predictor->width()), got(expected.size());
  for (const int64_t rows : sizes) {
    const ScoringInput all{{whole.data(), width}, {}};
    const auto score_whole = [&] { whole_run.predict(rows, std::span(&all, 1), expected.data()); };
    const auto score_divided = [&] {
      const ScoringInput of_context{{context.data(), half}, {}};
      std::vector<ScoringInput> inputs(divided->candidate_inputs().size());
      for (size_t i = 0; i < inputs.size(); ++i) {
        if (!divided->is_given(i)) inputs[i].values = {candidates.data(), width - half};
      }
      run.forward(std::span(&of_context, 1), rows, inputs);
      model.predictor->write(run.candidates(), rows, nullptr, got.data());
    };
    score_whole();
    score_divided();
    check_agreement(got, expected);
    compare(name_of(directory), rows, score_whole, score_divided);
  }
}

// Lines of fields; texts point into `text`.
std::vector<std::vector<std::string_view>> fields_of(std::string_view text) {
  std::vector<std::vector<std::string_view>> lines;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    std::vector<std::string_view>& fields = lines.emplace_back();
    for (size_t at = 0;;) {
      const size_t end = std::min(line.find(',', at), line.size());
      fields.push_back(line.substr(at, end - at));
      if (end == line.size()) break;
      at = end + 1;
    }
    text.remove_prefix(std::min(line.size() + 1, text.size()));
  }
  return lines;
}

void run_raw(const char* directory, const char* path) {
  const auto model = std::make_shared<const ServableModel>(directory);
  std::ifstream file(path, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const auto lines = fields_of(text);
  if (lines.size() < 1001) data_error("{}: got {} lines, expected 1001 or more", path, lines.size());
  const std::vector<std::string>& columns = model->encoder->columns();
  std::vector<std::string> names;
  for (size_t i = 0; i < columns.size(); i += 2) names.push_back(columns[i]);
  const auto predictor = std::make_shared<const ContextPredictor>(model, names);
  std::vector<RawValue> context, candidates, whole;
  for (size_t row = 1; row <= 1000; ++row) {
    for (size_t i = 0; i < columns.size(); ++i) {
      const auto at = std::find(lines[0].begin(), lines[0].end(), columns[i]) - lines[0].begin();
      const RawValue value = lines[i % 2 == 0 ? 1 : row].at(static_cast<size_t>(at));
      whole.push_back(value);
      if (i % 2 == 1) candidates.push_back(value);
      if (i % 2 == 0 && row == 1) context.push_back(value);
    }
  }
  ContextRun run(predictor);
  PredictionRun whole_run(model->predictor);
  EncodedData encoded;
  std::vector<float> expected(1000 * model->predictor->width()), got(expected.size());
  for (const int64_t rows : sizes) {
    const auto score_whole = [&] {
      model->encoder->encode(std::span(whole).first(static_cast<size_t>(rows) * columns.size()), rows,
                             encoded);
      whole_run.predict(encoded, 0, rows, expected.data());
    };
    const auto score_divided = [&] {
      const size_t count = static_cast<size_t>(rows) * predictor->candidate_columns().size();
      run.predict(context, std::span(candidates).first(count), rows, got.data());
    };
    score_whole();
    score_divided();
    check_agreement(got, expected);
    compare(name_of(directory), rows, score_whole, score_divided);
  }
  const double planning = seconds_of([&] { ContextPredictor(model, names); });
  std::printf("\nDividing %s takes %.2f ms.\n", name_of(directory).c_str(), 1e3 * planning);
}

}  // namespace

int main(int count, char** arguments) {
  const std::string form = count > 1 ? arguments[1] : "";
  if (!(form == "encoded" && count == 3) && !(form == "raw" && count == 4)) {
    std::fprintf(stderr, "usage: bench_ranking encoded MODEL | raw MODEL FILE.csv\n");
    return 2;
  }
  try {
    form == "raw" ? run_raw(arguments[2], arguments[3]) : run_encoded(arguments[2]);
  } catch (const std::exception& fault) {
    std::fprintf(stderr, "bench_ranking: %s\n", fault.what());
    return 1;
  }
  return 0;
}
