// Gradients of embedding tables: the gradients of look-ups are summed per touched row, in the order of
// positions, so the sum does not depend on tiles or threads. Rows that no id of the batch names cost nothing.
#pragma once

#include <functional>

#include "engine/program.h"

namespace gatewise {

// Adds gradients of tables inside the arena to `arena`; sets `big_tables` to those of the tables outside it,
// one entry a table. Give the entries of the last step again, so that their memory serves once more.
template <class T>
void collect_table_gradients(const Plan& plan, const Batch<T>& batch, Pool& pool, Aligned<T>& arena,
                             const std::function<ConstRows<T>(int node)>& gradient_of,
                             std::vector<TableGradient<T>>& big_tables);

// One look-up of a batch: which row of the table, and where its gradient comes from.
struct LookUp {
  uint32_t id;
  uint32_t position;
};

// Sorts by id, keeping the order of positions among equal ids (radix sort).
void sort_by_id(std::vector<LookUp>& lookups, std::vector<LookUp>& scratch);

}  // namespace gatewise
