// The channel of all of a user's orders.
#include <gmock/gmock.h>

#include "libs/base/strings.h"
#include "services/notification/tests/notification_fixture.h"

namespace bv::notification {
namespace {

constexpr std::string_view kSubscribe = R"({"type":"subscribe","channel":"me"})";

class ChannelTest : public NotificationTest {
 protected:
  static std::string SubscribeAfter(const std::string& seq) {
    return Concat(R"({"type":"subscribe","channel":"me","after":")", seq, "\"}");
  }
  // Its seq.
  static std::string ExpectEvent(WsClient& client, const std::string& envelope) {
    const std::string message = client.NextButPosition();
    EXPECT_EQ(TypeOf(message), "event") << message << client.close_code();
    EXPECT_EQ(TextOf(message, "channel"), "me");
    EXPECT_EQ(EnvelopeOf(message), envelope);
    return TextOf(message, "seq");
  }
  static std::string ExpectSubscribed(WsClient& client) {
    const std::string message = client.NextButPosition();
    EXPECT_EQ(TypeOf(message), "subscribed") << message << client.close_code();
    return TextOf(message, "seq");
  }
};

TEST_F(ChannelTest, SendsTheEventsOfAllOnesOrders) {
  WsClient client(replica().port(), Bearer("cy"));
  client.Say(kSubscribe);
  ExpectSubscribed(client);
  WriteCreated(NewOrder(), "dan");
  const std::string order = NewOrder();
  ExpectEvent(client, WriteCreated(order, "cy"));
  ExpectEvent(client, WriteCreated(NewOrder(), "cy"));
  ExpectEvent(client, WritePaid(order, 2, "cy"));
  ExpectEvent(client, WriteChanged(order, 2, "cy"));
  client.Say(R"({"type":"unsubscribe","channel":"me"})");
  EXPECT_EQ(TypeOf(client.NextButPosition()), "unsubscribed");
}

TEST_F(ChannelTest, GoesOnWhereAClientWasOnAnyReplica) {
  const auto second = Start();
  std::string seq;
  {
    WsClient client(replica().port(), Bearer("eve"));
    client.Say(kSubscribe);
    ExpectSubscribed(client);
    seq = ExpectEvent(client, WriteCreated(NewOrder(), "eve"));
  }
  std::vector<std::string> written;
  for (int i = 0; i < 5; ++i) written.push_back(WriteCreated(NewOrder(), "eve"));
  // Both replicas, one event after the other: at most these five come again, each once, whichever are
  // replayed and whichever are live.
  WsClient here(replica().port(), Bearer("eve"));
  WsClient there(second->port(), Bearer("eve"));
  for (WsClient* client : {&here, &there}) {
    client->Say(SubscribeAfter(seq));
    EXPECT_EQ(ExpectSubscribed(*client), seq);
    std::vector<std::string> came;
    std::string newest;
    for (std::size_t i = 0; i < written.size(); ++i) {
      const std::string message = client->NextButPosition();
      came.push_back(EnvelopeOf(message));
      newest = TextOf(message, "seq");
    }
    // Of one partition in their order, of several in any.
    EXPECT_THAT(came, ::testing::UnorderedElementsAreArray(written));
    WsClient third(replica().port(), Bearer("eve"));
    third.Say(SubscribeAfter(newest));
    ExpectSubscribed(third);
    const std::string next = WriteCreated(NewOrder(), "eve");
    ExpectEvent(third, next);
    written.push_back(next);
  }
}

TEST_F(ChannelTest, ResetsAClientThatWasAwayForTooLong) {
  // Kafka has more than this window.
  ReplicaSettings settings;
  settings.hub.window_bytes_max = 20'000;
  const auto small = Start(settings);
  WsClient client(small->port(), Bearer("fay"));
  client.Say(kSubscribe);
  const std::string seq = ExpectSubscribed(client);
  for (int i = 0; i < 3; ++i) ExpectEvent(client, WriteCreated(NewOrder(), "fay"));
  WriteChanges(NewOrder(), 2, 100, std::string(1'000, 'x'), "gus");
  const std::string last = WriteCreated(NewOrder(), "fay");
  ExpectEvent(client, last);

  WsClient again(small->port(), Bearer("fay"));
  again.Say(SubscribeAfter(seq));
  const std::string reset = again.NextButPosition();
  EXPECT_EQ(TypeOf(reset), "reset") << reset;
  EXPECT_EQ(TextOf(reset, "channel"), "me");
  const std::string next = WriteCreated(NewOrder(), "fay");
  ExpectEvent(again, next);
  WsClient third(small->port(), Bearer("fay"));
  third.Say(SubscribeAfter(TextOf(reset, "seq")));
  ExpectSubscribed(third);
  ExpectEvent(third, next);
}

TEST_F(ChannelTest, ASlowReaderIsClosedAndGoesOn) {
  ReplicaSettings settings;
  settings.websocket.send_messages_max = 64;
  settings.websocket.close_timeout = absl::Seconds(10);
  const auto slow = Start(settings);
  WsClient client(slow->port(), Bearer("hal"));
  client.Say(kSubscribe);
  std::string seq = ExpectSubscribed(client);
  constexpr std::int64_t kLast = 1'000;
  const std::string order = NewOrder();
  WriteChanges(order, 1, kLast, std::string(10'000, 'x'), "hal");
  std::int64_t events = 0;
  for (std::string message = client.NextButPosition(); !message.empty(); message = client.NextButPosition()) {
    ++events;
    seq = TextOf(message, "seq");
  }
  EXPECT_EQ(client.close_code(), 4008);
  EXPECT_THAT(client.close_reason(), ::testing::HasSubstr("subscribe again"));
  EXPECT_LT(events, kLast);
  // The rest is more than a client may have waiting.
  WsClient again(slow->port(), Bearer("hal"));
  again.Say(SubscribeAfter(seq));
  EXPECT_EQ(TypeOf(again.NextButPosition()), "reset");
}

TEST_F(ChannelTest, TellsItsPositionToAClientWithoutEvents) {
  ReplicaSettings settings;
  settings.websocket.ping_interval = absl::Milliseconds(100);
  const auto chatty = Start(settings);
  WsClient client(chatty->port(), Bearer("ian"));
  client.Say(kSubscribe);
  const std::string seq = ExpectSubscribed(client);
  WriteCreated(NewOrder(), "joe");
  std::string position;
  do {
    const std::string message = client.Next();
    ASSERT_EQ(TypeOf(message), "position") << message;
    position = TextOf(message, "seq");
  } while (position == seq);
}

}  // namespace
}  // namespace bv::notification
