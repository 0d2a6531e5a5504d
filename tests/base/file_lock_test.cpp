#include "base/file_lock.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <optional>

#include "tests/base/message_of.h"
#include "tests/base/temporary_folder.h"

namespace gatewise {
namespace {

TEST(FileLocks, HaveOneHolderAndGoWithIt) {
  const TemporaryFolder folder;
  const std::string path = folder.file("m.lock");
  std::ofstream(path) << "";  // a killed holder's
  {
    const FileLock held(path, "in use");
    EXPECT_EQ(message_of(Fault::Data, [&] { const FileLock second(path, "in use"); }), path + ": in use");
    EXPECT_TRUE(std::filesystem::exists(path));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
  const FileLock again(path, "in use");
  EXPECT_THAT(message_of(Fault::Data, [&] { const FileLock none(folder.file("none/m.lock"), ""); }),
              testing::HasSubstr("No such file"));
  remove_lock_files();
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace
}  // namespace gatewise
