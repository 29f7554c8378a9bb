#include "services/webhook-dispatcher/store/audit_rows.h"

namespace bv::webhook {
namespace {

using postgres::Statement;

std::string Word(AuditAction action) {
  switch (action) {
    case AuditAction::kCreated:
      return "CREATED";
    case AuditAction::kUpdated:
      return "UPDATED";
    case AuditAction::kDeleted:
      return "DELETED";
    case AuditAction::kPaused:
      return "PAUSED";
    case AuditAction::kResumed:
      return "RESUMED";
    case AuditAction::kSecretRotated:
      return "SECRET_ROTATED";
    case AuditAction::kDisabled:
      return "DISABLED";
    case AuditAction::kTestSent:
      return "TEST_SENT";
    case AuditAction::kRedelivered:
      return "REDELIVERED";
  }
  return {};
}

}  // namespace

void InsertAudit(postgres::Session& session, const RequestContext& context, const SubscriptionId& id,
                 AuditAction action, std::string_view detail, std::string_view actor) {
  static constexpr Statement kInsert{"audit_insert", R"sql(
    INSERT INTO webhook_subscription_audit (tenant_id, subscription_id, actor, action, detail, correlation_id)
    VALUES ($1, $2, $3, $4, $5, $6)
  )sql"};
  session.Exec(kInsert, context.tenant.str(), id.str(), actor.empty() ? context.user_id : std::string(actor),
               Word(action), std::string(detail), context.correlation_id);
}

std::vector<AuditRecord> ListAudit(postgres::Session& session, const TenantId& tenant,
                                   const SubscriptionId& id, std::int64_t before, int limit) {
  static constexpr Statement kList{"audit_list", R"sql(
    SELECT number, (extract(epoch FROM at) * 1e6)::bigint, actor, action, detail, correlation_id
    FROM webhook_subscription_audit
    WHERE tenant_id = $1 AND subscription_id = $2 AND number < CASE WHEN $3::bigint = 0 THEN 9223372036854775807 ELSE $3::bigint END
    ORDER BY number DESC LIMIT $4::int
  )sql"};
  std::vector<AuditRecord> records;
  for (const pqxx::row& row : session.Exec(kList, tenant.str(), id.str(), before, limit)) {
    records.push_back({.number = row[0].as<std::int64_t>(),
                       .at = postgres::TimeFromMicros(row[1]),
                       .actor = row[2].as<std::string>(),
                       .action = row[3].as<std::string>(),
                       .detail = row[4].as<std::string>(),
                       .correlation_id = row[5].as<std::string>()});
  }
  return records;
}

}  // namespace bv::webhook
