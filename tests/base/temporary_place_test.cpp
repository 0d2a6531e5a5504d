#include "base/temporary_place.h"

#include <filesystem>
#include <fstream>

#include "base/atomic_directory.h"
#include "base/atomic_file.h"
#include "tests/base/message_of.h"
#include "tests/base/temporary_folder.h"

namespace gatewise {
namespace {

namespace fs = std::filesystem;

void touch(const std::string& path) { std::ofstream(path) << "half"; }

TEST(TemporaryPlaces, TheNextWriterRemovesWhatKilledOnesHaveLeft) {
  const TemporaryFolder folder;
  touch(folder.file("a.txt.4000001-0.partial"));
  fs::create_directories(folder.file("a.txt.4000002-17.partial/vocabularies"));
  touch(folder.file("a.txt.4000002-17.partial/weights"));
  const std::vector<std::string> others{"a.txt.old.partial", "a.txtb.4-1.partial",
                                        "a.txt.4-1.partial.replaced", "a.txt.4.partial", "b.txt.4-1.partial"};
  for (const std::string& other : others) touch(folder.file(other));
  AtomicFile living(folder.file("a.txt"));
  EXPECT_FALSE(fs::exists(folder.file("a.txt.4000001-0.partial")));
  EXPECT_FALSE(fs::exists(folder.file("a.txt.4000002-17.partial")));
  write_file_atomically(folder.file("a.txt"), "other");
  for (const std::string& other : others) EXPECT_TRUE(fs::exists(folder.file(other))) << other;
  ASSERT_TRUE(fs::exists(living.temporary_path()));
  living.write("living");
  living.commit();
  EXPECT_EQ(fs::file_size(folder.file("a.txt")), 6u);
}

TEST(TemporaryPlaces, AFolderBeingFilledIsNoLeftover) {
  const TemporaryFolder folder;
  AtomicDirectory first(folder.file("m"));
  touch(first.temporary_path() + "/x");
  {
    AtomicDirectory second(folder.file("m"));
    second.commit();
  }
  first.commit();
  EXPECT_TRUE(fs::exists(folder.file("m/x")));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 1);
}

}  // namespace
}  // namespace gatewise
