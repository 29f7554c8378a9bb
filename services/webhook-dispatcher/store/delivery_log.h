// What was sent and what waits, for those who asked for it. Everything here runs inside a transaction or read
// of `session`, and throws what libpqxx throws.
#pragma once

#include <absl/time/time.h>

#include <optional>
#include <string>
#include <vector>

#include "libs/postgres/postgres.h"
#include "services/webhook-dispatcher/domain/delivery.h"

namespace bv::webhook {

struct LoggedAttempt {
  int number = 0;
  absl::Time at;
  absl::Duration latency;
  int status = 0;
  std::string error_class;
  std::string detail;
  std::string answer;
};

struct LoggedDelivery {
  DeliveryId id;
  SubscriptionId subscription;
  std::string event_id;
  std::string event_type;
  // The event's; empty for one that belongs to no store.
  std::string store;
  DeliveryStatus status = DeliveryStatus::kQueued;
  int attempts_made = 0;
  absl::Time created_at;
  std::optional<absl::Time> ended_at;
  std::string redelivery_of;
  // Oldest first.
  std::vector<LoggedAttempt> attempts;
};

// What is empty narrows nothing.
struct DeliveryFilter {
  SubscriptionId subscription;
  // A pattern (event_pattern.h).
  std::string event_type;
  std::string event_id;
  StoreCode store;
  std::vector<DeliveryStatus> statuses;
  // Made at or after, and before.
  std::optional<absl::Time> from;
  std::optional<absl::Time> until;
};

// Of a delivery in the log.
struct LogPlace {
  absl::Time created_at;
  DeliveryId id;
};

// Behind `behind`, newest first, without attempts.
std::vector<LoggedDelivery> ListDeliveries(postgres::Session& session, const TenantId& tenant,
                                           const DeliveryFilter& filter,
                                           const std::optional<LogPlace>& behind, int limit);

// With its attempts.
std::optional<LoggedDelivery> ReadDelivery(postgres::Session& session, const TenantId& tenant,
                                           const DeliveryId& id);
// What was sent with it.
std::optional<std::string> ReadBody(postgres::Session& session, const TenantId& tenant, const DeliveryId& id);

// The parameters $1 to $9 of BV_DELIVERY_FILTER.
struct FilterParameters {
  FilterParameters(const TenantId& of, const DeliveryFilter& filter);
  std::string tenant, subscription, type, type_prefix, event_id, statuses, store;
  std::int64_t from_micros, until_micros;
};
#define BV_DELIVERY_FILTER(of_subscription)                                                          \
  "tenant_id = $1 AND " of_subscription                                                              \
  " AND ($3 = '' OR event_type = $3) AND starts_with(event_type, $4) AND ($5 = '' OR event_id = $5)" \
  " AND status = ANY ($6::text[]) AND created_at >= to_timestamp($7::bigint / 1e6)"                  \
  " AND created_at < to_timestamp($8::bigint / 1e6) AND ($9 = '' OR store_code = $9) "
// With a subscription its index is of use, so each statement is there for one and for all.
#define BV_OF_ALL "$2 = ''"
#define BV_OF_ONE "subscription_id = $2"

}  // namespace bv::webhook
