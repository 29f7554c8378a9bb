// What requests under an Idempotency-Key led to. Everything here throws what libpqxx throws.
#pragma once

#include <absl/status/status.h>

#include <compare>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/request_context.h"
#include "libs/postgres/postgres.h"
#include "services/order/domain/order.h"

namespace bv::order {

// A key belongs to its user and tenant.
struct RecordKey {
  std::string tenant;
  std::string user;
  // SHA-256 of the Idempotency-Key, hexadecimal.
  std::string key_hash;

  friend auto operator<=>(const RecordKey&, const RecordKey&) = default;
};

struct IdempotencyRecord {
  // SHA-256 of the request, hexadecimal.
  std::string request_hash;
  OrderId order;
};

struct ClaimedRecord {
  IdempotencyRecord record;
  // Whether it is the claim that was made now; otherwise it was there.
  bool fresh = false;
};

// Claims each key for its record, unless it was claimed in the last 24 hours, and returns what each stands
// for now. Waits for another transaction that claims one of them.
std::map<RecordKey, ClaimedRecord> ClaimKeys(postgres::Session& session,
                                             const std::map<RecordKey, IdempotencyRecord>& claims);
// Takes claims back that came to nothing.
void ReleaseKeys(postgres::Session& session, const std::vector<RecordKey>& keys);

// What a key was used for in the last 24 hours.
std::optional<IdempotencyRecord> ReadIdempotencyRecord(postgres::Session& session, const TenantId& tenant,
                                                       const std::string& user_id,
                                                       const std::string& key_hash);

// INVALID_ARGUMENT, reason IDEMPOTENCY_KEY_REUSED.
absl::Status IdempotencyKeyReused();

}  // namespace bv::order
