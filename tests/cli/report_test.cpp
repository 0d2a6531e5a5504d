#include <gmock/gmock.h>

#include <filesystem>

#include "tests/cli/people_fixture.h"

namespace gatewise {
namespace {

using ::testing::HasSubstr;

using ReportTest = PeopleTest;

TEST_F(ReportTest, OfFitHoldsTheResultThatJsonPrints) {
  const Result result = gatewise({"fit", "people.toml", "--training.epochs", "1", "--output",
                                  "reported.model", "--report", "people.html", "--json"});
  ASSERT_EQ(result.code, 0) << result.errors;
  const std::string page = read_text(file("people.html"));
  const std::string mark = "id=\"result\">";
  const size_t from = page.find(mark) + mark.size();
  EXPECT_EQ(Json::parse(page.substr(from, page.find("</script>", from) - from)), Json::parse(result.output));
  EXPECT_THAT(page, HasSubstr("clicked: mean label by mean prediction"));
  EXPECT_THAT(result.errors, HasSubstr("report: people.html"));
}

TEST_F(ReportTest, ThatCannotBeWrittenIsRefusedBeforeTheWork) {
  const std::vector<std::vector<std::string>> commands{{"fit", "people.toml", "--output", "unreported.model"},
                                                       {"compare", "people.toml"},
                                                       {"tune", "people.toml"},
                                                       {"diagnose", "people.model", "test.csv"}};
  for (std::vector<std::string> command : commands) {
    command.insert(command.end(), {"--report", "missing/people.html"});
    const Result result = gatewise(command);
    EXPECT_EQ(result.code, 1) << command[0];
    EXPECT_THAT(result.errors, HasSubstr("missing does not exist")) << command[0];
  }
  for (const char* path : {"unreported.model", "people.journal", "people.tune.journal"})
    EXPECT_FALSE(std::filesystem::exists(file(path))) << path;
}

}  // namespace
}  // namespace gatewise
