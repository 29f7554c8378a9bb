#include "libs/audit/audit.h"

#include <algorithm>

#include "commerce/audit/v1/events.pb.h"
#include "libs/base/macros.h"

namespace bv::audit {
namespace {

namespace pb = commerce::audit::v1;

constexpr std::size_t kReasonBytesMax = 300;

pb::AuditOutcome ToProto(Outcome outcome) {
  switch (outcome) {
    case Outcome::kDone:
      return pb::AUDIT_OUTCOME_DONE;
    case Outcome::kDenied:
      return pb::AUDIT_OUTCOME_DENIED;
    case Outcome::kFailed:
      return pb::AUDIT_OUTCOME_FAILED;
  }
  return pb::AUDIT_OUTCOME_UNSPECIFIED;
}

std::string WordOf(Role role) {
  switch (role) {
    case Role::kCustomer:
      return "CUSTOMER";
    case Role::kStaff:
      return "STAFF";
    case Role::kAdmin:
      return "ADMIN";
    case Role::kNone:
    case Role::kService:
    case Role::kOperator:
      break;
  }
  return {};
}

// Not within a character of UTF-8.
std::string Cut(const std::string& text) {
  std::size_t end = std::min(text.size(), kReasonBytesMax);
  while (end > 0 && end < text.size() && (text[end] & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

}  // namespace

bool IsPerson(const RequestContext& context) {
  return !WordOf(context.role).empty();
}

absl::StatusOr<events::OutboxRow> MakeEntry(const Change& change, absl::Time occurred_at,
                                            const RequestContext& context) {
  pb::AuditRecorded recorded;
  recorded.set_object_type(change.object_type);
  recorded.set_object_id(change.object_id);
  recorded.set_action(change.action);
  recorded.set_actor(context.user_id);
  recorded.set_role(WordOf(context.role));
  recorded.set_outcome(ToProto(change.outcome));
  recorded.set_reason(Cut(change.reason));
  recorded.set_before(change.difference.before);
  recorded.set_after(change.difference.after);
  // Objects of many kinds have entries and no common number, so it is the time.
  return events::MakeRow(recorded, absl::ToUnixMicros(occurred_at), occurred_at, context);
}

absl::Status Record(postgres::Session& session, const RequestContext& context, const Change& change) {
  if (!IsPerson(context)) return absl::OkStatus();
  ASSIGN_OR_RETURN(events::OutboxRow entry, MakeEntry(change, session.transaction_time(), context));
  events::InsertOutbox(session, {std::move(entry)});
  return absl::OkStatus();
}

}  // namespace bv::audit
