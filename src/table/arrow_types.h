// What the formats of Arrow's C data interface mean, as far as columns can be made of them.
#pragma once

#include <string>

#include "table/arrow_abi.h"

namespace gatewise {

enum class ArrowKind {
  Null,
  Truth,
  Signed,
  Unsigned,
  Half,
  Real,
  Decimal,
  Text,
  TextView,
  Time,
  List,
  ListView,
  FixedList,
  Other
};

struct ArrowType {
  ArrowKind kind = ArrowKind::Other;
  int width = 0;      // bytes of a value, of an offset, or of a decimal
  int64_t count = 0;  // items of a fixed list; digits behind a decimal's point
  double unit = 1;    // of times: ticks a second (dates: of days, 1 / 86400)
};

// Kind Other where nothing can be read of it.
ArrowType arrow_type(const ArrowSchema& schema);

inline bool is_list(ArrowKind kind) {
  return kind == ArrowKind::List || kind == ArrowKind::ListView || kind == ArrowKind::FixedList;
}

inline bool is_real(ArrowKind kind) {
  return kind == ArrowKind::Half || kind == ArrowKind::Real || kind == ArrowKind::Decimal;
}

// Whether a column of some type can be made of it.
bool is_readable(const ArrowSchema& schema);

// "int64", "large_string", "dictionary<string>", "list<float>", "struct".
std::string arrow_type_text(const ArrowSchema& schema);

}  // namespace gatewise
