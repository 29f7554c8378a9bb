#include "services/mailer/rpc/record.h"

#include "libs/audit/audit.h"
#include "libs/base/macros.h"
#include "services/mailer/rpc/convert.h"

namespace bv::mailer {

namespace pb = commerce::mail::v1;

absl::Status RecordSender(postgres::Session& session, const RequestContext& context,
                          const std::optional<Sender>& before, const std::optional<Sender>& after) {
  const pb::Sender was = before ? ToProto(*before) : pb::Sender(),
                   is = after ? ToProto(*after) : pb::Sender();
  ASSIGN_OR_RETURN(audit::Difference difference,
                   audit::Compare(before ? &was : nullptr, after ? &is : nullptr));
  if (difference.empty()) return absl::OkStatus();
  const audit::Change change{.action = after ? "mail_sender.set" : "mail_sender.removed",
                             .object_type = "mail_sender",
                             .object_id = context.tenant.str(),
                             .difference = std::move(difference)};
  return audit::Record(session, context, change);
}

absl::Status RecordAddress(postgres::Session& session, const RequestContext& context, const std::string& hash,
                           const std::optional<Suppression>& before,
                           const std::optional<Suppression>& after) {
  const pb::AddressState was = ToProto(before), is = ToProto(after);
  ASSIGN_OR_RETURN(audit::Difference difference, audit::Compare(&was, &is));
  if (difference.empty()) return absl::OkStatus();
  const audit::Change change{.action = after ? "mail_address.suppressed" : "mail_address.allowed",
                             .object_type = "mail_address",
                             .object_id = hash,
                             .difference = std::move(difference)};
  return audit::Record(session, context, change);
}

}  // namespace bv::mailer
