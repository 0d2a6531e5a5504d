// Columns seen as the type that a role wants, whatever type they were read or handed over as.
#pragma once

#include <memory>
#include <string>

#include "base/json.h"
#include "table/table.h"

namespace gatewise {

// Each view shares the table's own column where the type is right, so it must not outlive the table. Each
// throws Error(Data) with the place of the first value that cannot be seen so.

// Numbers as they are; ids as unsigned numbers; texts as the numbers or dates they spell, those in `null` as
// missing. Infinity is an error.
std::shared_ptr<const Numbers> numbers_of(const Table& table, const std::string& column,
                                          const Json& null = {});
// Texts as they are; ids and numbers as they print.
std::shared_ptr<const Texts> texts_of(const Table& table, const std::string& column);
// Ids as they are; texts as the integers they spell. Never from floating point.
std::shared_ptr<const IdValues> ids_of(const Table& table, const std::string& column);
std::shared_ptr<const IdLists> id_lists_of(const Table& table, const std::string& column);
std::shared_ptr<const TextLists> text_lists_of(const Table& table, const std::string& column);
// Infinity is an error.
std::shared_ptr<const NumberLists> number_lists_of(const Table& table, const std::string& column);

// Throws: "train.csv:7: column "age": <what>".
[[noreturn]] void value_error(const Table& table, int64_t row, const std::string& column,
                              const std::string& what);

}  // namespace gatewise
