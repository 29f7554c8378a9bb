#include "services/product/store/price_rows.h"

namespace bv::product {
namespace {

using postgres::Statement;

}  // namespace

Periods ReadPeriods(postgres::Session& session, const TenantId& tenant, const Product& product,
                    absl::Time since) {
  // The sources are numbered as PriceSource is. The orders are those of the indexes that begin at `since`.
  static constexpr Statement kRead{"price_periods", R"sql(
    SELECT k.n, p.source, p.price, p.currency, (extract(epoch FROM p.valid_from) * 1e6)::bigint,
           (extract(epoch FROM p.valid_until) * 1e6)::bigint
    FROM generate_subscripts($2::text[], 1) AS k (n)
    CROSS JOIN (SELECT 'epoch'::timestamptz + $3 * interval '1 microsecond') AS s (since)
    CROSS JOIN LATERAL (
      (SELECT 0 AS source, price, currency, valid_from, valid_to AS valid_until FROM product_price_history
       WHERE tenant_id = $1 AND variant_id = ($2::text[])[k.n] AND valid_to IS NULL
       ORDER BY valid_from DESC
       LIMIT 1)
      UNION ALL
      (SELECT 0, price, currency, valid_from, valid_to FROM product_price_history
       WHERE tenant_id = $1 AND variant_id = ($2::text[])[k.n] AND valid_to >= s.since
       ORDER BY valid_to)
      UNION ALL
      (SELECT 1, price, currency, valid_from, nullif(valid_until, 'infinity') FROM price_override
       WHERE tenant_id = $1 AND variant_id = ($2::text[])[k.n] AND valid_until >= s.since
       ORDER BY valid_until)
      UNION ALL
      (SELECT 2, price, currency, greatest(starts_at, back_at), least(ends_at, sold_out_at) FROM flash_sale_offer
       WHERE tenant_id = $1 AND variant_id = ($2::text[])[k.n] AND ends_at >= s.since AND ends_at > starts_at)
    ) AS p
  )sql"};
  std::vector<std::string> ids;
  for (const Variant& variant : product.variants) ids.push_back(variant.id.str());
  Periods periods;
  for (const pqxx::row& row :
       session.Exec(kRead, tenant.str(), postgres::ArrayLiteral(ids), absl::ToUnixMicros(since))) {
    PricePeriod& period = periods[product.variants[row[0].as<std::size_t>() - 1].id].emplace_back();
    period.source = static_cast<PriceSource>(row[1].as<int>());
    period.price = {row[2].as<std::int64_t>(), Currency::Trusted(row[3].as<std::string>())};
    period.from = postgres::TimeFromMicros(row[4]);
    if (!row[5].is_null()) period.until = postgres::TimeFromMicros(row[5]);
  }
  return periods;
}

std::optional<ProductId> FindProductOf(postgres::Session& session, const TenantId& tenant,
                                       const SkuCode& sku) {
  static constexpr Statement kFind{"product_of_sku",
                                   "SELECT product_id FROM variant WHERE tenant_id = $1 AND sku = $2"};
  const pqxx::result found = session.Exec(kFind, tenant.str(), sku.str());
  if (found.empty()) return std::nullopt;
  return ProductId::Trusted(found[0][0].as<std::string>());
}

std::optional<PriceOverride> EndOverride(postgres::Session& session, const TenantId& tenant,
                                         const VariantId& variant, absl::Time at) {
  static constexpr Statement kEnd{"override_end", R"sql(
    UPDATE price_override o
    SET valid_until = k.at, end_announced = true
    FROM (
      SELECT valid_from, valid_until, t.at
      FROM (SELECT 'epoch'::timestamptz + $3 * interval '1 microsecond') AS t (at), price_override
      WHERE tenant_id = $1 AND variant_id = $2 AND valid_until > t.at
      ORDER BY valid_until
      LIMIT 1
    ) AS k
    WHERE o.tenant_id = $1 AND o.variant_id = $2 AND o.valid_from = k.valid_from
    RETURNING o.product_id, o.price, o.currency, (extract(epoch FROM o.valid_from) * 1e6)::bigint,
              (extract(epoch FROM nullif(k.valid_until, 'infinity')) * 1e6)::bigint
  )sql"};
  const pqxx::result ended = session.Exec(kEnd, tenant.str(), variant.str(), absl::ToUnixMicros(at));
  if (ended.empty()) return std::nullopt;
  const pqxx::row row = ended[0];
  PriceOverride found{.product = ProductId::Trusted(row[0].as<std::string>()),
                      .variant = variant,
                      .price = {row[1].as<std::int64_t>(), Currency::Trusted(row[2].as<std::string>())},
                      .valid_from = postgres::TimeFromMicros(row[3])};
  if (!row[4].is_null()) found.valid_until = postgres::TimeFromMicros(row[4]);
  return found;
}

void InsertOverride(postgres::Session& session, const TenantId& tenant, const PriceOverride& added,
                    const std::string& actor) {
  // An end of 0 is none.
  static constexpr Statement kInsert{"override_insert", R"sql(
    INSERT INTO price_override (tenant_id, variant_id, product_id, valid_from, valid_until, price, currency, actor)
    VALUES ($1, $2, $3, 'epoch'::timestamptz + $4 * interval '1 microsecond',
            CASE WHEN $5::bigint = 0 THEN 'infinity' ELSE 'epoch'::timestamptz + $5::bigint * interval '1 microsecond' END, $6, $7, $8)
  )sql"};
  const bool has_end = added.valid_until != absl::InfiniteFuture();
  session.Exec(kInsert, tenant.str(), added.variant.str(), added.product.str(),
               absl::ToUnixMicros(added.valid_from), has_end ? absl::ToUnixMicros(added.valid_until) : 0,
               added.price.minor_units, std::string(added.price.currency.code()), actor);
}

}  // namespace bv::product
