#include "serving/http_server.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "tests/serving/http_client.h"

namespace gatewise {
namespace {

using testing::HasSubstr;

class HttpServerTest : public ServerFixture {};

TEST_F(HttpServerTest, PipelinedRequestsAreAnsweredInOrder) {
  start();
  HttpClient client(port());
  std::string all;
  for (int i = 0; i < 100; ++i) all += post_text("/echo", "body " + std::to_string(i));
  client.send(all);
  for (int i = 0; i < 100; ++i) {
    const ClientAnswer answer = client.receive();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "body " + std::to_string(i));
    EXPECT_FALSE(answer.has("Connection:"));
  }
}

TEST_F(HttpServerTest, VersionsAndHeadersDecideWhetherAConnectionIsKept) {
  start();
  HttpClient kept(port());
  EXPECT_EQ(kept.ask("GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").status, 200);
  EXPECT_TRUE(kept.ask("GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").has("Connection: keep-alive"));
  HttpClient old(port());
  EXPECT_TRUE(old.ask("GET /echo HTTP/1.0\r\n\r\n").has("Connection: close"));
  EXPECT_TRUE(old.is_ended());
  HttpClient closing(port());
  EXPECT_TRUE(closing.ask(get_text("/echo", "Connection: close\r\n")).has("Connection: close"));
  EXPECT_TRUE(closing.is_ended());
}

TEST_F(HttpServerTest, HeadIsGetWithoutTheBody) {
  start();
  HttpClient client(port());
  client.send("HEAD /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 5\r\n\r\nhello");
  const ClientAnswer head = client.receive(false);
  EXPECT_TRUE(head.has("Content-Length: 5\r\n"));
  EXPECT_TRUE(head.has("Asked: GET\r\n"));
  EXPECT_EQ(client.ask(post_text("/echo", "next")).body, "next");
}

TEST_F(HttpServerTest, HandlersLearnWhichPageAsks) {
  start();
  HttpClient client(port());
  client.send(
      "GET http://other/page HTTP/1.1\r\nHost: test\r\nOrigin: null\r\nSec-Fetch-Site: cross-site\r\n\r\n"
      "GET /page HTTP/1.1\r\nHost: test\r\n\r\n");
  EXPECT_EQ(client.receive().body, "other null cross-site");
  EXPECT_EQ(client.receive().body, "test  ");
}

TEST_F(HttpServerTest, BodiesAreAskedForWhereTheClientWaits) {
  start();
  HttpClient client(port());
  const std::string head = "POST /echo HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\n";
  client.send(head + "Content-Length: 5\r\n\r\n");
  EXPECT_EQ(client.receive(false).status, 100);
  EXPECT_EQ(client.ask("hello").body, "hello");
  // One that sent its body without waiting is not told to go on.
  EXPECT_EQ(client.ask(head + "Content-Length: 5\r\n\r\nagain").body, "again");
  EXPECT_EQ(client.ask(head + "Content-Length: 99999999999\r\n\r\n").status, 413);
}

TEST_F(HttpServerTest, RequestsMayArriveByteByByte) {
  start();
  HttpClient client(port());
  const std::string text =
      "POST /echo HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: "
      "chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
  for (const char c : text) {
    const uint64_t before = metrics_->worker(0).received_bytes.value();
    client.send(std::string(1, c));
    await([&] { return metrics_->worker(0).received_bytes.value() > before; });
  }
  EXPECT_EQ(client.receive().body, "abcde");
}

TEST_F(HttpServerTest, WhatIsNoHttpIsRefusedAndEndsThatConnectionOnly) {
  start();
  HttpClient good(port());
  EXPECT_EQ(good.ask(post_text("/echo", "a")).body, "a");
  HttpClient bad(port());
  const ClientAnswer answer = bad.ask("nonsense\r\n\r\n" + std::string(100000, 'x'));
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr("{\"error\":\"request: "));
  EXPECT_TRUE(answer.has("Connection: close"));
  EXPECT_EQ(good.ask(post_text("/echo", "b")).body, "b");
  EXPECT_EQ(handlers_.answered, 2);
}

TEST_F(HttpServerTest, FaultsOfContentLeaveTheConnectionOpen) {
  start();
  HttpClient client(port());
  EXPECT_EQ(client.ask(post_text("/echo", "no gzip", "Content-Encoding: gzip\r\n")).status, 400);
  EXPECT_EQ(client.ask(post_text("/echo", "text", "Content-Encoding: br\r\n")).status, 415);
  EXPECT_EQ(client.ask(post_text("/echo", "fine")).body, "fine");
}

TEST_F(HttpServerTest, AClientThatStopsSendingIsStillAnswered) {
  start();
  HttpClient client(port());
  client.send(post_text("/echo", "last"));
  client.stop_sending();
  EXPECT_EQ(client.receive().body, "last");
  EXPECT_TRUE(client.is_ended());
}

TEST_F(HttpServerTest, ASlowReaderHoldsNoWorker) {
  start();
  HttpClient slow(port(), 16384);
  slow.send(get_text("/big") + post_text("/echo", "after"));
  HttpClient other(port());
  await([&] { return handlers_.answered == 1; });
  for (int i = 0; i < 10; ++i) EXPECT_EQ(other.ask(post_text("/echo", "quick")).body, "quick");
  const ClientAnswer big = slow.receive();
  EXPECT_EQ(big.body.size(), TestHandlers::big_bytes);
  EXPECT_EQ(big.body.find_first_not_of('b'), std::string::npos);
  EXPECT_EQ(slow.receive().body, "after");
}

TEST_F(HttpServerTest, ClientsThatVanishLeaveNothingBehind) {
  start();
  HttpClient waiting(port()), partial(port()), reading(port(), 16384);
  waiting.send(get_text("/wait"));
  handlers_.await_waiting();
  partial.send("POST /echo HTTP/1.1\r\nHost");
  reading.send(get_text("/big"));
  waiting.vanish();
  handlers_.open_gate();
  await([&] { return handlers_.answered == 2; });
  partial.vanish();
  reading.vanish();
  await([&] { return metrics_->connections == 0; });
  EXPECT_EQ(HttpClient(port()).ask(post_text("/echo", "alive")).body, "alive");
}

TEST_F(HttpServerTest, NobodyGetsTheAnswerOfAnother) {
  options_.workers = 2;
  start();
  std::atomic<int> wrong{0};
  const auto talk = [&](int id) {
    HttpClient client(port());
    for (int i = 0; i < 200; ++i) {
      const std::string body =
          std::to_string(id) + ":" + std::to_string(i) + std::string(static_cast<size_t>(i), 'x');
      wrong += client.ask(post_text("/echo", body)).body != body;
    }
  };
  std::vector<std::thread> threads;
  for (int id = 0; id < 6; ++id) threads.emplace_back(talk, id);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  server_->stop();  // a request is counted once its answer is sent
  EXPECT_THAT(metrics_text(),
              HasSubstr("gatewise_requests_total{endpoint=\"other\",model=\"m\",status=\"200\"} 1200\n"));
  EXPECT_THAT(metrics_text(),
              HasSubstr("gatewise_rows_total{endpoint=\"other\",model=\"m\",status=\"200\"} 2400\n"));
}

TEST_F(HttpServerTest, MetricsAreReadByGet) {
  start();
  metrics_->add_source([](std::string& output) { output += "of_models 7\n"; });
  HttpClient client(port());
  EXPECT_EQ(client.ask(get_text("/none")).status, 404);
  const ClientAnswer answer = client.ask(get_text("/metrics"));
  EXPECT_TRUE(answer.has("Content-Type: text/plain; version=0.0.4"));
  EXPECT_THAT(answer.body,
              HasSubstr("gatewise_requests_total{endpoint=\"other\",model=\"\",status=\"404\"} 1\n"));
  EXPECT_THAT(answer.body, HasSubstr("gatewise_connections 1\n"));
  EXPECT_THAT(answer.body, HasSubstr("\nof_models 7\n"));
  EXPECT_EQ(client.ask(post_text("/metrics", "x")).status, 405);
  EXPECT_EQ(handlers_.answered, 1);
}

TEST_F(HttpServerTest, WhereItCannotListenItSaysWhy) {
  start();
  HttpOptions taken = options_;
  taken.port = port();
  const auto message_of = [&](const HttpOptions& options) -> std::string {
    try {
      HttpServer second(options, handlers_, *metrics_);
    } catch (const Error& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_THAT(message_of(taken), HasSubstr("another program listens there"));
  taken.address = "example.org";
  EXPECT_THAT(message_of(taken), HasSubstr("address: got \"example.org\", expected an IP address"));
  taken.address = "192.0.2.1";  // for documentation: no machine has it
  EXPECT_THAT(message_of(taken), HasSubstr("cannot listen there"));
}

}  // namespace
}  // namespace gatewise
