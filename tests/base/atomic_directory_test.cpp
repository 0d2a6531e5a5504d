#include "base/atomic_directory.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/base/message_of.h"

namespace gatewise {
namespace {

namespace fs = std::filesystem;

class AtomicDirectories : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() /
              fmt::format("gatewise-{}-{}", ::getpid(),
                          testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  // Fills the directory with one file of this content.
  void make(const std::string& path, const std::string& content) const {
    AtomicDirectory directory(path);
    std::ofstream(directory.temporary_path() + "/file") << content;
    EXPECT_NE(content_of(path), content);
    directory.commit();
  }
  static std::string content_of(const std::string& path) {
    std::ifstream file(path + "/file");
    return {std::istreambuf_iterator<char>(file), {}};
  }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  size_t entries() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  fs::path folder_;
};

TEST_F(AtomicDirectories, AppearAtCommitAndReplaceTheOldOneWhole) {
  make(path("a"), "old");
  EXPECT_EQ(content_of(path("a")), "old");
  std::ofstream(path("a") + "/other") << "goes with the old one";
  make(path("a"), "new");
  EXPECT_EQ(content_of(path("a")), "new");
  EXPECT_FALSE(fs::exists(path("a") + "/other"));
  EXPECT_EQ(entries(), 1u);
}

TEST_F(AtomicDirectories, LeaveNothingBehindWithoutCommit) {
  make(path("a"), "old");
  {
    AtomicDirectory directory(path("a"));
    directory.make_folder("inner");
    std::ofstream(directory.temporary_path() + "/inner/file") << "new";
    EXPECT_EQ(entries(), 2u);
  }
  EXPECT_EQ(content_of(path("a")), "old");
  EXPECT_EQ(entries(), 1u);
}

TEST_F(AtomicDirectories, TakeEmptyOnesSlashesAndLinks) {
  fs::create_directory(path("a"));
  make(path("a") + "/", "first");
  EXPECT_EQ(content_of(path("a")), "first");
  fs::create_directory_symlink("a", path("link"));
  make(path("link"), "second");
  EXPECT_TRUE(fs::is_symlink(path("link")));
  EXPECT_EQ(content_of(path("a")), "second");
  EXPECT_EQ(entries(), 2u);
}

TEST_F(AtomicDirectories, ErrorsNameThePathAndTheReason) {
  std::ofstream(path("file")) << "text";
  EXPECT_THAT(message_of(Fault::Data, [&] { AtomicDirectory directory(path("file")); }),
              testing::HasSubstr("it is a file"));
  EXPECT_THAT(message_of(Fault::Data, [&] { AtomicDirectory directory(""); }),
              testing::HasSubstr("is empty"));
  EXPECT_THAT(message_of(Fault::Data, [&] { AtomicDirectory directory(path("none/a")); }),
              testing::AllOf(testing::HasSubstr(path("none/a")), testing::HasSubstr("No such file")));
}

}  // namespace
}  // namespace gatewise
