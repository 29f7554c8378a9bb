#include "services/webhook-dispatcher/store/delivery_log.h"

namespace bv::webhook {
namespace {

using postgres::ArrayLiteral;
using postgres::Statement;

// Behind all that is stored: the year 2200.
const absl::Time kEnd = absl::FromUnixSeconds(7'258'118'400);

#define BV_DELIVERY_COLUMNS                                                                                \
  "delivery_id, subscription_id, event_id, event_type, store_code, status, attempts_made, redelivery_of, " \
  "(extract(epoch FROM created_at) * 1e6)::bigint AS created_at, "                                         \
  "(extract(epoch FROM ended_at) * 1e6)::bigint AS ended_at "

LoggedDelivery DeliveryOf(const pqxx::row& row) {
  LoggedDelivery delivery{.id = DeliveryId::Trusted(row["delivery_id"].as<std::string>()),
                          .subscription = SubscriptionId::Trusted(row["subscription_id"].as<std::string>()),
                          .event_id = row["event_id"].as<std::string>(),
                          .event_type = row["event_type"].as<std::string>(),
                          .store = row["store_code"].as<std::string>(),
                          .status = DeliveryStatusOf(row["status"].c_str()),
                          .attempts_made = row["attempts_made"].as<int>(),
                          .created_at = postgres::TimeFromMicros(row["created_at"]),
                          .redelivery_of = row["redelivery_of"].as<std::string>()};
  if (!row["ended_at"].is_null()) delivery.ended_at = postgres::TimeFromMicros(row["ended_at"]);
  return delivery;
}

std::vector<LoggedAttempt> ReadAttempts(postgres::Session& session, const TenantId& tenant,
                                        const DeliveryId& id) {
  static constexpr Statement kRead{"delivery_log_attempts", R"sql(
    SELECT number, (extract(epoch FROM at) * 1e6)::bigint, latency_millis, status, error_class, detail, answer
    FROM webhook_delivery_attempts WHERE tenant_id = $1 AND delivery_id = $2 ORDER BY number
  )sql"};
  std::vector<LoggedAttempt> attempts;
  for (const pqxx::row& row : session.Exec(kRead, tenant.str(), id.str())) {
    attempts.push_back({.number = row[0].as<int>(),
                        .at = postgres::TimeFromMicros(row[1]),
                        .latency = absl::Milliseconds(row[2].as<int>()),
                        .status = row[3].as<int>(),
                        .error_class = row[4].as<std::string>(),
                        .detail = row[5].as<std::string>(),
                        .answer = row[6].as<std::string>()});
  }
  return attempts;
}

}  // namespace

FilterParameters::FilterParameters(const TenantId& of, const DeliveryFilter& filter)
    : tenant(of.str()),
      subscription(filter.subscription.str()),
      event_id(filter.event_id),
      store(filter.store.str()),
      from_micros(absl::ToUnixMicros(filter.from.value_or(absl::UnixEpoch()))),
      until_micros(absl::ToUnixMicros(filter.until.value_or(kEnd))) {
  if (filter.event_type.ends_with('*')) {
    type_prefix = filter.event_type.substr(0, filter.event_type.size() - 1);
  } else {
    type = filter.event_type;
  }
  std::vector<std::string> words;
  for (const DeliveryStatus status : filter.statuses) words.emplace_back(Word(status));
  if (words.empty()) words = {"QUEUED", "DEFERRED", "DELIVERED", "FAILED", "CANCELED"};
  statuses = ArrayLiteral(words);
}

std::vector<LoggedDelivery> ListDeliveries(postgres::Session& session, const TenantId& tenant,
                                           const DeliveryFilter& filter,
                                           const std::optional<LogPlace>& behind, int limit) {
#define BV_LOG_PAGE(of_subscription) \
  "SELECT " BV_DELIVERY_COLUMNS "FROM webhook_delivery WHERE " BV_DELIVERY_FILTER(of_subscription) \
  "AND (created_at, delivery_id) < (to_timestamp($10::bigint / 1e6), $11) "                        \
  "ORDER BY created_at DESC, delivery_id DESC LIMIT $12::int"
  static constexpr Statement kOfAll{"delivery_log", BV_LOG_PAGE(BV_OF_ALL)};
  static constexpr Statement kOfOne{"delivery_log_of_subscription", BV_LOG_PAGE(BV_OF_ONE)};
  const FilterParameters by(tenant, filter);
  const LogPlace from = behind.value_or(LogPlace{.created_at = kEnd});
  std::vector<LoggedDelivery> deliveries;
  for (const pqxx::row& row :
       session.Exec(by.subscription.empty() ? kOfAll : kOfOne, by.tenant, by.subscription, by.type,
                    by.type_prefix, by.event_id, by.statuses, by.from_micros, by.until_micros, by.store,
                    absl::ToUnixMicros(from.created_at), from.id.str(), limit)) {
    deliveries.push_back(DeliveryOf(row));
  }
  return deliveries;
}

std::optional<LoggedDelivery> ReadDelivery(postgres::Session& session, const TenantId& tenant,
                                           const DeliveryId& id) {
  static constexpr Statement kRead{"delivery_log_read",
                                   "SELECT " BV_DELIVERY_COLUMNS
                                   "FROM webhook_delivery WHERE tenant_id = $1 AND delivery_id = $2"};
  const pqxx::result rows = session.Exec(kRead, tenant.str(), id.str());
  if (rows.empty()) return std::nullopt;
  LoggedDelivery delivery = DeliveryOf(rows[0]);
  delivery.attempts = ReadAttempts(session, tenant, id);
  return delivery;
}

std::optional<std::string> ReadBody(postgres::Session& session, const TenantId& tenant,
                                    const DeliveryId& id) {
  static constexpr Statement kRead{
      "delivery_log_body", "SELECT body FROM webhook_delivery WHERE tenant_id = $1 AND delivery_id = $2"};
  const pqxx::result rows = session.Exec(kRead, tenant.str(), id.str());
  if (rows.empty()) return std::nullopt;
  return rows[0][0].as<std::string>();
}

}  // namespace bv::webhook
