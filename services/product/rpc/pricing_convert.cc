#include "services/product/rpc/pricing_convert.h"

#include <absl/strings/escaping.h>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/rpc/timestamp.h"
#include "services/product/rpc/convert.h"

namespace bv::product {
namespace {

namespace pb = commerce::pricing::v1;

constexpr int kPageSizeMax = 100;
constexpr int kPageSizeDefault = 20;

static_assert(static_cast<int>(SaleStatus::kScheduled) + 1 == pb::FLASH_SALE_STATUS_SCHEDULED);
static_assert(static_cast<int>(SaleStatus::kCanceled) + 1 == pb::FLASH_SALE_STATUS_CANCELED);

absl::StatusOr<SaleOffer> FromProto(const pb::NewFlashSaleOffer& from, const std::string& prefix) {
  SaleOffer offer;
  ASSIGN_OR_RETURN(offer.sku, SkuCode::Parse(from.sku(), prefix + "sku"));
  offer.price.minor_units = from.price();
  ASSIGN_OR_RETURN(offer.price.currency, Currency::Parse(from.currency(), prefix + "currency"));
  return offer;
}

// A page token is the id of the last sale of the page before, encoded so that nobody builds on its form.
absl::StatusOr<FlashSaleId> FromPageToken(const std::string& token) {
  if (token.empty()) return FlashSaleId();
  std::string id;
  if (absl::WebSafeBase64Unescape(token, &id)) {
    if (absl::StatusOr<FlashSaleId> last = FlashSaleId::Parse(id); last.ok()) return last;
  }
  return InvalidValue("pageToken", "must be the nextPageToken of the page before");
}

}  // namespace

absl::StatusOr<PriceOverride> FromProto(const pb::SetPriceOverrideRequest& request) {
  PriceOverride wanted;
  ASSIGN_OR_RETURN(wanted.sku, SkuCode::Parse(request.sku()));
  wanted.price.minor_units = request.price();
  ASSIGN_OR_RETURN(wanted.price.currency, Currency::Parse(request.currency()));
  if (request.has_valid_until()) {
    ASSIGN_OR_RETURN(wanted.valid_until, TimeFromProto(request.valid_until(), "validUntil"));
  }
  return wanted;
}

absl::StatusOr<FlashSale> FromProto(const pb::CreateFlashSaleRequest& request) {
  FlashSale sale{.id = FlashSaleId::New(), .name = request.name(), .starts_at = absl::InfinitePast()};
  if (request.has_quantity_limit()) sale.quantity_limit = request.quantity_limit();
  ASSIGN_OR_RETURN(sale.product, ProductId::Parse(request.product_id(), "productId"));
  for (int i = 0; i < request.offers_size(); ++i) {
    ASSIGN_OR_RETURN(SaleOffer offer, FromProto(request.offers(i), Concat("offers[", i, "].")));
    sale.offers.push_back(std::move(offer));
  }
  if (request.has_starts_at()) {
    ASSIGN_OR_RETURN(sale.starts_at, TimeFromProto(request.starts_at(), "startsAt"));
  }
  if (!request.has_ends_at()) return InvalidValue("endsAt", "is required");
  ASSIGN_OR_RETURN(sale.ends_at, TimeFromProto(request.ends_at(), "endsAt"));
  return sale;
}

absl::StatusOr<SaleFilter> FromProto(const pb::ListFlashSalesRequest& request) {
  SaleFilter filter;
  filter.limit = request.page_size() == 0 ? kPageSizeDefault : request.page_size();
  if (filter.limit < 1 || filter.limit > kPageSizeMax)
    return InvalidValue("pageSize", Concat("must be 1 to ", kPageSizeMax));
  ASSIGN_OR_RETURN(filter.before, FromPageToken(request.page_token()));
  if (!request.product_id().empty()) {
    ASSIGN_OR_RETURN(filter.product, ProductId::Parse(request.product_id(), "productId"));
  }
  return filter;
}

pb::PriceOverride ToProto(const PriceOverride& shown) {
  pb::PriceOverride result;
  result.set_product_id(shown.product.str());
  result.set_variant_id(shown.variant.str());
  result.set_sku(shown.sku.str());
  result.set_price(shown.price.minor_units);
  result.set_currency(std::string(shown.price.currency.code()));
  *result.mutable_valid_from() = rpc::ToTimestamp(shown.valid_from);
  if (shown.valid_until != absl::InfiniteFuture())
    *result.mutable_valid_until() = rpc::ToTimestamp(shown.valid_until);
  return result;
}

pb::FlashSale ToProto(const SaleSeen& seen) {
  const FlashSale& sale = seen.sale;
  pb::FlashSale result;
  result.set_sale_id(sale.id.str());
  result.set_product_id(sale.product.str());
  result.set_name(sale.name);
  for (const SaleOffer& offer : sale.offers) {
    pb::FlashSaleOffer* to = result.add_offers();
    to->set_variant_id(offer.variant.str());
    to->set_sku(offer.sku.str());
    to->set_price(offer.price.minor_units);
    to->set_currency(std::string(offer.price.currency.code()));
  }
  *result.mutable_starts_at() = rpc::ToTimestamp(sale.starts_at);
  *result.mutable_ends_at() = rpc::ToTimestamp(sale.ends_at);
  result.set_status(static_cast<pb::FlashSaleStatus>(static_cast<int>(StatusAt(sale, seen.now)) + 1));
  if (sale.quantity_limit) result.set_quantity_limit(*sale.quantity_limit);
  result.set_sold_out(sale.sold_out);
  return result;
}

std::string ToPageToken(const FlashSaleId& last) {
  return absl::WebSafeBase64Escape(last.str());
}

}  // namespace bv::product
