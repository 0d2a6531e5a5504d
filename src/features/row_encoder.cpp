#include "features/row_encoder.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "table/parse.h"

namespace gatewise {
namespace {

template <class T>
const T* as(const RawValue& value) {
  return std::get_if<T>(&value);
}

const char* kind_of(const RawValue& value) {
  constexpr const char* kinds[] = {"nothing",           "a number",      "a number",       "a text",
                                   "a list of numbers", "a list of ids", "a list of texts"};
  return kinds[value.index()];
}

}  // namespace

RowEncoder::RowEncoder(const Encoder& encoder) : encoder_(encoder) {
  const Schema& schema = encoder.schema();
  trim_ = schema.data.trim;
  for (const ColumnRequest& request : schema.requests(false)) {
    names_.add(request.name);
    Slot& slot = slots_.emplace_back();
    slot.name = request.name;
    slot.reads_dates = request.type == ColumnType::Text;
    slot.separator = request.separator;
    slot.null = request.null.value_or(schema.data.null);
  }
  for (size_t c = 0; c < schema.columns.size(); ++c) {
    if (schema.columns[c].is_feature()) add_feature(c);
    if (schema.columns[c].role == Role::Task) slot_of(schema.columns[c].name).role = Role::Task;
  }
  for (const TaskSpec& task : schema.tasks) tasks_.add(task.name);
  number_columns();
}

RowEncoder::RowEncoder(const Encoder& encoder, const RowPart& part) : RowEncoder(encoder) {
  row_name_ = part.name;
  is_numbered_ = part.is_numbered;
  keep(part.columns);
  number_columns();
}

// Leaves out the slots of other columns.
void RowEncoder::keep(const std::vector<bool>& columns) {
  std::vector<Slot> kept;
  StringIndex names;
  for (size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i].weighs >= 0) {
      const auto bag =
          static_cast<size_t>(std::find_if(slots_.begin(), slots_.end(),
                                           [&](const Slot& slot) { return slot.bag == slots_[i].weighs; }) -
                              slots_.begin());
      if (columns[i] != columns[bag]) {
        command_error(
            "{}: column \"{}\" holds the weights of \"{}\", but only one of both is part of it; give them in "
            "the "
            "same place",
            row_name_, names_.texts()[i], names_.texts()[bag]);
      }
    }
    if (!columns[i]) continue;
    names.add(slots_[i].name);
    kept.push_back(slots_[i]);
  }
  slots_ = std::move(kept);
  names_ = std::move(names);
}

// Puts the encoded columns side by side, in the order they have in whole rows.
void RowEncoder::number_columns() {
  encoded_ = {};
  for (const Slot& slot : slots_) {
    const auto width = static_cast<int64_t>(slot.scalings.size());
    for (int64_t i = 0; slot.numeric >= 0 && i < width; ++i) encoded_.numeric.push_back(slot.numeric + i);
    if (slot.indicator >= 0) encoded_.numeric.push_back(slot.indicator);
    if (slot.id >= 0) encoded_.ids.push_back(slot.id);
    if (slot.bag >= 0) encoded_.bags.push_back(slot.bag);
    encoded_.has_task = encoded_.has_task || slot.role == Role::Task;
  }
  const auto number = [](std::vector<int64_t>& columns) {
    std::sort(columns.begin(), columns.end());
    return [&columns](int64_t& column) {
      if (column >= 0) column = std::lower_bound(columns.begin(), columns.end(), column) - columns.begin();
    };
  };
  const auto numeric = number(encoded_.numeric), id = number(encoded_.ids), bag = number(encoded_.bags);
  for (Slot& slot : slots_) {
    numeric(slot.numeric);
    numeric(slot.indicator);
    id(slot.id);
    bag(slot.bag);
    bag(slot.weighs);
  }
  numeric_width_ = static_cast<int64_t>(encoded_.numeric.size());
  id_columns_ = static_cast<int64_t>(encoded_.ids.size());
  bags_ = static_cast<int64_t>(encoded_.bags.size());
}

RowEncoder::Slot& RowEncoder::slot_of(const std::string& name) { return slots_[names_.find(name)]; }

// In the order in which Encoder::encode() hands out columns.
void RowEncoder::add_feature(size_t index) {
  const ColumnSpec& column = encoder_.schema().columns[index];
  const Encoder::Fitted& fitted = encoder_.fitted_[index];
  Slot& slot = slot_of(column.name);
  slot.role = column.role;
  slot.has_ids = column.has_ids();
  slot.scalings = fitted.scalings;
  if (fitted.table >= 0) slot.vocabulary = encoder_.vocabulary(fitted.table);
  const bool is_number = column.role == Role::Numeric || column.role == Role::Vector;
  if (column.role == Role::Bag) {
    slot.bag = bags_++;
  } else if (!is_number || fitted.table >= 0) {
    slot.id = id_columns_++;
  } else {
    slot.numeric = numeric_width_;
    numeric_width_ += static_cast<int64_t>(fitted.scalings.size());
  }
  if (is_number && column.missing_indicator) slot.indicator = numeric_width_++;
  if (!column.weights.empty()) slot_of(column.weights).weighs = slot.bag;
}

int64_t RowEncoder::find(std::string_view column) const {
  const uint32_t place = names_.find(column);
  return place == StringIndex::none ? -1 : static_cast<int64_t>(place);
}

std::string RowEncoder::row_text(int64_t row) const {
  return is_numbered_ ? fmt::format("{} {}", row_name_, row + 1) : row_name_;
}

// Writes one row.
class RowEncoder::Row {
 public:
  Row(const RowEncoder& of, int64_t row, EncodedData& to) : of_(of), row_(row), to_(to) {}

  void write(const Slot& slot, const RawValue& value) const {
    switch (slot.role) {
      case Role::Numeric:
        write_number(slot, number_of(slot, value));
        break;
      case Role::Categorical:
        to_.ids[row_ * to_.id_columns + slot.id] = category_of(slot, value);
        break;
      case Role::Vector:
        write_vector(slot, value);
        break;
      case Role::Bag:
        write_bag(slot, value);
        break;
      case Role::Task:
        to_.row_task[row_] = task_of(slot, value);
        break;
      default:
        break;
    }
    if (slot.weighs >= 0) write_weights(slot, value);
  }

 private:
  template <class... Args>
  [[noreturn]] void fault(const Slot& slot, fmt::format_string<Args...> format, Args&&... args) const {
    data_error("{}: column \"{}\": {}", of_.row_text(row_), slot.name,
               fmt::format(format, std::forward<Args>(args)...));
  }
  [[noreturn]] void type_fault(const Slot& slot, const RawValue& value, const char* wanted) const {
    fault(slot, "got {}, expected {}", kind_of(value), wanted);
  }

  static bool is_null(const Slot& slot, std::string_view text) {
    return std::any_of(slot.null.begin(), slot.null.end(), [&](auto& token) { return token == text; });
  }
  std::string_view trimmed(std::string_view text) const { return of_.trim_ ? trim_blanks(text) : text; }

  double finite(const Slot& slot, double value) const {
    if (std::isinf(value)) {
      fault(slot,
            "the value is infinite; expected a finite number, or an empty text or NaN for a missing one");
    }
    return value;
  }

  double parsed_number(const Slot& slot, std::string_view text) const {
    std::optional<double> number = parse_numeric(text);
    if (!number && slot.reads_dates) number = parse_time(text);
    if (!number) fault(slot, "\"{}\" is not a number", text);
    return finite(slot, *number);
  }

  uint64_t parsed_id(const Slot& slot, std::string_view text) const {
    uint64_t id = 0;
    if (parse_id(text, id) != IdParse::Ok) fault(slot, "\"{}\" is not a 64-bit id", text);
    return id;
  }

  // NaN where it is missing.
  double number_of(const Slot& slot, const RawValue& value) const {
    if (const double* number = as<double>(value)) return finite(slot, *number);
    if (const uint64_t* id = as<uint64_t>(value)) return static_cast<double>(*id);
    if (value.index() == 0) return std::nan("");
    const std::string_view* given = as<std::string_view>(value);
    if (given == nullptr) type_fault(slot, value, "a number");
    const std::string_view text = trimmed(*given);
    return is_null(slot, text) ? std::nan("") : parsed_number(slot, text);
  }

  float scaled(const Slot& slot, const Scaling& scaling, double x) const {
    if (std::isnan(x)) return 0;
    const float result = static_cast<float>(scaling.apply(x));
    if (!std::isfinite(result)) fault(slot, "{} after scaling is a value that no 32-bit number holds", x);
    return result;
  }

  void write_number(const Slot& slot, double x) const {
    float* numeric = to_.numeric.data() + row_ * to_.numeric_width;
    if (slot.id >= 0) {
      const auto bin = std::isnan(x) ? 0u : static_cast<uint32_t>(1 + slot.scalings[0].bin(x));
      to_.ids[row_ * to_.id_columns + slot.id] = bin;
    } else {
      numeric[slot.numeric] = scaled(slot, slot.scalings[0], x);
    }
    if (slot.indicator >= 0) numeric[slot.indicator] = std::isnan(x) ? 1.0f : 0.0f;
  }

  // The text of a number or an id; `digits` is its memory.
  std::string_view printed(const RawValue& value, std::span<char> digits) const {
    const auto end = as<double>(value) != nullptr
                         ? fmt::format_to_n(digits.data(), digits.size(), "{}", *as<double>(value)).out
                         : fmt::format_to_n(digits.data(), digits.size(), "{}", *as<uint64_t>(value)).out;
    return {digits.data(), static_cast<size_t>(end - digits.data())};
  }

  uint32_t category_of(const Slot& slot, const RawValue& value) const {
    const Vocabulary& vocabulary = *slot.vocabulary;
    char digits[32];
    std::string_view text;
    if (const std::string_view* given = as<std::string_view>(value)) {
      text = trimmed(*given);
    } else if (const double* number = as<double>(value);
               value.index() == 0 || (number && std::isnan(*number))) {
      return vocabulary.missing_index();
    } else if (slot.has_ids) {
      if (const uint64_t* id = as<uint64_t>(value)) return vocabulary.find(*id);
      type_fault(slot, value, "an id: ids never pass through floating point");
    } else if (number != nullptr || as<uint64_t>(value) != nullptr) {
      text = printed(value, digits);
    } else {
      type_fault(slot, value, "a text");
    }
    if (is_null(slot, text)) return vocabulary.missing_index();
    return slot.has_ids ? vocabulary.find(parsed_id(slot, text)) : vocabulary.find(text);
  }

  // visit(item) for the items of a text such as "3|7|9".
  template <class Visit>
  void each_item(const Slot& slot, std::string_view text, const Visit& visit) const {
    text = trimmed(text);
    if (is_null(slot, text)) return;
    while (true) {
      const size_t end = slot.separator.empty() ? std::string_view::npos : text.find(slot.separator);
      const std::string_view item = trimmed(text.substr(0, end));
      if (!item.empty()) visit(item);
      if (end == std::string_view::npos) return;
      text.remove_prefix(end + slot.separator.size());
    }
  }

  // visit(number) for the numbers of a list or of a text.
  template <class Visit>
  void each_number(const Slot& slot, const RawValue& value, const Visit& visit) const {
    if (const auto* numbers = as<std::span<const double>>(value)) {
      for (const double number : *numbers) visit(finite(slot, number));
    } else if (const auto* text = as<std::string_view>(value)) {
      each_item(slot, *text, [&](std::string_view item) {
        visit(is_null(slot, item) ? std::nan("") : parsed_number(slot, item));
      });
    } else if (value.index() != 0) {
      type_fault(slot, value, "a list of numbers");
    }
  }

  void write_vector(const Slot& slot, const RawValue& value) const {
    float* numeric = to_.numeric.data() + row_ * to_.numeric_width;
    const size_t width = slot.scalings.size();
    size_t count = 0;
    each_number(slot, value, [&](double number) {
      if (count < width) numeric[slot.numeric + count] = scaled(slot, slot.scalings[count], number);
      ++count;
    });
    if (count != 0 && count != width) fault(slot, "got a vector of {} numbers, expected {}", count, width);
    if (count == 0) std::fill_n(numeric + slot.numeric, width, 0.0f);
    if (slot.indicator >= 0) numeric[slot.indicator] = count == 0 ? 1.0f : 0.0f;
  }

  void write_bag(const Slot& slot, const RawValue& value) const {
    EncodedBag& bag = to_.bags[slot.bag];
    const auto add_text = [&](std::string_view item) {
      if (item.empty() || is_null(slot, item)) return;
      bag.ids.push_back(slot.has_ids ? slot.vocabulary->find(parsed_id(slot, item))
                                     : slot.vocabulary->find(item));
    };
    if (const auto* text = as<std::string_view>(value)) {
      each_item(slot, *text, add_text);
    } else if (const auto* texts = as<std::span<const std::string_view>>(value)) {
      for (const std::string_view item : *texts) add_text(trimmed(item));
    } else if (const auto* ids = as<std::span<const uint64_t>>(value); ids && slot.has_ids) {
      for (const uint64_t id : *ids) bag.ids.push_back(slot.vocabulary->find(id));
    } else if (value.index() != 0) {
      type_fault(slot, value, slot.has_ids ? "a list of ids" : "a list of texts");
    }
    bag.offsets.push_back(static_cast<int64_t>(bag.ids.size()));
  }

  void write_weights(const Slot& slot, const RawValue& value) const {
    EncodedBag& bag = to_.bags[slot.weighs];
    each_number(slot, value, [&](double number) {
      if (std::isnan(number)) fault(slot, "a weight is missing; expected a number");
      bag.weights.push_back(static_cast<float>(number));
      if (!std::isfinite(bag.weights.back()))
        fault(slot, "{} is a weight that no 32-bit number holds", number);
    });
  }

  uint32_t task_of(const Slot& slot, const RawValue& value) const {
    char digits[32];
    std::string_view text;
    if (const std::string_view* given = as<std::string_view>(value)) {
      text = trim_blanks(*given);
    } else if (as<double>(value) != nullptr || as<uint64_t>(value) != nullptr) {
      text = printed(value, digits);
    } else if (value.index() != 0) {
      type_fault(slot, value, "a text");
    }
    if (value.index() == 0 || is_null(slot, text))
      fault(slot, "the task of the row is missing; every row belongs to one task");
    const uint32_t task = of_.tasks_.find(text);
    if (task == StringIndex::none)
      fault(slot, "no task \"{}\".{}", text, suggestion(text, of_.tasks_.texts()));
    return task;
  }

  const RowEncoder& of_;
  int64_t row_;
  EncodedData& to_;
};

void RowEncoder::encode(std::span<const RawValue> values, int64_t rows, EncodedData& to) const {
  if (values.size() != static_cast<size_t>(rows) * slots_.size()) {
    command_error("{}: got {} values, expected {} for each of {} rows",
                  is_numbered_ ? row_name_ + "s" : row_name_, values.size(), slots_.size(), rows);
  }
  to.rows = rows;
  to.numeric_width = numeric_width_;
  to.id_columns = id_columns_;
  to.numeric.resize(static_cast<size_t>(rows * numeric_width_));
  to.ids.resize(static_cast<size_t>(rows * id_columns_));
  to.bags.resize(static_cast<size_t>(bags_));
  to.row_task.resize(encoded_.has_task ? static_cast<size_t>(rows) : 0);
  for (EncodedBag& bag : to.bags) {
    bag.offsets.assign(1, 0);
    bag.ids.clear();
    bag.weights.clear();
  }
  for (int64_t row = 0; row < rows; ++row) {
    const Row writer(*this, row, to);
    for (size_t i = 0; i < slots_.size(); ++i) writer.write(slots_[i], values[row * slots_.size() + i]);
    for (const Slot& slot : slots_) {
      if (slot.weighs < 0 || to.bags[slot.weighs].weights.size() == to.bags[slot.weighs].ids.size()) continue;
      const EncodedBag& bag = to.bags[slot.weighs];
      const auto first = static_cast<size_t>(bag.offsets[row]);
      data_error("{}: column \"{}\": got {} weights for {} ids", row_text(row), slot.name,
                 bag.weights.size() - first, bag.ids.size() - first);
    }
  }
}

}  // namespace gatewise
