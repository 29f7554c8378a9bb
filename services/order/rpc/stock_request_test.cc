#include "services/order/rpc/stock_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/error.h"

namespace bv::order {
namespace {

using ::testing::ElementsAre;

// Two mugs at the regular price, a tent and a pole from the same limited sale.
Order OrderOf() {
  const auto item = [](const char* sku, std::int64_t qty, const char* quota) {
    return Item{
        .product = ProductId::DerivedFrom({sku}), .sku = SkuCode::Trusted(sku), .qty = qty, .quota = quota};
  };
  return {.id = OrderId::Trusted("ord_1"),
          .items = {item("MUG", 2, ""), item("TENT", 1, "quota:a"), item("POLE", 3, "quota:a")}};
}

Draft DraftOf() {
  const auto wanted = [](const char* sku, std::int64_t qty) {
    return WantedItem{.sku = SkuCode::Trusted(sku), .qty = qty};
  };
  Draft draft{.items = {wanted("MUG", 1), wanted("MUG", 1), wanted("TENT", 1)}};
  draft.items.push_back({.product = ProductId::DerivedFrom({"POLE"}), .qty = 3});
  return draft;
}

std::vector<std::string> LinesOf(const Order& order) {
  commerce::inventory::v1::ReserveRequest request;
  AddLines(order, request);
  std::vector<std::string> lines;
  for (const auto& line : request.lines()) lines.push_back(line.sku() + " " + std::to_string(line.qty()));
  return lines;
}

absl::Status Refusal(const char* field) {
  return Error(absl::StatusCode::kFailedPrecondition, "OUT_OF_STOCK", "nothing left", field);
}

TEST(AddLines, AQuotaIsTakenOnceForAllThatItLimits) {
  EXPECT_THAT(LinesOf(OrderOf()), ElementsAre("MUG 2", "TENT 1", "POLE 3", "quota:a 4"));
}

TEST(AddLines, EachSaleHasItsQuota) {
  Order order = OrderOf();
  order.items[0].quota = "quota:b";
  EXPECT_THAT(LinesOf(order), ElementsAre("MUG 2", "TENT 1", "POLE 3", "quota:b 2", "quota:a 4"));
}

TEST(InTermsOfItems, NamesTheItemOfTheLine) {
  const absl::Status status = InTermsOfItems(Refusal("lines[2].qty"), OrderOf(), DraftOf());
  EXPECT_EQ(ErrorReason(status), "OUT_OF_STOCK");
  EXPECT_EQ(GetErrorDetail(status).field, "items[3].qty");
}

TEST(InTermsOfItems, AQuotaThatIsUsedUpIsASaleThatIsSoldOut) {
  const absl::Status status = InTermsOfItems(Refusal("lines[3].qty"), OrderOf(), DraftOf());
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(ErrorReason(status), "FLASH_SALE_SOLD_OUT");
  EXPECT_EQ(GetErrorDetail(status).field, "items[2].qty");
}

TEST(InTermsOfItems, LeavesOtherErrorsAsTheyAre) {
  const absl::Status status = absl::UnavailableError("away");
  EXPECT_EQ(InTermsOfItems(status, OrderOf(), DraftOf()), status);
}

TEST(ReservationIdOf, ARepeatAtAnotherPriceIsAnotherReservation) {
  RequestContext context;
  context.tenant = TenantId::Trusted("acme");
  const auto id = [&](const Order& order) { return ReservationIdOf(order, "key", "request", context); };
  Order regular = OrderOf();
  for (Item& item : regular.items) item.quota.clear();
  EXPECT_EQ(id(OrderOf()), id(OrderOf()));
  EXPECT_NE(id(OrderOf()), id(regular));
  EXPECT_EQ(ReservationIdOf(OrderOf(), "", "", context), "ord_1");
}

}  // namespace
}  // namespace bv::order
