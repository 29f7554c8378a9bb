#include "services/product/store/candidates.h"

#include "services/product/domain/words.h"

namespace bv::product {

std::vector<std::vector<Candidate>> FindCandidates(postgres::Session& session, const TenantId& tenant,
                                                   const std::vector<VariantRef>& refs) {
  // A SKU is never empty, so an empty one stands for "by product".
  static constexpr postgres::Statement kFind{"variant_candidates", R"sql(
    SELECT k.n, p.product_id, p.title, p.status, v.variant_id, v.sku, v.status, v.fulfillment_type, h.price, h.currency,
           (extract(epoch FROM h.valid_from) * 1e6)::bigint
    FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS k (sku, product_id, n)
    CROSS JOIN LATERAL (
      (SELECT * FROM variant s WHERE s.tenant_id = $1 AND s.sku = k.sku AND k.sku <> '')
      UNION ALL
      (SELECT * FROM variant s WHERE s.tenant_id = $1 AND s.product_id = k.product_id AND k.sku = ''
       ORDER BY s.status = 'ACTIVE' DESC, s.position LIMIT 2)
    ) AS v
    JOIN product p ON p.tenant_id = $1 AND p.product_id = v.product_id
    JOIN product_price_history h ON h.tenant_id = $1 AND h.variant_id = v.variant_id AND h.valid_to IS NULL
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
         .product_status = ProductStatusOf(row[3].as<std::string>()),
         .variant = VariantId::Trusted(row[4].as<std::string>()),
         .sku = SkuCode::Trusted(row[5].as<std::string>()),
         .status = VariantStatusOf(row[6].as<std::string>()),
         .fulfillment = FulfillmentTypeOf(row[7].as<std::string>()),
         .price = {row[8].as<std::int64_t>(), Currency::Trusted(row[9].as<std::string>())},
         .price_valid_from = postgres::TimeFromMicros(row[10])});
  }
  return candidates;
}

}  // namespace bv::product
