#include "base/atomic_file.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/base/message_of.h"

namespace gatewise {
namespace {

namespace fs = std::filesystem;

class AtomicFiles : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() /
              fmt::format("gatewise-{}-{}", ::getpid(),
                          testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  std::string content(const std::string& name) const {
    std::ifstream file(path(name), std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  size_t files() const {
    return static_cast<size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }

  fs::path folder_;
};

// Limits the size of files while it lives: a full disk without filling one.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : signal_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    rlimit limit = before_;
    limit.rlim_cur = bytes;
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, signal_);
  }

 private:
  rlimit before_{};
  void (*signal_)(int);
};

TEST_F(AtomicFiles, AppearsOnlyAtCommitAndReplacesTheOldContentWhole) {
  write_file_atomically(path("a.txt"), "old");
  std::string expected;
  {
    AtomicFile file(path("a.txt"));
    for (int line = 0; line < 100000; ++line) {
      const std::string text = fmt::format("line {}\n", line);
      expected += text;
      file.write(text);
    }
    EXPECT_EQ(content("a.txt"), "old");
    EXPECT_EQ(files(), 2u);
    file.commit();
  }
  EXPECT_EQ(content("a.txt"), expected);
  EXPECT_EQ(files(), 1u);
}

TEST_F(AtomicFiles, LeavesNothingBehindWithoutCommit) {
  write_file_atomically(path("a.txt"), "old");
  {
    AtomicFile file(path("a.txt"));
    file.write(std::string(1000000, 'x'));
  }
  EXPECT_EQ(content("a.txt"), "old");
  EXPECT_EQ(files(), 1u);
}

TEST_F(AtomicFiles, WritesPiecesLargerThanTheBuffer) {
  const std::string bytes(3000001, 'y');
  write_file_atomically(path("large"), bytes);
  EXPECT_EQ(content("large"), bytes);
  write_file_atomically(path("empty"), "");
  EXPECT_TRUE(fs::exists(path("empty")));
}

TEST_F(AtomicFiles, TwoWritersOfOnePathDoNotMix) {
  AtomicFile first(path("a.txt")), second(path("a.txt"));
  first.write("first");
  second.write("second");
  second.commit();
  EXPECT_EQ(content("a.txt"), "second");
  first.commit();
  EXPECT_EQ(content("a.txt"), "first");
}

TEST_F(AtomicFiles, KeepsPermissionsAndFollowsLinks) {
  write_file_atomically(path("a.txt"), "old");
  fs::permissions(path("a.txt"), fs::perms::owner_read | fs::perms::owner_write);
  fs::create_symlink("a.txt", path("link"));
  write_file_atomically(path("link"), "new");
  EXPECT_TRUE(fs::is_symlink(path("link")));
  EXPECT_EQ(content("a.txt"), "new");
  EXPECT_EQ(fs::status(path("a.txt")).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(AtomicFiles, ErrorsNameThePathAndTheReason) {
  write_file_atomically(path("a.txt"), "old");
  EXPECT_THAT(message_of(Fault::Data, [&] { AtomicFile file(path("none/a.txt")); }),
              testing::AllOf(testing::HasSubstr(path("none/a.txt")), testing::HasSubstr("No such file")));
  EXPECT_THAT(message_of(Fault::Data, [&] { AtomicFile file(path("a.txt/b.txt")); }),
              testing::HasSubstr("Not a directory"));
  EXPECT_THAT(message_of(Fault::Data, [&] { AtomicFile file(folder_.string()); }),
              testing::HasSubstr("it is a folder"));
  EXPECT_THAT(message_of(Fault::Data, [&] { AtomicFile file("/dev/null"); }),
              testing::HasSubstr("device or pipe"));
}

TEST_F(AtomicFiles, AFullDiskLeavesTheOldFileAndNoRemains) {
  write_file_atomically(path("a.txt"), "old");
  std::string message;
  {
    const FileSizeLimit limit(100000);
    message =
        message_of(Fault::Data, [&] { write_file_atomically(path("a.txt"), std::string(1000000, 'z')); });
  }
  EXPECT_THAT(message, testing::AllOf(testing::HasSubstr(path("a.txt")), testing::HasSubstr("File too large"),
                                      testing::HasSubstr("ulimit -f")));
  EXPECT_EQ(content("a.txt"), "old");
  EXPECT_EQ(files(), 1u);
}

}  // namespace
}  // namespace gatewise
