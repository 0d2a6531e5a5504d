// What a server allows beyond HTTP. Declared once: command line, help and checks follow.
#pragma once

#include <cstdint>

#include "base/options.h"

namespace gatewise {

struct ProtocolOptions {
  int64_t max_rows = 10000;
  double poll_seconds = 2;
  void declare(OptionSet& set) {
    set.add("max_rows", &max_rows, "rows or candidates of one request; else 413").range(1, 10000000);
    set.add("poll_seconds", &poll_seconds, "between looks at the folders of models for what is new")
        .range(0.01, 86400);
  }
};

}  // namespace gatewise
