// Who did what: an entry of the audit trail is an event of the same transaction as the change, so nothing is
// done without its entry, and nothing is recorded that was not done.
//
//   ASSIGN_OR_RETURN(audit::Difference difference, audit::Compare(&before, &after));
//   RETURN_IF_ERROR(audit::Record(session, context,
//                                 {.action = "price.override_set",
//                                  .object_type = "price",
//                                  .object_id = sku.str(),
//                                  .difference = std::move(difference)}));
//
// services/audit-trail takes the entries from Kafka and makes a chain of them.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <string>

#include "libs/audit/difference.h"
#include "libs/base/request_context.h"
#include "libs/events/outbox.h"
#include "libs/postgres/postgres.h"

namespace bv::audit {

enum class Outcome { kDone, kDenied, kFailed };

struct Change {
  // "price.override_set": what it is about, and what was done.
  std::string action;
  // "price"
  std::string object_type;
  // As the API has it; not empty. No personal data: an address is named by its hash.
  std::string object_id;
  Difference difference = {};
  Outcome outcome = Outcome::kDone;
  // A word or a sentence without personal data; cut at 300 bytes.
  std::string reason = {};
};

// Whether what is done in this context is recorded: what people do is, CUSTOMER, STAFF and ADMIN. What the
// fleet does by itself is in its events.
bool IsPerson(const RequestContext& context);

// The entry as a row of the outbox, for a writer that inserts several rows by one statement. `context` is a
// person's. INTERNAL as of events::MakeRow.
absl::StatusOr<events::OutboxRow> MakeEntry(const Change& change, absl::Time occurred_at,
                                            const RequestContext& context);

// Inserts the entry in the session's transaction, while the object's row is locked, so that its entries are
// in the order of its changes. Does nothing unless IsPerson(context). Throws what libpqxx throws.
absl::Status Record(postgres::Session& session, const RequestContext& context, const Change& change);

}  // namespace bv::audit
