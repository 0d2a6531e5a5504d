// What a context and candidates give apart agrees with what whole rows give, for every architecture and gate,
// whichever inputs are the context's.
#include "tests/contract/scoring_cases.h"
#include "tests/scoring/ranking.h"

namespace gatewise {
namespace {

// Of the inputs of sample_space() and the task of rows.
std::vector<ContextCase> context_cases() {
  const std::vector<bool> all(4, true), none(4, false), some{true, false, false, true};
  return {{"none", {{"numeric", none}}},
          {"some numbers", {{"numeric", some}}},
          {"numbers", {{"numeric", all}}},
          {"ids and bags", {{"ids/city", {true}}, {"bags/seen", {true}}}},
          {"of every kind", {{"numeric", some}, {"ids/item", {true}}, {"bags/seen", {true}}}},
          {"task", {{"numeric", some}, {"ids/city", {true}}, {"row_task", {true}}}},
          {"all but an id",
           {{"numeric", all}, {"ids/item", {true}}, {"bags/seen", {true}}, {"row_task", {true}}}},
          {"all",
           {{"numeric", all},
            {"ids/city", {true}},
            {"ids/item", {true}},
            {"bags/seen", {true}},
            {"row_task", {true}}}}};
}

class EveryContext : public testing::TestWithParam<ScoringCase> {};

TEST_P(EveryContext, AgreesWithWholeRowsAndDoesNotDependOnTheirNumber) {
  const FeatureSpace space = space_of(GetParam());
  const std::unique_ptr<Graph> graph = build_graph(space, GetParam().model);
  Store<float> store(*graph);
  fill_values(store);
  const Feed feed = feed_for(*graph, space, ranked_rows);
  for (const ContextCase& context_case : context_cases())
    expect_agreement(context_case, Ranking(*graph, feed, context_case.mask), store);
}

INSTANTIATE_TEST_SUITE_P(Registry, EveryContext, testing::ValuesIn(all_cases()),
                         [](const auto& scoring_case) { return scoring_case.param.name; });

}  // namespace
}  // namespace gatewise
