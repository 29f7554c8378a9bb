#include "services/order/domain/transitions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "libs/base/error.h"
#include "libs/base/strings.h"
#include "services/order/domain/words.h"

namespace bv::order {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);
const PaymentId kPayment = PaymentId::Trusted("pay_1");

ShipmentId ShipmentNumber(int number) {
  return ShipmentId::Trusted(Concat("shp_", number));
}

// Two mugs of the shop and a tent of vendor V1.
Order NewOrder() {
  Order order{.id = OrderId::Trusted("ord_1"), .total = {12950, Currency::Trusted("USD")}};
  order.items = {{.sku = SkuCode::Trusted("MUG"), .qty = 2, .price = 2500},
                 {.sku = SkuCode::Trusted("TENT"), .qty = 1, .price = 7950, .vendor_id = "V1"}};
  order.hold_expires_at = kNow;
  return order;
}

Shipment MugShipment(ShipmentStatus status) {
  return {.id = ShipmentNumber(1), .status = status, .items = {{SkuCode::Trusted("MUG"), 2}}};
}
Shipment TentShipment(ShipmentStatus status) {
  return {
      .id = ShipmentNumber(2), .vendor_id = "V1", .status = status, .items = {{SkuCode::Trusted("TENT"), 1}}};
}

// An order in these states, with shipments that fit them.
Order In(Status status, PaymentStatus payment, FulfillmentStatus fulfillment) {
  Order order = NewOrder();
  order.status = status;
  order.payment_status = payment;
  order.fulfillment_status = fulfillment;
  switch (fulfillment) {
    case FulfillmentStatus::kUnfulfilled:
      order.shipments = {MugShipment(ShipmentStatus::kPreparing)};
      break;
    case FulfillmentStatus::kPartiallyShipped:
      order.shipments = {MugShipment(ShipmentStatus::kShipped), TentShipment(ShipmentStatus::kPreparing)};
      break;
    case FulfillmentStatus::kShipped:
      order.shipments = {MugShipment(ShipmentStatus::kShipped), TentShipment(ShipmentStatus::kDelivered)};
      break;
    case FulfillmentStatus::kDelivered:
      order.shipments = {MugShipment(ShipmentStatus::kDelivered), TentShipment(ShipmentStatus::kDelivered)};
      break;
  }
  return order;
}

std::string StatesOf(const Order& order) {
  return Concat(Word(order.status), " ", Word(order.payment_status), " ", Word(order.fulfillment_status));
}

using Change = std::function<absl::Status(Order&)>;

// Every change that there is. Shipping takes the shipment that is PREPARING, delivering one that is SHIPPED.
const std::map<std::string, Change>& Changes() {
  static const std::map<std::string, Change> changes{
      {"commit", [](Order& order) { return CommitStock(order, kNow); }},
      {"pay", [](Order& order) { return Pay(order, kPayment, kNow); }},
      {"fail", [](Order& order) { return FailPayment(order, kNow); }},
      {"cancel", [](Order& order) { return Cancel(order, "CHANGED_MIND", kNow); }},
      {"expire", [](Order& order) { return Expire(order, kNow); }},
      {"refund", [](Order& order) { return Refund(order, kPayment, kNow); }},
      {"ship",
       [](Order& order) {
         std::vector<ShipmentId> preparing;
         for (const Shipment& shipment : order.shipments) {
           if (shipment.status == ShipmentStatus::kPreparing) preparing.push_back(shipment.id);
         }
         return Ship(order, preparing, kNow);
       }},
      {"deliver", [](Order& order) { return Deliver(order, ShipmentNumber(1), kNow); }},
  };
  return changes;
}

// All that is allowed: what → states before → states after. What is not here is refused.
const std::map<std::string, std::map<std::string, std::string>> kAllowed{
    {"commit", {{"PENDING DUE_ON_DELIVERY UNFULFILLED", "PENDING DUE_ON_DELIVERY UNFULFILLED"}}},
    {"pay",
     {{"PENDING PENDING UNFULFILLED", "PAID PAID UNFULFILLED"},
      {"PENDING FAILED UNFULFILLED", "PAID PAID UNFULFILLED"},
      {"PENDING DUE_ON_DELIVERY UNFULFILLED", "PAID PAID UNFULFILLED"},
      {"PENDING DUE_ON_DELIVERY PARTIALLY_SHIPPED", "PAID PAID PARTIALLY_SHIPPED"},
      {"PENDING DUE_ON_DELIVERY SHIPPED", "FULFILLED PAID SHIPPED"},
      {"PENDING DUE_ON_DELIVERY DELIVERED", "FULFILLED PAID DELIVERED"}}},
    {"fail",
     {{"PENDING PENDING UNFULFILLED", "PENDING FAILED UNFULFILLED"},
      {"PENDING FAILED UNFULFILLED", "PENDING FAILED UNFULFILLED"},
      {"PENDING DUE_ON_DELIVERY UNFULFILLED", "PENDING DUE_ON_DELIVERY UNFULFILLED"},
      {"PENDING DUE_ON_DELIVERY PARTIALLY_SHIPPED", "PENDING DUE_ON_DELIVERY PARTIALLY_SHIPPED"},
      {"PENDING DUE_ON_DELIVERY SHIPPED", "PENDING DUE_ON_DELIVERY SHIPPED"},
      {"PENDING DUE_ON_DELIVERY DELIVERED", "PENDING DUE_ON_DELIVERY DELIVERED"}}},
    {"cancel",
     {{"PENDING PENDING UNFULFILLED", "CANCELED PENDING UNFULFILLED"},
      {"PENDING FAILED UNFULFILLED", "CANCELED FAILED UNFULFILLED"},
      {"PENDING DUE_ON_DELIVERY UNFULFILLED", "CANCELED DUE_ON_DELIVERY UNFULFILLED"},
      {"PAID PAID UNFULFILLED", "CANCELED REFUNDED UNFULFILLED"}}},
    {"expire",
     {{"PENDING PENDING UNFULFILLED", "CANCELED PENDING UNFULFILLED"},
      {"PENDING FAILED UNFULFILLED", "CANCELED FAILED UNFULFILLED"},
      {"PENDING DUE_ON_DELIVERY UNFULFILLED", "CANCELED DUE_ON_DELIVERY UNFULFILLED"}}},
    {"refund",
     {{"CANCELED PENDING UNFULFILLED", "CANCELED REFUNDED UNFULFILLED"},
      {"CANCELED FAILED UNFULFILLED", "CANCELED REFUNDED UNFULFILLED"},
      {"CANCELED DUE_ON_DELIVERY UNFULFILLED", "CANCELED REFUNDED UNFULFILLED"}}},
    {"ship",
     {{"PENDING DUE_ON_DELIVERY UNFULFILLED", "PENDING DUE_ON_DELIVERY PARTIALLY_SHIPPED"},
      {"PENDING DUE_ON_DELIVERY PARTIALLY_SHIPPED", "PENDING DUE_ON_DELIVERY SHIPPED"},
      {"PAID PAID UNFULFILLED", "PAID PAID PARTIALLY_SHIPPED"},
      {"PAID PAID PARTIALLY_SHIPPED", "FULFILLED PAID SHIPPED"}}},
    {"deliver",
     {{"PENDING DUE_ON_DELIVERY PARTIALLY_SHIPPED", "PENDING DUE_ON_DELIVERY PARTIALLY_SHIPPED"},
      {"PENDING DUE_ON_DELIVERY SHIPPED", "PENDING DUE_ON_DELIVERY DELIVERED"},
      {"PAID PAID PARTIALLY_SHIPPED", "PAID PAID PARTIALLY_SHIPPED"},
      {"FULFILLED PAID SHIPPED", "FULFILLED PAID DELIVERED"}}},
};

TEST(Transitions, EveryChangeInEveryState) {
  int tried = 0;
  for (const auto& [name, change] : Changes()) {
    std::map<std::string, std::string> allowed = kAllowed.at(name);
    for (int status = 0; status < 4; ++status) {
      for (int payment = 0; payment < 5; ++payment) {
        for (int fulfillment = 0; fulfillment < 4; ++fulfillment) {
          const Order before = In(static_cast<Status>(status), static_cast<PaymentStatus>(payment),
                                  static_cast<FulfillmentStatus>(fulfillment));
          Order order = before;
          const absl::Status result = change(order);
          ++tried;
          SCOPED_TRACE(Concat(name, " in ", StatesOf(before)));
          const auto expected = allowed.extract(StatesOf(before));
          // A second delivery of the same shipment is none.
          const bool repeat = name == "deliver" && before.fulfillment_status == FulfillmentStatus::kDelivered;
          if (expected.empty()) {
            EXPECT_EQ(result.ok(), repeat);
            EXPECT_EQ(StatesOf(order), StatesOf(before)) << "left as it was";
            EXPECT_EQ(order.version, before.version);
            if (repeat) continue;
            EXPECT_EQ(ErrorReason(result), "ORDER_STATE");
            EXPECT_EQ(result.code(), absl::StatusCode::kFailedPrecondition);
            EXPECT_THAT(std::string(result.message()),
                        ::testing::HasSubstr(std::string(Word(before.status))));
          } else {
            EXPECT_TRUE(result.ok()) << result;
            EXPECT_EQ(StatesOf(order), expected.mapped());
            EXPECT_EQ(order.version, before.version + 1);
            EXPECT_EQ(order.updated_at, kNow);
          }
        }
      }
    }
    EXPECT_TRUE(allowed.empty()) << name << ": a state of the test's table that was not tried";
  }
  EXPECT_EQ(tried, 8 * 80);
}

// From a new order nothing leads to states that nothing leads out of but should, and none is paid without its
// money or shipped without a payment that is made or due.
TEST(Transitions, WhatCanBeReached) {
  std::set<std::string> reached;
  const std::function<void(const Order&)> explore = [&](const Order& order) {
    if (!reached.insert(Concat(StatesOf(order), " ", order.shipments.size())).second) return;
    for (const auto& [name, change] : Changes()) {
      Order next = order;
      if (change(next).ok() && next.version != order.version) explore(next);
    }
    if (absl::StatusOr<std::vector<Shipment>> planned = PlanShipments(order, {}); planned.ok()) {
      Order next = order;
      Shipment first = planned->front();
      first.id = ShipmentNumber(static_cast<int>(next.shipments.size()) + 1);
      next.shipments.push_back(first);
      explore(next);
    }
  };
  Order due = NewOrder();
  due.payment_status = PaymentStatus::kDueOnDelivery;
  explore(NewOrder());
  explore(due);
  for (const std::string& states : reached) {
    SCOPED_TRACE(states);
    const bool paid = states.find(" PAID ") != std::string::npos;
    EXPECT_EQ(states.starts_with("PAID") || states.starts_with("FULFILLED"), paid);
    if (states.find("SHIPPED") != std::string::npos || states.find("DELIVERED") != std::string::npos) {
      EXPECT_TRUE(paid || states.find("DUE_ON_DELIVERY") != std::string::npos);
      EXPECT_FALSE(states.starts_with("CANCELED"));
    }
  }
  EXPECT_GT(reached.size(), 15u);
}

TEST(Transitions, WhatAChangeLeavesBehind) {
  Order order = NewOrder();
  ASSERT_TRUE(Pay(order, kPayment, kNow).ok());
  EXPECT_EQ(order.payment_id, kPayment);
  EXPECT_FALSE(order.hold_expires_at);
  ASSERT_TRUE(Cancel(order, "CHANGED_MIND", kNow).ok());
  EXPECT_EQ(order.cancel_reason, "CHANGED_MIND");
  order = NewOrder();
  ASSERT_TRUE(FailPayment(order, kNow).ok());
  EXPECT_TRUE(order.hold_expires_at) << "the customer may try again";
  ASSERT_TRUE(Expire(order, kNow).ok());
  EXPECT_EQ(order.cancel_reason, "EXPIRED");
  EXPECT_FALSE(order.hold_expires_at);
}

TEST(Transitions, ARefusalSaysWhatIsAndWhatIsAllowed) {
  EXPECT_EQ(
      Check(In(Status::kPaid, PaymentStatus::kPaid, FulfillmentStatus::kShipped), Event::kPay).message(),
      "the order is PAID (payment PAID, fulfilment SHIPPED) and cannot be paid; that takes status PENDING "
      "with "
      "payment PENDING or FAILED and fulfilment UNFULFILLED, or status PENDING with payment DUE_ON_DELIVERY "
      "and "
      "fulfilment UNFULFILLED, PARTIALLY_SHIPPED, SHIPPED or DELIVERED");
}

TEST(Transitions, TheMethodSaysWhoPays) {
  Order order = NewOrder();
  EXPECT_TRUE(CheckPay(order).ok());
  EXPECT_EQ(ErrorReason(CheckConfirm(order, order.total)), "PAYMENT_METHOD");
  for (const PaymentMethod method : {PaymentMethod::kBankTransfer, PaymentMethod::kCashOnDelivery}) {
    order.payment_method = method;
    EXPECT_EQ(ErrorReason(CheckPay(order)), "PAYMENT_METHOD");
    EXPECT_TRUE(CheckConfirm(order, order.total).ok());
  }
  const absl::Status less = CheckConfirm(order, {12949, order.total.currency});
  EXPECT_EQ(ErrorReason(less), "AMOUNT_MISMATCH");
  EXPECT_EQ(GetErrorDetail(less).field, "amount");
  EXPECT_EQ(less.message(), "the order's total is 129.50 USD");
  EXPECT_EQ(ErrorReason(CheckConfirm(order, {12950, Currency::Trusted("EUR")})), "AMOUNT_MISMATCH");
}

TEST(Transitions, AnExpiredOrderIsNotPaid) {
  Order order = NewOrder();
  ASSERT_TRUE(Expire(order, kNow).ok());
  EXPECT_EQ(ErrorReason(CheckPay(order)), "HOLD_EXPIRED");
  order.payment_method = PaymentMethod::kBankTransfer;
  EXPECT_EQ(ErrorReason(CheckConfirm(order, order.total)), "HOLD_EXPIRED");
}

TEST(Transitions, CustomersCancelWhatIsNotPaid) {
  Order order = NewOrder();
  EXPECT_TRUE(CheckCancel(order, Role::kCustomer).ok());
  ASSERT_TRUE(Pay(order, kPayment, kNow).ok());
  EXPECT_EQ(ErrorReason(CheckCancel(order, Role::kCustomer)), "ORDER_STATE");
  EXPECT_TRUE(CheckCancel(order, Role::kStaff).ok());
  EXPECT_TRUE(CheckCancel(order, Role::kService).ok());
}

// --- Shipments.

Order PaidOrder() {
  Order order = NewOrder();
  EXPECT_TRUE(Pay(order, kPayment, kNow).ok());
  return order;
}

std::string Planned(const absl::StatusOr<std::vector<Shipment>>& planned) {
  if (!planned.ok())
    return Concat(ErrorReason(planned.status()), " ", GetErrorDetail(planned.status()).field);
  std::string text;
  for (const Shipment& shipment : *planned) {
    text += Concat("[", shipment.vendor_id);
    for (const ShipmentItem& item : shipment.items) text += Concat(" ", item.sku.str(), " ", item.qty);
    text += "]";
  }
  return text;
}

ShipmentItem Of(const char* sku, std::int64_t qty) {
  return {SkuCode::Trusted(sku), qty};
}

TEST(Shipments, NoneWantedIsAllOfAllVendors) {
  EXPECT_EQ(Planned(PlanShipments(PaidOrder(), {})), "[ MUG 2][V1 TENT 1]");
}

TEST(Shipments, OfOneVendorAllOrSome) {
  EXPECT_EQ(Planned(PlanShipments(PaidOrder(), {{.vendor_id = "V1"}})), "[V1 TENT 1]");
  EXPECT_EQ(Planned(PlanShipments(PaidOrder(), {{.items = {Of("MUG", 1)}}})), "[ MUG 1]");
  EXPECT_EQ(Planned(PlanShipments(PaidOrder(), {{.items = {Of("MUG", 1)}}, {.items = {}}})),
            "[ MUG 1][ MUG 1]");
}

TEST(Shipments, NoMoreThanIsLeft) {
  const auto plan = [](const std::vector<WantedShipment>& wanted) {
    return Planned(PlanShipments(PaidOrder(), wanted));
  };
  EXPECT_EQ(plan({{.items = {Of("MUG", 3)}}}), "SHIPMENT_TOO_LARGE shipments[0].items[0].qty");
  EXPECT_EQ(plan({{.items = {Of("TENT", 1)}}}), "SHIPMENT_TOO_LARGE shipments[0].items[0].qty")
      << "another vendor's";
  EXPECT_EQ(plan({{.items = {Of("CUP", 1)}}}), "SHIPMENT_TOO_LARGE shipments[0].items[0].qty");
  EXPECT_EQ(plan({{.vendor_id = "V2"}}), "SHIPMENT_TOO_LARGE shipments[0]");
  EXPECT_EQ(plan({{.items = {Of("MUG", 2)}}, {.items = {Of("MUG", 1)}}}),
            "SHIPMENT_TOO_LARGE shipments[1].items[0].qty");
}

TEST(Shipments, WhatIsInAShipmentIsNotShippedAgain) {
  Order order = PaidOrder();
  order.shipments = {MugShipment(ShipmentStatus::kPreparing)};
  EXPECT_EQ(Planned(PlanShipments(order, {})), "[V1 TENT 1]");
  EXPECT_EQ(Planned(PlanShipments(order, {{.items = {Of("MUG", 1)}}})),
            "SHIPMENT_TOO_LARGE shipments[0].items[0].qty");
  order.shipments.push_back(TentShipment(ShipmentStatus::kShipped));
  EXPECT_EQ(Planned(PlanShipments(order, {})), "SHIPMENT_TOO_LARGE shipments");
}

TEST(Shipments, OnlyOfWhatIsPaidOrDue) {
  EXPECT_EQ(Planned(PlanShipments(NewOrder(), {})), "ORDER_STATE ");
  Order due = NewOrder();
  due.payment_status = PaymentStatus::kDueOnDelivery;
  EXPECT_EQ(Planned(PlanShipments(due, {})), "[ MUG 2][V1 TENT 1]");
}

TEST(Shipments, AreDeliveredOneByOne) {
  Order order = PaidOrder();
  order.shipments = {MugShipment(ShipmentStatus::kPreparing), TentShipment(ShipmentStatus::kPreparing)};
  EXPECT_EQ(ErrorReason(Deliver(order, ShipmentNumber(3), kNow)), "SHIPMENT_NOT_FOUND");
  EXPECT_EQ(ErrorReason(Deliver(order, ShipmentNumber(1), kNow)), "ORDER_STATE");
  ASSERT_TRUE(Ship(order, {ShipmentNumber(1)}, kNow).ok());
  EXPECT_EQ(ErrorReason(Deliver(order, ShipmentNumber(2), kNow)), "ORDER_STATE") << "still PREPARING";
  ASSERT_TRUE(Deliver(order, ShipmentNumber(1), kNow).ok());
  EXPECT_EQ(StatesOf(order), "PAID PAID PARTIALLY_SHIPPED");
  ASSERT_TRUE(Ship(order, {ShipmentNumber(2)}, kNow).ok());
  EXPECT_EQ(StatesOf(order), "FULFILLED PAID SHIPPED");
  ASSERT_TRUE(Deliver(order, ShipmentNumber(2), kNow).ok());
  EXPECT_EQ(StatesOf(order), "FULFILLED PAID DELIVERED");
  const std::int64_t version = order.version;
  EXPECT_TRUE(Deliver(order, ShipmentNumber(2), kNow + absl::Hours(1)).ok());
  EXPECT_EQ(order.version, version);
  EXPECT_EQ(order.shipments[1].delivered_at, kNow);
}

}  // namespace
}  // namespace bv::order
