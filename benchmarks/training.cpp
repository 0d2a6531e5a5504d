// Times training steps of one workload and prints one JSON line with the fields of
// benchmarks/pytorch/README.md. Between repeats it measures what the machine can do: the product rate, the
// rate of multiply-adds in registers, and for more than one thread how both scale. The loss after 20 steps is
// checked first.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <functional>
#include <thread>

#include "base/error.h"
#include "benchmarks/fma_rate.h"
#include "benchmarks/product_rate.h"
#include "benchmarks/thread_seconds.h"
#include "benchmarks/workload.h"

namespace gatewise::benchmarks {
namespace {

struct Options {
  std::string name, dump, ids = "uniform", form;
  int64_t batch = 1024;
  int threads = 1, repeats = 9, check_steps = 20;
  double seconds = 0.3, expected_loss = 0, tolerance = 1e-3;
};

double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

Json spread(const std::vector<double>& values) {
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  return {{"median", median(values)}, {"min", *least}, {"max", *most}};
}

// Wall and processor seconds per step, one value per repeat.
struct Timing {
  int64_t steps = 1;
  std::vector<double> wall, processor;

  void add(Training& training, bool with_optimiser = true) {
    const double start = wall_seconds(), processor_start = process_seconds();
    for (int64_t i = 0; i < steps; ++i) with_optimiser ? training.step(i) : training.take_gradients(i);
    processor.push_back((process_seconds() - processor_start) / static_cast<double>(steps));
    wall.push_back((wall_seconds() - start) / static_cast<double>(steps));
  }
};

Timing prepared(Training& training, double seconds) {
  Timing timing;
  timing.add(training);
  while (timing.wall.back() * static_cast<double>(timing.steps) < seconds) {
    timing.steps *= 2;
    timing.add(training);
  }
  timing.wall.clear(), timing.processor.clear();
  return timing;
}

// Multiply-adds per second of wall time on so many threads at once.
double fma_rate_of(int threads) {
  constexpr int runs = 4;
  std::vector<std::thread> others;
  const double start = wall_seconds();
  const auto work = [] {
    double rate = 0;
    for (int i = 0; i < runs; ++i) rate += kernels::fma_rate();
    return rate;
  };
  for (int i = 1; i < threads; ++i) others.emplace_back(work);
  work();
  for (std::thread& other : others) other.join();
  return static_cast<double>(threads) / (wall_seconds() - start);
}

void check_loss(const Options& options, double loss) {
  if (options.expected_loss == 0) return;
  if (std::abs(loss - options.expected_loss) <= options.tolerance * std::abs(options.expected_loss)) return;
  data_error("{}: wrong loss after {} steps; got {}, expected {}", options.name, options.check_steps, loss,
             options.expected_loss);
}

std::unique_ptr<Workload> make_workload(const Options& options, const TensorFile& dump) {
  if (options.name == "embeddings") return embeddings_workload(options.ids, dump, options.batch);
  if (options.name == "sparse_mixture") return sparse_workload(options.form, dump, options.batch);
  return mixture_workload(options.name, dump, options.batch);
}

Json measure(const Options& options) {
  const TensorFile dump(options.dump);
  const std::unique_ptr<Workload> workload = make_workload(options, dump);
  Training training(*workload, dump, options.threads);
  const std::string variant = options.form.empty() ? "gatewise" : "gatewise_" + options.form;
  Json result = {{"benchmark", options.name}, {"variant", variant}, {"batch", options.batch}};
  if (options.name == "embeddings") {
    result["ids"] = options.ids;
    Training once(*workload, dump, options.threads);
    if (!once.step_changes_only_named_rows(0)) data_error("a step changed other rows than its batch names");
    result["touched_rows"] = once.touched_rows();
  }
  for (int i = 0; i < options.check_steps; ++i) training.step(i);
  const double loss = training.loss();
  check_loss(options, loss);

  // With more threads the same model on one thread takes turns with it, for the scaling.
  Training alone(*workload, dump, 1);
  Timing timing = prepared(training, options.seconds), single = timing, gradients = timing;
  std::vector<double> products, registers, scaling, register_scaling;
  for (int i = 0; i < options.repeats; ++i) {
    products.push_back(product_rate());
    registers.push_back(kernels::fma_rate());
    timing.add(training);
    gradients.add(training, false);
    if (options.threads == 1) continue;
    single.add(alone);
    scaling.push_back(single.wall.back() / timing.wall.back());
    register_scaling.push_back(fma_rate_of(options.threads) / fma_rate_of(1));
  }
  result.update({{"threads", options.threads},
                 {"seconds_per_step", spread(timing.wall)},
                 {"processor_seconds_per_step", median(timing.processor)},
                 {"processor_seconds_without_optimiser", median(gradients.processor)},
                 {"rows_per_second", static_cast<double>(options.batch) / median(timing.wall)},
                 {"repeats", options.repeats},
                 {"steps_per_repeat", timing.steps},
                 {"work_per_row", workload->work_per_row},
                 {"product_rate", spread(products)},
                 {"fma_rate", spread(registers)},
                 {"loss_after", {{"steps", options.check_steps}, {"batch_0_loss", loss}}}});
  if (options.threads > 1) {
    result["scaling"] = spread(scaling);
    result["fma_scaling"] = spread(register_scaling);
  }
  return result;
}

}  // namespace
}  // namespace gatewise::benchmarks

int main(int count, char** arguments) {
  gatewise::benchmarks::Options options;
  CLI::App app("times training steps");
  app.add_option("workload", options.name, "paper_mmoe, ranking_mmoe, embeddings or sparse_mixture")
      ->required();
  app.add_option("dump", options.dump, "what the PyTorch script of that name wrote with --dump")->required();
  app.add_option("--ids", options.ids, "of embeddings: uniform or zipf");
  app.add_option("--form", options.form, "of sparse_mixture: routed, dense, even, crowded or equal_work");
  app.add_option("--batch", options.batch, "rows of a step");
  app.add_option("--threads", options.threads);
  app.add_option("--repeats", options.repeats);
  app.add_option("--seconds", options.seconds, "length of one repeat");
  app.add_option("--expected-loss", options.expected_loss, "after the steps of the check; 0 checks nothing");
  app.add_option("--tolerance", options.tolerance, "of the expected loss, relative");
  app.add_option("--check-steps", options.check_steps, "steps before the timing");
  CLI11_PARSE(app, count, arguments);
  try {
    fmt::print("{}\n", gatewise::benchmarks::measure(options).dump());
  } catch (const gatewise::Error& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 1;
  }
  return 0;
}
