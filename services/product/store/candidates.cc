#include "services/product/store/candidates.h"

#include <algorithm>

#include "libs/base/error.h"
#include "libs/base/strings.h"
#include "services/product/domain/words.h"

namespace bv::product {

namespace {

// The period that ended last before the one that is asked for: only its end matters.
void AddEnd(std::vector<PricePeriod>& periods, PriceSource source, const pqxx::field& end) {
  if (end.is_null()) return;
  const absl::Time until = postgres::TimeFromMicros(end);
  periods.push_back({.source = source, .from = until - absl::Microseconds(1), .until = until});
}

// From the columns price, currency, from, until and the end before; NULL where there is none.
void AddPeriod(std::vector<PricePeriod>& periods, PriceSource source, const pqxx::row& row, int first) {
  AddEnd(periods, source, row[first + 4]);
  if (row[first].is_null()) return;
  PricePeriod& period = periods.emplace_back();
  period.source = source;
  period.price = {row[first].as<std::int64_t>(), Currency::Trusted(row[first + 1].as<std::string>())};
  period.from = postgres::TimeFromMicros(row[first + 2]);
  if (!row[first + 3].is_null()) period.until = postgres::TimeFromMicros(row[first + 3]);
}

}  // namespace

absl::StatusOr<std::vector<std::vector<Candidate>>> FindCandidates(postgres::Session& session,
                                                                   const TenantId& tenant,
                                                                   const std::vector<VariantRef>& refs,
                                                                   std::optional<absl::Time> at) {
  // A SKU is never empty, so an empty one stands for "by product"; a time is never 0, so 0 stands for the
  // present. What is looked up by a key is a subquery with a LIMIT, which leaves the planner nothing but
  // their indexes, also while a table has no statistics. generate_subscripts, because the planner's estimate
  // for it does not depend on the length of the array as that for unnest does: so PostgreSQL settles on one
  // plan for all calls, which then takes a fraction of the time.
  static constexpr postgres::Statement kFind{"variant_candidates", R"sql(
    SELECT k.n, p.product_id, p.title, p.vendor_id, p.status, p.version, v.variant_id, v.sku, v.status, v.fulfillment_type,
           (extract(epoch FROM t.at) * 1e6)::bigint, abs(extract(epoch FROM t.at - now())),
           h.price, h.currency, (extract(epoch FROM h.valid_from) * 1e6)::bigint, (extract(epoch FROM h.valid_to) * 1e6)::bigint,
           NULL::bigint,
           o.price, o.currency, (extract(epoch FROM o.valid_from) * 1e6)::bigint, (extract(epoch FROM o.valid_until) * 1e6)::bigint,
           (extract(epoch FROM oe.valid_until) * 1e6)::bigint,
           s.price, s.currency, (extract(epoch FROM s.starts_at) * 1e6)::bigint, (extract(epoch FROM s.ends_at) * 1e6)::bigint,
           (extract(epoch FROM se.ends_at) * 1e6)::bigint,
           s.sale_id, s.limited, (extract(epoch FROM s.over_at) * 1e6)::bigint
    FROM generate_subscripts($2::text[], 1) AS k (n)
    CROSS JOIN (
      SELECT CASE WHEN $4::bigint = 0 THEN now() ELSE 'epoch'::timestamptz + $4::bigint * interval '1 microsecond' END
    ) AS t (at)
    CROSS JOIN LATERAL (
      (SELECT * FROM variant
       WHERE tenant_id = $1 AND sku = ($2::text[])[k.n] AND ($2::text[])[k.n] <> '')
      UNION ALL
      (SELECT * FROM variant
       WHERE tenant_id = $1 AND product_id = ($3::text[])[k.n] AND ($2::text[])[k.n] = ''
       ORDER BY status = 'ACTIVE' DESC, position
       LIMIT 2)
    ) AS v
    CROSS JOIN LATERAL (
      SELECT * FROM product WHERE tenant_id = $1 AND product_id = v.product_id LIMIT 1
    ) AS p
    CROSS JOIN LATERAL (
      SELECT * FROM product_price_history
      WHERE tenant_id = $1 AND variant_id = v.variant_id AND valid_from <= t.at
      ORDER BY valid_from DESC
      LIMIT 1
    ) AS h
    LEFT JOIN LATERAL (
      SELECT price, currency, valid_from, nullif(valid_until, 'infinity') AS valid_until FROM price_override
      WHERE tenant_id = $1 AND variant_id = v.variant_id AND price_override.valid_until > t.at
      ORDER BY price_override.valid_until
      LIMIT 1
    ) AS o ON true
    LEFT JOIN LATERAL (
      SELECT valid_until FROM price_override
      WHERE tenant_id = $1 AND variant_id = v.variant_id AND valid_until <= t.at
      ORDER BY valid_until DESC
      LIMIT 1
    ) AS oe ON true
    LEFT JOIN LATERAL (
      SELECT sale_id, price, currency, greatest(starts_at, back_at) AS starts_at, least(ends_at, sold_out_at) AS ends_at, limited,
             flash_sale_offer.ends_at AS over_at
      FROM flash_sale_offer
      WHERE tenant_id = $1 AND variant_id = v.variant_id AND flash_sale_offer.ends_at > t.at
        AND flash_sale_offer.ends_at > flash_sale_offer.starts_at
      ORDER BY flash_sale_offer.ends_at
      LIMIT 1
    ) AS s ON true
    LEFT JOIN LATERAL (
      SELECT least(ends_at, sold_out_at) AS ends_at FROM flash_sale_offer
      WHERE tenant_id = $1 AND variant_id = v.variant_id AND flash_sale_offer.ends_at <= t.at AND flash_sale_offer.ends_at > starts_at
      ORDER BY flash_sale_offer.ends_at DESC
      LIMIT 1
    ) AS se ON true
    ORDER BY k.n, v.status = 'ACTIVE' DESC, v.position
  )sql"};
  std::vector<std::string> skus, products;
  for (const VariantRef& ref : refs) {
    const SkuCode* sku = std::get_if<SkuCode>(&ref);
    skus.push_back(sku != nullptr ? sku->str() : "");
    products.push_back(sku != nullptr ? "" : std::get<ProductId>(ref).str());
  }
  std::vector<std::vector<Candidate>> candidates(refs.size());
  for (const pqxx::row& row :
       session.Exec(kFind, tenant.str(), postgres::ArrayLiteral(skus), postgres::ArrayLiteral(products),
                    at ? absl::ToUnixMicros(*at) : 0)) {
    if (absl::Seconds(row[11].as<double>()) > kPriceTimeMax)
      return InvalidValue("at", Concat("must be at most ", absl::FormatDuration(kPriceTimeMax), " from now"));
    std::vector<PricePeriod> periods;
    AddPeriod(periods, PriceSource::kCatalog, row, 12);
    AddPeriod(periods, PriceSource::kOverride, row, 17);
    AddPeriod(periods, PriceSource::kFlashSale, row, 22);
    const absl::Time time = postgres::TimeFromMicros(row[10]);
    auto price = PriceAt(periods, time);
    if (!price) return absl::InternalError("a variant has no price at a time that its history covers");
    const bool on_sale = price->source == PriceSource::kFlashSale;
    // Of sales to come only the next is read: what follows one that is sold out is seen when that is over.
    if (!row[29].is_null() && postgres::TimeFromMicros(row[25]) <= time)
      price->valid_until = std::min(price->valid_until, postgres::TimeFromMicros(row[29]));
    candidates[row[0].as<std::size_t>() - 1].push_back(
        {.product = ProductId::Trusted(row[1].as<std::string>()),
         .title = row[2].as<std::string>(),
         .vendor_id = row[3].as<std::string>(),
         .product_status = ProductStatusOf(row[4].as<std::string>()),
         .product_version = row[5].as<std::int64_t>(),
         .variant = VariantId::Trusted(row[6].as<std::string>()),
         .sku = SkuCode::Trusted(row[7].as<std::string>()),
         .status = VariantStatusOf(row[8].as<std::string>()),
         .fulfillment = FulfillmentTypeOf(row[9].as<std::string>()),
         .price = *price,
         .sale = on_sale ? FlashSaleId::Trusted(row[27].as<std::string>()) : FlashSaleId(),
         .limited = on_sale && row[28].as<bool>()});
  }
  return candidates;
}

}  // namespace bv::product
