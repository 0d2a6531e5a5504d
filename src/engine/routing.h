// Which rows go to which branch of a route.
#pragma once

#include <cstdint>

#include "graph/op.h"

namespace gatewise {

// Fills `route` with the pairs of a row and a branch whose entry of `chosen` [rows, branches] is not 0, in
// the order of rows; a branch takes the first `capacity` of them. Memory that `route` has is used again.
template <class T>
void build_route(ConstRows<T> chosen, int64_t rows, int64_t branches, int64_t capacity, Route& route) {
  route.branches = branches;
  route.first.assign(branches + 1, 0);
  route.row_first.assign(rows + 1, 0);
  route.row_branch.clear();
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t branch = 0; branch < branches; ++branch) {
      if (chosen.data[row * chosen.stride + branch] == T(0) || route.first[branch + 1] == capacity) continue;
      ++route.first[branch + 1];
      route.row_branch.push_back(static_cast<int32_t>(branch));
    }
    route.row_first[row + 1] = static_cast<int64_t>(route.row_branch.size());
  }
  for (int64_t branch = 0; branch < branches; ++branch) route.first[branch + 1] += route.first[branch];
  route.rows.resize(route.row_branch.size());
  route.row_positions.resize(route.row_branch.size());
  // The first places of branches serve as the next free ones, and are put back afterwards.
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t pair = route.row_first[row]; pair < route.row_first[row + 1]; ++pair) {
      const int64_t position = route.first[route.row_branch[pair]]++;
      route.rows[position] = static_cast<int32_t>(row);
      route.row_positions[pair] = static_cast<int32_t>(position);
    }
  }
  for (int64_t branch = branches; branch > 0; --branch) route.first[branch] = route.first[branch - 1];
  route.first[0] = 0;
}

}  // namespace gatewise
