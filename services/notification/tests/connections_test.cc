// How a connection begins, what it may do, and how it ends.
#include <gmock/gmock.h>

#include "libs/base/strings.h"
#include "services/notification/tests/notification_fixture.h"

namespace bv::notification {
namespace {

using http::BodyOf;
using http::HeaderOf;
using http::StatusOf;
using http::TestClient;
using ::testing::HasSubstr;

class ConnectionsTest : public NotificationTest {
 protected:
  static std::string Ask(Replica& replica, const std::string& head) {
    TestClient client(replica.port());
    client.Send(head + "\r\n");
    return client.Receive();
  }
  static void ExpectClosed(WsClient& client, int code) {
    while (!client.Next().empty()) continue;
    EXPECT_EQ(client.close_code(), code) << client.close_reason();
  }
};

TEST_F(ConnectionsTest, TakesTheTokenWhereverItIs) {
  WsClient by_header(replica().port(), Bearer());
  EXPECT_TRUE(by_header.is_open());
  EXPECT_EQ(HeaderOf(by_header.answer(), "Sec-WebSocket-Accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  EXPECT_EQ(HeaderOf(by_header.answer(), "Sec-WebSocket-Protocol"), "");
  WsClient by_query(replica().port(), "", "/ws/orders?x=1&access_token=" + Token());
  EXPECT_TRUE(by_query.is_open());
  WsClient by_protocol(replica().port(),
                       Concat("Sec-WebSocket-Protocol: bivouac.orders.v1, bearer.", Token(), "\r\n"));
  EXPECT_TRUE(by_protocol.is_open());
  EXPECT_EQ(HeaderOf(by_protocol.answer(), "Sec-WebSocket-Protocol"), "bivouac.orders.v1");
}

TEST_F(ConnectionsTest, RefusesBeforeTheUpgrade) {
  const WsClient missing(replica().port());
  EXPECT_EQ(StatusOf(missing.answer()), 401);
  EXPECT_EQ(HeaderOf(missing.answer(), "WWW-Authenticate"), "Bearer");
  EXPECT_EQ(HeaderOf(missing.answer(), "Content-Type"), "application/problem+json");
  EXPECT_EQ(StatusOf(WsClient(replica().port(), "Authorization: Bearer x.y.z\r\n").answer()), 401);
  EXPECT_EQ(StatusOf(WsClient(replica().port(), Bearer() + "Origin: https://evil.example\r\n").answer()),
            403);
  EXPECT_EQ(StatusOf(WsClient(replica().port(), Bearer() + "X-Tenant-Id: other\r\n").answer()), 403);
  EXPECT_TRUE(WsClient(replica().port(), Bearer() + "Origin: http://notification.test\r\n").is_open());

  const std::string plain = Ask(replica(), "GET /ws/orders HTTP/1.1\r\nHost: a\r\n" + Bearer());
  EXPECT_EQ(StatusOf(plain), 426);
  EXPECT_EQ(HeaderOf(plain, "Upgrade"), "websocket");
  EXPECT_THAT(BodyOf(plain), HasSubstr(R"("code":"UPGRADE_REQUIRED")"));
  EXPECT_EQ(StatusOf(Ask(replica(),
                         "GET /ws/orders HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
                         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n" +
                             Bearer())),
            400);
  EXPECT_EQ(StatusOf(Ask(replica(), "GET /nowhere HTTP/1.1\r\nHost: a\r\n")), 404);
  EXPECT_EQ(StatusOf(Ask(replica(), "GET /readyz HTTP/1.1\r\nHost: a\r\n")), 200);
}

TEST_F(ConnectionsTest, LimitsUsersAddressesAndAll) {
  ReplicaSettings settings;
  settings.websocket.connections_per_user_max = 2;
  settings.websocket.connections_per_address_max = 3;
  settings.websocket.connections_max = 4;
  const auto small = Start(settings);
  const auto from = [&](const std::string& user, const std::string& address) {
    return std::make_unique<WsClient>(small->port(),
                                      Concat(Bearer(user), "X-Forwarded-For: ", address, "\r\n"));
  };
  auto first = from("ada", "192.0.2.1");
  const auto second = from("ada", "192.0.2.1");
  EXPECT_TRUE(first->is_open() && second->is_open());
  const auto third = from("ada", "192.0.2.2");
  EXPECT_EQ(StatusOf(third->answer()), 429);
  EXPECT_EQ(HeaderOf(third->answer(), "Retry-After"), "5");
  const auto fourth = from("bob", "192.0.2.1");
  EXPECT_TRUE(fourth->is_open());
  EXPECT_EQ(StatusOf(from("cy", "192.0.2.1")->answer()), 429);
  const auto fifth = from("cy", "192.0.2.2");
  EXPECT_TRUE(fifth->is_open());
  EXPECT_EQ(StatusOf(from("dan", "192.0.2.3")->answer()), 503);
  // A place that was given back is free.
  first->SendFrame(WsClient::kClose, "");
  EXPECT_TRUE(first->Next().empty());
  const absl::Time deadline = absl::Now() + absl::Seconds(10);
  bool is_free = false;
  while (!is_free && absl::Now() < deadline) is_free = from("dan", "192.0.2.3")->is_open();
  EXPECT_TRUE(is_free);
}

TEST_F(ConnectionsTest, TellsOfMistakesAndEndsManyOfThem) {
  ReplicaSettings settings;
  settings.websocket.errors_max = 3;
  const auto strict = Start(settings);
  WsClient client(strict->port(), Bearer());
  for (const std::string_view text : {"x", R"({"type":"x"})", R"({"type":"subscribe","orderId":"x"})"}) {
    client.Say(text);
    const std::string answer = client.Next();
    EXPECT_EQ(TypeOf(answer), "error") << answer;
    EXPECT_NE(TextOf(answer, "detail"), "");
  }
  client.Say(R"({"type":"ack","seq":1})");
  client.Say("x");
  ExpectClosed(client, 1008);
}

TEST_F(ConnectionsTest, LimitsMessagesASecond) {
  ReplicaSettings settings;
  settings.websocket.messages_burst_max = 3;
  settings.websocket.messages_per_second_max = 0.1;
  const auto strict = Start(settings);
  WsClient client(strict->port(), Bearer());
  for (int i = 0; i < 4; ++i) client.Say(R"({"type":"ack","seq":1})");
  EXPECT_EQ(TextOf(client.Next(), "code"), "TOO_MANY_MESSAGES");
}

TEST_F(ConnectionsTest, TakesTextOfALimitedSizeOnly) {
  WsClient binary(replica().port(), Bearer());
  binary.SendFrame(WsClient::kBinary, "x");
  ExpectClosed(binary, 1003);
  WsClient large(replica().port(), Bearer());
  large.Say(std::string(4'097, ' '));
  ExpectClosed(large, 1009);
  WsClient no_text(replica().port(), Bearer());
  no_text.Say("\xff");
  ExpectClosed(no_text, 1007);
}

TEST_F(ConnectionsTest, PingsAndMissesASilentClient) {
  ReplicaSettings settings;
  settings.websocket.ping_interval = absl::Milliseconds(100);
  settings.websocket.idle_timeout = absl::Milliseconds(500);
  const auto strict = Start(settings);
  WsClient silent(strict->port(), Bearer());
  silent.IgnorePings();
  ExpectClosed(silent, 1001);
  EXPECT_GT(silent.pings(), 2);
  // One that answers lives for longer than the others' silence.
  WsClient lively(strict->port(), Bearer());
  lively.Say(R"({"type":"subscribe","channel":"me"})");
  EXPECT_EQ(TypeOf(lively.Next()), "subscribed");
  while (lively.pings() < 12) {
    WriteCreated(NewOrder(), "nobody");
    ASSERT_EQ(TypeOf(lively.Next()), "position") << lively.close_code();
  }
}

TEST_F(ConnectionsTest, AnswersAPing) {
  WsClient client(replica().port(), Bearer());
  client.SendFrame(WsClient::kPing, "are you there");
  EXPECT_TRUE(client.AwaitFrame(WsClient::kPong));
}

TEST_F(ConnectionsTest, EndsWithItsToken) {
  WsClient client(replica().port(),
                  Concat("Authorization: Bearer ", Token("ada", Role::kCustomer, absl::Seconds(2)), "\r\n"));
  ASSERT_TRUE(client.is_open()) << client.answer();
  ExpectClosed(client, 4401);
}

TEST_F(ConnectionsTest, SendsAllAwayWhenItGoes) {
  const auto leaving = Start();
  WsClient client(leaving->port(), Bearer());
  TestClient stream(leaving->port());
  stream.Send("GET /sse/flash-sales?tenant=acme HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(StatusOf(stream.ReceiveHead()), 200);
  client.Say(R"({"type":"subscribe","channel":"me"})");
  EXPECT_EQ(TypeOf(client.Next()), "subscribed");
  std::thread drain([&] { leaving->Drain(); });
  const std::string message = client.NextButPosition();
  EXPECT_EQ(TypeOf(message), "reconnect") << message;
  EXPECT_THAT(message, HasSubstr("\"afterMillis\":"));
  ExpectClosed(client, 1012);
  drain.join();
}

}  // namespace
}  // namespace bv::notification
