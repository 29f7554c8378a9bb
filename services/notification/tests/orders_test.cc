// Subscriptions to an order: each change once, in order, whatever happens between.
#include <gmock/gmock.h>

#include "libs/base/strings.h"
#include "services/notification/tests/notification_fixture.h"

namespace bv::notification {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class OrdersTest : public NotificationTest {
 protected:
  static std::string SubscribeAfter(const std::string& order, std::int64_t after) {
    return Concat(R"({"type":"subscribe","orderId":")", order, R"(","after":)", after, "}");
  }
  static void ExpectEvent(WsClient& client, std::int64_t seq, const std::string& envelope) {
    const std::string message = client.Next();
    EXPECT_EQ(TypeOf(message), "event") << message;
    EXPECT_EQ(SeqOf(message), seq);
    EXPECT_EQ(EnvelopeOf(message), envelope);
  }
};

TEST_F(OrdersTest, SendsASnapshotAndThenEveryChange) {
  const std::string order = NewOrder();
  orders().Put(order, 1);
  WsClient client(replica().port(), Bearer());
  ASSERT_TRUE(client.is_open()) << client.answer();
  client.Say(SubscribeTo(order));
  const std::string snapshot = client.Next();
  EXPECT_THAT(snapshot,
              StartsWith(Concat(R"({"type":"snapshot","seq":1,"order":{"orderId":")", order, "\"")));
  EXPECT_THAT(snapshot, HasSubstr(R"("totalAmount":129.50)"));

  const std::string paid = WritePaid(order, 2);
  const std::string changed = WriteChanged(order, 2);
  const std::string later = WriteChanged(order, 3);
  ExpectEvent(client, 1, paid);
  ExpectEvent(client, 2, changed);
  ExpectEvent(client, 3, later);
}

TEST_F(OrdersTest, NothingFallsBetweenSnapshotAndEvents) {
  for (const std::int64_t version : {1, 3}) {
    const std::string order = NewOrder();
    orders().Put(order, version);
    orders().Hold();
    const int questions = orders().questions();
    WsClient client(replica().port(), Bearer());
    WsClient other(replica().port(), Bearer("ada"));
    client.Say(SubscribeTo(order));
    orders().AwaitQuestions(questions + 1);
    std::vector<std::string> written = {WriteChanged(order, 2), WriteChanged(order, 3)};
    // Until the replica has them.
    other.Say(R"({"type":"subscribe","channel":"me"})");
    const std::string mark = NewOrder();
    while (TextOf(other.Next(), "type") != "subscribed") continue;
    const std::string marked = WriteCreated(mark);
    while (EnvelopeOf(other.Next()) != marked) continue;
    orders().Release();
    EXPECT_EQ(SeqOf(client.Next()), version);
    for (std::int64_t next = version + 1; next <= 3; ++next)
      ExpectEvent(client, next, written[static_cast<std::size_t>(next) - 2]);
    ExpectEvent(client, 4, WriteChanged(order, 4));
  }
}

TEST_F(OrdersTest, GoesOnWhereAClientWasOnAnyReplica) {
  const std::string order = NewOrder();
  orders().Put(order, 1);
  const auto second = Start();
  std::vector<std::string> written;
  {
    WsClient client(replica().port(), Bearer());
    client.Say(SubscribeTo(order));
    EXPECT_EQ(SeqOf(client.Next()), 1);
    ExpectEvent(client, 1, WritePaid(order, 2));
  }
  // It had half of the change: it gets the whole of it.
  const std::string changed = WriteChanged(order, 2);
  const std::string later = WriteChanged(order, 3);
  orders().Put(order, 3);
  for (Replica* one : {second.get(), &replica()}) {
    WsClient client(one->port(), Bearer());
    // Until the replica has all of them.
    client.Say(SubscribeAfter(order, 1));
    const std::string first = client.Next();
    if (TypeOf(first) == "snapshot") {
      EXPECT_EQ(SeqOf(first), 3);
      continue;
    }
    EXPECT_EQ(first, Concat(R"({"type":"subscribed","orderId":")", order, R"(","seq":1})"));
    EXPECT_EQ(SeqOf(client.Next()), 1);
    ExpectEvent(client, 2, changed);
    ExpectEvent(client, 3, later);
  }
  WsClient client(second->port(), Bearer());
  client.Say(SubscribeAfter(order, 3));
  EXPECT_EQ(SeqOf(client.Next()), 3);
  ExpectEvent(client, 4, WriteChanged(order, 4));
}

TEST_F(OrdersTest, SendsASnapshotWhereTheWindowDoesNotReach) {
  const std::string order = NewOrder();
  orders().Put(order, 9);
  WsClient client(replica().port(), Bearer());
  client.Say(SubscribeAfter(order, 4));
  const std::string message = client.Next();
  EXPECT_EQ(TypeOf(message), "snapshot");
  EXPECT_EQ(SeqOf(message), 9);
}

TEST_F(OrdersTest, AGapIsMendedByASnapshot) {
  const std::string order = NewOrder();
  orders().Put(order, 1);
  WsClient client(replica().port(), Bearer());
  client.Say(SubscribeTo(order));
  EXPECT_EQ(SeqOf(client.Next()), 1);
  orders().Put(order, 5);
  WriteChanged(order, 5);
  const std::string message = client.Next();
  EXPECT_EQ(TypeOf(message), "snapshot");
  EXPECT_EQ(SeqOf(message), 5);
  ExpectEvent(client, 6, WriteChanged(order, 6));
}

TEST_F(OrdersTest, WhatARelayWroteTwiceComesOnce) {
  const std::string order = NewOrder();
  orders().Put(order, 1);
  WsClient client(replica().port(), Bearer());
  client.Say(SubscribeTo(order));
  EXPECT_EQ(SeqOf(client.Next()), 1);
  ExpectEvent(client, 1, WritePaid(order, 2));
  ExpectEvent(client, 2, WriteChanged(order, 2));
  WritePaid(order, 2);
  WriteChanged(order, 2);
  ExpectEvent(client, 3, WriteChanged(order, 3));
}

TEST_F(OrdersTest, TheOrderServiceDecidesWhoSees) {
  const std::string order = NewOrder();
  orders().Put(order, 1, "bob");
  WsClient client(replica().port(), Bearer("ada"));
  client.Say(SubscribeTo(order));
  const std::string refused = client.Next();
  EXPECT_EQ(TypeOf(refused), "error");
  EXPECT_EQ(TextOf(refused, "code"), "ORDER_NOT_FOUND");
  EXPECT_EQ(TextOf(refused, "orderId"), order);
  // Nothing of it comes afterwards.
  const std::string own = NewOrder();
  orders().Put(own, 1);
  WriteChanged(order, 2, "bob");
  client.Say(SubscribeTo(own));
  EXPECT_EQ(TypeOf(client.Next()), "snapshot");
  ExpectEvent(client, 2, WriteChanged(own, 2));

  WsClient staff(replica().port(), Bearer("sam", Role::kStaff));
  staff.Say(SubscribeTo(order));
  EXPECT_EQ(TypeOf(staff.Next()), "snapshot");
}

TEST_F(OrdersTest, EndsASubscription) {
  const std::string order = NewOrder();
  orders().Put(order, 1);
  WsClient client(replica().port(), Bearer());
  client.Say(SubscribeTo(order));
  EXPECT_EQ(TypeOf(client.Next()), "snapshot");
  client.Say(R"({"type":"unsubscribe","orderId":")" + order + "\"}");
  EXPECT_EQ(client.Next(), Concat(R"({"type":"unsubscribed","orderId":")", order, "\"}"));
  WriteChanged(order, 2);
  client.Say(R"({"type":"unsubscribe","orderId":")" + order + "\"}");
  EXPECT_EQ(TextOf(client.Next(), "code"), "NOT_SUBSCRIBED");
  orders().Put(order, 2);
  client.Say(SubscribeTo(order));
  EXPECT_EQ(SeqOf(client.Next()), 2);
}

TEST_F(OrdersTest, SomeOrdersOfOneConnection) {
  WsClient client(replica().port(), Bearer());
  for (int i = 0; i < 20; ++i) {
    const std::string order = NewOrder();
    orders().Put(order, 1);
    client.Say(SubscribeTo(order));
  }
  for (int i = 0; i < 20; ++i) EXPECT_EQ(TypeOf(client.Next()), "snapshot");
  client.Say(SubscribeTo(NewOrder()));
  EXPECT_EQ(TextOf(client.Next(), "code"), "TOO_MANY_SUBSCRIPTIONS");
}

TEST_F(OrdersTest, ASlowReaderGetsTheNewestState) {
  ReplicaSettings settings;
  settings.websocket.send_messages_max = 16;
  const auto slow = Start(settings);
  const std::string order = NewOrder();
  orders().Put(order, 1);
  WsClient client(slow->port(), Bearer());
  client.Say(SubscribeTo(order));
  EXPECT_EQ(SeqOf(client.Next()), 1);
  // More than all the buffers on the way can take.
  constexpr std::int64_t kLast = 1'000;
  const int questions = orders().questions();
  orders().Put(order, kLast);
  WriteChanges(order, 2, kLast, std::string(10'000, 'x'));
  std::int64_t seq = 1;
  bool was_snapshot = false;
  while (seq < kLast) {
    const std::string message = client.Next();
    ASSERT_FALSE(message.empty()) << client.close_code();
    was_snapshot = TypeOf(message) == "snapshot";
    EXPECT_TRUE(was_snapshot ? SeqOf(message) > seq : SeqOf(message) == seq + 1) << seq;
    seq = SeqOf(message);
  }
  EXPECT_TRUE(was_snapshot) << "nothing was left out";
  EXPECT_GT(orders().questions(), questions);
  EXPECT_LE(orders().questions(), questions + 2) << "asked for while the client did not read";
  ExpectEvent(client, kLast + 1, WriteChanged(order, kLast + 1));
}

}  // namespace
}  // namespace bv::notification
