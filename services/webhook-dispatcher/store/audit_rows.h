// Who did what to a subscription. Everything here runs inside a transaction or read of `session`, and throws
// what libpqxx throws.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libs/postgres/postgres.h"
#include "services/webhook-dispatcher/domain/subscription.h"

namespace bv::webhook {

// Of what this service did by itself.
constexpr std::string_view kOwnActor = "webhook-dispatcher";

enum class AuditAction {
  kCreated,
  kUpdated,
  kDeleted,
  kPaused,
  kResumed,
  kSecretRotated,
  kDisabled,
  kTestSent,
  kRedelivered
};

struct AuditRecord {
  // Grows with each record of a subscription.
  std::int64_t number = 0;
  absl::Time at;
  std::string actor;
  std::string action;
  std::string detail;
  std::string correlation_id;
};

// By the user of the context, or `actor`. The detail has no secrets in it.
void InsertAudit(postgres::Session& session, const RequestContext& context, const SubscriptionId& id,
                 AuditAction action, std::string_view detail, std::string_view actor = {});
// Before the record `before` (0: from the newest on), newest first.
std::vector<AuditRecord> ListAudit(postgres::Session& session, const TenantId& tenant,
                                   const SubscriptionId& id, std::int64_t before, int limit);

}  // namespace bv::webhook
