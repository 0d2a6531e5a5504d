// Which rows go to which branch of a route.
#pragma once

#include <cstdint>
#include <span>

#include "graph/op.h"

namespace gatewise {

// Marks in `taken` [rows, branches] the pairs of a row and a branch that find room: a branch takes the first
// `capacity` rows, in the order of `turns` [rows], that have chosen it.
template <class T>
void take_in_turn(ConstRows<T> chosen, std::span<const int32_t> turns, int64_t branches, int64_t capacity,
                  std::vector<uint8_t>& taken) {
  taken.assign(turns.size() * branches, 0);
  std::vector<int64_t> counts(branches, 0);
  for (const int64_t row : turns) {
    for (int64_t branch = 0; branch < branches; ++branch) {
      if (chosen.data[row * chosen.stride + branch] == T(0) || counts[branch] == capacity) continue;
      ++counts[branch];
      taken[row * branches + branch] = 1;
    }
  }
}

// Fills `route` with the pairs of a row and a branch whose entry of `chosen` [rows, branches] is not 0, in
// the order of rows; a branch takes at most `capacity` of them, those whose turn comes first (`turns` [rows];
// empty: as they lie). Memory that `route` has is used again.
template <class T>
void build_route(ConstRows<T> chosen, int64_t rows, int64_t branches, int64_t capacity, Route& route,
                 std::span<const int32_t> turns = {}) {
  const bool takes_turns = capacity < rows && !turns.empty();
  if (takes_turns) take_in_turn(chosen, turns, branches, capacity, route.taken);
  route.branches = branches;
  route.first.assign(branches + 1, 0);
  route.row_first.assign(rows + 1, 0);
  route.row_branch.clear();
  for (int64_t row = 0; row < rows; ++row) {
    for (int64_t branch = 0; branch < branches; ++branch) {
      if (chosen.data[row * chosen.stride + branch] == T(0)) continue;
      if (takes_turns ? route.taken[row * branches + branch] == 0 : route.first[branch + 1] == capacity)
        continue;
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
