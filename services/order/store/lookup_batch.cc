#include "services/order/store/lookup_batch.h"

namespace bv::order {

absl::Status ExecuteLookUpBatch(postgres::Session& session, std::span<LookUpLanes::Item* const> items) {
  static constexpr postgres::Statement kRead{"idempotency_look_up", R"sql(
    SELECT k.n, (extract(epoch FROM now()) * 1e6)::bigint, r.request_hash, r.order_id
    FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY AS k (tenant_id, user_id, key_hash, n)
    LEFT JOIN LATERAL (
      SELECT request_hash, order_id
      FROM idempotency_record
      WHERE tenant_id = k.tenant_id AND user_id = k.user_id AND key_hash = k.key_hash AND created_at >= now() - interval '24 hours'
      OFFSET 0  -- a look-up for each key, whatever the planner thinks of the table
    ) r ON true
  )sql"};
  std::vector<std::string> tenants, users, keys;
  for (const LookUpLanes::Item* item : items) {
    tenants.push_back(item->request.key.tenant);
    users.push_back(item->request.key.user);
    keys.push_back(item->request.key.key_hash);
  }
  using postgres::ArrayLiteral;
  for (const pqxx::row& row :
       session.Exec(kRead, ArrayLiteral(tenants), ArrayLiteral(users), ArrayLiteral(keys))) {
    LookedUp answer{.now = postgres::TimeFromMicros(row[1])};
    if (!row[2].is_null())
      answer.record = {row[2].as<std::string>(), OrderId::Trusted(row[3].as<std::string>())};
    items[row[0].as<std::size_t>() - 1]->answer = std::move(answer);
  }
  return absl::OkStatus();
}

}  // namespace bv::order
