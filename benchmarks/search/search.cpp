// Searches the functions of functions.h; prints one JSON line per run, as optuna_search.py does.
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "benchmarks/search/functions.h"
#include "experiment/searcher.h"

namespace gatewise {
namespace {

// With `parallel` evaluations under way together, as Tuner has them.
void search(const TestFunction& function, uint64_t seed, int64_t evaluations, int64_t parallel) {
  const auto start = std::chrono::steady_clock::now();
  SearcherOptions options;
  options.seed = seed;
  const Searcher searcher(SearchSpace(function.dimensions), {}, {}, options);
  std::vector<Observation> known;
  std::vector<Point> pending;
  Json values = Json::array();
  for (int64_t i = 0; i < evaluations; ++i) {
    const std::optional<Point> point = searcher.propose(i, known, pending);
    if (!point) break;
    pending.push_back(*point);
    values.push_back(function.value(*point));
    if (static_cast<int64_t>(pending.size()) < parallel) continue;
    known.push_back({pending[0], function.value(pending[0])});
    pending.erase(pending.begin());
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  const Json line{{"searcher", "gatewise"},
                  {"function", function.name},
                  {"seed", seed},
                  {"values", values},
                  {"seconds", seconds}};
  std::puts(line.dump().c_str());
}

}  // namespace
}  // namespace gatewise

int main(int count, char** values) {
  if (count != 5 && count != 6) {
    std::fputs("usage: bench_search FUNCTION FIRST_SEED LAST_SEED EVALUATIONS [PARALLEL]\n", stderr);
    return 2;
  }
  for (const gatewise::TestFunction& function : gatewise::test_functions()) {
    if (function.name != values[1]) continue;
    for (int seed = std::atoi(values[2]); seed <= std::atoi(values[3]); ++seed)
      gatewise::search(function, static_cast<uint64_t>(seed), std::atoi(values[4]),
                       count == 6 ? std::atoi(values[5]) : 1);
  }
  return 0;
}
