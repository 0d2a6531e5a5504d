#include <algorithm>
#include <cmath>

#include "base/utf8.h"
#include "features/column_facts.h"
#include "features/column_views.h"
#include "features/propose.h"
#include "table/parse.h"

namespace gatewise {
namespace {

constexpr int64_t few_values = 20;     // integers with at most so many are categories
constexpr int64_t many_levels = 1000;  // above, rare levels are left to the unknown id
constexpr int64_t hashed_levels = 1000000;
constexpr int64_t enough_rows = 50;       // to call a column unlike in every row
constexpr double mostly = 0.95;           // numbers, that make other texts look like mistakes
constexpr double exact_numbers = 0x1p53;  // integers from here on may lose digits as numbers

std::string missing_text(const ColumnFacts& facts) {
  if (facts.missing == 0) return "";
  return fmt::format(", {:.2g} % missing",
                     100.0 * static_cast<double>(facts.missing) / static_cast<double>(facts.rows));
}

ColumnProposal ignore(ColumnProposal proposal, const std::string& reason) {
  proposal.column.role = Role::Ignore;
  proposal.reason = reason;
  return proposal;
}

void take_as_missing(const std::vector<std::string>& tokens, const std::vector<std::string>& table_null,
                     ColumnProposal& proposal) {
  if (tokens.empty()) return;
  proposal.column.null = with_null_tokens(table_null, tokens);
  proposal.warnings.push_back(fmt::format("\"{}\" is taken as missing", fmt::join(tokens, "\", \"")));
}

ColumnProposal numeric(ColumnProposal proposal, const ColumnFacts& facts,
                       const std::vector<std::string>& table_null) {
  ColumnSpec& column = proposal.column;
  column.role = Role::Numeric;
  proposal.reason = fmt::format("numbers from {:g} to {:g}, {} distinct{}", facts.least, facts.greatest,
                                facts.distinct, missing_text(facts));
  take_as_missing(facts.null_tokens, table_null, proposal);
  column.missing_indicator = facts.missing > 0 || !facts.null_tokens.empty();
  if (facts.least >= 0 && facts.greatest > 50 * facts.mean) {
    column.transform = "log1p";
    proposal.warnings.push_back(fmt::format(
        "wild scale: the greatest value is {:.0f} times the mean, hence log1p", facts.greatest / facts.mean));
  }
  return proposal;
}

ColumnProposal categorical(ColumnProposal proposal, const ColumnFacts& facts, const char* kind) {
  ColumnSpec& column = proposal.column;
  column.role = Role::Categorical;
  proposal.reason = fmt::format("{} with {} distinct values{}", kind, facts.distinct, missing_text(facts));
  if (facts.distinct > hashed_levels) {
    column.hash_buckets = hashed_levels;
    proposal.warnings.push_back(
        fmt::format("{} levels are hashed into {} buckets", facts.distinct, hashed_levels));
  } else if (facts.distinct > many_levels) {
    column.min_count = 5;
  }
  return proposal;
}

// Only columns stored as bytes may hold others.
bool are_texts(const Column& data) {
  const auto* texts = std::get_if<Texts>(&data.data);
  const auto* lists = std::get_if<TextLists>(&data.data);
  if (texts == nullptr && lists == nullptr) return true;
  const std::vector<std::string>& levels = texts != nullptr ? texts->levels : lists->levels;
  return std::all_of(levels.begin(), levels.end(), [](const std::string& level) { return is_utf8(level); });
}

// Whether each present value is greater than the one of the row before, or each less, as row numbers are.
bool runs_with_rows(const Table& table, const Column& column, const ColumnFacts& facts) {
  const auto numbers = numbers_of(table, column.name, facts.null_tokens);
  bool rises = true, falls = true;
  double last = std::nan("");
  for (const double value : numbers->values) {
    if (std::isnan(value)) continue;
    rises = rises && !(value <= last);
    falls = falls && !(value >= last);
    last = value;
  }
  return rises || falls;
}

// Of a column that is unlike in every row: integers may as well be amounts.
bool is_identifier(const Table& table, const Column& column, const ColumnFacts& facts) {
  if (!facts.are_numbers) return true;
  return facts.are_integers && (is_named_like_id(column.name) || facts.greatest >= exact_numbers ||
                                facts.least <= -exact_numbers || runs_with_rows(table, column, facts));
}

// Whether nearly all texts are numbers, and many of them, so that the others look like mistakes.
bool are_mostly_numbers(const std::string& name, const ColumnFacts& facts, int64_t present) {
  return !facts.are_numbers && !is_named_like_id(name) && facts.others > 0 &&
         facts.distinct - facts.others > few_values &&
         static_cast<double>(facts.number_rows) >= mostly * static_cast<double>(present);
}

// "399 of 400 values are numbers; the first other, "1.5e", stands in a.csv:79".
std::string odd_texts(const Table& table, const Column& column, const ColumnFacts& facts, int64_t present) {
  const Texts& texts = std::get<Texts>(column.data);
  const auto is_other = [&](uint32_t code) {
    if (code == missing_code) return false;
    const std::vector<std::string>& others = facts.other_texts;
    return std::find(others.begin(), others.end(), texts.levels[code]) != others.end();
  };
  const auto first = std::find_if(texts.codes.begin(), texts.codes.end(), is_other);
  return fmt::format("{} of {} values are numbers; the first other, \"{}\", stands in {}", facts.number_rows,
                     present, texts.levels[*first], table.place(first - texts.codes.begin()));
}

// Whether the text is a number but for signs of currency, per cent or thousands.
bool is_decorated_number(const std::string& text) {
  std::string bare = text;
  for (const char* sign : {"$", "\u20ac", "\u00a3", "\u00a5", "%", ",", " "}) {
    for (size_t at = bare.find(sign); at != std::string::npos; at = bare.find(sign))
      bare.erase(at, std::string_view(sign).size());
  }
  return bare != text && parse_number(bare).has_value();
}

void warn_of_decorated_numbers(const Column& column, ColumnProposal& proposal) {
  const auto* texts = std::get_if<Texts>(&column.data);
  if (texts == nullptr || texts->levels.empty()) return;
  const auto count = std::count_if(texts->levels.begin(), texts->levels.end(), is_decorated_number);
  if (static_cast<double>(count) < mostly * static_cast<double>(texts->levels.size())) return;
  proposal.warnings.push_back(
      fmt::format("\"{}\" and the like look like numbers, but are texts here; write them as 1234.5 to use "
                  "them as numbers",
                  texts->levels[0]));
}

ColumnProposal propose_time(ColumnProposal proposal, const ColumnFacts& facts, const Schema& schema,
                            bool has_time) {
  if (has_time) return ignore(std::move(proposal), "a second column of dates");
  proposal.column.role = Role::Time;
  proposal.reason = "dates";
  take_as_missing(facts.null_tokens, schema.data.null, proposal);
  return proposal;
}

// Other texts become missing.
ColumnProposal numeric_with_mistakes(ColumnProposal proposal, ColumnFacts facts, const Schema& schema) {
  std::vector<std::string>& tokens = facts.null_tokens;
  tokens.insert(tokens.end(), facts.other_texts.begin(), facts.other_texts.end());
  return numeric(std::move(proposal), facts, schema.data.null);
}

ColumnProposal propose_scalar(ColumnProposal proposal, const Table& table, const Column& data,
                              const Schema& schema, bool has_time) {
  if (!are_texts(data)) return ignore(std::move(proposal), "bytes that are not UTF-8 text");
  const ColumnFacts facts = look_at(data);
  const int64_t present = facts.rows - facts.missing;
  const bool is_stored_number = data.type() == ColumnType::Number;
  if (present == 0) return ignore(std::move(proposal), "every value is missing");
  if (facts.distinct == 1 && facts.missing == 0)
    return ignore(std::move(proposal), "the same value in every row");
  if (facts.are_times) return propose_time(std::move(proposal), facts, schema, has_time);
  // As numbers, so that reading them names the place of the first.
  if (facts.are_numbers && facts.infinite > 0) {
    proposal.warnings.push_back(fmt::format(
        "{} rows hold infinity, which is refused; correct them, or list the text in null", facts.infinite));
    proposal.has_infinity = true;
    return numeric(std::move(proposal), facts, schema.data.null);
  }
  if (are_mostly_numbers(data.name, facts, present)) {
    proposal.warnings.push_back(odd_texts(table, data, facts, present) + "; correct the file");
    if (facts.others <= ColumnFacts::few_others)
      return numeric_with_mistakes(std::move(proposal), facts, schema);
  }
  if (!facts.are_numbers) warn_of_decorated_numbers(data, proposal);
  const bool is_unlike = present > enough_rows && facts.distinct * 10 > present * 9;
  if (is_unlike && !is_stored_number && is_identifier(table, data, facts)) {
    proposal.warnings.push_back(
        "nearly every row has its own value, as an identifier has; a model could only learn "
        "it by heart");
    return ignore(std::move(proposal), fmt::format("{} distinct values in {} rows", facts.distinct, present));
  }
  if (!facts.are_numbers) return categorical(std::move(proposal), facts, "texts");
  if (facts.are_integers && !is_stored_number) {
    if (is_named_like_id(data.name)) {
      proposal.column.type = facts.null_tokens.empty() && facts.are_ids ? "id" : "text";
      return categorical(std::move(proposal), facts, "codes (by the column's name)");
    }
    if (facts.distinct <= few_values) return categorical(std::move(proposal), facts, "integers");
  }
  return numeric(std::move(proposal), facts, schema.data.null);
}

ColumnProposal propose_list(ColumnProposal proposal, const Column& data) {
  ColumnSpec& column = proposal.column;
  if (const auto* numbers = std::get_if<NumberLists>(&data.data)) {
    const int64_t width = data.rows() > 0 ? numbers->offsets[1] : 0;
    for (int64_t row = 0; row < data.rows(); ++row) {
      if (numbers->offsets[row + 1] - numbers->offsets[row] != width || width == 0) {
        return ignore(std::move(proposal), "lists of numbers of unequal length");
      }
    }
    column.role = Role::Vector;
    column.width = width;
    proposal.reason = fmt::format("{} numbers in every row", width);
    return proposal;
  }
  if (!are_texts(data)) return ignore(std::move(proposal), "bytes that are not UTF-8 text");
  column.role = Role::Bag;
  column.type = data.type() == ColumnType::TextList ? "text" : "id";
  proposal.reason = type_name(data.type());
  return proposal;
}

}  // namespace

std::vector<ColumnProposal> propose_columns(const Table& table, const Schema& schema) {
  std::vector<ColumnProposal> proposals;
  const auto is_time = [](const ColumnSpec& column) { return column.role == Role::Time; };
  bool has_time = std::any_of(schema.columns.begin(), schema.columns.end(), is_time);
  for (const Column& data : table.columns()) {
    if (schema.find_column(data.name) || schema.is_used_elsewhere(data.name)) continue;
    ColumnProposal proposal;
    proposal.column.name = data.name;
    proposal.column.type = "text";
    const bool is_scalar =
        data.type() == ColumnType::Number || data.type() == ColumnType::Id || data.type() == ColumnType::Text;
    proposals.push_back(is_scalar ? propose_scalar(std::move(proposal), table, data, schema, has_time)
                                  : propose_list(std::move(proposal), data));
    has_time = has_time || is_time(proposals.back().column);
  }
  return proposals;
}

}  // namespace gatewise
