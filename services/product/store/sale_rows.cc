#include "services/product/store/sale_rows.h"

#include <algorithm>

namespace bv::product {
namespace {

using postgres::ArrayLiteral;
using postgres::Statement;

// One row an offer, with the columns of its sale.
#define BV_SALE_COLUMNS                                                                        \
  "s.sale_id, s.product_id, s.name, (extract(epoch FROM s.starts_at) * 1e6)::bigint, "         \
  "(extract(epoch FROM s.ends_at) * 1e6)::bigint, "                                            \
  "(extract(epoch FROM s.canceled_at) * 1e6)::bigint, o.variant_id, v.sku, o.price, "          \
  "o.currency, (extract(epoch FROM statement_timestamp()) * 1e6)::bigint, s.start_announced, " \
  "s.quantity_limit, s.sold_out "

// Look-ups by the keys, which no plan turns around, also while the tables have no statistics.
#define BV_OFFERS_OF_S                                                    \
  "CROSS JOIN LATERAL (SELECT * FROM flash_sale_offer "                   \
  "WHERE tenant_id = s.tenant_id AND sale_id = s.sale_id OFFSET 0) AS o " \
  "CROSS JOIN LATERAL (SELECT sku FROM variant "                          \
  "WHERE tenant_id = o.tenant_id AND variant_id = o.variant_id LIMIT 1) AS v "

FlashSale SaleOf(const pqxx::row& row) {
  FlashSale sale{.id = FlashSaleId::Trusted(row[0].as<std::string>()),
                 .product = ProductId::Trusted(row[1].as<std::string>()),
                 .name = row[2].as<std::string>(),
                 .starts_at = postgres::TimeFromMicros(row[3]),
                 .ends_at = postgres::TimeFromMicros(row[4])};
  if (!row[5].is_null()) sale.canceled_at = postgres::TimeFromMicros(row[5]);
  if (!row[12].is_null()) sale.quantity_limit = row[12].as<std::int64_t>();
  sale.sold_out = row[13].as<bool>();
  return sale;
}

SaleOffer OfferOf(const pqxx::row& row) {
  return {.variant = VariantId::Trusted(row[6].as<std::string>()),
          .sku = SkuCode::Trusted(row[7].as<std::string>()),
          .price = {row[8].as<std::int64_t>(), Currency::Trusted(row[9].as<std::string>())}};
}

// From rows in which the offers of a sale follow each other.
std::vector<SaleSeen> SalesOf(const pqxx::result& rows) {
  std::vector<SaleSeen> sales;
  for (const pqxx::row& row : rows) {
    if (sales.empty() || sales.back().sale.id.str() != row[0].c_str())
      sales.push_back({SaleOf(row), postgres::TimeFromMicros(row[10])});
    sales.back().sale.offers.push_back(OfferOf(row));
  }
  return sales;
}

}  // namespace

std::optional<SaleSeen> ReadSale(postgres::Session& session, const TenantId& tenant, const FlashSaleId& id) {
  static constexpr Statement kRead{"sale_read",
                                   "SELECT " BV_SALE_COLUMNS "FROM flash_sale s " BV_OFFERS_OF_S
                                   "WHERE s.tenant_id = $1 AND s.sale_id = $2 ORDER BY o.position"};
  std::vector<SaleSeen> sales = SalesOf(session.Exec(kRead, tenant.str(), id.str()));
  if (sales.empty()) return std::nullopt;
  return std::move(sales.front());
}

std::vector<SaleSeen> ListSales(postgres::Session& session, const TenantId& tenant,
                                const SaleFilter& filter) {
  static constexpr Statement kList{
      "sale_list", "SELECT " BV_SALE_COLUMNS
                   "FROM (SELECT * FROM flash_sale WHERE tenant_id = $1 AND sale_id < $2 "
                   "AND ($3 = '' OR product_id = $3) ORDER BY sale_id DESC LIMIT $4) AS s " BV_OFFERS_OF_S
                   "ORDER BY s.sale_id DESC, o.position"};
  // Greater than every id, so that the first page needs no other condition than the rest.
  const std::string before = filter.before.empty() ? "fsl_z" : filter.before.str();
  return SalesOf(session.Exec(kList, tenant.str(), before, filter.product.str(), filter.limit));
}

std::optional<std::size_t> FindOverlap(postgres::Session& session, const TenantId& tenant,
                                       const FlashSale& sale) {
  static constexpr Statement kFind{"sale_overlap", R"sql(
    SELECT min(k.n) - 1
    FROM generate_subscripts($2::text[], 1) AS k (n)
    CROSS JOIN LATERAL (
      SELECT starts_at FROM flash_sale_offer
      WHERE tenant_id = $1 AND variant_id = ($2::text[])[k.n] AND ends_at > starts_at
        AND ends_at > 'epoch'::timestamptz + $3 * interval '1 microsecond'
      ORDER BY ends_at
      LIMIT 1
    ) AS o
    WHERE o.starts_at < 'epoch'::timestamptz + $4 * interval '1 microsecond'
  )sql"};
  std::vector<std::string> variants;
  for (const SaleOffer& offer : sale.offers) variants.push_back(offer.variant.str());
  const pqxx::result found =
      session.Exec(kFind, tenant.str(), ArrayLiteral(variants), absl::ToUnixMicros(sale.starts_at),
                   absl::ToUnixMicros(sale.ends_at));
  if (found[0][0].is_null()) return std::nullopt;
  return found[0][0].as<std::size_t>();
}

void InsertSale(postgres::Session& session, const TenantId& tenant, const FlashSale& sale,
                const std::string& actor, absl::Time now) {
  static constexpr Statement kInsertSale{"sale_insert", R"sql(
    INSERT INTO flash_sale (tenant_id, sale_id, product_id, name, starts_at, ends_at, actor, created_at, quantity_limit)
    VALUES ($1, $2, $3, $4, 'epoch'::timestamptz + $5 * interval '1 microsecond', 'epoch'::timestamptz + $6 * interval '1 microsecond',
            $7, 'epoch'::timestamptz + $8 * interval '1 microsecond', nullif($9::bigint, 0))
  )sql"};
  static constexpr Statement kInsertOffers{"sale_offers_insert", R"sql(
    INSERT INTO flash_sale_offer (tenant_id, sale_id, variant_id, position, price, currency, starts_at, ends_at, limited)
    SELECT s.tenant_id, s.sale_id, k.variant_id, k.n - 1, k.price, k.currency, s.starts_at, s.ends_at, s.quantity_limit IS NOT NULL
    FROM unnest($3::text[], $4::bigint[], $5::text[]) WITH ORDINALITY AS k (variant_id, price, currency, n)
    JOIN flash_sale s ON s.tenant_id = $1 AND s.sale_id = $2
  )sql"};
  session.Exec(kInsertSale, tenant.str(), sale.id.str(), sale.product.str(), sale.name,
               absl::ToUnixMicros(sale.starts_at), absl::ToUnixMicros(sale.ends_at), actor,
               absl::ToUnixMicros(now), sale.quantity_limit.value_or(0));
  std::vector<std::string> variants, currencies;
  std::vector<std::int64_t> prices;
  for (const SaleOffer& offer : sale.offers) {
    variants.push_back(offer.variant.str());
    prices.push_back(offer.price.minor_units);
    currencies.emplace_back(offer.price.currency.code());
  }
  session.Exec(kInsertOffers, tenant.str(), sale.id.str(), ArrayLiteral(variants), ArrayLiteral(prices),
               ArrayLiteral(currencies));
}

void StoreCanceled(postgres::Session& session, const TenantId& tenant, const FlashSale& sale) {
  static constexpr Statement kCancel{"sale_cancel", R"sql(
    UPDATE flash_sale s
    SET ends_at = k.ends_at, canceled_at = 'epoch'::timestamptz + $4 * interval '1 microsecond',
        start_announced = start_announced OR k.ends_at = starts_at, end_announced = k.ends_at = starts_at
    FROM (SELECT 'epoch'::timestamptz + $3 * interval '1 microsecond') AS k (ends_at)
    WHERE tenant_id = $1 AND sale_id = $2
  )sql"};
  session.Exec(kCancel, tenant.str(), sale.id.str(), absl::ToUnixMicros(sale.ends_at),
               absl::ToUnixMicros(*sale.canceled_at));
}

std::optional<ProductId> FindQuotaTurn(postgres::Session& session, const TenantId& tenant,
                                       const QuotaTurn& turn) {
  static constexpr Statement kFind{"sale_quota_turn", R"sql(
    SELECT product_id FROM flash_sale
    WHERE tenant_id = $1 AND sale_id = $2 AND quantity_limit IS NOT NULL AND quota_version < $3 AND sold_out <> $4
      AND ends_at > clock_timestamp()
  )sql"};
  const pqxx::result found =
      session.Exec(kFind, tenant.str(), turn.sale.str(), turn.quota_version, turn.sold_out);
  if (found.empty()) return std::nullopt;
  return ProductId::Trusted(found[0][0].as<std::string>());
}

void StoreQuotaTurn(postgres::Session& session, const TenantId& tenant, const QuotaTurn& turn,
                    absl::Time at) {
  static constexpr Statement kTurnSale{"sale_turn", R"sql(
    UPDATE flash_sale SET sold_out = $3, quota_version = $4 WHERE tenant_id = $1 AND sale_id = $2
  )sql"};
  static constexpr Statement kTurnOffers{"sale_offers_turn", R"sql(
    UPDATE flash_sale_offer
    SET sold_out_at = CASE WHEN $3 THEN k.at END, back_at = CASE WHEN $3 THEN back_at ELSE k.at END
    FROM (SELECT 'epoch'::timestamptz + $4 * interval '1 microsecond') AS k (at)
    WHERE tenant_id = $1 AND sale_id = $2
  )sql"};
  session.Exec(kTurnSale, tenant.str(), turn.sale.str(), turn.sold_out, turn.quota_version);
  session.Exec(kTurnOffers, tenant.str(), turn.sale.str(), turn.sold_out, absl::ToUnixMicros(at));
}

Due TakeDue(postgres::Session& session, const TenantId& tenant, const ProductId& product, absl::Time until) {
  static constexpr Statement kSales{
      "sales_due",
      "SELECT " BV_SALE_COLUMNS "FROM flash_sale s " BV_OFFERS_OF_S
      "WHERE s.tenant_id = $1 AND s.product_id = $2 "
      "AND s.due_at <= 'epoch'::timestamptz + $3 * interval '1 microsecond' ORDER BY s.sale_id, o.position"};
  static constexpr Statement kMarkSales{"sales_mark_announced", R"sql(
    UPDATE flash_sale
    SET start_announced = true, end_announced = ends_at <= 'epoch'::timestamptz + $3 * interval '1 microsecond'
    WHERE tenant_id = $1 AND product_id = $2 AND due_at <= 'epoch'::timestamptz + $3 * interval '1 microsecond'
  )sql"};
  static constexpr Statement kMarkOverrides{"overrides_mark_announced", R"sql(
    UPDATE price_override
    SET end_announced = true
    WHERE tenant_id = $1 AND product_id = $2 AND due_at <= 'epoch'::timestamptz + $3 * interval '1 microsecond'
    RETURNING (extract(epoch FROM valid_until) * 1e6)::bigint
  )sql"};
  const std::int64_t micros = absl::ToUnixMicros(until);
  Due due;
  for (const pqxx::row& row : session.Exec(kSales, tenant.str(), product.str(), micros)) {
    if (due.sales.empty() || due.sales.back().sale.id.str() != row[0].c_str())
      due.sales.push_back({SaleOf(row), row[11].as<bool>()});
    due.sales.back().sale.offers.push_back(OfferOf(row));
  }
  if (!due.sales.empty()) session.Exec(kMarkSales, tenant.str(), product.str(), micros);
  for (const pqxx::row& row : session.Exec(kMarkOverrides, tenant.str(), product.str(), micros))
    due.override_ends.push_back(postgres::TimeFromMicros(row[0]));
  return due;
}

bool IsDue(postgres::Session& session, const TenantId& tenant, const ProductId& product) {
  static constexpr Statement kIsDue{"pricing_is_due", R"sql(
    SELECT EXISTS (SELECT FROM flash_sale WHERE tenant_id = $1 AND product_id = $2 AND due_at <= clock_timestamp())
        OR EXISTS (SELECT FROM price_override WHERE tenant_id = $1 AND product_id = $2 AND due_at <= clock_timestamp())
  )sql"};
  return session.Exec(kIsDue, tenant.str(), product.str())[0][0].as<bool>();
}

std::vector<DueProduct> FindDueProducts(postgres::Session& session, int limit) {
  static constexpr Statement kFind{"pricing_find_due", R"sql(
    SELECT tenant_id, product_id
    FROM (
      (SELECT due_at, tenant_id, product_id FROM flash_sale WHERE due_at <= now() ORDER BY due_at LIMIT $1)
      UNION ALL
      (SELECT due_at, tenant_id, product_id FROM price_override WHERE due_at <= now() ORDER BY due_at LIMIT $1)
    ) AS d
    GROUP BY tenant_id, product_id
    ORDER BY min(due_at)
    LIMIT $1
  )sql"};
  std::vector<DueProduct> found;
  for (const pqxx::row& row : session.Exec(kFind, limit)) {
    found.push_back(
        {TenantId::Trusted(row[0].as<std::string>()), ProductId::Trusted(row[1].as<std::string>())});
  }
  return found;
}

}  // namespace bv::product
