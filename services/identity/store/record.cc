#include "services/identity/store/record.h"

#include "libs/audit/audit.h"
#include "libs/base/macros.h"
#include "services/identity/rpc/convert.h"

namespace bv::identity {
namespace {

// As the API shows them.
template <class Message>
absl::Status Record(postgres::Session& session, const RequestContext& context, audit::Change change,
                    const std::optional<Message>& before, const Message& after) {
  ASSIGN_OR_RETURN(change.difference, audit::Compare(before ? &*before : nullptr, &after));
  return audit::Record(session, context, change);
}

}  // namespace

absl::Status RecordStaff(postgres::Session& session, const RequestContext& context, const std::string& action,
                         const std::optional<Staff>& before, const Staff& after) {
  std::optional<pb::StaffMember> was;
  if (before) was = ToProto(*before);
  audit::Change change{.action = action, .object_type = "staff", .object_id = after.id.str()};
  return Record(session, context, std::move(change), was, ToProto(after));
}

absl::Status RecordRevocation(postgres::Session& session, const RequestContext& context,
                              const Revocation& revocation) {
  audit::Change change{.action = "access.revoked", .object_type = "access", .object_id = revocation.subject};
  return Record(session, context, std::move(change), std::optional<pb::Revocation>(), ToProto(revocation));
}

absl::Status RecordStore(postgres::Session& session, const RequestContext& context,
                         const std::optional<Store>& before, const Store& after) {
  std::optional<pb::Store> was;
  if (before) was = ToProto(*before);
  audit::Change change{.action = before ? "store.closed" : "store.created",
                       .object_type = "store",
                       .object_id = after.code.str()};
  return Record(session, context, std::move(change), was, ToProto(after));
}

}  // namespace bv::identity
