#include "serving/metrics.h"

#include <gmock/gmock.h>

namespace gatewise {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string text_of(const Metrics& metrics) {
  std::string text;
  metrics.write(text);
  return text;
}

TEST(Metrics, EndpointsAreToldByTheirPaths) {
  const std::vector<std::pair<const char*, Endpoint>> cases = {
      {"/metrics", Endpoint::Metrics},
      {"/metrics?name=a", Endpoint::Metrics},
      {"/v2/models/census/infer", Endpoint::Infer},
      {"/v2/models/census/versions/3/infer", Endpoint::Infer},
      {"/v1/models/census:predict", Endpoint::Predict},
      {"/v1/models/census:rank", Endpoint::Rank},
      {"/v1/models/census", Endpoint::Metadata},
      {"/v2", Endpoint::Metadata},
      {"/v2/models/census", Endpoint::Metadata},
      {"/v2/health/live", Endpoint::Health},
      {"/v2/models/census/ready", Endpoint::Health},
      {"/v2/repository/index", Endpoint::Repository},
      {"/v2x", Endpoint::Other},
      {"/", Endpoint::Other},
      {"", Endpoint::Other},
  };
  for (const auto& [target, endpoint] : cases) EXPECT_EQ(endpoint_of(target), endpoint) << target;
}

TEST(Metrics, WorkersAreAddedUp) {
  Metrics metrics(2);
  metrics.worker(0).count_request(Endpoint::Infer, 200, "a", 3);
  metrics.worker(1).count_request(Endpoint::Infer, 200, "a", 4);
  metrics.worker(1).count_request(Endpoint::Infer, 400, "a", 0);
  metrics.worker(0).sent_bytes.add(10);
  metrics.worker(1).sent_bytes.add(20);
  const std::string text = text_of(metrics);
  EXPECT_THAT(text, HasSubstr("gatewise_requests_total{endpoint=\"infer\",model=\"a\",status=\"200\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("gatewise_requests_total{endpoint=\"infer\",model=\"a\",status=\"400\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("gatewise_rows_total{endpoint=\"infer\",model=\"a\",status=\"200\"} 7\n"));
  EXPECT_THAT(text, HasSubstr("gatewise_sent_bytes_total 30\n"));
  EXPECT_THAT(text, HasSubstr("\nprocess_resident_memory_bytes "));
  EXPECT_GT(resident_bytes(), 1 << 20);
}

TEST(Metrics, BucketsHoldWhatIsAtMostTheirBound) {
  Metrics metrics(1);
  for (const double seconds : {1e-6, 1e-5, 1.1e-5, 3e-3, 100.0}) {
    metrics.worker(0).observe_seconds(Endpoint::Rank, seconds);
  }
  const std::string text = text_of(metrics);
  const auto line = [](const char* bound, int count) {
    return std::string("gatewise_request_seconds_bucket{endpoint=\"rank\",le=\"") + bound + "\"} " +
           std::to_string(count) + "\n";
  };
  EXPECT_THAT(text, HasSubstr(line("1e-05", 2)));
  EXPECT_THAT(text, HasSubstr(line("2e-05", 3)));
  EXPECT_THAT(text, HasSubstr(line("0.002", 3)));
  EXPECT_THAT(text, HasSubstr(line("0.005", 4)));
  EXPECT_THAT(text, HasSubstr(line("10", 4)));
  EXPECT_THAT(text, HasSubstr(line("+Inf", 5)));
  EXPECT_THAT(text, HasSubstr("gatewise_request_seconds_count{endpoint=\"rank\"} 5\n"));
  EXPECT_THAT(text, Not(HasSubstr("endpoint=\"infer\"")));
}

TEST(Metrics, NamesThatClientsMakeUpDoNotGrowIt) {
  Metrics metrics(1);
  for (int i = 0; i < 5000; ++i)
    metrics.worker(0).count_request(Endpoint::Infer, 404, "x" + std::to_string(i), 0);
  EXPECT_THAT(text_of(metrics), HasSubstr("{endpoint=\"infer\",model=\"\",status=\"404\"} 5000\n"));
  for (int i = 0; i < 5000; ++i)
    metrics.worker(0).count_request(Endpoint::Infer, 200, "y" + std::to_string(i), 0);
  EXPECT_THAT(text_of(metrics), HasSubstr("{endpoint=\"infer\",model=\"\",status=\"200\"} 3001\n"));
}

TEST(Metrics, LabelsAreQuoted) { EXPECT_EQ(escaped_label("a\"b\\c\nd"), "a\\\"b\\\\c\\nd"); }

}  // namespace
}  // namespace gatewise
