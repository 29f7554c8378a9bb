// protobuf ↔ entries.
#pragma once

#include <absl/status/statusor.h>

#include "commerce/audit/v1/service.pb.h"
#include "services/audit-trail/store/entry_rows.h"

namespace bv::audit_trail {

// limit is the size of the page. INVALID_ARGUMENT names the field.
absl::StatusOr<EntryFilter> FromProto(const commerce::audit::v1::ListEntriesRequest& request);

// What is to be verified: entries first ≤ number, at most limit.
struct Part {
  std::int64_t first = 1;
  int limit = 0;
};
absl::StatusOr<Part> FromProto(const commerce::audit::v1::VerifyChainRequest& request);

commerce::audit::v1::Entry ToProto(const Entry& entry);
// Names `last` as the last entry of its page.
std::string ToPageToken(const Entry& last);

}  // namespace bv::audit_trail
