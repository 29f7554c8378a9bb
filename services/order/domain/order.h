// What an order is and how one is made, pure.
#pragma once

#include <absl/status/status.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/id.h"
#include "libs/base/money.h"
#include "libs/base/store.h"
#include "libs/base/values.h"

namespace bv::order {

inline constexpr std::int64_t kQuantityMax = 10'000;
inline constexpr std::size_t kItemsMax = 100;

enum class Status { kPending, kPaid, kFulfilled, kCanceled };
enum class PaymentStatus { kPending, kPaid, kFailed, kRefunded, kDueOnDelivery };
enum class FulfillmentStatus { kUnfulfilled, kPartiallyShipped, kShipped, kDelivered };
enum class PaymentMethod { kCard, kBankTransfer, kCashOnDelivery };
enum class ShipmentStatus { kPreparing, kShipped, kDelivered };

struct Address {
  std::string name;
  std::string line1;
  std::string line2;
  std::string city;
  std::string region;
  std::string postal_code;
  CountryCode country;
  std::optional<Phone> phone;
};

struct Item {
  ProductId product;
  VariantId variant;
  SkuCode sku;
  std::string title;
  std::int64_t qty = 0;
  // One piece, in minor units of the order's currency.
  std::int64_t price = 0;
  // Empty for the shop itself.
  std::string vendor_id;
  // What its reservation takes as many pieces of, since the price has a limit; empty without one. Not stored.
  std::string quota;
};

struct ShipmentItem {
  SkuCode sku;
  std::int64_t qty = 0;
};

// What one vendor sends off at one time.
struct Shipment {
  ShipmentId id;
  // Empty for the shop itself.
  std::string vendor_id;
  ShipmentStatus status = ShipmentStatus::kPreparing;
  std::string carrier;
  std::string tracking_number;
  std::vector<ShipmentItem> items;
  std::optional<absl::Time> shipped_at;
  std::optional<absl::Time> delivered_at;
};

struct Order {
  OrderId id;
  std::string user_id;
  // Where it was placed.
  StoreCode store = StoreCode::Trusted(std::string(kDefaultStore));
  Status status = Status::kPending;
  PaymentStatus payment_status = PaymentStatus::kPending;
  FulfillmentStatus fulfillment_status = FulfillmentStatus::kUnfulfilled;
  PaymentMethod payment_method = PaymentMethod::kCard;
  Money total;
  std::vector<Item> items;
  Address shipping_address;
  Email email;
  // Of its stock, in inventory.
  std::string reservation_id;
  // Absent once the stock is committed, and when the order is canceled.
  std::optional<absl::Time> hold_expires_at;
  // Empty unless it is CANCELED.
  std::string cancel_reason;
  // The payment that paid it; empty before.
  PaymentId payment_id;
  std::vector<Shipment> shipments;
  std::int64_t version = 1;
  absl::Time created_at;
  absl::Time updated_at;
};

// What a customer asks for, before it is priced.
struct WantedItem {
  // One of the two.
  std::optional<SkuCode> sku;
  std::optional<ProductId> product;
  std::int64_t qty = 0;
};

struct Draft {
  std::vector<WantedItem> items;
  // The first item's when not given.
  std::optional<Currency> currency;
  PaymentMethod payment_method = PaymentMethod::kCard;
  Address shipping_address;
  Email email;
  StoreCode store = StoreCode::Trusted(std::string(kDefaultStore));
};

// What the catalogue says of a wanted item.
enum class Offer { kSellable, kNotFound, kAmbiguous, kNotSold };
struct PricedItem {
  Offer offer = Offer::kNotFound;
  ProductId product;
  VariantId variant;
  SkuCode sku;
  std::string title;
  Money price;
  std::string vendor_id;
  // Of the price, which is that of a limited sale; empty for any other.
  std::string quota;
};

// INVALID_ARGUMENT for none or more than kItemsMax items, or a quantity outside 1 to kQuantityMax.
absl::Status CheckItems(const std::vector<WantedItem>& items);

// The order of `draft` with the catalogue's prices; `priced` belongs to draft.items one by one. Items with
// the same SKU are added up. INVALID_ARGUMENT names the item: reason ITEM_NOT_SOLD, CURRENCY_MISMATCH,
// AMOUNT_TOO_LARGE.
absl::StatusOr<Order> Place(OrderId id, const std::string& user_id, const Draft& draft,
                            const std::vector<PricedItem>& priced);

}  // namespace bv::order
