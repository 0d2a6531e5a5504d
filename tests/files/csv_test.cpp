#include <arrow/io/compressed.h>
#include <arrow/io/file.h>
#include <arrow/util/compression.h>
#include <lzma.h>

#include "base/error.h"
#include "table/table_files.h"
#include "tests/table/files.h"

namespace gatewise {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<double>& numbers(const Table& table, const std::string& name) {
  return std::get<Numbers>(table.column(name).data).values;
}

std::vector<std::string> texts(const Table& table, const std::string& name) {
  const Texts& column = std::get<Texts>(table.column(name).data);
  std::vector<std::string> result;
  for (const uint32_t code : column.codes)
    result.push_back(code == missing_code ? "<missing>" : column.levels[code]);
  return result;
}

ReadOptions options_for(std::vector<ColumnRequest> columns) {
  ReadOptions options;
  options.columns = std::move(columns);
  return options;
}

ColumnRequest request(const std::string& name, ColumnType type) { return {name, type, std::nullopt, "|"}; }

std::string xz_of(const std::string& text) {
  std::string result(lzma_stream_buffer_bound(text.size()), '\0');
  size_t size = 0;
  EXPECT_EQ(
      lzma_easy_buffer_encode(6, LZMA_CHECK_CRC64, nullptr, reinterpret_cast<const uint8_t*>(text.data()),
                              text.size(), reinterpret_cast<uint8_t*>(result.data()), &size, result.size()),
      LZMA_OK);
  return result.substr(0, size);
}

void write_compressed(const std::string& path, const std::string& text,
                      arrow::Compression::type compression) {
  auto codec = arrow::util::Codec::Create(compression).ValueOrDie();
  auto file = arrow::io::FileOutputStream::Open(path).ValueOrDie();
  auto stream = arrow::io::CompressedOutputStream::Make(codec.get(), file).ValueOrDie();
  ASSERT_TRUE(stream->Write(text.data(), static_cast<int64_t>(text.size())).ok());
  ASSERT_TRUE(stream->Close().ok());
}

TEST(Csv, AFileWithBracketsInItsNameIsMeantItself) {
  const Folder folder;
  const std::string file = folder.write("my, file [1].csv", "a\n1\n");
  const std::string other = folder.write("my, file 1.csv", "a\n2\n");
  EXPECT_THAT(expand_files({file}), ElementsAre(file));
  std::filesystem::remove(file);
  EXPECT_THAT(expand_files({file}), ElementsAre(other)) << "a pattern, where there is no such file";
}

TEST(Csv, ReadsColumnsWithTheirTypes) {
  const Folder folder;
  const std::string file = folder.write("a.csv",
                                        "age, word ,user,history,vector,day\n"
                                        " 31 ,  a b ,18446744073709551615,3|4|3,0.5|1,2020-01-01\n"
                                        "nan,,-1,,,\n"
                                        ",\"x,\"\"y\"\"\n z\",, 7 | 9223372036854775808 ,nan|2,17\n");
  const Table table = read_table(
      {file}, options_for({request("user", ColumnType::Id), request("age", ColumnType::Number),
                           request("word", ColumnType::Text), request("history", ColumnType::IdList),
                           request("vector", ColumnType::NumberList), request("day", ColumnType::Time)}));
  EXPECT_EQ(table.rows(), 3);
  EXPECT_THAT(table.column_names(), ElementsAre("user", "age", "word", "history", "vector", "day"));
  const IdValues& users = std::get<IdValues>(table.column("user").data);
  EXPECT_THAT(users.values,
              ElementsAre(std::numeric_limits<uint64_t>::max(), std::numeric_limits<uint64_t>::max(), 0u));
  EXPECT_TRUE(users.is_present(0) && users.is_present(1) && !users.is_present(2));
  EXPECT_EQ(numbers(table, "age")[0], 31);
  EXPECT_TRUE(std::isnan(numbers(table, "age")[1]) && std::isnan(numbers(table, "age")[2]));
  EXPECT_THAT(texts(table, "word"), ElementsAre("a b", "<missing>", "x,\"y\"\n z"));
  const IdLists& history = std::get<IdLists>(table.column("history").data);
  EXPECT_THAT(history.offsets, ElementsAre(0, 3, 3, 5));
  EXPECT_THAT(history.ids, ElementsAre(3u, 4u, 3u, 7u, uint64_t{1} << 63));
  const NumberLists& vectors = std::get<NumberLists>(table.column("vector").data);
  EXPECT_THAT(vectors.offsets, ElementsAre(0, 2, 2, 4));
  EXPECT_TRUE(std::isnan(vectors.values[2]));
  EXPECT_EQ(numbers(table, "day")[0], 1577836800.0);
  EXPECT_EQ(numbers(table, "day")[2], 17.0);
}

TEST(Csv, KeepsIdsThatNoFloatingPointHolds) {
  const Folder folder;
  const std::string file =
      folder.write("a.csv", "id\n16777217\n9007199254740993\n9223372036854775809\n-9223372036854775808\n");
  const Table table = read_table({file}, options_for({request("id", ColumnType::Id)}));
  EXPECT_THAT(std::get<IdValues>(table.column("id").data).values,
              ElementsAre(16777217u, 9007199254740993u, 9223372036854775809u, 9223372036854775808u));
}

TEST(Csv, NullTokensBelongToTheirColumn) {
  const Folder folder;
  const std::string file = folder.write("a.csv", "origin,income\nNA,NA\n?,-999\nx,5\n");
  ReadOptions options;
  options.null = {"", "?"};
  options.columns = {request("origin", ColumnType::Text),
                     {"income", ColumnType::Number, std::vector<std::string>{"NA", "-999"}, "|"}};
  const Table table = read_table({file}, options);
  EXPECT_THAT(texts(table, "origin"), ElementsAre("NA", "<missing>", "x"));
  EXPECT_TRUE(std::isnan(numbers(table, "income")[0]) && std::isnan(numbers(table, "income")[1]));
  EXPECT_EQ(numbers(table, "income")[2], 5);
}

TEST(Csv, ReadsCompressedFiles) {
  const Folder folder;
  std::string text = "x\n";
  for (int i = 0; i < 100000; ++i) text += std::to_string(i) + "\n";
  folder.write("a.csv.xz", xz_of(text));
  folder.write("twice.csv.xz", xz_of(text) + xz_of("7\n"));
  write_compressed(folder.file("a.csv.gz"), text, arrow::Compression::GZIP);
  write_compressed(folder.file("a.csv.zst"), text, arrow::Compression::ZSTD);
  for (const char* name : {"a.csv.xz", "a.csv.gz", "a.csv.zst", "twice.csv.xz"}) {
    const Table table = read_table({folder.file(name)}, options_for({request("x", ColumnType::Number)}));
    EXPECT_EQ(table.rows(), std::string(name) == "twice.csv.xz" ? 100001 : 100000) << name;
    EXPECT_EQ(numbers(table, "x")[99999], 99999) << name;
  }
}

TEST(Csv, TruncatedCompressedFilesAreErrors) {
  const Folder folder;
  std::string text = "x\n";
  for (int i = 0; i < 100000; ++i) text += std::to_string(i * 7919 % 100003) + "\n";
  folder.write("a.csv.xz", xz_of(text));
  write_compressed(folder.file("a.csv.gz"), text, arrow::Compression::GZIP);
  write_compressed(folder.file("a.csv.zst"), text, arrow::Compression::ZSTD);
  for (const char* name : {"a.csv.xz", "a.csv.gz", "a.csv.zst"}) {
    const std::string content = content_of(folder.file(name));
    const std::string file = folder.write(std::string("cut_") + name, content.substr(0, content.size() / 2));
    EXPECT_THAT(message_of([&] { read_table({file}, options_for({request("x", ColumnType::Number)})); }),
                HasSubstr(file + ": "))
        << name;
  }
  std::string damaged = xz_of(text);
  damaged[damaged.size() / 2] ^= 0x55;
  const std::string file = folder.write("damaged.csv.xz", damaged);
  EXPECT_THAT(message_of([&] { read_table({file}, options_for({request("x", ColumnType::Number)})); }),
              HasSubstr("the xz stream is damaged"));
  const std::string not_xz = folder.write("text.csv.xz", "x\n1\n");
  EXPECT_THAT(message_of([&] { read_table({not_xz}, options_for({request("x", ColumnType::Number)})); }),
              HasSubstr("its name ends in .xz"));
}

TEST(Csv, ReadsSeveralFilesAndPatternsInOrder) {
  const Folder folder;
  folder.write("part_2.csv", "b,a\nx,3\n");
  folder.write("part_1.csv", "a,b\n1,y\n2,z\n");
  const std::string extra = folder.write("extra.csv", "a,b,c\n9,w,0\n");
  const ReadOptions options = options_for({request("a", ColumnType::Number), request("b", ColumnType::Text)});
  const Table table = read_table({folder.file("part_*.csv"), extra}, options);
  EXPECT_THAT(numbers(table, "a"), ElementsAre(1, 2, 3, 9));
  EXPECT_THAT(texts(table, "b"), ElementsAre("y", "z", "x", "w"));
  EXPECT_EQ(table.place(1), folder.file("part_1.csv") + ":3");
  EXPECT_EQ(table.place(2), folder.file("part_2.csv") + ":2");
  EXPECT_EQ(table.place(3), extra + ":2");
  EXPECT_THAT(message_of([&] { read_table({folder.file("nothing_*.csv")}, options); }),
              HasSubstr("no file matches"));
  EXPECT_THAT(message_of([&] { read_table({folder.file("none.csv")}, options); }),
              HasSubstr("there is no such file"));
  EXPECT_THAT(message_of([&] { read_table({folder.file("")}, options); }), HasSubstr("is a folder"));
}

TEST(Csv, HeaderNamesAndSkippedLinesAreOptional) {
  const Folder folder;
  const std::string file = folder.write("a.data", "|a comment\n1; x\n\n2; y\n");
  ReadOptions options = options_for({request("word", ColumnType::Text), request("n", ColumnType::Number)});
  options.header = false;
  options.skip_rows = 1;
  options.delimiter = ';';
  options.column_names = {"n", "word"};
  const Table table = read_table({file}, options);
  EXPECT_THAT(numbers(table, "n"), ElementsAre(1, 2));
  EXPECT_THAT(texts(table, "word"), ElementsAre("x", "y"));
  EXPECT_EQ(table.place(1), file + ":4");
  options.column_names.clear();
  EXPECT_THAT(read_column_names(file, options), ElementsAre("f0", "f1"));
}

TEST(Csv, HeaderMayFollowEmptyLinesAndHaveQuotesBlanksAndByteOrderMark) {
  const Folder folder;
  const std::string file = folder.write("a.csv", "\xef\xbb\xbf\r\n\"a \"\"x\",  b \r\n1,2\r\n\r\n3,4");
  EXPECT_THAT(read_column_names(file, {}), ElementsAre("a \"x", "b"));
  const Table table = read_table({file}, options_for({request("b", ColumnType::Number)}));
  EXPECT_THAT(numbers(table, "b"), ElementsAre(2, 4));
  EXPECT_EQ(table.place(1), file + ":5");
}

TEST(Csv, FaultsNameFileLineAndColumn) {
  const Folder folder;
  const std::string file = folder.write("a.csv", "age,id,note\n1,2,\"two\nlines\"\n\n3,x,c\nabc,4,d\n");
  EXPECT_THAT(message_of([&] { read_table({file}, options_for({request("age", ColumnType::Number)})); }),
              HasSubstr(file + ":6: column \"age\": \"abc\" is not a number; "));
  EXPECT_THAT(message_of([&] { read_table({file}, options_for({request("id", ColumnType::Id)})); }),
              HasSubstr(file + ":5: column \"id\": \"x\" is not an id; "));
  EXPECT_THAT(message_of([&] { read_table({file}, options_for({request("note", ColumnType::Time)})); }),
              HasSubstr(file + ":2: column \"note\": \"two\nlines\" is not a time; "));
  EXPECT_THAT(message_of([&] { read_table({file}, options_for({request("agee", ColumnType::Number)})); }),
              HasSubstr("there is no column \"agee\". Did you mean \"age\"?"));
}

TEST(Csv, FaultsFarIntoTheFileNameTheirLine) {
  const Folder folder;
  std::string text = "x,y\n";
  for (int i = 0; i < 1200000; ++i) text += i == 1199990 ? "1,oops\n" : "1,22222\n";
  const std::string file = folder.write("a.csv", text);
  EXPECT_THAT(message_of([&] { read_table({file}, options_for({request("y", ColumnType::Number)})); }),
              HasSubstr(file + ":1199992: column \"y\": \"oops\""));
}

TEST(Csv, IdsThatFitNoSixtyFourBitsAreErrors) {
  const Folder folder;
  const std::string file =
      folder.write("a.csv", "id,list\n1,1|18446744073709551616\n18446744073709551616,2\n");
  EXPECT_THAT(message_of([&] { read_table({file}, options_for({request("id", ColumnType::Id)})); }),
              HasSubstr(":3: column \"id\": \"18446744073709551616\" does not fit 64 bits"));
  EXPECT_THAT(message_of([&] { read_table({file}, options_for({request("list", ColumnType::IdList)})); }),
              HasSubstr(":2: column \"list\": \"18446744073709551616\" does not fit 64 bits"));
}

TEST(Csv, MalformedFilesAreErrors) {
  const Folder folder;
  const ReadOptions options = options_for({request("a", ColumnType::Number)});
  const auto message = [&](const std::string& text) {
    return message_of([&] { read_table({folder.write("a.csv", text)}, options); });
  };
  EXPECT_THAT(message("a,b\n1,2\n\n3\n"),
              HasSubstr("a.csv:4: the row has the wrong number of fields; got 1, expected 2"));
  EXPECT_THAT(message("a,b\n1,2\n1,2,3\n"),
              HasSubstr("a.csv:3: the row has the wrong number of fields; got 3"));
  EXPECT_THAT(message("a,b\n1,\"2\n3,4\n"), HasSubstr("a.csv:2: a quote is opened and never closed"));
  EXPECT_THAT(message("b,a\n\"1,2\n3,4\n"), HasSubstr("a.csv:2: a quote is opened and never closed"));
  EXPECT_THAT(message(""), HasSubstr("the file is empty"));
  EXPECT_THAT(message("a,b\n"), HasSubstr("there are no rows"));
  EXPECT_THAT(message("a,b,a\n1,2,3\n"), HasSubstr("two columns are named \"a\""));
}

TEST(Csv, AQuoteInsideAFieldIsNoFault) {
  const Folder folder;
  const std::string file = folder.write("a.csv", "a,b\n1,5\" pipe\n2,x\n");
  const Table table = read_table({file}, options_for({request("b", ColumnType::Text)}));
  EXPECT_THAT(texts(table, "b"), ElementsAre("5\" pipe", "x"));
}

TEST(Csv, ReadsAllColumnsAndTheFirstRows) {
  const Folder folder;
  const std::string file = folder.write("a.csv", "a,b\n1,x\n2,y\n3,z\n");
  ReadOptions options = options_for({request("a", ColumnType::Number)});
  options.all_columns = true;
  options.max_rows = 2;
  const Table table = read_table({file, folder.write("b.csv", "a,b\nx,x\n")}, options);
  EXPECT_EQ(table.rows(), 2);
  EXPECT_THAT(texts(table, "b"), ElementsAre("x", "y"));
}

TEST(Csv, AColumnLeftOutIsNotRead) {
  const Folder folder;
  const std::string file = folder.write("a.csv", "a,b\n1,\xe9\n");
  ReadOptions options;
  options.all_columns = true;
  options.without = {"b"};
  EXPECT_THAT(read_table({file}, options).column_names(), ElementsAre("a"));
}

TEST(Csv, AFileOfExactlyTheNameComesBeforeAPattern) {
  const Folder folder;
  folder.write("data1.csv", "x\n7\n");
  const std::string file = folder.write("data[1].csv", "x\n8\n");
  EXPECT_THAT(numbers(read_table({file}, options_for({request("x", ColumnType::Number)})), "x"),
              ElementsAre(8));
}

TEST(Csv, AFileNamedTwiceIsAnError) {
  const Folder folder;
  const std::string file = folder.write("a1.csv", "x\n7\n");
  folder.write("a2.csv", "x\n8\n");
  const ReadOptions options = options_for({request("x", ColumnType::Number)});
  EXPECT_THAT(message_of([&] {
                read_table({folder.file("a*.csv"), file}, options);
              }),
              HasSubstr(file + ": the file is named twice"));
  std::filesystem::create_symlink("a1.csv", folder.file("link.csv"));
  EXPECT_THAT(message_of([&] {
                read_table({file, folder.file("link.csv")}, options);
              }),
              HasSubstr("link.csv: the file is named twice, also as " + file));
}

TEST(Csv, BytesThatAreNoUtf8AreNamedWithTheirLineWhenRead) {
  const Folder folder;
  const std::string file = folder.write("a.csv", "n,word,list\n1,caf\xc3\xa9,a|b\n2,x,a\n3,caf\xe9,a|\xe9\n");
  for (const auto& column : {std::pair{"word", ColumnType::Text}, {"list", ColumnType::TextList}}) {
    EXPECT_THAT(message_of([&] { read_table({file}, options_for({request(column.first, column.second)})); }),
                testing::AllOf(HasSubstr(file + ":4: column \"" + column.first + "\": \""),
                               HasSubstr("\\xe9\" is not"), HasSubstr("iconv -f latin1 -t utf-8")));
  }
  EXPECT_EQ(read_table({file}, options_for({request("n", ColumnType::Number)})).rows(), 3);
  EXPECT_THAT(message_of([&] { read_column_names(folder.write("b.csv", "x,caf\xe9\n1,2\n"), {}); }),
              HasSubstr("b.csv:1: the name \"caf\\xe9\" of a column is not valid UTF-8"));
}

TEST(Csv, ALoneCarriageReturnEndsALine) {
  const Folder folder;
  const std::string file = folder.write("a.csv", "skipped\rx,\"y\rz\"\r1,a\r2,b\roops,\"c\rd\"\r");
  ReadOptions options = options_for({request("y\rz", ColumnType::Text)});
  options.skip_rows = 1;
  EXPECT_THAT(texts(read_table({file}, options), "y\rz"), ElementsAre("a", "b", "c\rd"));
  options.columns = {request("x", ColumnType::Number)};
  EXPECT_THAT(message_of([&] { read_table({file}, options); }),
              HasSubstr(file + ":6: column \"x\": \"oops\""));
}

TEST(Csv, FilesOfAnotherDialectSayWhatTheyAre) {
  const Folder folder;
  const auto message = [&](const std::string& text, const ReadOptions& options = {}) {
    return message_of([&] { read_column_names(folder.write("a.csv", text), options); });
  };
  EXPECT_THAT(message("x;c;y\n1;2;3\n"),
              HasSubstr("a.csv:1: the line of names has no delimiter \",\" but \";\""));
  EXPECT_THAT(message("x\tc\n1\t2\n"), HasSubstr("--data.delimiter '\\t'"));
  ReadOptions semicolons;
  semicolons.delimiter = ';';
  EXPECT_THAT(message("x,c\n1,2\n", semicolons), HasSubstr("--data.delimiter ','"));
  EXPECT_THAT(message(std::string("\xff\xfex\0,\0", 6)), HasSubstr("is in UTF-16, expected UTF-8"));
  EXPECT_THAT(message(std::string("\0x\0,\0y\0\n", 8)), HasSubstr("is in UTF-16, expected UTF-8"));
  EXPECT_THAT(message("BZh91AY&SY\x12"), HasSubstr("compressed by bzip2"));
  EXPECT_THAT(message("PK\x03\x04\x12"), HasSubstr("a ZIP archive"));
  EXPECT_THAT(read_column_names(folder.write("one.csv", "BZh1 x\n"), {}), ElementsAre("BZh1 x"));
  const std::string comma = folder.write("comma.csv", "x;y\n0,5;1\n");
  semicolons.columns = {request("x", ColumnType::Number)};
  EXPECT_THAT(message_of([&] { read_table({comma}, semicolons); }),
              HasSubstr("comma.csv:2: column \"x\": \"0,5\" is not a number; decimal commas are not read"));
}

TEST(Csv, ReadsTheCensusTable) {
  const std::string file = real_data("census-income-kdd/census_income_train.csv.xz");
  if (file.empty()) GTEST_SKIP() << "the census data are not there; set GATEWISE_DATA";
  const Table table =
      read_table({file}, options_for({request("age", ColumnType::Number), request("income", ColumnType::Text),
                                      request("hispanic_origin", ColumnType::Text)}));
  EXPECT_EQ(table.rows(), 199523);
  EXPECT_EQ(std::get<Texts>(table.column("income").data).levels.size(), 2u);
  EXPECT_THAT(std::get<Texts>(table.column("hispanic_origin").data).levels, testing::Contains("NA"));
}

}  // namespace
}  // namespace gatewise
