#include "experiment/journal.h"

#include <gmock/gmock.h>

#include "tests/base/message_of.h"
#include "tests/experiment/people_rows.h"

namespace gatewise {
namespace {

using testing::HasSubstr;

std::string text_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

class JournalTest : public testing::Test {
 protected:
  JournalTest() {
    Journal journal(path());
    journal.add("one", {{"name", "mmoe"}}, {{"auc", 0.1}});
    journal.add("two", {{"name", "mmoe"}}, {{"auc", 1.0 / 3}});
    journal.add("three", {{"name", "mmoe"}}, {{"auc", nullptr}});
  }
  std::string path() const { return folder_.file("journal"); }

  RowsFolder folder_;
};

TEST_F(JournalTest, GivesBackWhatWasAdded) {
  const Journal journal(path());
  EXPECT_EQ(journal.size(), 3u);
  EXPECT_FALSE(journal.was_cut());
  EXPECT_EQ(*journal.find("two"), (Json{{"auc", 1.0 / 3}}));
  EXPECT_EQ(journal.find("four"), nullptr);
}

TEST_F(JournalTest, CutsOffALastLineThatWasNotWrittenToItsEnd) {
  const std::string whole = text_of(path());
  const size_t third = whole.rfind('\n', whole.size() - 2) + 1;
  for (size_t length = third + 1; length < whole.size(); length += 11) {
    folder_.write("journal", whole.substr(0, length));
    {
      Journal journal(path());
      EXPECT_TRUE(journal.was_cut());
      ASSERT_EQ(journal.size(), 2u) << length;
      journal.add("three", {{"name", "mmoe"}}, {{"auc", nullptr}});
    }
    ASSERT_EQ(text_of(path()), whole);
  }
}

TEST_F(JournalTest, BeginsAgainWhenTheFirstLineWasNotWritten) {
  const std::string whole = text_of(path());
  for (const size_t length : {3, 40}) {
    folder_.write("journal", whole.substr(0, length));
    const Journal journal(path());
    EXPECT_TRUE(journal.was_cut());
    EXPECT_EQ(journal.size(), 0u);
  }
}

TEST_F(JournalTest, RefusesOtherDamageAndNamesTheLine) {
  const std::string whole = text_of(path());
  const size_t second = whole.find('\n') + 1;
  for (const char* part : {"0.1", "one", "result", "\n"}) {
    std::string damaged = whole;
    damaged[damaged.find(part)] = '7';
    folder_.write("journal", damaged);
    EXPECT_THAT(message_of(Fault::Data, [&] { Journal journal(path()); }),
                HasSubstr("journal:1: the line is damaged"));
  }
  std::string damaged = whole;
  damaged[damaged.find("0.33", second)] = '1';
  folder_.write("journal", damaged);
  EXPECT_THAT(message_of([&] { Journal journal(path()); }), HasSubstr("journal:2:"));
  damaged = whole;
  damaged[damaged.rfind("null")] = 'N';
  folder_.write("journal", damaged);
  EXPECT_THAT(message_of([&] { Journal journal(path()); }), HasSubstr("journal:3:"))
      << "the last line was written to its end";
  EXPECT_EQ(text_of(path()), damaged);
  const std::string foreign = "{\"key\":\"mine\",\"value\":1}";
  folder_.write("journal", foreign);
  EXPECT_THAT(message_of([&] { Journal journal(path()); }), HasSubstr("none of a journal"));
  EXPECT_EQ(text_of(path()), foreign);
  folder_.write("journal", "a,b\n1,2\n");
  EXPECT_THAT(message_of([&] { Journal journal(path()); }), HasSubstr("none of a journal"));
  EXPECT_EQ(text_of(path()), "a,b\n1,2\n");
}

TEST_F(JournalTest, BelongsToOneAtATime) {
  const Journal journal(path());
  EXPECT_THAT(message_of(Fault::Data, [&] { Journal other(path()); }), HasSubstr("in use"));
}

}  // namespace
}  // namespace gatewise
