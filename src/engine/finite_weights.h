// Whether a model's numbers can be used at all.
#pragma once

#include <optional>
#include <string>

#include "engine/store.h"

namespace gatewise {

struct NotFinite {
  std::string path;
  float value = 0;  // NaN or an infinity
};

// The first parameter or state, by path, with a value that is not finite; nothing where all are.
std::optional<NotFinite> find_not_finite(const Store<float>& store);

}  // namespace gatewise
