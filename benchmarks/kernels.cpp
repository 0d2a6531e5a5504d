// Times the kernels on one core against OpenBLAS and oneDNN at the shapes that the models have. Every answer
// is checked before it is timed. All contestants take turns within each repetition, so that noise of the
// machine meets them alike; medians are printed, and ratios only within this run.
#include <cblas.h>
#include <dnnl.h>
#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "base/aligned.h"
#include "benchmarks/fma_rate.h"
#include "benchmarks/thread_seconds.h"
#include "engine/layout.h"
#include "kernels/instruction_set.h"
#include "kernels/matmul.h"
#include "kernels/reference.h"
#include "kernels/rows.h"

namespace gatewise::kernels {
namespace {

using benchmarks::thread_seconds;
using Values = std::vector<float>;

Values random_values(int64_t count, unsigned seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> distribution;
  Values values(count);
  std::generate(values.begin(), values.end(), [&] { return distribution(engine); });
  return values;
}

void check(const std::string& name, const Values& got, const Values& expected, double tolerance) {
  for (size_t i = 0; i < got.size(); ++i) {
    const double distance = std::abs(static_cast<double>(got[i]) - static_cast<double>(expected[i]));
    if (distance <= tolerance * std::max(1.0, std::abs(static_cast<double>(expected[i])))) continue;
    fmt::print(stderr, "{}: wrong answer at element {}; got {}, expected {}\n", name, i, got[i], expected[i]);
    std::exit(1);
  }
}

struct Contestant {
  std::string name;
  double work;  // floating-point operations or rows in one call
  std::function<void()> run;
  int64_t calls = 1;
  std::vector<double> seconds = {};

  double median() const {
    std::vector<double> sorted = seconds;
    std::sort(sorted.begin(), sorted.end());
    return sorted[sorted.size() / 2];
  }
  double rate() const { return work / median(); }
};

double time_calls(const Contestant& contestant, int64_t calls) {
  const double start = thread_seconds();
  for (int64_t i = 0; i < calls; ++i) contestant.run();
  return (thread_seconds() - start) / static_cast<double>(calls);
}

void measure(std::vector<Contestant>& contestants, int repetitions) {
  for (Contestant& c : contestants) {
    c.run();
    c.calls = std::max<int64_t>(1, static_cast<int64_t>(4e-4 / time_calls(c, 3)));
  }
  for (int i = 0; i < repetitions; ++i) {
    for (Contestant& c : contestants) c.seconds.push_back(time_calls(c, c.calls));
  }
}

enum class Form { Plain, PackedRight, TransposedLeft };

struct Shape {
  Form form;
  int64_t rows, columns,
      depth;  // of the result and the sum; for TransposedLeft the depth is the number of rows
};

std::string name_of(const Shape& s) {
  const char* forms[] = {"a b", "a packed b", "a^T b"};
  return fmt::format("{:<10} {:>4} x {:>4} x {:>4}", forms[static_cast<int>(s.form)], s.rows, s.columns,
                     s.depth);
}

// Rows as the engine lays them out: the row stride of parameters and values, large ones in huge pages.
struct Matrix {
  int64_t rows, columns, stride = padded_stride(columns);
  Aligned<float> values = Aligned<float>(rows * stride);

  Matrix(int64_t r, int64_t c) : rows(r), columns(c) {}
  Matrix(int64_t r, int64_t c, unsigned seed) : Matrix(r, c) {
    const Values random = random_values(r * c, seed);
    for (int64_t i = 0; i < r; ++i) std::copy_n(random.data() + i * c, c, values.data() + i * stride);
  }
  template <class T>
  std::vector<T> dense() const {
    std::vector<T> result;
    for (int64_t i = 0; i < rows; ++i) {
      result.insert(result.end(), values.data() + i * stride, values.data() + i * stride + columns);
    }
    return result;
  }
  float* data() { return values.data(); }
  const float* data() const { return values.data(); }
};

// One product in three hands; each keeps its own copy of the result.
struct Trial {
  Shape shape;
  Matrix a, b, ours, blas, dnn;
  Packed<float> packed;

  explicit Trial(const Shape& s)
      : shape(s),
        a(s.form == Form::TransposedLeft ? Matrix(s.depth, s.rows, 1) : Matrix(s.rows, s.depth, 1)),
        b(s.depth, s.columns, 2),
        ours(s.rows, s.columns),
        blas(s.rows, s.columns),
        dnn(s.rows, s.columns) {
    packed.pack(s.depth, s.columns, b.data(), b.stride);
  }

  bool is_transposed() const { return shape.form == Form::TransposedLeft; }

  void run_ours() {
    const auto [form, m, n, k] = shape;
    if (is_transposed()) {
      return multiply_transposed(TransposedProduct<float>{k, m, n, a.data(), a.stride, b.data(), b.stride,
                                                          ours.data(), ours.stride, false});
    }
    const Product<float> p{m,        n,        k,       a.data(),    a.stride,
                           b.data(), b.stride, nullptr, ours.data(), ours.stride};
    form == Form::PackedRight ? multiply(p, packed) : multiply(p);
  }
  void run_blas() {
    const auto [form, m, n, k] = shape;
    cblas_sgemm(CblasRowMajor, is_transposed() ? CblasTrans : CblasNoTrans, CblasNoTrans, static_cast<int>(m),
                static_cast<int>(n), static_cast<int>(k), 1, a.data(), static_cast<int>(a.stride), b.data(),
                static_cast<int>(b.stride), 0, blas.data(), static_cast<int>(blas.stride));
  }
  void run_dnn() {
    const auto [form, m, n, k] = shape;
    dnnl_sgemm(is_transposed() ? 'T' : 'N', 'N', m, n, k, 1, a.data(), a.stride, b.data(), b.stride, 0,
               dnn.data(), dnn.stride);
  }

  Values expected() const {
    const auto [form, m, n, k] = shape;
    const std::vector<double> left = a.dense<double>(), right = b.dense<double>();
    std::vector<double> result(m * n);
    if (is_transposed()) {
      multiply_transposed(
          TransposedProduct<double>{k, m, n, left.data(), m, right.data(), n, result.data(), n, false});
    } else {
      multiply(Product<double>{m, n, k, left.data(), k, right.data(), n, nullptr, result.data(), n});
    }
    return Values(result.begin(), result.end());
  }

  void check_all() {
    const Values right = expected();
    run_ours(), run_blas(), run_dnn();
    check(name_of(shape) + ", Gatewise", ours.dense<float>(), right, 1e-3);
    check(name_of(shape) + ", OpenBLAS", blas.dense<float>(), right, 1e-3);
    check(name_of(shape) + ", oneDNN", dnn.dense<float>(), right, 1e-3);
  }
};

void products(int repetitions) {
  using enum Form;
  std::vector<Trial> trials;
  trials.emplace_back(Shape{Plain, 512, 1024, 512});  // the yardstick: OpenBLAS' rate here
  for (const Shape& s : std::vector<Shape>{{Plain, 128, 144, 100},
                                           {PackedRight, 128, 144, 100},
                                           {TransposedLeft, 100, 144, 128},
                                           {PackedRight, 128, 100, 144},
                                           {Plain, 128, 160, 100},
                                           {PackedRight, 1024, 512, 512},
                                           {Plain, 1024, 512, 512},
                                           {TransposedLeft, 512, 512, 1024},
                                           {PackedRight, 128, 256, 512},
                                           {TransposedLeft, 512, 256, 128},
                                           {PackedRight, 256, 4144, 512},
                                           {TransposedLeft, 512, 4144, 256},
                                           {TransposedLeft, 143, 2048, 256},
                                           {Plain, 128, 16, 100},
                                           {Plain, 128, 16, 16},
                                           {Plain, 128, 8, 16},
                                           {Plain, 128, 1, 8},
                                           {Plain, 128, 1, 100},
                                           {Plain, 128, 16, 8},
                                           {Plain, 128, 10, 100},
                                           {TransposedLeft, 16, 8, 128},
                                           {TransposedLeft, 8, 1, 128},
                                           {TransposedLeft, 100, 16, 128},
                                           {Plain, 1, 144, 100},
                                           {Plain, 5, 144, 100}}) {
    trials.emplace_back(s);
  }
  std::vector<Contestant> contestants;
  for (Trial& t : trials) {
    t.check_all();
    const double work = 2.0 * static_cast<double>(t.shape.rows * t.shape.columns * t.shape.depth);
    contestants.push_back({"Gatewise", work, [&t] { t.run_ours(); }});
    contestants.push_back({"OpenBLAS", work, [&t] { t.run_blas(); }});
    contestants.push_back({"oneDNN", work, [&t] { t.run_dnn(); }});
  }
  std::vector<double> peaks;
  for (int i = 0; i < repetitions; ++i) peaks.push_back(fma_rate());
  measure(contestants, repetitions);
  std::sort(peaks.begin(), peaks.end());
  const double peak = peaks[peaks.size() / 2], yardstick = contestants[1].rate();
  fmt::print("registers only {:.1f} GFLOP/s, OpenBLAS 512 x 1024 x 512 {:.1f} GFLOP/s\n", peak / 1e9,
             yardstick / 1e9);
  fmt::print("{:<28} {:>9} {:>9} {:>9} {:>9}   shares of OpenBLAS' large-product rate\n",
             "rows x columns x depth", "Gatewise", "OpenBLAS", "oneDNN", "of peak");
  for (size_t i = 0; i < trials.size(); ++i) {
    const auto share = [&](size_t j) { return 100 * contestants[3 * i + j].rate() / yardstick; };
    fmt::print("{:<28} {:>8.1f}% {:>8.1f}% {:>8.1f}% {:>8.1f}%   {:.2f} us\n", name_of(trials[i].shape),
               share(0), share(1), share(2), 100 * contestants[3 * i].rate() / peak,
               contestants[3 * i].median() * 1e6);
  }
}

// The part of a small model behind the first product: gates, mixing and towers of 16 -> 8 -> 1 for two tasks.
struct Tail {
  static constexpr int64_t rows = 128, experts = 8, hidden = 16, tasks = 2, units = 8;
  int64_t stride = experts * hidden + tasks * experts;
  Values z = random_values(rows * stride, 3), dz = z, weights = random_values(rows * tasks * experts, 4);
  Values mixed = Values(rows * 6 * hidden), d_mixed = random_values(rows * 6 * hidden, 5),
         d_weights = weights;
  Values logits = random_values(rows * 6 * experts, 9), many_weights = logits, d_many_weights = logits;
  Values first = random_values(hidden * units, 6), second = random_values(units, 7),
         bias = random_values(units, 8);
  Values first_rows = Values(rows * units), d_first_rows = first_rows, out = Values(rows), d_out = out;
  Values d_first = first, d_second = second, d_bias = bias;
  Packed<float> back;

  Tail() { back.pack_transposed(units, hidden, first.data(), units); }

  void gates() {
    softmax<float>(rows, tasks, experts, {z.data() + experts * hidden, stride}, {weights.data(), 16});
  }
  void gates_back() {
    softmax_backward<float>(rows, tasks, experts, {weights.data(), 16}, {d_weights.data(), 16},
                            {dz.data() + experts * hidden, stride}, false);
  }
  void mixing(int64_t consumers) {
    mix<float>({rows, consumers, experts, hidden}, {z.data(), stride}, {many_weights.data(), 48},
               {mixed.data(), 96});
  }
  void mixing_back(int64_t consumers) {
    mix_backward<float>({rows, consumers, experts, hidden}, {z.data(), stride}, {many_weights.data(), 48},
                        {d_mixed.data(), 96}, {dz.data(), stride}, false, {d_many_weights.data(), 48}, false);
  }
  void towers() {
    for (int64_t t = 0; t < tasks; ++t) {
      multiply(Product<float>{rows, units, hidden, mixed.data() + t * hidden, 96, first.data(), units,
                              bias.data(), first_rows.data(), units, false, Activation::Relu});
      multiply(Product<float>{rows, 1, units, first_rows.data(), units, second.data(), 1, bias.data(),
                              out.data(), 1});
    }
  }
  void towers_back() {
    for (int64_t t = 0; t < tasks; ++t) {
      multiply_transposed(
          {rows, units, 1, first_rows.data(), units, out.data(), 1, d_second.data(), 1, true});
      multiply(Product<float>{rows, units, 1, out.data(), 1, second.data(), units, nullptr,
                              d_first_rows.data(), units});
      unary_backward<float>(Unary::Relu, 0, rows, units, {}, {first_rows.data(), units},
                            {d_first_rows.data(), units}, {d_first_rows.data(), units}, false);
      column_sums<float>(rows, units, {d_first_rows.data(), units}, d_bias.data(), true);
      multiply_transposed({rows, hidden, units, mixed.data() + t * hidden, 96, d_first_rows.data(), units,
                           d_first.data(), units, true});
      multiply(Product<float>{rows, hidden, units, d_first_rows.data(), units, nullptr, 0, nullptr,
                              d_mixed.data() + t * hidden, 96},
               back);
    }
  }
  void check_mixing() {
    mixing(2);
    const Values got = mixed;
    reference::mix<float>({rows, 2, experts, hidden}, {z.data(), stride}, {many_weights.data(), 48},
                          {mixed.data(), 96});
    check("mix", got, mixed, 1e-5);
    mixing_back(2);
    const Values got_dz = dz, got_dw = d_many_weights;
    reference::mix_backward<float>({rows, 2, experts, hidden}, {z.data(), stride}, {many_weights.data(), 48},
                                   {d_mixed.data(), 96}, {dz.data(), stride}, false,
                                   {d_many_weights.data(), 48}, false);
    check("mix_backward, experts", got_dz, dz, 1e-5);
    check("mix_backward, weights", got_dw, d_many_weights, 1e-5);
  }
};

void tail(int repetitions) {
  Tail t;
  t.check_mixing();
  const double rows = Tail::rows;
  std::vector<Contestant> parts = {
      {"softmax, 2 groups of 8", rows, [&] { t.gates(); }},
      {"mix, 2 consumers", rows, [&] { t.mixing(2); }},
      {"towers", rows, [&] { t.towers(); }},
      {"towers backward", rows, [&] { t.towers_back(); }},
      {"mix_backward, 2 consumers", rows, [&] { t.mixing_back(2); }},
      {"softmax_backward", rows, [&] { t.gates_back(); }},
      {"all of these", rows,
       [&] { t.gates(), t.mixing(2), t.towers(), t.towers_back(), t.mixing_back(2), t.gates_back(); }},
      {"mix, 1 consumer", rows, [&] { t.mixing(1); }},
      {"mix, 6 consumers", rows, [&] { t.mixing(6); }},
      {"mix_backward, 1 consumer", rows, [&] { t.mixing_back(1); }},
      {"mix_backward, 6 consumers", rows, [&] { t.mixing_back(6); }},
  };
  measure(parts, repetitions);
  fmt::print("\nns per row: 8 experts of 16, 2 tasks, 128 rows\n");
  for (const Contestant& part : parts) fmt::print("{:<28} {:>7.1f}\n", part.name, 1e9 / part.rate());
}

}  // namespace
}  // namespace gatewise::kernels

int main(int count, char** arguments) {
  const int repetitions = count > 1 ? std::atoi(arguments[1]) : 31;
  openblas_set_num_threads(1);
  omp_set_num_threads(1);
  fmt::print("instruction set {}\n", gatewise::kernels::instruction_set_name());
  gatewise::kernels::products(repetitions);
  gatewise::kernels::tail(repetitions);
  return 0;
}
