#include "services/identity/store/revoke.h"

#include "libs/base/crash_point.h"
#include "libs/base/macros.h"
#include "libs/events/outbox.h"
#include "services/identity/events/identity_events.h"
#include "services/identity/store/record.h"
#include "services/identity/store/revocation_rows.h"

namespace bv::identity {

absl::StatusOr<Revocation> Revoke(postgres::Session& session, const RequestContext& context,
                                  const std::string& subject, const std::string& token_id,
                                  absl::Duration lifetime_max, std::int64_t change) {
  Revocation revocation =
      StoreRevocation(session, context.tenant, subject, token_id, context.user_id, lifetime_max);
  ASSIGN_OR_RETURN(const events::OutboxRow event, RevokedEvent(revocation, change, context));
  events::InsertOutbox(session, {event});
  RETURN_IF_ERROR(RecordRevocation(session, context, revocation));
  CrashPoint("identity.revocation.written");
  session.OnCommit([] { CrashPoint("identity.revocation.committed"); });
  return revocation;
}

}  // namespace bv::identity
