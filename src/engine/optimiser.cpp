#include "engine/optimiser.h"

#include "base/error.h"

namespace gatewise {
namespace {

constexpr int64_t chunk = 16 * 1024;
// A moment that never decays divides by 0 in its correction.
constexpr double largest_decay = 0.9999999;

bool keeps_first(const OptimiserOptions& options) {
  return options.kind == "adam" || options.kind == "adamw" || (options.kind == "sgd" && options.momentum > 0);
}

bool keeps_second(const OptimiserOptions& options) { return options.kind != "sgd"; }

// How one row of a big table is updated; formulas in tools/parity/README.md. Adagrad only where it is
// row-wise, kernels::adagrad_rows otherwise.
template <class T>
struct RowUpdate {
  RowUpdate(const OptimiserOptions& options_, int64_t step, double rate_)
      : options(options_),
        rate(rate_),
        is_row_wise(options_.tables == "row_wise"),
        is_sgd(options_.kind == "sgd"),
        is_adagrad(options_.kind == "adagrad"),
        adam_size(static_cast<T>(rate_ * std::sqrt(1 - std::pow(options_.beta2, static_cast<double>(step))) /
                                 (1 - std::pow(options_.beta1, static_cast<double>(step))))),
        adam_keep(options_.kind == "adamw" ? static_cast<T>(1 - rate_ * options_.weight_decay) : T(1)) {}

  const OptimiserOptions& options;
  double rate;
  bool is_row_wise, is_sgd, is_adagrad;
  T adam_size, adam_keep;

  // gradient, parameter, first [width]; second [width], or [1] when row-wise.
  void operator()(int64_t width, const T* gradient, T scale, T* parameter, T* first, T* second) const {
    if (is_sgd) {
      sgd(width, gradient, scale, parameter, first);
    } else if (is_adagrad) {
      row_wise_adagrad(width, gradient, scale, parameter, second);
    } else {
      adam(width, gradient, scale, parameter, first, second);
    }
  }

 private:
  void sgd(int64_t width, const T* gradient, T scale, T* parameter, T* first) const {
    for (int64_t i = 0; i < width; ++i) {
      T direction = scale * gradient[i];
      if (first != nullptr) {
        const T momentum = static_cast<T>(options.momentum);
        first[i] = momentum * first[i] + direction;
        direction = options.nesterov ? direction + momentum * first[i] : first[i];
      }
      parameter[i] -= static_cast<T>(rate) * direction;
    }
  }

  T mean_square(int64_t width, const T* gradient, T scale) const {
    T sum = 0;
    for (int64_t i = 0; i < width; ++i) sum += scale * gradient[i] * scale * gradient[i];
    return sum / static_cast<T>(width);
  }

  void row_wise_adagrad(int64_t width, const T* gradient, T scale, T* parameter, T* second) const {
    second[0] += mean_square(width, gradient, scale);
    const T size = static_cast<T>(rate) / (std::sqrt(second[0]) + static_cast<T>(options.epsilon));
    for (int64_t i = 0; i < width; ++i) parameter[i] -= size * scale * gradient[i];
  }

  void adam(int64_t width, const T* gradient, T scale, T* parameter, T* first, T* second) const {
    const T keep1 = static_cast<T>(1 - options.beta1), keep2 = static_cast<T>(1 - options.beta2);
    if (is_row_wise) second[0] += keep2 * (mean_square(width, gradient, scale) - second[0]);
    for (int64_t i = 0; i < width; ++i) {
      const T value = scale * gradient[i];
      first[i] += keep1 * (value - first[i]);
      if (!is_row_wise) second[i] += keep2 * (value * value - second[i]);
      const T denominator = std::sqrt(second[is_row_wise ? 0 : i]) + static_cast<T>(options.epsilon);
      parameter[i] = adam_keep * parameter[i] - adam_size * first[i] / denominator;
    }
  }
};

}  // namespace

void OptimiserOptions::declare(OptionSet& set) {
  set.add("kind", &kind, "the update rule").choices({"sgd", "adagrad", "adam", "adamw"});
  set.add("rate", &rate, "learning rate").above(0).search(1e-4, 1e-1, true);
  set.add("momentum", &momentum, "of sgd").range(0, 1);
  set.add("nesterov", &nesterov, "Nesterov momentum of sgd");
  set.add("beta1", &beta1, "decay of the first moment of adam, below 1").range(0, largest_decay);
  set.add("beta2", &beta2, "decay of the second moment of adam, below 1").range(0, largest_decay);
  set.add("epsilon", &epsilon, "added to denominators").above(0);
  set.add("weight_decay", &weight_decay,
          "L2 pull towards zero (decoupled for adamw); lazily updated tables have it with adamw only")
      .range(0);
  set.add("clip_norm", &clip_norm, "largest norm of all gradients together; 0 leaves them alone").range(0);
  set.add("tables", &tables,
          "embedding tables outside the arena: \"lazy\" updates touched rows only, \"row_wise\" also keeps "
          "one "
          "second moment a row")
      .choices({"lazy", "row_wise"});
}

template <class T>
Optimiser<T>::Optimiser(Store<T>& store, Pool& pool, OptimiserOptions options)
    : store_(&store), pool_(&pool), options_(std::move(options)) {
  const int64_t size = store.layout().arena_size;
  if (keeps_first(options_)) first_.resize(size);
  if (keeps_second(options_)) second_.resize(size);
  const bool is_row_wise = options_.tables == "row_wise";
  int64_t big_rows = 0;
  for (const ParameterPlace& place : store.layout().places) {
    second_of_place_.push_back(is_row_wise ? big_rows : place.offset);
    big_rows += place.is_big_table ? place.rows : 0;
  }
  const int64_t big_size = store.layout().big_tables_size;
  if (keeps_first(options_)) table_first_.resize(big_size);
  if (keeps_second(options_)) table_second_.resize(is_row_wise ? big_rows : big_size);
}

template <class T>
double Optimiser<T>::apply(Program<T>& program, double rate) {
  ++step_;
  double norm = 0;
  T scale = 1;
  if (options_.clip_norm > 0) {
    norm = kernels::squared_norm(program.gradients().size(), program.gradients().data());
    for (const TableGradient<T>& gradient : program.table_gradients()) {
      norm += kernels::squared_norm(static_cast<int64_t>(gradient.sums.size()), gradient.sums.data());
    }
    norm = std::sqrt(norm);
    // The margin of PyTorch's clip_grad_norm_, so that both agree.
    scale = static_cast<T>(std::min(1.0, options_.clip_norm / (norm + 1e-6)));
  }
  apply_arena(program.gradients().data(), rate, scale);
  for (const TableGradient<T>& gradient : program.table_gradients()) apply_table(gradient, rate, scale);
  return norm;
}

template <class T>
void Optimiser<T>::apply_arena(const T* gradients, double rate, T scale) {
  T* parameters = store_->arena().data();
  const auto update = [&](int64_t begin, int64_t count) {
    T* first = first_.size() > 0 ? first_.data() + begin : nullptr;
    T* second = second_.size() > 0 ? second_.data() + begin : nullptr;
    if (options_.kind == "sgd") {
      kernels::sgd(
          kernels::SgdStep{rate, options_.momentum, options_.weight_decay, options_.nesterov, step_ == 1},
          count, parameters + begin, gradients + begin, scale, first);
    } else if (options_.kind == "adagrad") {
      kernels::adagrad(kernels::AdagradStep{rate, options_.epsilon, options_.weight_decay}, count,
                       parameters + begin, gradients + begin, scale, second);
    } else {
      kernels::adam(kernels::AdamStep{rate, options_.beta1, options_.beta2, options_.epsilon,
                                      options_.weight_decay, options_.kind == "adamw", step_},
                    count, parameters + begin, gradients + begin, scale, first, second);
    }
  };
  // Neighbouring trainable places form one run; frozen parameters are left out.
  std::vector<std::pair<int64_t, int64_t>> jobs;
  int64_t begin = -1, end = -1;
  const auto flush = [&] {
    for (int64_t at = begin; at < end; at += chunk) jobs.emplace_back(at, std::min(chunk, end - at));
  };
  for (const ParameterPlace& place : store_->layout().places) {
    if (place.is_big_table || !place.is_trainable) continue;
    if (end >= 0 && place.offset - end < 16) {
      end = place.offset + place.extent();
      continue;
    }
    if (end >= 0) flush();
    begin = place.offset;
    end = place.offset + place.extent();
  }
  if (end >= 0) flush();
  pool_->run(static_cast<int64_t>(jobs.size()),
             [&](int64_t job, int) { update(jobs[job].first, jobs[job].second); });
}

template <class T>
void Optimiser<T>::apply_table(const TableGradient<T>& gradient, double rate, T scale) {
  const ParameterPlace& place = store_->layout().places[gradient.place];
  const RowUpdate<T> update(options_, step_, rate);
  T* parameters = store_->at(place);
  T* first = table_first_.size() > 0 ? table_first_.data() + place.offset : nullptr;
  T* second = table_second_.size() > 0 ? table_second_.data() + second_of_place_[gradient.place] : nullptr;
  const int64_t width = gradient.width;
  const int64_t second_stride = update.is_row_wise ? 1 : place.row_stride;
  const auto first_of = [&](int64_t id) {
    return first == nullptr ? nullptr : first + id * place.row_stride;
  };
  const auto second_of = [&](int64_t id) {
    return second == nullptr ? nullptr : second + id * second_stride;
  };
  constexpr size_t ahead = 16;
  constexpr int64_t rows_per_job = 1024;
  const auto count = static_cast<int64_t>(gradient.ids.size());
  pool_->run((count + rows_per_job - 1) / rows_per_job, [&](int64_t job, int) {
    const auto end = static_cast<size_t>(std::min(count, (job + 1) * rows_per_job));
    if (update.is_adagrad && !update.is_row_wise) {
      const int64_t begin = job * rows_per_job;
      const kernels::TableRows rows{static_cast<int64_t>(end) - begin, width, gradient.ids.data() + begin,
                                    place.row_stride};
      return kernels::adagrad_rows(kernels::AdagradStep{rate, options_.epsilon, 0}, rows, parameters,
                                   gradient.sums.data() + begin * width, scale, second);
    }
    for (auto i = static_cast<size_t>(job * rows_per_job); i < end; ++i) {
      if (i + ahead < end) {
        const int64_t later = gradient.ids[i + ahead];
        __builtin_prefetch(parameters + later * place.row_stride, 1);
        if (first != nullptr) __builtin_prefetch(first_of(later), 1);
        if (second != nullptr) __builtin_prefetch(second_of(later), 1);
      }
      const int64_t id = gradient.ids[i];
      update(width, gradient.sums.data() + i * static_cast<size_t>(width), scale,
             parameters + id * place.row_stride, first_of(id), second_of(id));
    }
  });
}

template <class T>
std::vector<StateArray<T>> Optimiser<T>::state() {
  std::vector<StateArray<T>> arrays;
  const auto add = [&](const std::string& name, Aligned<T>& array) {
    if (array.size() > 0) arrays.push_back({name, array.data(), array.size()});
  };
  add("arena/first", first_);
  add("arena/second", second_);
  add("tables/first", table_first_);
  add("tables/second", table_second_);
  return arrays;
}

template class Optimiser<float>;
template class Optimiser<double>;

}  // namespace gatewise
