// The events of this service, for the outbox.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>

#include "commerce/identity/v1/events.pb.h"
#include "libs/events/outbox.h"
#include "services/identity/domain/revocation.h"
#include "services/identity/domain/staff.h"

namespace bv::identity {

namespace pb = commerce::identity::v1;

pb::StaffStatus ToProto(StaffStatus status);
pb::Grant ToProto(const Grant& grant);

// AccessRevoked. `change` is the number of the tenant's change, which grows.
absl::StatusOr<events::OutboxRow> RevokedEvent(const Revocation& revocation, std::int64_t change,
                                               const RequestContext& context);

// StaffChanged, of an account that has a user.
absl::StatusOr<events::OutboxRow> StaffEvent(const Staff& staff, const RequestContext& context);

}  // namespace bv::identity
