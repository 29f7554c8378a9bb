// The rows of subscriptions. Everything here runs inside a transaction or read of `session`, and throws what
// libpqxx throws. Deleted ones are not there, but for ListChanges.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "libs/postgres/postgres.h"
#include "services/webhook-dispatcher/domain/subscription.h"

namespace bv::webhook {

std::optional<Subscription> ReadSubscription(postgres::Session& session, const TenantId& tenant,
                                             const SubscriptionId& id);
// Holds off other changes of it until the transaction ends.
std::optional<Subscription> LockSubscription(postgres::Session& session, const TenantId& tenant,
                                             const SubscriptionId& id);
// Behind `after`, oldest first.
std::vector<Subscription> ListSubscriptions(postgres::Session& session, const TenantId& tenant,
                                            const SubscriptionId& after, int limit);
// Holds off others that make one for the tenant until the transaction ends.
int LockAndCountSubscriptions(postgres::Session& session, const TenantId& tenant);

// Stores a new one; sets its times.
void InsertSubscription(postgres::Session& session, Subscription& subscription);
// Stores one that is locked; sets its version, higher by one, and the time of the change.
void UpdateSubscription(postgres::Session& session, Subscription& subscription);
// Its secrets and its URL are wiped; the row stays as a mark for ListChanges. False when there is none.
bool MarkDeleted(postgres::Session& session, const TenantId& tenant, const SubscriptionId& id);
// Whether there was one that was deleted.
bool WasDeleted(postgres::Session& session, const TenantId& tenant, const SubscriptionId& id);
// Removes the marks of the tenant that are older than any replica needs, and what the audit has of them.
void ForgetDeleted(postgres::Session& session, const TenantId& tenant);

struct SubscriptionChanged {
  std::int64_t change = 0;
  bool deleted = false;
  // Of a deleted one, only tenant and id.
  Subscription subscription;
};
// What has changed behind the change `after`, each as it is now, in the order of the changes. Of all tenants,
// in a session of postgres::EveryTenant().
std::vector<SubscriptionChanged> ListChanges(postgres::Session& session, std::int64_t after, int limit);

}  // namespace bv::webhook
