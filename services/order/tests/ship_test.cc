// Canceling, shipping and delivering.
#include "libs/base/error.h"
#include "libs/base/strings.h"
#include "services/order/tests/lifecycle_fixture.h"

namespace bv::order {
namespace {

class ShipTest : public LifecycleTest {
 protected:
  static pb::NewShipment ShipmentOf(const std::string& vendor, const std::string& sku = "",
                                    std::int64_t qty = 0) {
    pb::NewShipment shipment;
    shipment.set_vendor_id(vendor);
    shipment.set_carrier("DHL");
    shipment.set_tracking_number("00340434161094000001");
    if (!sku.empty()) {
      shipment.add_items()->set_sku(sku);
      shipment.mutable_items(0)->set_qty(qty);
    }
    return shipment;
  }
};

TEST_F(ShipTest, ACustomerCancelsWhatIsNotPaid) {
  const OrderId id = Place();
  EXPECT_EQ(ErrorReason(Cancel(id, Customer("user-2")).status()), "ORDER_NOT_FOUND");
  EXPECT_EQ(GetErrorDetail(Cancel(id, Customer(), "no such reason").status()).field, "reason");
  const Answer canceled = Cancel(id);
  ASSERT_TRUE(canceled.ok()) << canceled.status();
  EXPECT_EQ(canceled->cancel_reason(), "CUSTOMER_REQUEST");
  EXPECT_EQ(StatesOf(id), "CANCELED PENDING UNFULFILLED");
  EXPECT_EQ(StockOf(id), "RELEASED");
  EXPECT_EQ(bank.faults.calls("RefundPayment"), 0);
  EXPECT_EQ(HistoryOf(id), "PENDING CREATED user-1, CANCELED CUSTOMER_REQUEST user-1");
  EXPECT_EQ(EventsOf(id), "canceled status_changed");
  EXPECT_EQ(ErrorReason(Cancel(id).status()), "ORDER_STATE");
  EXPECT_EQ(ErrorReason(Pay(id).status()), "ORDER_STATE");
}

TEST_F(ShipTest, ThePolicyIsAskedAboutTheOrderAsItIs) {
  const OrderId mine = Paid();
  ASSERT_TRUE(Cancel(mine, Staff()).ok());
  const OrderId transfer = Place(PaymentMethod::kBankTransfer);
  ASSERT_TRUE(Confirm(transfer).ok());
  EXPECT_THAT(policy.asked(),
              ::testing::ElementsAre(
                  Concat("order.cancel order ", mine.str(), " owner=user-1 status=PAID"),
                  Concat("order.confirm_payment order ", transfer.str(), " owner=user-1 status=PENDING")));
}

TEST_F(ShipTest, WithoutThePolicysLeaveNothingIsChanged) {
  const OrderId id = Place(PaymentMethod::kBankTransfer);
  for (const absl::Status& answer : {absl::PermissionDeniedError("no"), absl::UnavailableError("no OPA")}) {
    policy.Answer(answer);
    EXPECT_EQ(Cancel(id).status(), answer);
    EXPECT_EQ(Cancel(id, Staff()).status(), answer);
    EXPECT_EQ(Confirm(id).status(), answer);
  }
  EXPECT_EQ(HistoryOf(id), "PENDING CREATED user-1");
  EXPECT_EQ(Processes(), "0");
  EXPECT_EQ(StockOf(id), "HELD");
}

TEST_F(ShipTest, ThePolicyHearsNothingOfWhatTheCallerDoesNotFind) {
  const OrderId id = Place();
  EXPECT_EQ(ErrorReason(Cancel(id, Customer("somebody-else")).status()), "ORDER_NOT_FOUND");
  EXPECT_THAT(policy.asked(), ::testing::IsEmpty());
}

TEST_F(ShipTest, TheShopCancelsWhatIsPaidAndGivesTheMoneyBack) {
  const OrderId id = Paid();
  EXPECT_EQ(ErrorReason(Cancel(id).status()), "ORDER_STATE") << "a customer does not";
  const Answer canceled = Cancel(id, Staff(), "DAMAGED");
  ASSERT_TRUE(canceled.ok()) << canceled.status();
  EXPECT_EQ(StatesOf(id), "CANCELED REFUNDED UNFULFILLED");
  EXPECT_EQ(StockOf(id), "RELEASED");
  EXPECT_EQ(bank.kept(), 0);
  EXPECT_EQ(
      Query(
          "SELECT payload::json -> 'payload' ->> 'refundedAmount' FROM outbox.event WHERE tenant_id = $T AND "
          "type = 'ecommerce.order.order.canceled.v1'"),
      "129.50");
}

TEST_F(ShipTest, AllOfItInAShipmentAVendor) {
  const OrderId id = Paid();
  const Answer shipped = Fulfill(id);
  ASSERT_TRUE(shipped.ok()) << shipped.status();
  ASSERT_EQ(shipped->shipments_size(), 2);
  EXPECT_EQ(shipped->status(), pb::ORDER_STATUS_FULFILLED);
  for (const pb::Shipment& shipment : shipped->shipments()) {
    EXPECT_EQ(shipment.status(), pb::SHIPMENT_STATUS_SHIPPED);
    EXPECT_TRUE(shipment.has_shipped_at());
  }
  EXPECT_THAT(stock.shipped(), ::testing::UnorderedElementsAre("MUG 2", "TENT 1"));
  EXPECT_EQ(StatesOf(id), "FULFILLED PAID SHIPPED");
  EXPECT_EQ(EventsOf(id), "paid status_changed fulfilled status_changed");
  EXPECT_EQ(shipped->vendor_parts_size(), 2);
  EXPECT_EQ(shipped->vendor_parts(0).amount(), 5000);
  EXPECT_EQ(shipped->vendor_parts(1).vendor_id(), "V1");
  EXPECT_EQ(shipped->vendor_parts(1).amount(), 7950);
  EXPECT_EQ(ErrorReason(Cancel(id, Staff()).status()), "ORDER_STATE");
  EXPECT_EQ(ErrorReason(Fulfill(id).status()), "ORDER_STATE");
}

TEST_F(ShipTest, PieceByPieceUntilItIsDelivered) {
  const OrderId id = Paid();
  const Answer first = Fulfill(id, {ShipmentOf("", "MUG", 1)});
  ASSERT_TRUE(first.ok()) << first.status();
  EXPECT_EQ(StatesOf(id), "PAID PAID PARTIALLY_SHIPPED");
  EXPECT_EQ(first->shipments(0).carrier(), "DHL");
  EXPECT_EQ(first->shipments(0).tracking_number(), "00340434161094000001");
  EXPECT_EQ(ErrorReason(Cancel(id, Staff()).status()), "ORDER_STATE")
      << "nobody cancels what is shipped in part";
  const absl::Status too_much = Fulfill(id, {ShipmentOf("", "MUG", 2)}).status();
  EXPECT_EQ(ErrorReason(too_much), "SHIPMENT_TOO_LARGE");
  EXPECT_EQ(GetErrorDetail(too_much).field, "shipments[0].items[0].qty");
  const Answer second = Fulfill(id, {ShipmentOf(""), ShipmentOf("V1")});
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(StatesOf(id), "FULFILLED PAID SHIPPED");
  ASSERT_EQ(second->shipments_size(), 3);
  EXPECT_EQ(second->shipments(0).shipment_id(), first->shipments(0).shipment_id()) << "oldest first";
  for (const pb::Shipment& shipment : second->shipments()) {
    for (int repeat = 0; repeat < 2; ++repeat) {
      const Answer delivered = Deliver(id, shipment.shipment_id());
      ASSERT_TRUE(delivered.ok()) << delivered.status();
    }
  }
  EXPECT_EQ(StatesOf(id), "FULFILLED PAID DELIVERED");
  EXPECT_EQ(Stored(id).version, 7) << "paid, shipped twice, delivered three times";
  EXPECT_EQ(ErrorReason(Deliver(id, ShipmentId::New().str()).status()), "SHIPMENT_NOT_FOUND");
}

TEST_F(ShipTest, WhatIsWrongWithAShipmentIsNamed) {
  const OrderId id = Paid();
  const auto field = [&](const pb::NewShipment& shipment) {
    return GetErrorDetail(Fulfill(id, {shipment}).status()).field;
  };
  EXPECT_EQ(field(ShipmentOf("", "M U G", 1)), "shipments[0].items[0].sku");
  EXPECT_EQ(field(ShipmentOf("", "MUG", 0)), "shipments[0].items[0].qty");
  pb::NewShipment twice = ShipmentOf("", "MUG", 1);
  *twice.add_items() = twice.items(0);
  EXPECT_EQ(field(twice), "shipments[0].items[1].sku");
  pb::NewShipment long_carrier;
  long_carrier.set_carrier(std::string(65, 'x'));
  EXPECT_EQ(field(long_carrier), "shipments[0].carrier");
  EXPECT_EQ(ErrorReason(Fulfill(Place()).status()), "ORDER_STATE") << "not paid";
}

TEST_F(ShipTest, AShipmentThatInventoryRefusesIsDropped) {
  const OrderId id = Paid();
  stock.Set(id.str(), commerce::inventory::v1::RESERVATION_STATUS_RELEASED);
  EXPECT_EQ(ErrorReason(Fulfill(id).status()), "ORDER_STATE");
  EXPECT_EQ(StatesOf(id), "PAID PAID UNFULFILLED");
  EXPECT_TRUE(Stored(id).shipments.empty());
  EXPECT_EQ(Processes(), "0") << "the order can be changed again";
}

TEST_F(ShipTest, TwoShipmentsAtOnceAreNotOne) {
  const OrderId id = Paid();
  stock.faults.Hold("ShipStock");
  std::future<Answer> first = StartFulfill(id, {ShipmentOf("", "MUG", 1)}, Staff("key"));
  stock.faults.AwaitCalls("ShipStock", 1);
  EXPECT_EQ(ErrorReason(Fulfill(id, {ShipmentOf("V1")}).status()), "ORDER_BUSY");
  std::future<Answer> repeat = StartFulfill(id, {ShipmentOf("", "MUG", 1)}, Staff("key"));
  EXPECT_EQ(Stored(id).shipments.at(0).status, ShipmentStatus::kPreparing);
  stock.faults.Release();
  ASSERT_TRUE(first.get().ok());
  const Answer repeated = repeat.get();
  ASSERT_TRUE(repeated.ok()) << repeated.status();
  EXPECT_EQ(repeated->shipments(0).status(), pb::SHIPMENT_STATUS_SHIPPED) << "awaits the end of the first";
  EXPECT_THAT(stock.shipped(), ::testing::ElementsAre("MUG 1"));
}

TEST_F(ShipTest, HistoryIsTheCallersOwn) {
  const OrderId id = Paid();
  const auto history = History(id, Customer());
  ASSERT_TRUE(history.ok()) << history.status();
  ASSERT_EQ(history->entries_size(), 2);
  EXPECT_EQ(history->entries(1).version(), 2);
  EXPECT_EQ(history->entries(1).status(), pb::ORDER_STATUS_PAID);
  EXPECT_EQ(history->entries(1).actor(), "user-1");
  EXPECT_EQ(history->entries(1).reason(), "PAID");
  EXPECT_TRUE(history->entries(1).has_at());
  EXPECT_EQ(ErrorReason(History(id, Customer("user-2")).status()), "ORDER_NOT_FOUND");
  EXPECT_TRUE(History(id, Staff()).ok());
}

TEST_F(ShipTest, ReservationsOfOrdersAreFound) {
  const OrderId id = Place();
  Query("UPDATE orders.orders SET reservation_id = 'rsv_1' WHERE tenant_id = $T");
  const OrderId old = Place();
  Query("UPDATE orders.orders SET reservation_id = NULL WHERE order_id = '" + old.str() + "'");
  const auto found = Find({"rsv_1", id.str(), old.str(), "rsv_2"});
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_THAT(found->reservation_ids(), ::testing::UnorderedElementsAre("rsv_1", old.str()));
  EXPECT_EQ(GetErrorDetail(Find({}).status()).field, "reservationIds");
}

}  // namespace
}  // namespace bv::order
