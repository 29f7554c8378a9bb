#include "services/order/rpc/convert.h"

#include <algorithm>
#include <map>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/rpc/timestamp.h"

namespace bv::order {
namespace {

namespace pb = commerce::order::v1;
namespace common = commerce::common::v1;
namespace product = commerce::product::v1;

constexpr int kShipmentsMax = 100;

absl::StatusOr<Address> FromProto(const common::Address& address) {
  const auto check = [](const std::string& text, std::size_t min, std::size_t max, const char* field) {
    return CheckText(text, min, max, Concat("shippingAddress.", field));
  };
  RETURN_IF_ERROR(check(address.name(), 1, 200, "name"));
  RETURN_IF_ERROR(check(address.line1(), 1, 200, "line1"));
  RETURN_IF_ERROR(check(address.line2(), 0, 200, "line2"));
  RETURN_IF_ERROR(check(address.city(), 1, 100, "city"));
  RETURN_IF_ERROR(check(address.region(), 0, 100, "region"));
  RETURN_IF_ERROR(check(address.postal_code(), 0, 20, "postalCode"));
  Address result{.name = address.name(),
                 .line1 = address.line1(),
                 .line2 = address.line2(),
                 .city = address.city(),
                 .region = address.region(),
                 .postal_code = address.postal_code()};
  ASSIGN_OR_RETURN(result.country, CountryCode::Parse(address.country_code(), "shippingAddress.countryCode"));
  if (!address.phone().empty()) {
    ASSIGN_OR_RETURN(result.phone, Phone::Parse(address.phone(), "shippingAddress.phone"));
  }
  return result;
}

absl::StatusOr<WantedItem> FromProto(const pb::NewOrderItem& item, const std::string& field) {
  WantedItem wanted{.qty = item.qty()};
  if (item.sku().empty() == item.product_id().empty())
    return InvalidValue(field, "must name either sku or productId");
  if (!item.sku().empty()) {
    ASSIGN_OR_RETURN(wanted.sku, SkuCode::Parse(item.sku(), Concat(field, ".sku")));
  } else {
    ASSIGN_OR_RETURN(wanted.product, ProductId::Parse(item.product_id(), Concat(field, ".productId")));
  }
  return wanted;
}

absl::StatusOr<PaymentMethod> FromProto(pb::PaymentMethod method) {
  switch (method) {
    case pb::PAYMENT_METHOD_CARD:
      return PaymentMethod::kCard;
    case pb::PAYMENT_METHOD_BANK_TRANSFER:
      return PaymentMethod::kBankTransfer;
    case pb::PAYMENT_METHOD_CASH_ON_DELIVERY:
      return PaymentMethod::kCashOnDelivery;
    default:
      return InvalidValue("paymentMethod", "must be CARD, BANK_TRANSFER or CASH_ON_DELIVERY");
  }
}

Offer FromProto(product::ResolvedVariant::Outcome outcome) {
  switch (outcome) {
    case product::ResolvedVariant::OUTCOME_SELLABLE:
      return Offer::kSellable;
    case product::ResolvedVariant::OUTCOME_AMBIGUOUS:
      return Offer::kAmbiguous;
    case product::ResolvedVariant::OUTCOME_NOT_SOLD:
      return Offer::kNotSold;
    default:
      return Offer::kNotFound;
  }
}

// The enums of domain and contract have the same order, the contract's with UNSPECIFIED before.
template <class Proto, class Domain>
Proto ToProtoEnum(Domain value) {
  return static_cast<Proto>(static_cast<int>(value) + 1);
}

static_assert(static_cast<int>(Status::kCanceled) + 1 == pb::ORDER_STATUS_CANCELED);
static_assert(static_cast<int>(PaymentStatus::kDueOnDelivery) + 1 == pb::PAYMENT_STATUS_DUE_ON_DELIVERY);
static_assert(static_cast<int>(FulfillmentStatus::kDelivered) + 1 == pb::FULFILLMENT_STATUS_DELIVERED);
static_assert(static_cast<int>(PaymentMethod::kCashOnDelivery) + 1 == pb::PAYMENT_METHOD_CASH_ON_DELIVERY);
static_assert(static_cast<int>(ShipmentStatus::kDelivered) + 1 == pb::SHIPMENT_STATUS_DELIVERED);

void SetShipment(pb::Shipment& target, const Shipment& shipment) {
  target.set_shipment_id(shipment.id.str());
  target.set_vendor_id(shipment.vendor_id);
  target.set_status(ToProtoEnum<pb::ShipmentStatus>(shipment.status));
  target.set_carrier(shipment.carrier);
  target.set_tracking_number(shipment.tracking_number);
  for (const ShipmentItem& item : shipment.items) {
    pb::ShipmentItem* line = target.add_items();
    line->set_sku(item.sku.str());
    line->set_qty(item.qty);
  }
  if (shipment.shipped_at) *target.mutable_shipped_at() = rpc::ToTimestamp(*shipment.shipped_at);
  if (shipment.delivered_at) *target.mutable_delivered_at() = rpc::ToTimestamp(*shipment.delivered_at);
}

void SetVendorParts(pb::Order& target, const Order& order) {
  std::map<std::string, std::int64_t> amounts;
  for (const Item& item : order.items) amounts[item.vendor_id] += item.price * item.qty;
  for (const auto& [vendor, amount] : amounts) {
    pb::VendorPart* part = target.add_vendor_parts();
    part->set_vendor_id(vendor);
    part->set_amount(amount);
  }
}

absl::StatusOr<WantedShipment> FromProto(const pb::NewShipment& shipment, const std::string& field) {
  RETURN_IF_ERROR(CheckText(shipment.vendor_id(), 0, 64, Concat(field, ".vendorId")));
  RETURN_IF_ERROR(CheckText(shipment.carrier(), 0, 64, Concat(field, ".carrier")));
  RETURN_IF_ERROR(CheckText(shipment.tracking_number(), 0, 100, Concat(field, ".trackingNumber")));
  if (shipment.items_size() > static_cast<int>(kItemsMax))
    return InvalidValue(Concat(field, ".items"), Concat("must be at most ", kItemsMax, " items"));
  WantedShipment wanted{.vendor_id = shipment.vendor_id(),
                        .carrier = shipment.carrier(),
                        .tracking_number = shipment.tracking_number()};
  for (int i = 0; i < shipment.items_size(); ++i) {
    const pb::ShipmentItem& item = shipment.items(i);
    const std::string item_field = Concat(field, ".items[", i, "]");
    ASSIGN_OR_RETURN(SkuCode sku, SkuCode::Parse(item.sku(), Concat(item_field, ".sku")));
    if (item.qty() < 1 || item.qty() > kQuantityMax)
      return InvalidValue(Concat(item_field, ".qty"), Concat("must be 1 to ", kQuantityMax));
    if (std::ranges::find(wanted.items, sku, &ShipmentItem::sku) != wanted.items.end())
      return InvalidValue(Concat(item_field, ".sku"), "is in the shipment already");
    wanted.items.push_back({std::move(sku), item.qty()});
  }
  return wanted;
}

}  // namespace

absl::StatusOr<Draft> FromProto(const pb::CreateOrderRequest& request) {
  Draft draft;
  if (request.cart_id().empty() == (request.items_size() == 0))
    return InvalidValue("items", "give either items or cartId");
  for (int i = 0; i < request.items_size(); ++i) {
    ASSIGN_OR_RETURN(WantedItem item, FromProto(request.items(i), Concat("items[", i, "]")));
    draft.items.push_back(std::move(item));
  }
  if (request.cart_id().empty()) RETURN_IF_ERROR(CheckItems(draft.items));
  if (!request.currency().empty()) {
    ASSIGN_OR_RETURN(draft.currency, Currency::Parse(request.currency()));
  }
  ASSIGN_OR_RETURN(draft.payment_method, FromProto(request.payment_method()));
  if (!request.has_shipping_address()) return InvalidValue("shippingAddress", "is required");
  ASSIGN_OR_RETURN(draft.shipping_address, FromProto(request.shipping_address()));
  ASSIGN_OR_RETURN(draft.email, Email::Parse(request.email()));
  if (!request.store_code().empty()) {
    ASSIGN_OR_RETURN(draft.store, StoreCode::Parse(request.store_code()));
  }
  return draft;
}

product::ResolveVariantsRequest ToResolveRequest(const std::vector<WantedItem>& items) {
  product::ResolveVariantsRequest request;
  for (const WantedItem& item : items) {
    product::VariantRef* ref = request.add_variants();
    if (item.sku) {
      ref->set_sku(item.sku->str());
    } else {
      ref->set_product_id(item.product->str());
    }
  }
  return request;
}

absl::StatusOr<std::vector<PricedItem>> FromProto(const product::ResolveVariantsResponse& response,
                                                  std::size_t wanted) {
  if (static_cast<std::size_t>(response.variants_size()) != wanted) {
    return absl::InternalError("product resolved another number of variants than was asked for");
  }
  std::vector<PricedItem> items;
  for (const product::ResolvedVariant& variant : response.variants()) {
    items.push_back({.offer = FromProto(variant.outcome()),
                     .product = ProductId::Trusted(variant.product_id()),
                     .variant = VariantId::Trusted(variant.variant_id()),
                     .sku = SkuCode::Trusted(variant.sku()),
                     .title = variant.title(),
                     .price = {variant.price(), Currency::Trusted(variant.currency())},
                     .vendor_id = variant.vendor_id(),
                     .quota = variant.quota()});
  }
  return items;
}

absl::StatusOr<std::vector<WantedShipment>> FromProto(const pb::FulfillOrderRequest& request) {
  if (request.shipments_size() > kShipmentsMax)
    return InvalidValue("shipments", Concat("must be at most ", kShipmentsMax, " shipments"));
  std::vector<WantedShipment> wanted;
  for (int i = 0; i < request.shipments_size(); ++i) {
    ASSIGN_OR_RETURN(WantedShipment shipment, FromProto(request.shipments(i), Concat("shipments[", i, "]")));
    wanted.push_back(std::move(shipment));
  }
  return wanted;
}

pb::OrderHistoryEntry ToProto(const HistoryEntry& entry) {
  pb::OrderHistoryEntry result;
  result.set_version(entry.version);
  result.set_status(ToProtoEnum<pb::OrderStatus>(entry.status));
  result.set_payment_status(ToProtoEnum<pb::PaymentStatus>(entry.payment_status));
  result.set_fulfillment_status(ToProtoEnum<pb::FulfillmentStatus>(entry.fulfillment_status));
  result.set_actor(entry.actor);
  result.set_reason(entry.reason);
  *result.mutable_at() = rpc::ToTimestamp(entry.at);
  return result;
}

absl::StatusOr<OrderId> OrderIdFromProto(const std::string& text) {
  absl::StatusOr<OrderId> id = OrderId::Parse(text);
  if (!id.ok()) return NotFound("ORDER_NOT_FOUND", Concat("there is no order ", text));
  return id;
}

pb::Order ToProto(const Order& order) {
  pb::Order result;
  result.set_order_id(order.id.str());
  result.set_status(ToProtoEnum<pb::OrderStatus>(order.status));
  result.set_payment_status(ToProtoEnum<pb::PaymentStatus>(order.payment_status));
  result.set_fulfillment_status(ToProtoEnum<pb::FulfillmentStatus>(order.fulfillment_status));
  result.set_user_id(order.user_id);
  result.set_total_amount(order.total.minor_units);
  result.set_currency(std::string(order.total.currency.code()));
  for (const Item& item : order.items) {
    pb::OrderItem* line = result.add_items();
    line->set_product_id(item.product.str());
    line->set_sku(item.sku.str());
    line->set_qty(item.qty);
    line->set_price(item.price);
    line->set_title(item.title);
    line->set_vendor_id(item.vendor_id);
  }
  result.set_payment_method(ToProtoEnum<pb::PaymentMethod>(order.payment_method));
  const Address& from = order.shipping_address;
  common::Address& address = *result.mutable_shipping_address();
  address.set_name(from.name);
  address.set_line1(from.line1);
  address.set_line2(from.line2);
  address.set_city(from.city);
  address.set_region(from.region);
  address.set_postal_code(from.postal_code);
  address.set_country_code(from.country.str());
  if (from.phone) address.set_phone(from.phone->str());
  result.set_email(order.email.str());
  *result.mutable_created_at() = rpc::ToTimestamp(order.created_at);
  *result.mutable_updated_at() = rpc::ToTimestamp(order.updated_at);
  result.set_version(order.version);
  if (order.hold_expires_at) *result.mutable_hold_expires_at() = rpc::ToTimestamp(*order.hold_expires_at);
  result.set_cancel_reason(order.cancel_reason);
  for (const Shipment& shipment : order.shipments) SetShipment(*result.add_shipments(), shipment);
  SetVendorParts(result, order);
  result.set_store_code(order.store.str());
  return result;
}

}  // namespace bv::order
