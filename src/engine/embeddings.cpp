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

template <class T>
TableGradient<T> add_sparse(const std::vector<Source<T>>& sources, int64_t rows, int64_t width, int place) {
  struct Origin {
    const T* from;
    T factor;
  };
  std::vector<LookUp> lookups, scratch;
  std::vector<Origin> origins;
  for (const Source<T>& source : sources) {
    each_lookup(source, rows, [&](uint32_t id, int64_t row, T factor) {
      lookups.push_back({id, static_cast<uint32_t>(origins.size())});
      origins.push_back({source.gradient.data + row * source.gradient.stride, factor});
    });
  }
  sort_by_id(lookups, scratch);
  TableGradient<T> result;
  result.place = place;
  result.width = width;
  for (size_t i = 0; i < lookups.size(); ++i) {
    if (i == 0 || lookups[i].id != lookups[i - 1].id) {
      result.ids.push_back(lookups[i].id);
      result.sums.resize(result.sums.size() + static_cast<size_t>(width), T(0));
    }
    T* into = result.sums.data() + (result.ids.size() - 1) * static_cast<size_t>(width);
    const Origin& origin = origins[lookups[i].position];
    for (int64_t k = 0; k < width; ++k) into[k] += origin.factor * origin.from[k];
  }
  return result;
}

}  // namespace

void sort_by_id(std::vector<LookUp>& lookups, std::vector<LookUp>& scratch) {
  constexpr int digit_bits = 11;
  constexpr uint32_t digits = 1u << digit_bits;
  uint32_t all = 0;
  for (const LookUp& lookup : lookups) all |= lookup.id;
  scratch.resize(lookups.size());
  for (int shift = 0; shift < static_cast<int>(std::bit_width(all)); shift += digit_bits) {
    std::vector<uint32_t> next(digits, 0);
    for (const LookUp& lookup : lookups) ++next[(lookup.id >> shift) & (digits - 1)];
    uint32_t sum = 0;
    for (uint32_t& count : next) count = std::exchange(sum, sum + count);
    for (const LookUp& lookup : lookups) scratch[next[(lookup.id >> shift) & (digits - 1)]++] = lookup;
    lookups.swap(scratch);
  }
}

template <class T>
std::vector<TableGradient<T>> collect_table_gradients(
    const Plan& plan, const Batch<T>& batch, Pool& pool, Aligned<T>& arena,
    const std::function<ConstRows<T>(int node)>& gradient_of) {
  std::map<int, std::vector<Source<T>>> by_place;
  for (const int id : plan.embeddings) {
    const Node& node = plan.graph->node(id);
    const bool is_mean = node.op->attributes()["pooling"] == "mean";
    by_place[plan.layout->place_of_node[node.inputs[1]]].push_back(
        {gradient_of(id), &batch.ids.at(node.inputs[0]), is_mean});
  }
  std::vector<std::pair<int, std::vector<Source<T>>>> tables(by_place.begin(), by_place.end());
  std::vector<TableGradient<T>> sparse(tables.size());
  pool.run(static_cast<int64_t>(tables.size()), [&](int64_t index, int) {
    const ParameterPlace& place = plan.layout->places[tables[index].first];
    if (place.is_big_table) {
      sparse[index] = add_sparse(tables[index].second, batch.rows, place.columns, tables[index].first);
    } else {
      add_dense(tables[index].second, batch.rows, place.columns, place.row_stride,
                arena.data() + place.offset);
    }
  });
  std::erase_if(sparse, [](const TableGradient<T>& gradient) { return gradient.place < 0; });
  return sparse;
}

template std::vector<TableGradient<float>> collect_table_gradients(
    const Plan&, const Batch<float>&, Pool&, Aligned<float>&, const std::function<ConstRows<float>(int)>&);
template std::vector<TableGradient<double>> collect_table_gradients(
    const Plan&, const Batch<double>&, Pool&, Aligned<double>&, const std::function<ConstRows<double>(int)>&);

}  // namespace gatewise
