#include <algorithm>
#include <cmath>

#include "base/utf8.h"
#include "features/column_facts.h"
#include "features/propose.h"

namespace gatewise {
namespace {

constexpr int64_t few_values = 20;     // integers with at most so many are categories
constexpr int64_t many_levels = 1000;  // above, rare levels are left to the unknown id
constexpr int64_t hashed_levels = 1000000;
constexpr int64_t enough_rows = 50;  // to call a column unlike in every row

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

ColumnProposal numeric(ColumnProposal proposal, const ColumnFacts& facts) {
  ColumnSpec& column = proposal.column;
  column.role = Role::Numeric;
  proposal.reason = fmt::format("numbers from {:g} to {:g}, {} distinct{}", facts.least, facts.greatest,
                                facts.distinct, missing_text(facts));
  if (!facts.null_tokens.empty()) {
    column.null = Json::array({""});
    for (const std::string& token : facts.null_tokens) {
      if (!token.empty()) column.null.push_back(token);
    }
    proposal.warnings.push_back(
        fmt::format("\"{}\" is taken as missing", fmt::join(facts.null_tokens, "\", \"")));
  }
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

ColumnProposal propose_scalar(ColumnProposal proposal, const Column& data, bool has_time) {
  if (!are_texts(data)) return ignore(std::move(proposal), "bytes that are not UTF-8 text");
  const ColumnFacts facts = look_at(data);
  const std::string& name = data.name;
  const int64_t present = facts.rows - facts.missing;
  const bool is_stored_number = data.type() == ColumnType::Number;
  if (present == 0) return ignore(std::move(proposal), "every value is missing");
  if (facts.distinct == 1 && facts.missing == 0)
    return ignore(std::move(proposal), "the same value in every row");
  if (facts.are_times) {
    if (has_time) return ignore(std::move(proposal), "a second column of dates");
    proposal.column.role = Role::Time;
    proposal.reason = "dates";
    return proposal;
  }
  // As numbers, so that reading them names the place of the first.
  if (facts.are_numbers && facts.infinite > 0) {
    proposal.warnings.push_back(fmt::format(
        "{} rows hold infinity, which is refused; correct them, or list the text in null", facts.infinite));
    proposal.has_infinity = true;
    return numeric(std::move(proposal), facts);
  }
  const bool is_unlike = present > enough_rows && facts.distinct * 10 > present * 9;
  if (is_unlike && (facts.are_integers || !facts.are_numbers) && !is_stored_number) {
    proposal.warnings.push_back(
        "nearly every row has its own value, as an identifier has; a model could only learn "
        "it by heart");
    return ignore(std::move(proposal), fmt::format("{} distinct values in {} rows", facts.distinct, present));
  }
  if (!facts.are_numbers) return categorical(std::move(proposal), facts, "texts");
  if (facts.are_integers && !is_stored_number) {
    if (is_named_like_id(name)) {
      proposal.column.type = facts.null_tokens.empty() ? "id" : "text";
      return categorical(std::move(proposal), facts, "codes (by the column's name)");
    }
    if (facts.distinct <= few_values) return categorical(std::move(proposal), facts, "integers");
  }
  return numeric(std::move(proposal), facts);
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
    proposals.push_back(is_scalar ? propose_scalar(std::move(proposal), data, has_time)
                                  : propose_list(std::move(proposal), data));
    has_time = has_time || is_time(proposals.back().column);
  }
  return proposals;
}

}  // namespace gatewise
