// What people changed, as entries of the audit trail, in the transaction of the change. Nothing is recorded
// of what changed nothing. They throw what libpqxx throws.
#pragma once

#include <absl/status/status.h>

#include <optional>
#include <string>

#include "libs/base/request_context.h"
#include "services/mailer/store/mail_rows.h"

namespace bv::mailer {

// `after` is absent when there is no sender any more.
absl::Status RecordSender(postgres::Session& session, const RequestContext& context,
                          const std::optional<Sender>& before, const std::optional<Sender>& after);

// Of the address with this hash, by which the trail names it.
absl::Status RecordAddress(postgres::Session& session, const RequestContext& context, const std::string& hash,
                           const std::optional<Suppression>& before, const std::optional<Suppression>& after);

}  // namespace bv::mailer
