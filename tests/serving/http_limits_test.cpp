#include <gmock/gmock.h>

#include "tests/serving/http_client.h"

namespace gatewise {
namespace {

using testing::HasSubstr;

class HttpLimits : public ServerFixture {
 protected:
  // Passes deadlines until a connection was dropped: each begins when the worker comes to it.
  void await_drop(Drop reason) {
    await([&] {
      pass_deadlines();
      return metrics_->worker(0).dropped[static_cast<size_t>(reason)].value() > 0;
    });
  }
  void await_connections(int64_t number) {
    await([&] { return metrics_->connections == number; });
  }
};

TEST_F(HttpLimits, SlowHeadersEnd) {
  options_.idle_seconds = 86400;
  start();
  HttpClient slow(port());
  slow.send("POST /echo HTTP/1.1\r\nHo");
  await_drop(Drop::Headers);
  const ClientAnswer answer = slow.receive();
  EXPECT_EQ(answer.status, 408);
  EXPECT_THAT(answer.body, HasSubstr("headers were not whole after 0.01 seconds"));
  EXPECT_THAT(metrics_text(), HasSubstr("gatewise_dropped_connections_total{while=\"headers\"} 1\n"));
  slow.stop_sending();
  EXPECT_TRUE(slow.is_ended());
}

TEST_F(HttpLimits, AByteNowAndThenGainsNoTime) {
  options_.header_seconds = 1000;
  options_.idle_seconds = 5000;
  start();
  HttpClient slow(port()), other(port());
  // The one worker answers after it has read all that came before.
  const auto settle = [&] { EXPECT_EQ(other.ask(post_text("/echo", "a")).body, "a"); };
  slow.send("GET / H");
  settle();
  milliseconds_ += 600 * 1000;
  slow.send("T");
  settle();
  EXPECT_EQ(metrics_->connections, 2);
  milliseconds_ += 600 * 1000;
  EXPECT_EQ(slow.receive().status, 408);
}

TEST_F(HttpLimits, SlowBodiesEnd) {
  options_.idle_seconds = 86400;
  start();
  HttpClient slow(port());
  slow.send("POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nhalf");
  await_drop(Drop::Body);
  EXPECT_THAT(slow.receive().body, HasSubstr("body: it was not whole"));
  // What it sends later is thrown away, and does not keep the connection.
  slow.send(std::string(1000, 'x'));
  await([&] {
    pass_deadlines();
    return metrics_->connections == 0;
  });
  EXPECT_EQ(handlers_.answered, 0);
}

TEST_F(HttpLimits, IdleAndHalfOpenConnectionsEndSilently) {
  start();
  HttpClient fresh(port()), used(port());
  EXPECT_EQ(used.ask(post_text("/echo", "a")).body, "a");
  // Again and again: a client can have its answer before its connection is idle.
  await([&] {
    pass_deadlines();
    return metrics_->connections == 0;
  });
  EXPECT_TRUE(used.is_ended());
  EXPECT_TRUE(fresh.is_ended());
  EXPECT_THAT(metrics_text(), HasSubstr("gatewise_dropped_connections_total{while=\"idle\"} 2\n"));
}

TEST_F(HttpLimits, ClientsThatTakeNoAnswerEnd) {
  options_.idle_seconds = 86400;
  start();
  HttpClient stuck(port(), 16384);
  stuck.send(get_text("/big"));
  await([&] { return metrics_->worker(0).sent_bytes.value() > 0; });
  // Looked at again and again: the deadline begins with the first wait for the client.
  await([&] {
    pass_deadlines();
    return metrics_->connections == 0;
  });
  EXPECT_LT(stuck.rest().size(), TestHandlers::big_bytes);
  EXPECT_THAT(metrics_text(), HasSubstr("gatewise_dropped_connections_total{while=\"write\"} 1\n"));
}

TEST_F(HttpLimits, RequestsBeyondTheQueueAreRefusedAtOnce) {
  options_.queue = 2;
  start();
  HttpClient blocking(port());
  std::vector<std::unique_ptr<HttpClient>> clients;
  for (int i = 0; i < 5; ++i) {
    clients.push_back(std::make_unique<HttpClient>(port()));
    EXPECT_EQ(clients.back()->ask(post_text("/echo", "warm")).status, 200);
  }
  blocking.send(get_text("/wait"));
  handlers_.await_waiting();
  for (const auto& client : clients) client->send(post_text("/echo", "queued"));
  handlers_.open_gate();
  int answered = 0, refused = 0;
  for (const auto& client : clients) {
    const ClientAnswer answer = client->receive();
    answered += answer.status == 200 && answer.body == "queued";
    refused += answer.status == 503 && answer.has("Retry-After: 1\r\n") && !answer.has("Connection");
  }
  EXPECT_EQ(answered, 2);
  EXPECT_EQ(refused, 3);
  EXPECT_THAT(metrics_text(), HasSubstr("gatewise_refused_total{by=\"queue\"} 3\n"));
  // They may come again on the same connection.
  for (const auto& client : clients) EXPECT_EQ(client->ask(post_text("/echo", "again")).body, "again");
}

TEST_F(HttpLimits, ConnectionsBeyondTheLimitAreRefused) {
  options_.max_connections = 2;
  start();
  HttpClient first(port()), second(port());
  EXPECT_EQ(first.ask(post_text("/echo", "1")).status, 200);
  EXPECT_EQ(second.ask(post_text("/echo", "2")).status, 200);
  HttpClient third(port());
  const ClientAnswer answer = third.receive();
  EXPECT_EQ(answer.status, 503);
  EXPECT_TRUE(answer.has("Retry-After: 1\r\n"));
  first.end();
  await_connections(1);
  EXPECT_EQ(HttpClient(port()).ask(post_text("/echo", "4")).status, 200);
}

TEST_F(HttpLimits, DrainingAnswersWhatWasAccepted) {
  start();
  HttpClient idle(port()), busy(port()), next(port());
  for (HttpClient* client : {&idle, &busy, &next})
    EXPECT_EQ(client->ask(post_text("/echo", "a")).status, 200);
  busy.send(get_text("/wait") + post_text("/echo", "pipelined"));
  handlers_.await_waiting();
  next.send(post_text("/echo", "in the socket"));
  server_->drain();
  await([&] { return !HttpClient(port()).is_connected(); });
  EXPECT_FALSE(server_->is_finished());
  handlers_.open_gate();
  EXPECT_FALSE(busy.receive().has("Connection: close"));
  const ClientAnswer pipelined = busy.receive();
  EXPECT_EQ(pipelined.body, "pipelined");
  EXPECT_TRUE(pipelined.has("Connection: close"));
  const ClientAnswer last = next.receive();
  EXPECT_EQ(last.body, "in the socket");
  EXPECT_TRUE(last.has("Connection: close"));
  EXPECT_TRUE(idle.is_ended());
  await([&] { return server_->is_finished(); });
}

TEST_F(HttpLimits, StoppingEndsEveryConnection) {
  start();
  HttpClient partial(port()), reading(port(), 16384);
  partial.send("POST /echo HTTP/1.1\r\n");
  reading.send(get_text("/big"));
  await([&] { return handlers_.answered == 1; });
  server_->stop();
  EXPECT_TRUE(partial.is_ended());
  EXPECT_LT(reading.rest().size(), TestHandlers::big_bytes);
  EXPECT_TRUE(server_->is_finished());
  EXPECT_EQ(metrics_->connections, 0);
}

}  // namespace
}  // namespace gatewise
