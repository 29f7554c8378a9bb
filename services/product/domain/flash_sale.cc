#include "services/product/domain/flash_sale.h"

#include <algorithm>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"

namespace bv::product {
namespace {

constexpr std::string_view kQuotaPrefix = "quota:";

std::string FieldOf(std::size_t index, std::string_view name) {
  return Concat("offers[", index, "].", name);
}

absl::Status CheckCurrency(const Money& price, const Money& catalogue, std::string_view field) {
  if (price.currency == catalogue.currency) return absl::OkStatus();
  return InvalidValue(field, Concat("must be that of the catalogue's price, ", catalogue.currency.code()));
}

absl::Status CheckTimes(const FlashSale& sale, absl::Time now) {
  if (sale.starts_at < now) return InvalidValue("startsAt", "is in the past");
  if (sale.ends_at <= sale.starts_at || sale.ends_at - sale.starts_at > kSaleDurationMax)
    return InvalidValue("endsAt", "must be later than the start, by at most 31 days");
  return absl::OkStatus();
}

}  // namespace

std::string QuotaOf(const FlashSaleId& sale) {
  return Concat(kQuotaPrefix, sale.str());
}

absl::StatusOr<FlashSaleId> SaleOfQuota(std::string_view quota, std::string_view field) {
  if (!quota.starts_with(kQuotaPrefix)) return InvalidValue(field, "must be a quota");
  return FlashSaleId::Parse(quota.substr(kQuotaPrefix.size()), field);
}

SaleStatus StatusAt(const FlashSale& sale, absl::Time at) {
  if (sale.canceled_at) return SaleStatus::kCanceled;
  if (at < sale.starts_at) return SaleStatus::kScheduled;
  return at < sale.ends_at ? SaleStatus::kRunning : SaleStatus::kEnded;
}

absl::Status Schedule(FlashSale& sale, const Product& product, absl::Time now) {
  RETURN_IF_ERROR(CheckText(sale.name, 1, kSaleNameMax, "name"));
  if (sale.starts_at == absl::InfinitePast()) sale.starts_at = now;
  RETURN_IF_ERROR(CheckTimes(sale, now));
  if (sale.quantity_limit && (*sale.quantity_limit < 1 || *sale.quantity_limit > kQuantityLimitMax))
    return InvalidValue("quantityLimit", Concat("must be 1 to ", kQuantityLimitMax));
  if (sale.offers.empty() || sale.offers.size() > kVariantsMax)
    return InvalidValue("offers", Concat("must be 1 to ", kVariantsMax, " offers"));
  for (std::size_t i = 0; i < sale.offers.size(); ++i) {
    SaleOffer& offer = sale.offers[i];
    const auto variant = std::ranges::find(product.variants, offer.sku, &Variant::sku);
    if (variant == product.variants.end())
      return InvalidValue(FieldOf(i, "sku"), Concat("the product has no variant ", offer.sku.str()));
    const auto same = [&](const SaleOffer& other) { return other.variant == variant->id; };
    if (std::any_of(sale.offers.begin(), sale.offers.begin() + static_cast<std::ptrdiff_t>(i), same))
      return InvalidValue(FieldOf(i, "sku"), "is in the sale already");
    RETURN_IF_ERROR(CheckCurrency(offer.price, variant->price, FieldOf(i, "currency")));
    if (offer.price.minor_units < 0 || offer.price.minor_units >= variant->price.minor_units)
      return InvalidValue(FieldOf(i, "price"), "must be 0 to less than the catalogue's price");
    offer.variant = variant->id;
  }
  return absl::OkStatus();
}

absl::Status Cancel(FlashSale& sale, absl::Time now) {
  const SaleStatus status = StatusAt(sale, now);
  if (status == SaleStatus::kEnded || status == SaleStatus::kCanceled)
    return Error(absl::StatusCode::kFailedPrecondition, "SALE_OVER", "the sale is over");
  sale.canceled_at = now;
  // The time at which it begins is its own: from there on it would have had an effect.
  sale.ends_at = std::max(sale.starts_at, std::min(now, sale.ends_at));
  return absl::OkStatus();
}

absl::Status CheckOverride(const PriceOverride& wanted, const Variant& variant) {
  RETURN_IF_ERROR(CheckCurrency(wanted.price, variant.price, "currency"));
  if (wanted.price.minor_units < 0 || wanted.price.minor_units > kAmountMax)
    return InvalidValue("price", Concat("must be 0 to ", kAmountMax, " minor units"));
  if (wanted.valid_until <= wanted.valid_from) return InvalidValue("validUntil", "is in the past");
  return absl::OkStatus();
}

}  // namespace bv::product
