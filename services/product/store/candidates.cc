#include "services/product/store/candidates.h"

#include "services/product/domain/words.h"

namespace bv::product {

std::vector<std::vector<Candidate>> FindCandidates(postgres::Session& session, const TenantId& tenant,
                                                   const std::vector<VariantRef>& refs) {
  // A SKU is never empty, so an empty one stands for "by product".
  // Product and price are subqueries with a LIMIT, which leaves the planner nothing but their indexes, also
  // while a table has no statistics. generate_subscripts, because the planner's estimate for it does not
  // depend on the length of the array as that for unnest does: so PostgreSQL settles on one plan for all
  // calls, which then takes a fraction of the time.
  static constexpr postgres::Statement kFind{"variant_candidates", R"sql(
    SELECT k.n, p.product_id, p.title, p.vendor_id, p.status, p.version, v.variant_id, v.sku, v.status, v.fulfillment_type,
           h.price, h.currency, (extract(epoch FROM h.valid_from) * 1e6)::bigint
    FROM generate_subscripts($2::text[], 1) AS k (n)
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
      WHERE tenant_id = $1 AND variant_id = v.variant_id AND valid_to IS NULL
      ORDER BY valid_from DESC
      LIMIT 1
    ) AS h
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
       session.Exec(kFind, tenant.str(), postgres::ArrayLiteral(skus), postgres::ArrayLiteral(products))) {
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
         .price = {row[10].as<std::int64_t>(), Currency::Trusted(row[11].as<std::string>())},
         .price_valid_from = postgres::TimeFromMicros(row[12])});
  }
  return candidates;
}

}  // namespace bv::product
