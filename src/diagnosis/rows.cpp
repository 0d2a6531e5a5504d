#include "diagnosis/rows.h"

#include <algorithm>

#include "base/random.h"

namespace gatewise {
namespace {

template <class T>
void copy_columns(const std::vector<T>& from, int64_t width, std::span<const int64_t> rows,
                  std::vector<T>& into) {
  if (from.empty()) return;
  into.reserve(rows.size() * static_cast<size_t>(width));
  for (const int64_t row : rows)
    into.insert(into.end(), from.begin() + row * width, from.begin() + (row + 1) * width);
}

EncodedBag select_bag(const EncodedBag& from, std::span<const int64_t> rows) {
  EncodedBag into;
  into.offsets.push_back(0);
  for (const int64_t row : rows) {
    const int64_t begin = from.offsets[row], end = from.offsets[row + 1];
    into.ids.insert(into.ids.end(), from.ids.begin() + begin, from.ids.begin() + end);
    if (!from.weights.empty())
      into.weights.insert(into.weights.end(), from.weights.begin() + begin, from.weights.begin() + end);
    into.offsets.push_back(static_cast<int64_t>(into.ids.size()));
  }
  return into;
}

}  // namespace

std::vector<int64_t> spread_rows(int64_t rows, int64_t wanted) {
  const int64_t count = std::min(rows, wanted);
  std::vector<int64_t> chosen(count);
  for (int64_t i = 0; i < count; ++i) chosen[i] = i * rows / count;
  return chosen;
}

EncodedData select_rows(const EncodedData& data, std::span<const int64_t> rows) {
  EncodedData part;
  part.rows = static_cast<int64_t>(rows.size());
  part.numeric_width = data.numeric_width;
  part.id_columns = data.id_columns;
  part.tasks = data.tasks;
  copy_columns(data.numeric, data.numeric_width, rows, part.numeric);
  copy_columns(data.ids, data.id_columns, rows, part.ids);
  copy_columns(data.labels, data.tasks, rows, part.labels);
  copy_columns(data.weights, data.tasks, rows, part.weights);
  copy_columns(data.row_task, 1, rows, part.row_task);
  copy_columns(data.groups, 1, rows, part.groups);
  copy_columns(data.time, 1, rows, part.time);
  for (const EncodedBag& bag : data.bags) part.bags.push_back(select_bag(bag, rows));
  return part;
}

PermutedColumn::PermutedColumn(EncodedData& data, Kind kind, int64_t first, int64_t width, uint64_t seed)
    : data_(data), kind_(kind), first_(first), width_(width) {
  const Permutation order(static_cast<uint64_t>(data.rows), seed);
  std::vector<int64_t> rows(data.rows);
  for (int64_t row = 0; row < data.rows; ++row)
    rows[row] = static_cast<int64_t>(order(static_cast<uint64_t>(row)));
  if (kind == Kind::Bag) {
    bag_ = data.bags[first];
    data.bags[first] = select_bag(bag_, rows);
    return;
  }
  if (kind == Kind::Id) {
    for (int64_t row = 0; row < data.rows; ++row) ids_.push_back(data.ids[row * data.id_columns + first]);
    for (int64_t row = 0; row < data.rows; ++row) data.ids[row * data.id_columns + first] = ids_[rows[row]];
    return;
  }
  for (int64_t row = 0; row < data.rows; ++row) {
    const auto begin = data.numeric.begin() + row * data.numeric_width + first;
    numbers_.insert(numbers_.end(), begin, begin + width);
  }
  for (int64_t row = 0; row < data.rows; ++row) {
    std::copy_n(numbers_.begin() + rows[row] * width, width,
                data.numeric.begin() + row * data.numeric_width + first);
  }
}

PermutedColumn::~PermutedColumn() {
  if (kind_ == Kind::Bag) {
    data_.bags[first_] = std::move(bag_);
    return;
  }
  for (int64_t row = 0; row < data_.rows; ++row) {
    if (kind_ == Kind::Id) {
      data_.ids[row * data_.id_columns + first_] = ids_[row];
    } else {
      std::copy_n(numbers_.begin() + row * width_, width_,
                  data_.numeric.begin() + row * data_.numeric_width + first_);
    }
  }
}

}  // namespace gatewise
