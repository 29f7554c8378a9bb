#include "services/audit-trail/events/trail.h"

#include <algorithm>
#include <map>

#include "commerce/audit/v1/events.pb.h"
#include "libs/base/crash_point.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "services/audit-trail/store/entry_rows.h"

namespace bv::audit_trail {
namespace {

namespace pb = commerce::audit::v1;

std::string WordOf(pb::AuditOutcome outcome) {
  switch (outcome) {
    case pb::AUDIT_OUTCOME_DENIED:
      return "DENIED";
    case pb::AUDIT_OUTCOME_FAILED:
      return "FAILED";
    default:
      return "DONE";
  }
}

// PostgreSQL keeps no NUL in a text; nobody shall escape the trail by one.
std::string Storable(std::string text) {
  std::ranges::replace(text, '\0', ' ');
  return text;
}

// Returns how many were not there yet.
int Chain(postgres::Session& session, const TenantId& tenant, std::vector<Entry>& entries) {
  Head head = LockHead(session, tenant);
  int added = 0;
  for (Entry& entry : entries) {
    Head next = head;
    entry.recorded_at = session.transaction_time();
    Append(tenant, entry, next);
    if (!InsertEntry(session, tenant, entry)) continue;
    head = std::move(next);
    ++added;
  }
  if (added > 0) StoreHead(session, tenant, head);
  return added;
}

}  // namespace

absl::StatusOr<Entry> EntryOf(const events::Event& event) {
  pb::AuditRecorded recorded;
  RETURN_IF_ERROR(event.envelope.ParsePayload(recorded));
  Entry entry{.id = std::string(event.envelope.event_id()),
              .occurred_at = event.envelope.occurred_at(),
              .outcome = WordOf(recorded.outcome()),
              .correlation_id = Storable(std::string(event.envelope.correlation_id()))};
  const std::pair<std::string Entry::*, std::string*> texts[] = {
      {&Entry::actor, recorded.mutable_actor()},
      {&Entry::role, recorded.mutable_role()},
      {&Entry::action, recorded.mutable_action()},
      {&Entry::object_type, recorded.mutable_object_type()},
      {&Entry::object_id, recorded.mutable_object_id()},
      {&Entry::reason, recorded.mutable_reason()},
      {&Entry::before, recorded.mutable_before()},
      {&Entry::after, recorded.mutable_after()}};
  for (const auto& [field, text] : texts) entry.*field = Storable(std::move(*text));
  if (entry.actor.empty() || entry.action.empty() || entry.object_id.empty())
    return InvalidValue("payload", "must name an actor, an action and an object");
  return entry;
}

const std::string& Trail::Topic() {
  return events::TypeOf<pb::AuditRecorded>().topic;
}

Trail::Trail(const kafka::ConsumerSettings& kafka, const postgres::ConnectionSettings& connection,
             const std::string& group, const std::string& topic)
    : session_(connection, postgres::Plans::kIndexOnly),
      chained_(telemetry::Counter("audit_entries_total", "Entries that were put into a chain.")),
      consumer_(kafka, {.group = group, .topics = {topic}, .types = events::TypeNames<pb::AuditRecorded>()},
                [this](std::span<const events::Event> events) { return Handle(events); }) {}

absl::StatusOr<events::Answers> Trail::Handle(std::span<const events::Event> events) {
  events::Answers answers;
  // Sorted, so that replicas lock the chains in the same order.
  std::map<TenantId, std::vector<Entry>> by_tenant;
  for (const events::Event& event : events) {
    absl::StatusOr<Entry> entry = EntryOf(event);
    answers.push_back(entry.ok() ? events::Answer::Done() : events::Answer::Refused(entry.status()));
    if (entry.ok()) by_tenant[event.context.tenant].push_back(*std::move(entry));
  }
  if (by_tenant.empty()) return answers;
  std::vector<TenantId> tenants;
  for (const auto& [tenant, entries] : by_tenant) tenants.push_back(tenant);
  int added = 0;
  RETURN_IF_ERROR(session_.Transact(tenants, [&](postgres::Session& session) {
    for (auto& [tenant, entries] : by_tenant) added += Chain(session, tenant, entries);
    CrashPoint("audit-trail.entries.written");
    return absl::OkStatus();
  }));
  CrashPoint("audit-trail.entries.chained");
  chained_.Increment(added);
  return answers;
}

}  // namespace bv::audit_trail
