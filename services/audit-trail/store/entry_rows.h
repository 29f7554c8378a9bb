// The chains as rows. Everything here runs inside a transaction or read of `session`, and throws what libpqxx
// throws.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <string>
#include <vector>

#include "libs/postgres/postgres.h"
#include "services/audit-trail/domain/entry.h"

namespace bv::audit_trail {

// The end of the tenant's chain, locked until the transaction ends; made when the tenant has none.
Head LockHead(postgres::Session& session, const TenantId& tenant);
void StoreHead(postgres::Session& session, const TenantId& tenant, const Head& head);

// False, and nothing is stored, when there is an entry with this id already. `entry` has its place in the
// chain; its head is locked.
bool InsertEntry(postgres::Session& session, const TenantId& tenant, const Entry& entry);

// Where a chain ends, as of one moment.
struct ChainEnd {
  // As it was noted by the writer; number 0 and kNoHash without a chain.
  Head head;
  // The highest number of an entry, 0 without one.
  std::int64_t last_number = 0;
};
ChainEnd ReadEnd(postgres::Session& session, const TenantId& tenant);

// Those with a number in first ≤ number ≤ last, by number, at most `limit`.
std::vector<Entry> ReadChain(postgres::Session& session, const TenantId& tenant, std::int64_t first,
                             std::int64_t last, int limit);

// Which entries a list shows; empty texts for all.
struct EntryFilter {
  std::string actor, action, object_type, object_id, outcome;
  // What was done in from ≤ t < to.
  absl::Time from = absl::UnixEpoch();
  absl::Time to;
  // Only older ones than this: its time, and among those of the same time its number.
  absl::Time before_time;
  std::int64_t before_number = 0;
  int limit = 0;
};
// Newest first.
std::vector<Entry> ListEntries(postgres::Session& session, const TenantId& tenant, const EntryFilter& filter);

struct NotedHead {
  TenantId tenant;
  Head head;
  absl::Time updated_at;
};
// Of every tenant, in a session of EveryTenant(): the ends that were moved after `since`, by that time.
std::vector<NotedHead> ReadHeadsSince(postgres::Session& session, absl::Time since, int limit);

}  // namespace bv::audit_trail
