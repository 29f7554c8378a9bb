#include "services/order/store/process_rows.h"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "libs/telemetry/telemetry.h"

namespace bv::order {
namespace {

using postgres::ArrayLiteral;
using postgres::Statement;

std::string PayloadOf(const Process& process) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer writer(buffer);
  const auto text = [&writer](const char* name, const std::string& value) {
    if (value.empty()) return;
    writer.Key(name);
    writer.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  };
  writer.StartObject();
  text("id", process.id);
  text("paymentId", process.payment.str());
  text("reference", process.reference);
  text("reason", process.reason);
  if (!process.shipments.empty()) {
    writer.Key("shipmentIds");
    writer.StartArray();
    for (const ShipmentId& shipment : process.shipments) writer.String(shipment.str().c_str());
    writer.EndArray();
  }
  text("correlationId", process.correlation_id);
  text("traceparent", process.trace.ToTraceparent());
  writer.EndObject();
  return buffer.GetString();
}

void SetFromPayload(const std::string& payload, Process& process) {
  rapidjson::Document document;
  document.Parse(payload.data(), payload.size());
  if (!document.IsObject()) return;
  const auto text = [&document](const char* name) -> std::string {
    const auto member = document.FindMember(name);
    if (member == document.MemberEnd() || !member->value.IsString()) return {};
    return {member->value.GetString(), member->value.GetStringLength()};
  };
  process.id = text("id");
  process.payment = PaymentId::Trusted(text("paymentId"));
  process.reference = text("reference");
  process.reason = text("reason");
  process.correlation_id = text("correlationId");
  process.trace = telemetry::ParseTraceparent(text("traceparent"));
  const auto shipments = document.FindMember("shipmentIds");
  if (shipments == document.MemberEnd() || !shipments->value.IsArray()) return;
  for (const auto& shipment : shipments->value.GetArray())
    process.shipments.push_back(ShipmentId::Trusted(shipment.GetString()));
}

// Of the columns tenant_id, order_id, kind, payload, actor, attempts.
TenantProcess ProcessOf(const pqxx::row& row) {
  TenantProcess owned{TenantId::Trusted(row[0].as<std::string>()),
                      {.order = OrderId::Trusted(row[1].as<std::string>()),
                       .kind = ProcessKindOf(row[2].as<std::string>()),
                       .actor = row[4].as<std::string>(),
                       .attempts = row[5].as<int>()}};
  SetFromPayload(row[3].as<std::string>(), owned.process);
  return owned;
}

}  // namespace

void InsertProcesses(postgres::Session& session, const std::vector<TenantProcess>& processes,
                     absl::Duration lease) {
  static constexpr Statement kInsert{"process_insert", R"sql(
    INSERT INTO order_process (tenant_id, order_id, kind, payload, actor, next_at)
    SELECT tenant_id, order_id, kind, payload, actor, now() + $6 * interval '1 millisecond'
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) AS k (tenant_id, order_id, kind, payload, actor)
  )sql"};
  if (processes.empty()) return;
  std::vector<std::string> tenants, orders, kinds, payloads, actors;
  for (const auto& [tenant, process] : processes) {
    tenants.push_back(tenant.str());
    orders.push_back(process.order.str());
    kinds.emplace_back(Word(process.kind));
    payloads.push_back(PayloadOf(process));
    actors.push_back(process.actor);
  }
  session.Exec(kInsert, ArrayLiteral(tenants), ArrayLiteral(orders), ArrayLiteral(kinds),
               ArrayLiteral(payloads), ArrayLiteral(actors), absl::ToInt64Milliseconds(lease));
}

std::map<OrderKey, Process> ReadProcesses(postgres::Session& session, const std::vector<OrderKey>& orders) {
  static constexpr Statement kRead{"process_read", R"sql(
    SELECT k.tenant_id, k.order_id, p.kind, p.payload, p.actor, p.attempts
    FROM unnest($1::text[], $2::text[]) AS k (tenant_id, order_id)
    CROSS JOIN LATERAL (
      SELECT kind, payload, actor, attempts FROM order_process WHERE tenant_id = k.tenant_id AND order_id = k.order_id
      OFFSET 0  -- a lookup for each key, whatever the planner thinks of the table
    ) p
  )sql"};
  const OrderKeyColumns keys(orders);
  std::map<OrderKey, Process> found;
  for (const pqxx::row& row : session.Exec(kRead, ArrayLiteral(keys.tenants), ArrayLiteral(keys.orders))) {
    TenantProcess owned = ProcessOf(row);
    found[{owned.tenant.str(), owned.process.order.str()}] = std::move(owned.process);
  }
  return found;
}

void DeleteProcesses(postgres::Session& session, const std::vector<OrderKey>& orders) {
  static constexpr Statement kDelete{"process_delete", R"sql(
    MERGE INTO order_process p
    USING unnest($1::text[], $2::text[]) AS k (tenant_id, order_id)
    ON p.tenant_id = k.tenant_id AND p.order_id = k.order_id
    WHEN MATCHED THEN DELETE
    WHEN NOT MATCHED AND false THEN INSERT DEFAULT VALUES  -- an outer join: a look-up for each key, whatever the planner thinks of the table
  )sql"};
  if (orders.empty()) return;
  const OrderKeyColumns keys(orders);
  session.Exec(kDelete, ArrayLiteral(keys.tenants), ArrayLiteral(keys.orders));
}

std::vector<TenantProcess> TakeDueProcesses(postgres::Session& session, int limit, absl::Duration lease) {
  // They are there, so the conflict with their keys updates them; no planner can turn that into a scan.
  static constexpr Statement kTake{"process_take", R"sql(
    WITH due AS MATERIALIZED (
      SELECT tenant_id, order_id, kind, payload, actor FROM order_process WHERE next_at <= now()
      ORDER BY next_at LIMIT $1 FOR UPDATE SKIP LOCKED
    )
    INSERT INTO order_process AS p (tenant_id, order_id, kind, payload, actor, next_at)
    SELECT tenant_id, order_id, kind, payload, actor, now() + $2 * interval '1 millisecond' FROM due
    ON CONFLICT (tenant_id, order_id) DO UPDATE SET next_at = excluded.next_at, attempts = p.attempts + 1
    RETURNING p.tenant_id, p.order_id, p.kind, p.payload, p.actor, p.attempts
  )sql"};
  std::vector<TenantProcess> taken;
  for (const pqxx::row& row : session.Exec(kTake, limit, absl::ToInt64Milliseconds(lease)))
    taken.push_back(ProcessOf(row));
  return taken;
}

void PostponeProcess(postgres::Session& session, const TenantProcess& owned, absl::Duration pause,
                     const std::string& error) {
  static constexpr Statement kPostpone{"process_postpone", R"sql(
    UPDATE order_process SET next_at = now() + $4 * interval '1 millisecond', last_error = $5
    WHERE tenant_id = $1 AND order_id = $2 AND payload::json ->> 'id' = $3
  )sql"};
  session.Exec(kPostpone, owned.tenant.str(), owned.process.order.str(), owned.process.id,
               absl::ToInt64Milliseconds(pause), error);
}

}  // namespace bv::order
