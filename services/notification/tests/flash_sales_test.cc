// The event stream of flash sales.
#include <gmock/gmock.h>

#include "libs/base/strings.h"
#include "libs/telemetry/telemetry.h"
#include "services/notification/tests/notification_fixture.h"

namespace bv::notification {
namespace {

using http::HeaderOf;
using http::StatusOf;
using http::TestClient;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// A reader of one stream.
class Stream {
 public:
  Stream(int port, std::string_view headers = "", std::string_view target = "/sse/flash-sales?tenant=acme")
      : client_(port) {
    client_.Send(Concat("GET ", target, " HTTP/1.1\r\nHost: notification.test\r\n", headers, "\r\n"));
    answer_ = client_.ReceiveHead();
  }
  const std::string& answer() const { return answer_; }

  // Up to the next blank line, without it; empty at the end.
  std::string NextBlock() {
    std::string block;
    while (!block.ends_with("\n\n")) {
      const std::string byte = client_.ReceiveBytes(1);
      if (byte.empty()) return "";
      block += byte;
    }
    return block.substr(0, block.size() - 2);
  }
  // The next one with data.
  std::string NextEvent() {
    std::string block = NextBlock();
    while (!block.empty() && block.find("data: ") == std::string::npos) block = NextBlock();
    return block;
  }
  void Disconnect() { client_.Close(); }

 private:
  TestClient client_;
  std::string answer_;
};

std::string FieldOf(const std::string& event, std::string_view name) {
  const std::string start = Concat(name, ": ");
  const std::size_t found = event.starts_with(start) ? 0 : event.find("\n" + start);
  if (found == std::string::npos) return "";
  const std::size_t begin = event.find(": ", found) + 2;
  return event.substr(begin, event.find('\n', begin) - begin);
}

class FlashSalesTest : public NotificationTest {
 protected:
  static std::string NewSale() { return OrderId::New().str(); }
};

TEST_F(FlashSalesTest, SendsWhatRunsAndThenWhatHappens) {
  Stream stream(replica().port());
  EXPECT_EQ(StatusOf(stream.answer()), 200);
  EXPECT_EQ(HeaderOf(stream.answer(), "Content-Type"), "text/event-stream");
  EXPECT_EQ(stream.NextBlock(), "retry: 3000");
  EXPECT_EQ(FieldOf(stream.NextEvent(), "event"), "snapshot");
  const std::string sale = NewSale();
  const std::string started = WriteSale(sale, Sale::kStarts);
  const std::string event = stream.NextEvent();
  EXPECT_EQ(FieldOf(event, "event"), "started");
  EXPECT_EQ(FieldOf(event, "data"), started);
  EXPECT_NE(FieldOf(event, "id"), "");
  EXPECT_THAT(Stream(replica().port()).NextEvent(), HasSubstr(started));

  const std::string ended = WriteSale(sale, Sale::kEnds);
  const std::string last = stream.NextEvent();
  EXPECT_EQ(FieldOf(last, "event"), "ended");
  EXPECT_EQ(FieldOf(last, "data"), ended);
  EXPECT_THAT(Stream(replica().port()).NextEvent(), Not(HasSubstr(sale)));
}

TEST_F(FlashSalesTest, GoesOnAfterTheLastEventOnAnyReplica) {
  const auto second = Start();
  Stream stream(replica().port());
  stream.NextEvent();
  const std::string sale = NewSale();
  WriteSale(sale, Sale::kStarts);
  const std::string id = FieldOf(stream.NextEvent(), "id");
  stream.Disconnect();
  const std::string ended = WriteSale(sale, Sale::kEnds);
  const std::string other = WriteSale(NewSale(), Sale::kStarts);
  for (const int port : {second->port(), replica().port()}) {
    Stream again(port, Concat("Last-Event-ID: ", id, "\r\n"));
    std::vector<std::string> came = {FieldOf(again.NextEvent(), "data"), FieldOf(again.NextEvent(), "data")};
    EXPECT_THAT(came, ::testing::UnorderedElementsAre(ended, other));
  }
  // What is no id of ours begins anew.
  EXPECT_EQ(FieldOf(Stream(replica().port(), "Last-Event-ID: 17\r\n").NextEvent(), "event"), "snapshot");
}

TEST_F(FlashSalesTest, HearsItsOwnTenantOnly) {
  Stream other(replica().port(), "", "/sse/flash-sales?tenant=other");
  EXPECT_THAT(other.NextEvent(), HasSubstr("{\"sales\":[]}"));
  EXPECT_EQ(StatusOf(Stream(replica().port(), "X-Tenant-Id: acme\r\n", "/sse/flash-sales").answer()), 200);
  for (const char* target :
       {"/sse/flash-sales", "/sse/flash-sales?tenant=A%20B", "/sse/flash-sales?tenant=%zz"})
    EXPECT_EQ(StatusOf(Stream(replica().port(), "", target).answer()), 400) << target;
  EXPECT_EQ(StatusOf(Stream(replica().port(), "X-Tenant-Id: other\r\n").answer()), 400);
}

TEST_F(FlashSalesTest, LetsPagesOfAllowedOriginsRead) {
  ReplicaSettings settings;
  settings.websocket.origins = {"https://shop.example"};
  settings.sse.connections_per_address_max = 2;
  const auto open = Start(settings);
  const Stream shop(open->port(), "Origin: https://shop.example\r\n");
  EXPECT_EQ(HeaderOf(shop.answer(), "Access-Control-Allow-Origin"), "https://shop.example");
  const Stream evil(open->port(), "Origin: https://evil.example\r\n");
  EXPECT_EQ(HeaderOf(evil.answer(), "Access-Control-Allow-Origin"), "");
  EXPECT_EQ(StatusOf(Stream(open->port()).answer()), 429);
  EXPECT_EQ(StatusOf(Stream(open->port(), "X-Forwarded-For: 192.0.2.1\r\n").answer()), 200);
}

TEST_F(FlashSalesTest, KeepsASilentStreamOpen) {
  ReplicaSettings settings;
  settings.sse.heartbeat_interval = absl::Milliseconds(100);
  const auto chatty = Start(settings);
  Stream stream(chatty->port());
  stream.NextEvent();
  EXPECT_EQ(stream.NextBlock(), ":");
  EXPECT_EQ(stream.NextBlock(), ":");
}

TEST_F(FlashSalesTest, EndsTheStreamOfASlowReader) {
  ReplicaSettings settings;
  settings.sse.send_bytes_max = 4'096;
  settings.sse.heartbeat_interval = absl::Seconds(60);
  const auto strict = Start(settings);
  prometheus::Counter& slow =
      telemetry::Counter("notification_closed_total", "", {{"kind", "sse"}, {"reason", "slow"}});
  const double before = slow.Value();
  Stream stream(strict->port());
  EXPECT_EQ(FieldOf(stream.NextEvent(), "event"), "snapshot");
  // More than the buffers of the sockets on the way can take.
  constexpr int kSales = 5'000;
  WriteManySales(kSales);
  const absl::Time deadline = absl::Now() + absl::Seconds(10);
  while (slow.Value() == before && absl::Now() < deadline) std::this_thread::yield();
  EXPECT_EQ(slow.Value(), before + 1);
  int events = 0;
  while (!stream.NextEvent().empty()) ++events;
  EXPECT_LT(events, kSales);
}

TEST_F(FlashSalesTest, SaysWhenToComeBack) {
  const auto leaving = Start();
  Stream stream(leaving->port());
  stream.NextEvent();
  std::thread drain([&] { leaving->Drain(); });
  EXPECT_THAT(stream.NextBlock(), StartsWith("retry: "));
  EXPECT_EQ(stream.NextBlock(), "");
  drain.join();
}

}  // namespace
}  // namespace bv::notification
