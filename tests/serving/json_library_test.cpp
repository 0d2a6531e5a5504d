#include <dlfcn.h>
#include <gmock/gmock.h>
#include <simdjson.h>

namespace gatewise {
namespace {

// Arrow's libraries export a simdjson of another version, whose classes need not look as this header says.
TEST(JsonLibrary, IsTheOneThatItsHeaderBelongsTo) {
  Dl_info info{};
  ASSERT_NE(dladdr(reinterpret_cast<void*>(&simdjson::get_active_implementation), &info), 0);
  EXPECT_THAT(info.dli_fname, testing::HasSubstr("libsimdjson"));
}

}  // namespace
}  // namespace gatewise
