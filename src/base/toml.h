// TOML text to and from the one tree type.
#pragma once

#include <string>
#include <string_view>

#include "base/json.h"

namespace gatewise {

// Keys keep the order of the text; dates and times become strings; 64-bit integers stay exact. Throws
// Error(Command) "<where>:<line>:<column>: what", where `where` names the text, usually a file.
Json parse_toml(std::string_view text, const std::string& where);

// As parse_toml() of a file. Throws Error(Command) when it cannot be read.
Json read_toml_file(const std::string& path);

// An object as TOML: in every table first its values, then its tables, both in their order. Floats keep a
// decimal point and read back to the same bits. Nulls of tables are left out. Throws Error(Command) for what
// TOML cannot say: nulls in arrays, integers from 2^63 on, text that is not UTF-8.
std::string to_toml(const Json& object);

// A key, in quotes where it has to be, and a value on one line, tables in braces: to write TOML with
// comments.
std::string toml_key(const std::string& key);
std::string toml_value(const Json& value);

}  // namespace gatewise
