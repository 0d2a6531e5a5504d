#include "features/vocabulary.h"

#include <gtest/gtest.h>

namespace gatewise {
namespace {

Vocabulary with_levels(const std::vector<std::string>& levels, int64_t buckets = 0) {
  Vocabulary vocabulary(false, 1, buckets, 0);
  for (const std::string& level : levels) vocabulary.count(level, 1);
  vocabulary.admit();
  return vocabulary;
}

TEST(Vocabulary, FindsWholeNumbersInEitherForm) {
  const Vocabulary vocabulary = with_levels({"1", "2.0", "-3", "1234567890123456789012345678901"});
  EXPECT_EQ(vocabulary.level_name(vocabulary.find("1.0")), "1");
  EXPECT_EQ(vocabulary.level_name(vocabulary.find("2")), "2.0");
  EXPECT_EQ(vocabulary.level_name(vocabulary.find("-3.0")), "-3");
  EXPECT_EQ(vocabulary.level_name(vocabulary.find("1234567890123456789012345678901.0")),
            "1234567890123456789012345678901");
}

TEST(Vocabulary, FindsTruthValuesHoweverTheyAreSpelled) {
  const Vocabulary vocabulary = with_levels({"True", "false", "tRUE", "yes"});
  for (const char* text : {"true", "True", "TRUE"})
    EXPECT_EQ(vocabulary.level_name(vocabulary.find(text)), "True");
  for (const char* text : {"false", "False", "FALSE"})
    EXPECT_EQ(vocabulary.level_name(vocabulary.find(text)), "false");
  EXPECT_EQ(vocabulary.find("fALSE"), 0u);
  EXPECT_EQ(vocabulary.find("Yes"), 0u);
}

TEST(Vocabulary, CountsSpellingsOfOneValueTogether) {
  Vocabulary vocabulary(false, 3, 0, 0);
  for (const auto& [text, times] :
       {std::pair{"2", 2}, {"1", 2}, {"1.0", 3}, {"2.0", 1}, {"True", 1}, {"true", 2}})
    vocabulary.count(text, times);
  EXPECT_EQ(vocabulary.admit(), 3);
  EXPECT_EQ(vocabulary.texts(), (std::vector<std::string>{"1.0", "2", "true"}));
  EXPECT_EQ(vocabulary.find("1"), vocabulary.find("1.0"));
  EXPECT_EQ(vocabulary.find("TRUE"), vocabulary.find("true"));
}

TEST(Vocabulary, PrefersTheFormItIsAskedWhereAModelHasBoth) {
  const Json json{{"type", "text"}, {"has_missing", false}, {"min_count", 1}, {"levels", 2}};
  const Vocabulary vocabulary = Vocabulary::from_json(json, "1\n1.0\n", "memory");
  EXPECT_EQ(vocabulary.level_name(vocabulary.find("1")), "1");
  EXPECT_EQ(vocabulary.level_name(vocabulary.find("1.0")), "1.0");
}

TEST(Vocabulary, KeepsCodesAndOtherTextsApart) {
  const Vocabulary vocabulary = with_levels({"01", "2.0", "a", "-", "", ".0"});
  for (const char* text : {"1", "1.0", "2.00", "2.", "+2", "02", "a.0", "-.0", "-0", "0", "3", "--2",
                           "12345678901234567890123456789012345"})
    EXPECT_EQ(vocabulary.find(text), 0u) << text;
}

TEST(Vocabulary, TakesInNoLevelThatItHasInTheOtherForm) {
  Vocabulary vocabulary = with_levels({"1", "2.0"});
  for (const char* text : {"1.0", "2", "3.0"}) vocabulary.count(text, 1);
  EXPECT_EQ(vocabulary.admit(), 1);
  EXPECT_EQ(vocabulary.level_name(vocabulary.find("3")), "3.0");
}

}  // namespace
}  // namespace gatewise
