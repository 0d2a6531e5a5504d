#include "engine/embeddings.h"

#include <bit>

#include "graph/bag.h"

namespace gatewise {
namespace {

// The look-ups of one embedding node: for position p the row of the batch and the factor of its gradient.
template <class T>
struct Source {
  ConstRows<T> gradient;
  const Ids* ids;
  bool is_mean;
};

// visit(id, row, factor) for every look-up in position order.
template <class T, class Visit>
void each_lookup(const Source<T>& source, int64_t rows, const Visit& visit) {
  const Ids& ids = *source.ids;
  if (ids.offsets == nullptr) {
    for (int64_t row = 0; row < rows; ++row) visit(ids.ids[row * ids.stride], row, T(1));
    return;
  }
  for (int64_t row = 0; row < rows; ++row) {
    const double scale = bag_scale(ids, row, source.is_mean);
    for (int64_t i = ids.offsets[row]; i < ids.offsets[row + 1]; ++i) {
      visit(ids.ids[i], row, static_cast<T>(scale * (ids.weights == nullptr ? 1.0 : ids.weights[i])));
    }
  }
}

template <class T>
void add_dense(const std::vector<Source<T>>& sources, int64_t rows, int64_t width, int64_t stride, T* table) {
  for (const Source<T>& source : sources) {
    each_lookup(source, rows, [&](uint32_t id, int64_t row, T factor) {
      const T* from = source.gradient.data + row * source.gradient.stride;
      T* into = table + id * stride;
      for (int64_t i = 0; i < width; ++i) into[i] += factor * from[i];
    });
  }
}

// into (+)= factor * from, in blocks that compilers turn into vectors.
template <class T>
[[gnu::always_inline]] inline void add_row(int64_t width, T factor, const T* __restrict from,
                                           T* __restrict into, bool is_first) {
  constexpr int64_t block = 8;
  int64_t i = 0;
  for (; i + block <= width; i += block) {
    if (is_first) {
      for (int64_t k = i; k < i + block; ++k) into[k] = factor * from[k];
    } else {
      for (int64_t k = i; k < i + block; ++k) into[k] += factor * from[k];
    }
  }
  for (; i < width; ++i) into[i] = (is_first ? T(0) : into[i]) + factor * from[i];
}

// Where the gradient of one look-up lies, and its factor.
template <class T>
struct Origin {
  const T* from;
  T factor;
};

// Sums the look-ups of each id, given sorted. `result` keeps its memory from step to step.
template <class T, class OriginOf>
void sum_by_id(const std::vector<LookUp>& lookups, int64_t width, const OriginOf& origin_of,
               TableGradient<T>& result) {
  result.ids.clear();
  for (size_t i = 0; i < lookups.size(); ++i) {
    if (i == 0 || lookups[i].id != lookups[i - 1].id) result.ids.push_back(lookups[i].id);
  }
  result.sums.resize(result.ids.size() * static_cast<size_t>(width));
  // Gradients lie as far apart as a row of the batch is wide, in no order: they are called for ahead of time.
  constexpr size_t ahead = 16;
  T* into = result.sums.data() - width;
  for (size_t i = 0; i < lookups.size(); ++i) {
    if (i + ahead < lookups.size()) __builtin_prefetch(origin_of(lookups[i + ahead].position).from);
    const bool is_first = i == 0 || lookups[i].id != lookups[i - 1].id;
    if (is_first) into += width;
    const Origin<T> origin = origin_of(lookups[i].position);
    add_row(width, origin.factor, origin.from, into, is_first);
  }
}

template <class T>
void add_sparse(const std::vector<Source<T>>& sources, int64_t rows, int64_t width,
                TableGradient<T>& result) {
  thread_local std::vector<LookUp> lookups, scratch;
  lookups.clear();
  if (sources.size() == 1 && sources[0].ids->offsets == nullptr) {
    // One id a row: the position is the row, and says where its gradient lies.
    const Source<T>& source = sources[0];
    each_lookup(source, rows, [&](uint32_t id, int64_t row, T) {
      lookups.push_back({id, static_cast<uint32_t>(row)});
    });
    sort_by_id(lookups, scratch);
    const auto origin_of = [&](uint32_t row) {
      return Origin<T>{source.gradient.data + row * source.gradient.stride, T(1)};
    };
    return sum_by_id(lookups, width, origin_of, result);
  }
  thread_local std::vector<Origin<T>> origins;
  origins.clear();
  for (const Source<T>& source : sources) {
    each_lookup(source, rows, [&](uint32_t id, int64_t row, T factor) {
      lookups.push_back({id, static_cast<uint32_t>(origins.size())});
      origins.push_back({source.gradient.data + row * source.gradient.stride, factor});
    });
  }
  sort_by_id(lookups, scratch);
  sum_by_id(
      lookups, width, [&](uint32_t position) { return origins[position]; }, result);
}

}  // namespace

void sort_by_id(std::vector<LookUp>& lookups, std::vector<LookUp>& scratch) {
  constexpr int most_bits = 11;
  uint32_t all = 0;
  for (const LookUp& lookup : lookups) all |= lookup.id;
  scratch.resize(lookups.size());
  // As few passes as possible, and digits no longer than those need: counting is no cheaper than moving.
  const int bits = static_cast<int>(std::bit_width(all));
  const int passes = (bits + most_bits - 1) / most_bits;
  const int digit_bits = passes == 0 ? 0 : (bits + passes - 1) / passes;
  const uint32_t digits = 1u << digit_bits;
  uint32_t next[1u << most_bits];
  for (int shift = 0; shift < bits; shift += digit_bits) {
    std::fill_n(next, digits, 0u);
    for (const LookUp& lookup : lookups) ++next[(lookup.id >> shift) & (digits - 1)];
    uint32_t sum = 0;
    for (uint32_t i = 0; i < digits; ++i) next[i] = std::exchange(sum, sum + next[i]);
    for (const LookUp& lookup : lookups) scratch[next[(lookup.id >> shift) & (digits - 1)]++] = lookup;
    lookups.swap(scratch);
  }
}

template <class T>
void collect_table_gradients(const Plan& plan, const Batch<T>& batch, Pool& pool, Aligned<T>& arena,
                             const std::function<ConstRows<T>(int node)>& gradient_of,
                             std::vector<TableGradient<T>>& big_tables) {
  std::map<int, std::vector<Source<T>>> by_place;
  for (const int id : plan.embeddings) {
    const Node& node = plan.graph->node(id);
    const bool is_mean = node.op->attributes()["pooling"] == "mean";
    by_place[plan.layout->place_of_node[node.inputs[1]]].push_back(
        {gradient_of(id), &batch.ids.at(node.inputs[0]), is_mean});
  }
  struct Table {
    const ParameterPlace* place;
    const std::vector<Source<T>>* sources;
    size_t big_table;  // index into big_tables
  };
  std::vector<Table> tables;
  size_t big_table_count = 0;
  for (const auto& [index, sources] : by_place) {
    const ParameterPlace& place = plan.layout->places[index];
    tables.push_back({&place, &sources, big_table_count});
    if (!place.is_big_table) continue;
    if (big_tables.size() == big_table_count) big_tables.emplace_back();
    big_tables[big_table_count].place = index;
    big_tables[big_table_count++].width = place.columns;
  }
  pool.run(static_cast<int64_t>(tables.size()), [&](int64_t index, int) {
    const auto& [place, sources, big_table] = tables[index];
    if (place->is_big_table) {
      add_sparse(*sources, batch.rows, place->columns, big_tables[big_table]);
    } else {
      add_dense(*sources, batch.rows, place->columns, place->row_stride, arena.data() + place->offset);
    }
  });
}

template void collect_table_gradients(const Plan&, const Batch<float>&, Pool&, Aligned<float>&,
                                      const std::function<ConstRows<float>(int)>&,
                                      std::vector<TableGradient<float>>&);
template void collect_table_gradients(const Plan&, const Batch<double>&, Pool&, Aligned<double>&,
                                      const std::function<ConstRows<double>(int)>&,
                                      std::vector<TableGradient<double>>&);

}  // namespace gatewise
