#include "model_file/tensors.h"

#include <bit>
#include <cstring>

#include "tests/model_file/models.h"

namespace gatewise {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::StartsWith;

class Tensors : public testing::Test {
 protected:
  std::string path() const { return folder_.file("x.safetensors"); }
  // A file of this header and so many bytes of data.
  std::string file_of(const std::string& header, size_t bytes) const {
    std::string text(8, '\0');
    const uint64_t length = header.size();
    std::memcpy(text.data(), &length, 8);
    return folder_.write("x.safetensors", text + header + std::string(bytes, '\1'));
  }
  std::string fault_of(const std::string& header, size_t bytes) const {
    const std::string file = file_of(header, bytes);
    const std::string message = message_of([&] { const TensorFile tensors(file); });
    EXPECT_THAT(message, StartsWith(file + ": "));
    return message;
  }
  Folder folder_;
};

TEST_F(Tensors, WrittenBytesAreThoseOfTheFormat) {
  const float values[] = {1, 2};
  const NamedTensor tensor{"a", "F32", {2}, values};
  const WrittenFile written = write_tensors(path(), {&tensor, 1}, {{"by", "test"}});
  const std::string header =
      R"({"__metadata__":{"by":"test"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  std::string expected(8, '\0');
  expected[0] = static_cast<char>((header.size() + 7) / 8 * 8);
  expected +=
      header + std::string((8 - header.size() % 8) % 8, ' ') + std::string("\0\0\x80\x3f\0\0\0\x40", 8);
  EXPECT_EQ(content_of(path()), expected);
  EXPECT_EQ(written.bytes, expected.size());
}

TEST_F(Tensors, EveryTypeAndShapeReadsBack) {
  const float f32[] = {1.5F, -0.0F, std::numeric_limits<float>::infinity(), 1e-45F, 5, 6};
  const double f64[] = {0.1};
  const int64_t i64[] = {std::numeric_limits<int64_t>::min(), 2};
  const uint64_t u64[] = {std::numeric_limits<uint64_t>::max()};
  const int32_t i32[] = {-7};
  const uint32_t u32[] = {4000000000u};
  const uint8_t u8[] = {1, 2, 3};
  const std::vector<NamedTensor> tensors{
      {"bytes", "U8", {3}, u8}, {"f/é \"quoted\"", "F32", {3, 1, 2}, f32},
      {"d", "F64", {}, f64},    {"i", "I64", {2}, i64},
      {"u", "U64", {1}, u64},   {"j", "I32", {1, 1}, i32},
      {"v", "U32", {1}, u32},   {"none", "F32", {0, 4}, nullptr},
  };
  write_tensors(path(), tensors, {});
  const TensorFile file(path());
  EXPECT_EQ(file.names().size(), 8u);
  EXPECT_FALSE(file.is_sealed());
  EXPECT_EQ(std::memcmp(file.get<float>("f/é \"quoted\"", {3, 1, 2}).data(), f32, sizeof f32), 0);
  EXPECT_THAT(file.get<double>("d", {}), ElementsAre(0.1));
  EXPECT_THAT(file.get<int64_t>("i", {2}), ElementsAre(i64[0], 2));
  EXPECT_THAT(file.get<uint64_t>("u", {1}), ElementsAre(u64[0]));
  EXPECT_THAT(file.get<int32_t>("j", {1, 1}), ElementsAre(-7));
  EXPECT_THAT(file.get<uint32_t>("v", {1}), ElementsAre(4000000000u));
  EXPECT_THAT(file.get<uint8_t>("bytes", {3}), ElementsAre(1, 2, 3));
  EXPECT_TRUE(file.get<float>("none", {0, 4}).empty());
}

TEST_F(Tensors, RowsWithGapsAreWrittenWithoutThem) {
  std::vector<float> memory(3 * 5, -1);
  for (int row = 0; row < 3; ++row) {
    for (int column = 0; column < 2; ++column)
      memory[row * 5 + column] = static_cast<float>(10 * row + column);
  }
  const NamedTensor tensor{"x", "F32", {3, 1, 2}, memory.data(), 5};
  write_tensors(path(), {&tensor, 1}, {});
  EXPECT_THAT(TensorFile(path()).get<float>("x", {3, 1, 2}), ElementsAre(0, 1, 10, 11, 20, 21));
}

TEST_F(Tensors, ReadsWhatPyTorchsToolsWrote) {
  const TensorFile file(GATEWISE_SOURCE_DIR "/tests/parity/models/mmoe.safetensors");
  EXPECT_TRUE(file.contains("initial/experts/0/layer_0/weight"));
  for (const std::string& name : file.names()) EXPECT_FALSE(file.entry(name).shape.empty()) << name;
}

TEST_F(Tensors, ValuesAtOddPlacesAreAligned) {
  file_of(
      R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F64","shape":[2],"data_offsets":[1,17]}})",
      17);
  const TensorFile file(path());
  const std::span<const double> values = file.get<double>("b", {2});
  EXPECT_EQ(reinterpret_cast<uintptr_t>(values.data()) % alignof(double), 0u);
  const uint64_t ones = 0x0101010101010101u;
  EXPECT_EQ(std::bit_cast<uint64_t>(values[0]), ones);
  EXPECT_EQ(std::bit_cast<uint64_t>(values[1]), ones);
}

TEST_F(Tensors, RefusesOtherNamesTypesAndShapes) {
  const float values[] = {1, 2};
  const NamedTensor tensor{"weight", "F32", {2, 1}, values};
  write_tensors(path(), {&tensor, 1}, {});
  const TensorFile file(path());
  EXPECT_THAT(message_of([&] { file.get<float>("wieght", {2, 1}); }), HasSubstr("Did you mean \"weight\"?"));
  EXPECT_THAT(message_of([&] {
                file.get<float>("weight", {1, 2});
              }),
              AllOf(HasSubstr("got F32 [2, 1]"), HasSubstr("expected F32 [1, 2]")));
  EXPECT_THAT(message_of([&] { file.get<int32_t>("weight", {2, 1}); }), HasSubstr("expected I32 [2, 1]"));
}

TEST_F(Tensors, RefusesHeadersThatMakeNoSense) {
  const auto tensor = [](const std::string& dtype, const std::string& shape, const std::string& offsets) {
    return R"({"a":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}}";
  };
  EXPECT_THAT(fault_of("{", 0), HasSubstr("not JSON"));
  EXPECT_THAT(fault_of("[]", 0), HasSubstr("not JSON"));
  EXPECT_THAT(fault_of(tensor("F16", "[2]", "[0,4]"), 4), HasSubstr("type F16"));
  EXPECT_THAT(fault_of(tensor("F32", "[2]", "[0,4]"), 4), HasSubstr("cannot be bytes 0 to 4"));
  EXPECT_THAT(fault_of(tensor("F32", "[-1]", "[0,4]"), 4), HasSubstr("cannot be"));
  EXPECT_THAT(fault_of(tensor("F32", "[4611686018427387904,4]", "[0,0]"), 0), HasSubstr("cannot be"));
  EXPECT_THAT(fault_of(tensor("F32", "[18446744073709551615]", "[0,4]"), 4), HasSubstr("whole number"));
  EXPECT_THAT(fault_of(tensor("F32", "[1.5]", "[0,4]"), 4), HasSubstr("whole number"));
  EXPECT_THAT(fault_of(tensor("F32", "[1]", "[4,0]"), 4), HasSubstr("cannot be"));
  EXPECT_THAT(fault_of(tensor("F32", "[1]", "[0]"), 4), HasSubstr("makes no sense"));
  EXPECT_THAT(fault_of(tensor("F32", "[2]", "[0,8]"), 7), HasSubstr("end by 7"));
  EXPECT_THAT(fault_of(tensor("F32", "[1]", "[0,4]"), 5), HasSubstr("got 5 bytes of data, expected 4"));
  EXPECT_THAT(fault_of(tensor("F32", "[1]", "[4,8]"), 8), HasSubstr("expected it to begin at 0"));
  EXPECT_THAT(
      fault_of(
          R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}})",
          6),
      HasSubstr("expected it to begin at 4"));
  EXPECT_THAT(fault_of(R"({"__metadata__":{"a":1}})", 0), HasSubstr("not a text"));
  EXPECT_THAT(fault_of(R"({"__metadata__":"a"})", 0), HasSubstr("not an object"));
}

TEST_F(Tensors, RefusesHeadersLongerThanTheFile) {
  folder_.write("x.safetensors", std::string("\xff\xff\xff\xff\xff\xff\xff\xff{}", 10));
  EXPECT_THAT(message_of([&] { const TensorFile file(path()); }),
              HasSubstr("header of 18446744073709551615 bytes"));
  for (const std::string& content : {std::string(), std::string("short")}) {
    folder_.write("x.safetensors", content);
    EXPECT_THAT(message_of([&] { const TensorFile file(path()); }), HasSubstr("expected at least 8"));
  }
  EXPECT_THAT(message_of([&] { const TensorFile file(folder_.file("none")); }), HasSubstr("No such file"));
  EXPECT_THAT(message_of([&] { const TensorFile file(folder_.file("")); }), HasSubstr("directory"));
}

}  // namespace
}  // namespace gatewise
