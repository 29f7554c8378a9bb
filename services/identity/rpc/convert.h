// protobuf ↔ the domain.
#pragma once

#include <absl/status/statusor.h>

#include <optional>
#include <string>
#include <vector>

#include "commerce/identity/v1/service.pb.h"
#include "services/identity/domain/revocation.h"
#include "services/identity/domain/staff.h"
#include "services/identity/domain/store.h"
#include "services/identity/events/identity_events.h"

namespace bv::identity {

// INVALID_ARGUMENT as the contract says.
absl::Status CheckRequest(const pb::RevokeTokensRequest& request);
absl::Status CheckRequest(const pb::ListRevocationsRequest& request);

// STAFF_NOT_FOUND for what is no such id.
absl::StatusOr<StaffId> StaffIdFromProto(const std::string& text);
// In lower case.
absl::StatusOr<Email> EmailFromProto(const std::string& text);
absl::StatusOr<std::vector<Grant>> FromProto(const google::protobuf::RepeatedPtrField<pb::Grant>& grants);
// None for every status.
absl::StatusOr<std::optional<StaffStatus>> FromProto(pb::StaffStatus status);
absl::StatusOr<Store> FromProto(const pb::CreateStoreRequest& request);

pb::Revocation ToProto(const Revocation& revocation);
pb::StaffMember ToProto(const Staff& staff);
pb::Store ToProto(const Store& store);

}  // namespace bv::identity
