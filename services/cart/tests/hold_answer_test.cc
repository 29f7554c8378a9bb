// What inventory's answers make of the carts, over the real Kafka.
#include <absl/strings/str_replace.h>

#include <pqxx/pqxx>

#include "libs/base/strings.h"
#include "services/cart/tests/hold_fixture.h"

namespace bv::cart {
namespace {

// The answers that say no more than which item they are about.
template <class Event>
Event PlainAnswer(const inventory::ReservationRequested& request) {
  Event event;
  event.set_reservation_id(request.reservation_id());
  event.set_cart_id(request.cart_id());
  event.set_sku(request.sku());
  event.set_item_version(request.item_version());
  return event;
}

inventory::ReservationExpired Expired(const inventory::ReservationRequested& request) {
  inventory::ReservationExpired event;
  event.set_reservation_id(request.reservation_id());
  event.set_holder("CART");
  event.set_cart_id(request.cart_id());
  event.set_item_version(request.item_version());
  for (const char* location : {"MAIN", "SHOP-1"}) {
    auto* line = event.add_lines();
    line->set_sku(request.sku());
    line->set_location_code(location);
    line->set_qty(1);
  }
  return event;
}

absl::Time Soon() {
  return absl::FromUnixSeconds(absl::ToUnixSeconds(absl::Now()) + 900);
}

TEST_F(HoldAnswerTest, WhatIsHeldIsShownUntilItEnds) {
  const std::string id = CartWith(As("ada"), {"A"});
  const absl::Time until = Soon();
  Send({HeldEvent(LastRequest(), until)});
  const pb::CartHold hold = WaitFor(As("ada"), id, pb::CartHold::STATUS_HELD);
  EXPECT_EQ(hold.qty(), 1);
  EXPECT_EQ(hold.held_until().seconds(), absl::ToUnixSeconds(until));
  EXPECT_EQ(hold.reservation_id(), LastRequest().reservation_id());
  Answer(Expired(LastRequest()));
  const pb::CartHold expired = WaitFor(As("ada"), id, pb::CartHold::STATUS_EXPIRED);
  EXPECT_EQ(expired.qty(), 0);
  EXPECT_FALSE(expired.has_held_until());
  // Another quantity asks anew.
  EXPECT_EQ(HoldOf(Set(As("ada"), id, "A", 2)).status(), pb::CartHold::STATUS_REQUESTED);
}

TEST_F(HoldAnswerTest, NotEnoughIsRejected) {
  const std::string id = CartWith(As("ada"), {"A"});
  Answer(PlainAnswer<inventory::ReservationRejected>(LastRequest()));
  WaitFor(As("ada"), id, pb::CartHold::STATUS_REJECTED);
}

TEST_F(HoldAnswerTest, AnOrderTakesTheHoldsPlace) {
  const std::string id = CartWith(As("ada"), {"A"});
  Send({HeldEvent(LastRequest(), Soon())});
  WaitFor(As("ada"), id, pb::CartHold::STATUS_HELD);
  Answer(PlainAnswer<inventory::ReservationReleased>(LastRequest()));
  WaitFor(As("ada"), id, pb::CartHold::STATUS_UNSPECIFIED);
  EXPECT_FALSE(Get(As("ada"), id)->items(0).has_hold());
}

TEST_F(HoldAnswerTest, AHoldWhoseTimeIsOverIsExpiredBeforeInventorySaysSo) {
  const std::string id = CartWith(As("ada"), {"A"});
  Send({HeldEvent(LastRequest(), absl::Now() - absl::Seconds(2))});
  WaitFor(As("ada"), id, pb::CartHold::STATUS_EXPIRED);
  EXPECT_EQ(Query("SELECT hold_status FROM cart.cart_item WHERE tenant_id = $T"), "HELD");
}

TEST_F(HoldAnswerTest, AnswersToWhatWasAskedBeforeArePassedOver) {
  const std::string id = CartWith(As("ada"), {"A"});
  const inventory::ReservationRequested first = LastRequest();
  ASSERT_TRUE(Set(As("ada"), id, "A", 3).ok());
  const inventory::ReservationRequested second = LastRequest();
  // Of one batch, and one reservation: in their order.
  Send({HeldEvent(first, Soon()), HeldEvent(second, Soon()), EventOf(Expired(first)),
        EventOf(PlainAnswer<inventory::ReservationRejected>(first))});
  EXPECT_EQ(WaitFor(As("ada"), id, pb::CartHold::STATUS_HELD).qty(), 3);
  // All were read: this one stands behind them.
  Answer(PlainAnswer<inventory::ReservationReleased>(second));
  WaitFor(As("ada"), id, pb::CartHold::STATUS_UNSPECIFIED);
}

TEST_F(HoldAnswerTest, AnswersThatComeTwiceChangeNothing) {
  const std::string id = CartWith(As("ada"), {"A"});
  const std::vector<testing::Written> answers = {HeldEvent(LastRequest(), Soon()),
                                                 EventOf(Expired(LastRequest()))};
  Send(answers);
  WaitFor(As("ada"), id, pb::CartHold::STATUS_EXPIRED);
  Send({answers[0]});
  const std::string other = CartWith(As("bob"), {"A"});
  Send({HeldEvent(LastRequest(), Soon()), answers[1]});
  WaitFor(As("bob"), other, pb::CartHold::STATUS_HELD);
  EXPECT_EQ(HoldOf(Get(As("ada"), id)).status(), pb::CartHold::STATUS_EXPIRED);
}

TEST_F(HoldAnswerTest, ItemsAndCartsThatAreGoneArePassedOver) {
  const std::string id = CartWith(As("ada"), {"A"});
  const inventory::ReservationRequested removed = LastRequest();
  ASSERT_TRUE(Remove(As("ada"), id, "A").ok());
  inventory::ReservationRequested unknown = removed;
  unknown.set_cart_id(CartId::New().str());
  Send({HeldEvent(removed, Soon()), HeldEvent(unknown, Soon())});
  ASSERT_TRUE(Set(As("ada"), id, "B", 1).ok());
  Send({HeldEvent(LastRequest(), Soon())});
  WaitFor(As("ada"), id, pb::CartHold::STATUS_HELD);
  EXPECT_EQ(ItemsOf(Get(As("ada"), id)), "B 1");
}

TEST_F(HoldAnswerTest, AnotherTenantsAnswerIsPassedOver) {
  const std::string id = CartWith(As("ada"), {"A"});
  testing::Written foreign = HeldEvent(LastRequest(), Soon());
  foreign.headers["tenantId"] = tenant() + "-other";
  Send({foreign, EventOf(PlainAnswer<inventory::ReservationRejected>(LastRequest()))});
  WaitFor(As("ada"), id, pb::CartHold::STATUS_REJECTED);
}

TEST_F(HoldAnswerTest, WhatCannotBeReadIsPutAsideAndTheRestGoesOn) {
  const std::string id = CartWith(As("ada"), {"A"});
  const inventory::ReservationRequested request = LastRequest();
  const std::string key = request.reservation_id();
  inventory::ReservationRequested no_cart = request;
  no_cart.set_cart_id("order-1");
  inventory::ReservationExpired of_an_order;
  of_an_order.set_reservation_id(key);
  of_an_order.set_holder("ORDER");
  testing::Written invented = EventOf(request);
  absl::StrReplaceAll({{"reservation.requested", "reservation.invented"}}, &invented.value);
  Send({{.key = key, .value = "{", .headers = {{"tenantId", tenant()}}},
        {.key = key, .value = HeldEvent(request, Soon()).value},
        HeldEvent(no_cart, Soon()),
        EventOf(of_an_order),
        EventOf(request),
        invented,
        HeldEvent(request, Soon())});
  WaitFor(As("ada"), id, pb::CartHold::STATUS_HELD);
  const std::vector<testing::Seen> dead = dead_letters_.Read(3);
  const auto why = [&](std::size_t i) { return dead[i].headers.at("__connect.errors.exception.class.name"); };
  EXPECT_EQ(why(0), "MALFORMED_JSON");
  EXPECT_EQ(why(1), "INVALID_VALUE");
  EXPECT_EQ(why(2), "INVALID_ID");
  EXPECT_EQ(dead.size(), 3u);
}

TEST_F(HoldAnswerTest, GoesOnAfterTheDatabaseWasAway) {
  const std::string id = CartWith(As("ada"), {"A"});
  Send({HeldEvent(LastRequest(), Soon())});
  WaitFor(As("ada"), id, pb::CartHold::STATUS_HELD);
  Query(
      Concat("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'bv_cart' AND "
             "datname = '",
             database().name(), "'"));
  Answer(Expired(LastRequest()));
  WaitFor(As("ada"), id, pb::CartHold::STATUS_EXPIRED);
}

// Carts change and merge while inventory answers: no deadlock, and in the end every item is held as it is.
TEST_F(HoldAnswerTest, ChangesAndAnswersAtOnceAgreeInTheEnd) {
  constexpr int kShoppers = 6;
  std::atomic<bool> shopping{true};
  std::thread stock([&] {
    std::size_t answered = 0;
    while (true) {
      const bool last = !shopping;
      std::vector<testing::Written> answers;
      const std::vector<inventory::ReservationRequested> requests = Requests();
      for (; answered < requests.size(); ++answered) {
        const inventory::ReservationRequested& request = requests[answered];
        answers.push_back(request.qty() > 0 ? HeldEvent(request, Soon())
                                            : EventOf(PlainAnswer<inventory::ReservationReleased>(request)));
      }
      if (!answers.empty()) Send(answers);
      if (last) return;
    }
  });
  const auto done = AtOnce(kShoppers, [&](int shopper) {
    const RequestContext context = As(Concat("user-", shopper));
    const std::string secret = Concat("secret-of-visitor-", shopper);
    absl::Status failed;
    for (int round = 0; round < 10; ++round) {
      const std::string visit = CartWith(context, {"A", "B", "C"}, secret);
      failed.Update(Remove(context, visit, "B", secret).status());
      failed.Update(Merge(context, secret).status());
    }
    return failed;
  });
  shopping = false;
  stock.join();
  for (const absl::Status& status : done) EXPECT_TRUE(status.ok()) << status;
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  const std::string not_held =
      "SELECT count(*) FROM cart.cart_item JOIN cart.cart USING (tenant_id, cart_id) "
      "WHERE tenant_id = $T AND closed_at IS NULL AND (hold_status IS DISTINCT FROM 'HELD' OR hold_qty <> "
      "qty)";
  while (Query(not_held) != "0" && absl::Now() < deadline) std::this_thread::yield();
  EXPECT_EQ(Query(not_held), "0");
  EXPECT_EQ(ItemsOf(Create(As("user-0"))), "A 10, C 10");
}

}  // namespace
}  // namespace bv::cart
