#include "services/product/tests/pricing_fixture.h"

#include "libs/base/strings.h"

namespace bv::product {

absl::StatusOr<pricing::FlashSale> PricingTest::Cancel(const std::string& sale_id) {
  pricing::CancelFlashSaleRequest request;
  request.set_sale_id(sale_id);
  return CallPricing(&PricingRpc::CancelFlashSale, request, Staff());
}

absl::StatusOr<pricing::PriceOverride> PricingTest::Override(const std::string& sku, std::int64_t price,
                                                             std::optional<absl::Time> until) {
  pricing::SetPriceOverrideRequest request;
  request.set_sku(sku);
  request.set_price(price);
  request.set_currency("USD");
  if (until) *request.mutable_valid_until() = rpc::ToTimestamp(*until);
  return CallPricing(&PricingRpc::SetPriceOverride, request, Admin());
}

absl::StatusOr<pricing::PriceOverride> PricingTest::RemoveOverride(const std::string& sku) {
  pricing::RemovePriceOverrideRequest request;
  request.set_sku(sku);
  return CallPricing(&PricingRpc::RemovePriceOverride, request, Admin());
}

pricing::CreateFlashSaleRequest PricingTest::NewSale(const pb::Product& product, const std::string& sku,
                                                     absl::Duration start, absl::Duration end,
                                                     std::int64_t price) const {
  const absl::Time now = DatabaseTime();
  pricing::CreateFlashSaleRequest request;
  request.set_product_id(product.product_id());
  request.set_name("Spring");
  pricing::NewFlashSaleOffer* offer = request.add_offers();
  offer->set_sku(sku);
  offer->set_price(price);
  offer->set_currency("USD");
  *request.mutable_starts_at() = rpc::ToTimestamp(now + start);
  *request.mutable_ends_at() = rpc::ToTimestamp(now + end);
  return request;
}

pricing::FlashSale PricingTest::Sale(const pb::Product& product, const std::string& sku, absl::Duration start,
                                     absl::Duration end, std::int64_t price) {
  const absl::StatusOr<pricing::FlashSale> sale = Schedule(NewSale(product, sku, start, end, price));
  EXPECT_TRUE(sale.ok()) << sale.status();
  return sale.ok() ? *sale : pricing::FlashSale();
}

void PricingTest::LetPass(absl::Duration time) const {
  const std::string by = Concat("interval '", absl::ToInt64Microseconds(time), " microseconds'");
  const auto earlier = [&](std::string_view table, const std::vector<std::string>& columns) {
    std::string sql = Concat("UPDATE product.", table, " SET ");
    for (const std::string& column : columns)
      sql += Concat(column == columns.front() ? "" : ", ", column, " = ", column, " - ", by);
    return Concat(sql, " WHERE tenant_id = $T;");
  };
  // As a replica: the history refuses changes.
  Query(Concat("SET session_replication_role = replica;", earlier("product", {"created_at", "updated_at"}),
               earlier("variant", {"created_at"}),
               earlier("product_price_history", {"valid_from", "valid_to"}),
               earlier("price_override", {"valid_from", "valid_until"}),
               earlier("flash_sale", {"starts_at", "ends_at", "created_at"}),
               earlier("flash_sale_offer", {"starts_at", "ends_at", "sold_out_at", "back_at"})));
}

pb::ResolvedVariant PricingTest::Price(const std::string& sku, std::optional<absl::Time> at) {
  pb::ResolveVariantsRequest request;
  request.add_variants()->set_sku(sku);
  if (at) *request.mutable_at() = rpc::ToTimestamp(*at);
  const auto response = Call(&ProductRpc::ResolveVariants, request, Shopper());
  EXPECT_TRUE(response.ok()) << response.status();
  return response.ok() && response->variants_size() == 1 ? response->variants(0) : pb::ResolvedVariant();
}

absl::Time PricingTest::DatabaseTime() const {
  return absl::FromUnixMicros(std::stoll(Query("SELECT (extract(epoch FROM now()) * 1e6)::bigint")));
}

std::string PricingTest::Announced(const std::string& product_id) const {
  return Query(Concat(R"sql(
    SELECT string_agg(
      CASE type
        WHEN 'ecommerce.pricing.price.updated.v1' THEN format('price %s %s %s', p->>'sku', trim_scale((p->>'price')::numeric), p->>'source')
        WHEN 'ecommerce.pricing.flash_sale.started.v1' THEN 'started'
        WHEN 'ecommerce.pricing.flash_sale.ended.v1' THEN 'ended ' || (p->>'reason')
        ELSE type
      END, ', ' ORDER BY seq)
    FROM outbox.event, LATERAL (SELECT payload::json->'payload') AS e (p)
    WHERE tenant_id = $T AND aggregatetype LIKE 'ecommerce.pricing.%' AND aggregateid = ')sql",
                      product_id, "'"));
}

bool PricingTest::Announce() {
  postgres::Pool pool(database().Connection(), postgres::PoolSettings{.size = 1, .queue_max = 8});
  Announcer announcer(loop_.io(), pool, absl::Hours(1));
  const absl::StatusOr<bool> round = loop_.Run(announcer.Round());
  EXPECT_TRUE(round.ok()) << round.status();
  return round.ok();
}

}  // namespace bv::product
