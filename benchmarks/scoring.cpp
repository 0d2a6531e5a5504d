// Times scoring by the C API, as a program that embeds it would call it.
//
//   bench_scoring encoded MODEL INPUTS ROWS OUTPUT   INPUTS: raw float32 rows of the model's one input of
//   numbers bench_scoring raw MODEL FILE.csv ROWS OUTPUT     FILE.csv: values of features as texts, without
//   quotes
//
// Predictions of the first ROWS rows go to OUTPUT (raw float32) for the caller to check; requests of ROWS
// rows go on through all rows of the input, so that not one row is scored over and over. Prints one line of
// JSON: seconds per request, warm and, for up to 32 rows, after the caches have been swept.
#include <gatewise/gatewise.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

using Request = std::function<void(size_t index)>;

void check(gatewise_status status) {
  if (status != GATEWISE_OK) throw std::runtime_error(gatewise_last_error());
}

double seconds(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error(path + ": cannot be read");
  return {std::istreambuf_iterator<char>(file), {}};
}

double quantile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(share * static_cast<double>(values.size() - 1))];
}

// Seconds per request: many requests between two looks at the clock, many times.
void time_warm(const Request& request, std::string& json) {
  size_t index = 0, count = 1;
  double once = 0;
  for (;; count *= 2) {
    const double start = seconds(CLOCK_MONOTONIC);
    for (size_t i = 0; i < count; ++i) request(index++);
    once = seconds(CLOCK_MONOTONIC) - start;
    if (once > 1e-3) break;
  }
  std::vector<double> wall, processor;
  for (const double end = seconds(CLOCK_MONOTONIC) + 1.0;
       seconds(CLOCK_MONOTONIC) < end || wall.size() < 5;) {
    const double start = seconds(CLOCK_MONOTONIC), busy = seconds(CLOCK_THREAD_CPUTIME_ID);
    for (size_t i = 0; i < count; ++i) request(index++);
    wall.push_back((seconds(CLOCK_MONOTONIC) - start) / static_cast<double>(count));
    processor.push_back((seconds(CLOCK_THREAD_CPUTIME_ID) - busy) / static_cast<double>(count));
  }
  char line[256];
  std::snprintf(line, sizeof line, "\"seconds\": %.9g, \"least_seconds\": %.9g, \"processor_seconds\": %.9g",
                quantile(wall, 0.5), quantile(wall, 0), quantile(processor, 0.5));
  json += line;
}

// One request after 64 MB have passed through the caches.
void time_cold(const Request& request, std::string& json) {
  std::vector<char> sweep(64 << 20, 1);
  std::vector<double> wall;
  for (size_t round = 0; round < 101; ++round) {
    for (size_t i = 0; i < sweep.size(); i += 64) ++sweep[i];
    const double start = seconds(CLOCK_MONOTONIC);
    request(round);
    wall.push_back(seconds(CLOCK_MONOTONIC) - start);
  }
  char line[128];
  std::snprintf(line, sizeof line, ", \"cold_seconds\": %.9g, \"least_cold_seconds\": %.9g",
                quantile(wall, 0.5), quantile(wall, 0));
  json += line;
}

struct Loaded {
  gatewise_model* model = nullptr;
  gatewise_scorer* scorer = nullptr;
  explicit Loaded(const char* directory) {
    check(gatewise_load(directory, &model));
    check(gatewise_new_scorer(model, &scorer));
  }
  ~Loaded() {
    gatewise_free_scorer(scorer);
    gatewise_free_model(model);
  }
  Loaded(const Loaded&) = delete;
  Loaded& operator=(const Loaded&) = delete;
};

struct RawRows {
  std::string text;
  std::vector<gatewise_value> values;  // [rows][features]

  RawRows(const gatewise_model* model, const std::string& path) : text(read_file(path)) {
    std::vector<ptrdiff_t> features;
    size_t at = text.find('\n');
    std::istringstream header(text.substr(0, at));
    for (std::string name; std::getline(header, name, ',');)
      features.push_back(gatewise_find_feature(model, name.c_str()));
    while (++at < text.size()) {
      const size_t first = values.size();
      values.resize(first + gatewise_feature_count(model));
      for (const ptrdiff_t feature : features) {
        const size_t end = text.find_first_of(",\n", at);
        if (feature >= 0) {
          gatewise_value& value = values[first + static_cast<size_t>(feature)];
          value.kind = GATEWISE_TEXT;
          value.as.text = {text.data() + at, end - at};
        }
        at = text[end] == '\n' ? end : end + 1;
      }
    }
  }
};

void run(const std::vector<std::string>& arguments) {
  const Loaded loaded(arguments[1].c_str());
  const size_t rows = static_cast<size_t>(std::stoul(arguments[3]));
  const size_t width = gatewise_prediction_width(loaded.model);
  std::vector<float> predictions(rows * width);
  std::string bytes;
  std::vector<RawRows> raw;
  Request request;
  if (arguments[0] == "encoded") {
    bytes = read_file(arguments[2]);
    const size_t inputs = gatewise_input_width(loaded.model, 0);
    const size_t requests = bytes.size() / sizeof(float) / inputs / rows;
    const auto* values = reinterpret_cast<const float*>(bytes.data());
    request = [&, inputs, requests, values](size_t index) {
      const gatewise_input input{values + index % requests * rows * inputs, nullptr, nullptr, nullptr,
                                 static_cast<ptrdiff_t>(inputs)};
      check(gatewise_score_encoded(loaded.scorer, rows, &input, predictions.data()));
    };
  } else {
    raw.emplace_back(loaded.model, arguments[2]);
    const size_t features = gatewise_feature_count(loaded.model);
    const size_t requests = raw[0].values.size() / features / rows;
    request = [&, features, requests](size_t index) {
      check(gatewise_score_rows(loaded.scorer, rows,
                                raw[0].values.data() + index % requests * rows * features,
                                predictions.data()));
    };
  }
  request(0);
  std::ofstream(arguments[4], std::ios::binary)
      .write(reinterpret_cast<const char*>(predictions.data()),
             static_cast<std::streamsize>(predictions.size() * sizeof(float)));
  std::string json = "{\"contestant\": \"gatewise\", \"rows\": " + std::to_string(rows) + ", ";
  time_warm(request, json);
  if (rows <= 32) time_cold(request, json);
  std::printf("%s}\n", json.c_str());
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 6) {
    std::fprintf(stderr, "usage: bench_scoring encoded|raw MODEL INPUTS ROWS OUTPUT\n");
    return 2;
  }
  try {
    run({arguments + 1, arguments + count});
  } catch (const std::exception& fault) {
    std::fprintf(stderr, "bench_scoring: %s\n", fault.what());
    return 1;
  }
  return 0;
}
