// What people changed, as entries of the audit trail, in the transaction of the change. They throw what
// libpqxx throws.
#pragma once

#include <absl/status/status.h>

#include <optional>
#include <string>

#include "libs/base/request_context.h"
#include "libs/postgres/postgres.h"
#include "services/identity/domain/revocation.h"
#include "services/identity/domain/staff.h"
#include "services/identity/domain/store.h"

namespace bv::identity {

// `before` is absent for a new one. The action is "staff.invited" and so on; no code is in the entry.
absl::Status RecordStaff(postgres::Session& session, const RequestContext& context, const std::string& action,
                         const std::optional<Staff>& before, const Staff& after);
absl::Status RecordRevocation(postgres::Session& session, const RequestContext& context,
                              const Revocation& revocation);
absl::Status RecordStore(postgres::Session& session, const RequestContext& context,
                         const std::optional<Store>& before, const Store& after);

}  // namespace bv::identity
