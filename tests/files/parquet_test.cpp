#include <arrow/api.h>
#include <arrow/io/file.h>
#include <parquet/arrow/writer.h>

#include "base/error.h"
#include "features/propose.h"
#include "features/split.h"
#include "table/table_files.h"
#include "tests/table/files.h"

namespace gatewise {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

template <class Builder, class T>
std::shared_ptr<arrow::Array> array_of(const std::vector<std::optional<T>>& values) {
  Builder builder;
  for (const auto& value : values) EXPECT_TRUE((value ? builder.Append(*value) : builder.AppendNull()).ok());
  return builder.Finish().ValueOrDie();
}

std::shared_ptr<arrow::Array> stamps_of(const std::vector<std::optional<int64_t>>& milliseconds) {
  arrow::TimestampBuilder builder(arrow::timestamp(arrow::TimeUnit::MILLI), arrow::default_memory_pool());
  for (const auto& value : milliseconds)
    EXPECT_TRUE((value ? builder.Append(*value) : builder.AppendNull()).ok());
  return builder.Finish().ValueOrDie();
}

template <class ValueBuilder, class T>
std::shared_ptr<arrow::Array> lists_of(const std::vector<std::optional<std::vector<T>>>& rows) {
  auto values = std::make_shared<ValueBuilder>();
  arrow::ListBuilder lists(arrow::default_memory_pool(), values);
  for (const auto& row : rows) {
    EXPECT_TRUE((row ? lists.Append() : lists.AppendNull()).ok());
    if (row) {
      for (const T& value : *row) EXPECT_TRUE(values->Append(value).ok());
    }
  }
  return lists.Finish().ValueOrDie();
}

std::string write_parquet(const std::string& path,
                          const std::vector<std::pair<std::string, std::shared_ptr<arrow::Array>>>& columns) {
  std::vector<std::shared_ptr<arrow::Field>> fields;
  std::vector<std::shared_ptr<arrow::Array>> arrays;
  for (const auto& [name, array] : columns) {
    fields.push_back(arrow::field(name, array->type()));
    arrays.push_back(array);
  }
  const auto table = arrow::Table::Make(arrow::schema(fields), arrays);
  auto file = arrow::io::FileOutputStream::Open(path).ValueOrDie();
  // Rows are cut into groups of 2, so that faults and lists cross them.
  EXPECT_TRUE(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), file, 2).ok());
  EXPECT_TRUE(file->Close().ok());
  return path;
}

ReadOptions options_for(const std::string& name, ColumnType type) {
  ReadOptions options;
  options.columns = {{name, type, std::nullopt, "|"}};
  return options;
}

const Column read_column(const std::string& file, const std::string& name, ColumnType type) {
  return read_table({file}, options_for(name, type)).column(name);
}

class Parquet : public testing::Test {
 protected:
  Folder folder_;
  std::string file_ = write_parquet(
      folder_.file("a.parquet"),
      {{"signed", array_of<arrow::Int64Builder, int64_t>({-1, std::nullopt, 9007199254740993})},
       {"unsigned", array_of<arrow::UInt64Builder, uint64_t>({uint64_t{1} << 63, 16777217, 0})},
       {"real", array_of<arrow::DoubleBuilder, double>({0.5, std::nan(""), std::nullopt})},
       {"single", array_of<arrow::FloatBuilder, float>({0.25f, 1.0f, std::nullopt})},
       {"word", array_of<arrow::StringBuilder, std::string>({" a", std::nullopt, ""})},
       {"flag", array_of<arrow::BooleanBuilder, bool>({true, false, std::nullopt})},
       {"day", array_of<arrow::Date32Builder, int32_t>({1, 2, std::nullopt})},
       {"stamp", stamps_of({1500, std::nullopt, 0})},
       {"ids", lists_of<arrow::UInt64Builder, uint64_t>({{{uint64_t{1} << 63, 2}}, std::nullopt, {{3}}})},
       {"small_ids", lists_of<arrow::Int32Builder, int32_t>({{{}}, {{-1}}, {{3}}})},
       {"vector", lists_of<arrow::FloatBuilder, float>({{{1, 2}}, {{3, 4}}, {{5, 6}}})},
       {"words", lists_of<arrow::StringBuilder, std::string>({{{"p", "q"}}, {{"p"}}, std::nullopt})}});
};

TEST_F(Parquet, ReadsIdsByBitPattern) {
  const IdValues ids = std::get<IdValues>(read_column(file_, "signed", ColumnType::Id).data);
  EXPECT_THAT(ids.values, ElementsAre(std::numeric_limits<uint64_t>::max(), 0u, 9007199254740993u));
  EXPECT_FALSE(ids.is_present(1));
  EXPECT_TRUE(ids.is_present(2));
  EXPECT_THAT(std::get<IdValues>(read_column(file_, "unsigned", ColumnType::Id).data).values,
              ElementsAre(uint64_t{1} << 63, 16777217u, 0u));
  const IdLists lists = std::get<IdLists>(read_column(file_, "ids", ColumnType::IdList).data);
  EXPECT_THAT(lists.offsets, ElementsAre(0, 2, 2, 3));
  EXPECT_THAT(lists.ids, ElementsAre(uint64_t{1} << 63, 2u, 3u));
  EXPECT_THAT(std::get<IdLists>(read_column(file_, "small_ids", ColumnType::IdList).data).ids,
              ElementsAre(std::numeric_limits<uint64_t>::max(), 3u));
}

TEST_F(Parquet, ReadsNumbersTextsTimesAndLists) {
  const auto numbers = [&](const std::string& name, ColumnType type = ColumnType::Number) {
    return std::get<Numbers>(read_column(file_, name, type).data).values;
  };
  EXPECT_EQ(numbers("real")[0], 0.5);
  EXPECT_TRUE(std::isnan(numbers("real")[1]) && std::isnan(numbers("real")[2]));
  EXPECT_EQ(numbers("single")[0], 0.25);
  EXPECT_EQ(numbers("signed")[0], -1);
  EXPECT_EQ(numbers("unsigned")[0], 0x1p63);
  EXPECT_EQ(numbers("flag")[0], 1);
  EXPECT_EQ(numbers("day", ColumnType::Time)[1], 2 * 86400.0);
  EXPECT_EQ(numbers("stamp", ColumnType::Time)[0], 1.5);
  const Texts words = std::get<Texts>(read_column(file_, "word", ColumnType::Text).data);
  EXPECT_THAT(words.codes, ElementsAre(0u, missing_code, missing_code));
  EXPECT_THAT(words.levels, ElementsAre("a"));
  EXPECT_THAT(std::get<Texts>(read_column(file_, "unsigned", ColumnType::Text).data).levels,
              ElementsAre("9223372036854775808", "16777217", "0"));
  EXPECT_THAT(std::get<NumberLists>(read_column(file_, "vector", ColumnType::NumberList).data).values,
              ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(std::get<TextLists>(read_column(file_, "words", ColumnType::TextList).data).codes,
              ElementsAre(0u, 1u, 0u));
}

TEST_F(Parquet, OffersTypesWhenAllColumnsAreRead) {
  ReadOptions options;
  options.all_columns = true;
  const Table table = read_table({file_}, options);
  EXPECT_EQ(table.columns().size(), 12u);
  EXPECT_EQ(table.column("signed").type(), ColumnType::Text);
  EXPECT_EQ(table.column("real").type(), ColumnType::Number);
  EXPECT_FALSE(std::get<Numbers>(table.column("real").data).are_times);
  for (const char* name : {"day", "stamp"})
    EXPECT_TRUE(std::get<Numbers>(table.select({0}).column(name).data).are_times) << name;
  EXPECT_EQ(table.column("ids").type(), ColumnType::IdList);
  EXPECT_EQ(table.column("vector").type(), ColumnType::NumberList);
  EXPECT_EQ(table.place(2), file_ + ": row 3");
}

TEST_F(Parquet, LeavesOutColumnsThatCannotBeRead) {
  const Folder folder;
  const std::shared_ptr<arrow::Array> label = array_of<arrow::DoubleBuilder, double>({0.0, 1.0, 1.0});
  const auto structure = arrow::StructArray::Make({label}, std::vector<std::string>{"a"}).ValueOrDie();
  arrow::FixedSizeBinaryBuilder binary(arrow::fixed_size_binary(2));
  for (int row = 0; row < 3; ++row) EXPECT_TRUE(binary.Append("ab").ok());
  const std::string file = write_parquet(folder.file("odd.parquet"),
                                         {{"meta", structure},
                                          {"code", binary.Finish().ValueOrDie()},
                                          {"x", array_of<arrow::DoubleBuilder, double>({1.5, 2.5, 2.5})},
                                          {"y", label}});
  const Proposal proposal = propose_configuration({file}, {"y"});
  EXPECT_EQ(proposal.configuration["columns"]["meta"], "ignore");
  EXPECT_EQ(proposal.configuration["columns"]["code"], "ignore");
  const Json columns = proposal.to_json()["columns"];
  EXPECT_EQ(columns["meta"]["reason"], "stored as struct, which cannot be read");
  EXPECT_EQ(columns["code"]["reason"], "stored as fixed_size_binary[2], which cannot be read");
  const Schema automatic = Schema::from_json(
      {{"data", {{"train", file}}}, {"columns", {{"meta", "ignore"}}}, {"tasks", {{"y", Json::object()}}}});
  EXPECT_EQ(load_parts(resolve_schema(automatic)).train.rows(), 3);
}

TEST_F(Parquet, WrongTypesAndMissingColumnsAreErrors) {
  const auto message = [&](const std::string& name, ColumnType type) {
    return message_of([&] { read_column(file_, name, type); });
  };
  EXPECT_THAT(message("real", ColumnType::Id),
              HasSubstr("column \"real\": is stored as double, which cannot be read as "
                        "id; ids never pass through floating point"));
  EXPECT_THAT(message("vector", ColumnType::IdList), HasSubstr("column \"vector\": is stored as float"));
  EXPECT_THAT(message("ids", ColumnType::Number), HasSubstr("cannot be read as number"));
  EXPECT_THAT(message("real", ColumnType::IdList), HasSubstr("cannot be read as list of ids"));
  EXPECT_THAT(message("day", ColumnType::Text), HasSubstr("column \"day\": is stored as date32"));
  EXPECT_THAT(message("word", ColumnType::Number),
              HasSubstr("row 1: column \"word\": \"a\" is not a number"));
  EXPECT_THAT(message("wrd", ColumnType::Text), HasSubstr("Did you mean \"word\""));
}

TEST_F(Parquet, DamagedFilesAreErrors) {
  const std::string content = content_of(file_);
  const auto message = [&](const std::string& damaged) {
    const std::string file = folder_.write("damaged.parquet", damaged);
    return message_of([&] { read_column(file, "word", ColumnType::Text); });
  };
  EXPECT_THAT(message(content.substr(0, content.size() / 2)), HasSubstr("cannot be read as Parquet"));
  EXPECT_THAT(message(content.substr(0, 4)), HasSubstr("cannot be read as Parquet"));
  EXPECT_THAT(message("a,b\n1,2\n"), HasSubstr("its name ends in .parquet"));
  EXPECT_THAT(message(""), HasSubstr("the file is empty"));
}

TEST_F(Parquet, MixesWithCsv) {
  const std::string csv = folder_.write("a.csv", "word,signed\nb,5\n");
  ReadOptions options = options_for("signed", ColumnType::Id);
  const Table table = read_table({file_, csv}, options);
  EXPECT_EQ(table.rows(), 4);
  EXPECT_EQ(std::get<IdValues>(table.column("signed").data).values[3], 5u);
  EXPECT_EQ(table.place(3), csv + ":2");
}

TEST_F(Parquet, NoRowsIsAnError) {
  const std::string file =
      write_parquet(folder_.file("empty.parquet"), {{"x", array_of<arrow::DoubleBuilder, double>({})}});
  EXPECT_THAT(message_of([&] { read_column(file, "x", ColumnType::Number); }),
              HasSubstr("there are no rows"));
}

TEST_F(Parquet, ColumnsOfOtherTypesAreLeftOutAndNamed) {
  const auto inner = array_of<arrow::Int64Builder, int64_t>({1, 2, 3});
  const auto pair = arrow::StructArray::Make({inner, inner}, std::vector<std::string>{"a", "b"}).ValueOrDie();
  const std::string file = write_parquet(
      folder_.file("odd.parquet"), {{"x", inner},
                                    {"meta", pair},
                                    {"at", inner->View(arrow::time64(arrow::TimeUnit::MICRO)).ValueOrDie()}});
  std::vector<std::string> found;
  for (const UnreadableColumn& column : unreadable_columns(file, {}))
    found.push_back(column.name + " " + column.type);
  EXPECT_THAT(found, ElementsAre("meta struct", "at time of day"));
  ReadOptions all;
  all.all_columns = true;
  EXPECT_THAT(read_table({file}, all).column_names(), ElementsAre("x"));
  EXPECT_THAT(message_of([&] { read_column(file, "meta", ColumnType::Text); }),
              HasSubstr("column \"meta\": is stored as struct, which cannot be read as text"));
  const Proposal proposal = propose_configuration({file}, {"x"});
  EXPECT_EQ(proposal.configuration["columns"]["meta"], "ignore");
  EXPECT_EQ(proposal.to_json()["columns"]["meta"]["reason"], "stored as struct, which cannot be read");
}

TEST_F(Parquet, BytesThatAreNoTextAreProposedToBeIgnored) {
  const std::string file = write_parquet(
      folder_.file("bytes.parquet"),
      {{"y", array_of<arrow::Int64Builder, int64_t>({0, 1, 1})},
       {"picture", array_of<arrow::BinaryBuilder, std::string>({"\xff\xd8", "\xff\xd9", "\xff\xd8"})},
       {"word", array_of<arrow::BinaryBuilder, std::string>({"a", "b", "a"})}});
  const Json columns = propose_configuration({file}, {"y"}).configuration["columns"];
  EXPECT_EQ(columns["picture"], "ignore");
  EXPECT_EQ(columns["word"], "categorical");
  EXPECT_THAT(message_of([&] { read_column(file, "picture", ColumnType::Text); }),
              HasSubstr("row 1: column \"picture\": \"\\xff\\xd8\" is not valid UTF-8"));
}

}  // namespace
}  // namespace gatewise
