// Scores the lines of a simple CSV file (no quotes) from C++, in two threads that share one model:
//
//   score_cpp MODEL < rows.csv
//
// From the root of the sources:
//
//   cmake --install build/release --component embed --prefix P
//   c++ -std=c++17 -I P/include examples/embed/score.cpp -L P/lib -lgatewise_c -Wl,-rpath,P/lib -pthread -o
//   score
#include <gatewise/gatewise.h>

#include <cstdio>
#include <iostream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace {

void check(gatewise_status status) {
  if (status != GATEWISE_OK) throw std::runtime_error(gatewise_last_error());
}

using Model = std::unique_ptr<gatewise_model, decltype(&gatewise_free_model)>;
using Scorer = std::unique_ptr<gatewise_scorer, decltype(&gatewise_free_scorer)>;

Model load(const char* directory) {
  gatewise_model* model = nullptr;
  check(gatewise_load(directory, &model));
  return {model, gatewise_free_model};
}

Scorer new_scorer(const Model& model) {
  gatewise_scorer* scorer = nullptr;
  check(gatewise_new_scorer(model.get(), &scorer));
  return {scorer, gatewise_free_scorer};
}

std::vector<std::string> split(const std::string& line) {
  std::vector<std::string> fields;
  std::istringstream stream(line);
  for (std::string field; std::getline(stream, field, ',');) fields.push_back(field);
  return fields;
}

// A table of texts with a value for each feature; columns that the model does not read are passed over.
struct Rows {
  std::vector<std::vector<std::string>> lines;
  std::vector<ptrdiff_t> features;  // of each column

  Rows(std::istream& stream, const gatewise_model* model) {
    std::string line;
    std::getline(stream, line);
    for (const std::string& name : split(line))
      features.push_back(gatewise_find_feature(model, name.c_str()));
    while (std::getline(stream, line)) lines.push_back(split(line));
  }

  std::vector<gatewise_value> values(size_t row, size_t count) const {
    std::vector<gatewise_value> values(count);  // all missing
    for (size_t i = 0; i < lines[row].size() && i < features.size(); ++i) {
      if (features[i] < 0) continue;
      gatewise_value& value = values[static_cast<size_t>(features[i])];
      value.kind = GATEWISE_TEXT;
      value.as.text = {lines[row][i].data(), lines[row][i].size()};
    }
    return values;
  }
};

void print_header(const gatewise_model* model) {
  const char* comma = "";
  for (size_t output = 0; output < gatewise_output_count(model); ++output) {
    for (size_t i = 0; i < gatewise_output_width(model, output); ++i) {
      const char* name = gatewise_class_name(model, output, i);
      std::printf("%s%s%s%s", comma, gatewise_output_name(model, output), name ? ":" : "", name ? name : "");
      comma = ",";
    }
  }
  std::printf("\n");
}

void run(const char* directory) {
  const Model model = load(directory);
  const Rows rows(std::cin, model.get());
  const size_t features = gatewise_feature_count(model.get()), width = gatewise_prediction_width(model.get());
  std::vector<float> predictions(rows.lines.size() * width);
  std::vector<std::string> faults(2);
  std::vector<std::thread> threads;
  for (size_t thread = 0; thread < 2; ++thread) {
    threads.emplace_back([&, thread] {
      try {
        const Scorer scorer = new_scorer(model);
        for (size_t row = thread; row < rows.lines.size(); row += 2)
          check(gatewise_score_rows(scorer.get(), 1, rows.values(row, features).data(),
                                    &predictions[row * width]));
      } catch (const std::exception& fault) {
        faults[thread] = fault.what();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& fault : faults) {
    if (!fault.empty()) throw std::runtime_error(fault);
  }
  print_header(model.get());
  for (size_t row = 0; row < rows.lines.size(); ++row) {
    for (size_t i = 0; i < width; ++i)
      std::printf("%s%.6f", i == 0 ? "" : ",", static_cast<double>(predictions[row * width + i]));
    std::printf("\n");
  }
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 2) {
    std::cerr << "usage: score_cpp MODEL < rows.csv\n";
    return 2;
  }
  try {
    run(arguments[1]);
  } catch (const std::exception& fault) {
    std::cerr << "score_cpp: " << fault.what() << '\n';
    return 1;
  }
  return 0;
}
