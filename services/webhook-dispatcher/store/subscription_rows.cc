#include "services/webhook-dispatcher/store/subscription_rows.h"

#include <absl/strings/str_split.h>

#include <string>

namespace bv::webhook {
namespace {

using postgres::ArrayLiteral;
using postgres::Statement;

// No type and no code of a store has a comma in it.
#define BV_SUBSCRIPTION_COLUMNS                                                                   \
  "tenant_id, subscription_id, url, array_to_string(event_types, ',') AS event_types, "           \
  "array_to_string(store_codes, ',') AS store_codes, description, status, "                       \
  "disabled_reason, delivery_order, secret, previous_secret, "                                    \
  "(extract(epoch FROM previous_secret_until) * 1e6)::bigint AS previous_secret_until, version, " \
  "(extract(epoch FROM created_at) * 1e6)::bigint AS created_at, "                                \
  "(extract(epoch FROM updated_at) * 1e6)::bigint AS updated_at "

Subscription SubscriptionOf(const pqxx::row& row) {
  Subscription subscription;
  subscription.tenant = TenantId::Trusted(row["tenant_id"].as<std::string>());
  subscription.id = SubscriptionId::Trusted(row["subscription_id"].as<std::string>());
  subscription.url = row["url"].as<std::string>();
  subscription.event_types = absl::StrSplit(row["event_types"].c_str(), ',');
  const std::vector<std::string> stores = absl::StrSplit(row["store_codes"].c_str(), ',', absl::SkipEmpty());
  for (const std::string& code : stores) subscription.stores.push_back(StoreCode::Trusted(code));
  subscription.description = row["description"].as<std::string>();
  subscription.status = StatusOf(row["status"].c_str());
  if (!row["disabled_reason"].is_null())
    subscription.disabled_reason = ReasonOf(row["disabled_reason"].c_str());
  subscription.order = OrderOf(row["delivery_order"].c_str());
  subscription.secret = Secret::Trusted(row["secret"].as<std::string>());
  subscription.previous_secret = Secret::Trusted(row["previous_secret"].as<std::string>());
  if (!row["previous_secret_until"].is_null())
    subscription.previous_secret_until = postgres::TimeFromMicros(row["previous_secret_until"]);
  subscription.version = row["version"].as<std::int64_t>();
  subscription.created_at = postgres::TimeFromMicros(row["created_at"]);
  subscription.updated_at = postgres::TimeFromMicros(row["updated_at"]);
  return subscription;
}

std::optional<Subscription> OnlyOf(const pqxx::result& rows) {
  if (rows.empty()) return std::nullopt;
  return SubscriptionOf(rows[0]);
}

std::string StoresColumn(const Subscription& subscription) {
  std::vector<std::string> codes;
  for (const StoreCode& store : subscription.stores) codes.push_back(store.str());
  return ArrayLiteral(codes);
}

std::string ReasonWord(const Subscription& subscription) {
  return subscription.disabled_reason ? std::string(Word(*subscription.disabled_reason)) : std::string();
}

}  // namespace

std::optional<Subscription> ReadSubscription(postgres::Session& session, const TenantId& tenant,
                                             const SubscriptionId& id) {
  static constexpr Statement kRead{"subscription_read",
                                   "SELECT " BV_SUBSCRIPTION_COLUMNS
                                   "FROM webhook_subscription "
                                   "WHERE tenant_id = $1 AND subscription_id = $2 AND deleted_at IS NULL"};
  return OnlyOf(session.Exec(kRead, tenant.str(), id.str()));
}

std::optional<Subscription> LockSubscription(postgres::Session& session, const TenantId& tenant,
                                             const SubscriptionId& id) {
  static constexpr Statement kLock{"subscription_lock",
                                   "SELECT " BV_SUBSCRIPTION_COLUMNS
                                   "FROM webhook_subscription "
                                   "WHERE tenant_id = $1 AND subscription_id = $2 AND deleted_at IS NULL "
                                   "FOR NO KEY UPDATE"};
  return OnlyOf(session.Exec(kLock, tenant.str(), id.str()));
}

std::vector<Subscription> ListSubscriptions(postgres::Session& session, const TenantId& tenant,
                                            const SubscriptionId& after, int limit) {
  static constexpr Statement kList{"subscription_list",
                                   "SELECT " BV_SUBSCRIPTION_COLUMNS
                                   "FROM webhook_subscription "
                                   "WHERE tenant_id = $1 AND subscription_id > $2 AND deleted_at IS NULL "
                                   "ORDER BY subscription_id LIMIT $3::int"};
  std::vector<Subscription> subscriptions;
  for (const pqxx::row& row : session.Exec(kList, tenant.str(), after.str(), limit))
    subscriptions.push_back(SubscriptionOf(row));
  return subscriptions;
}

int LockAndCountSubscriptions(postgres::Session& session, const TenantId& tenant) {
  static constexpr Statement kLock{
      "subscription_lock_tenant",
      "SELECT pg_advisory_xact_lock(hashtext('webhook_subscription'), hashtext($1))"};
  static constexpr Statement kCount{
      "subscription_count",
      "SELECT count(*) FROM webhook_subscription WHERE tenant_id = $1 AND deleted_at IS NULL"};
  session.Exec(kLock, tenant.str());
  return session.Exec(kCount, tenant.str())[0][0].as<int>();
}

void InsertSubscription(postgres::Session& session, Subscription& subscription) {
  static constexpr Statement kInsert{"subscription_insert", R"sql(
    INSERT INTO webhook_subscription (tenant_id, subscription_id, url, event_types, description, status, delivery_order, secret, store_codes)
    VALUES ($1, $2, $3, $4::text[], $5, $6, $7, $8, $9::text[])
  )sql"};
  session.Exec(kInsert, subscription.tenant.str(), subscription.id.str(), subscription.url,
               ArrayLiteral(subscription.event_types), subscription.description,
               std::string(Word(subscription.status)), std::string(Word(subscription.order)),
               subscription.secret.text(), StoresColumn(subscription));
  subscription.created_at = subscription.updated_at = session.transaction_time();
}

void UpdateSubscription(postgres::Session& session, Subscription& subscription) {
  static constexpr Statement kUpdate{"subscription_update", R"sql(
    UPDATE webhook_subscription
    SET url = $4, event_types = $5::text[], description = $6, status = $7, disabled_reason = nullif($8, ''), secret = $9,
        previous_secret = $10, previous_secret_until = CASE WHEN $10 <> '' THEN to_timestamp($11::bigint / 1e6) END,
        store_codes = $12::text[], version = version + 1, updated_at = now()
    WHERE tenant_id = $1 AND subscription_id = $2 AND version = $3::bigint
  )sql"};
  const pqxx::result updated =
      session.Exec(kUpdate, subscription.tenant.str(), subscription.id.str(), subscription.version,
                   subscription.url, ArrayLiteral(subscription.event_types), subscription.description,
                   std::string(Word(subscription.status)), ReasonWord(subscription),
                   subscription.secret.text(), subscription.previous_secret.text(),
                   absl::ToUnixMicros(subscription.previous_secret_until), StoresColumn(subscription));
  if (updated.affected_rows() != 1) throw pqxx::usage_error("a subscription that was not locked has changed");
  ++subscription.version;
  subscription.updated_at = session.transaction_time();
}

bool MarkDeleted(postgres::Session& session, const TenantId& tenant, const SubscriptionId& id) {
  static constexpr Statement kDelete{"subscription_delete", R"sql(
    UPDATE webhook_subscription
    SET deleted_at = now(), url = '', secret = '', previous_secret = '', previous_secret_until = NULL, version = version + 1, updated_at = now()
    WHERE tenant_id = $1 AND subscription_id = $2 AND deleted_at IS NULL
  )sql"};
  return session.Exec(kDelete, tenant.str(), id.str()).affected_rows() == 1;
}

bool WasDeleted(postgres::Session& session, const TenantId& tenant, const SubscriptionId& id) {
  static constexpr Statement kRead{
      "subscription_was_deleted",
      "SELECT FROM webhook_subscription "
      "WHERE tenant_id = $1 AND subscription_id = $2 AND deleted_at IS NOT NULL"};
  return !session.Exec(kRead, tenant.str(), id.str()).empty();
}

void ForgetDeleted(postgres::Session& session, const TenantId& tenant) {
  // An index of them is not worth it: a tenant has few.
  static constexpr Statement kForget{"subscription_forget", R"sql(
    WITH old AS (
      DELETE FROM webhook_subscription WHERE tenant_id = $1 AND deleted_at < now() - interval '35 days' RETURNING subscription_id
    )
    DELETE FROM webhook_subscription_audit WHERE tenant_id = $1 AND subscription_id = ANY (ARRAY(SELECT subscription_id FROM old))
  )sql"};
  session.Exec(kForget, tenant.str());
}

std::vector<SubscriptionChanged> ListChanges(postgres::Session& session, std::int64_t after, int limit) {
  static constexpr Statement kList{"subscription_changes",
                                   "SELECT " BV_SUBSCRIPTION_COLUMNS
                                   ", change, deleted_at IS NOT NULL AS deleted "
                                   "FROM webhook_subscription WHERE change > $1::bigint "
                                   "ORDER BY change LIMIT $2::int"};
  std::vector<SubscriptionChanged> changes;
  for (const pqxx::row& row : session.Exec(kList, after, limit)) {
    changes.push_back({.change = row["change"].as<std::int64_t>(),
                       .deleted = row["deleted"].as<bool>(),
                       .subscription = SubscriptionOf(row)});
  }
  return changes;
}

}  // namespace bv::webhook
