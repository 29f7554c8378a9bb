// Who sent a message and what it is about, as the broker says it.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <string_view>

#include "libs/base/values.h"

namespace bv::mqtt_ingest {

// The topics that devices report to: "iot/inventory/TENT/delta".
inline constexpr char kTopicFilter[] = "iot/inventory/+/delta";

// A device's account at the broker, "<tenant>/<device>".
struct Account {
  TenantId tenant;
  // 1 to 64 of A-Z a-z 0-9 . _ -
  std::string device;

  // UNAUTHENTICATED, reason ACCOUNT_MISSING, when the broker vouched for none; INVALID_ARGUMENT, reason
  // ACCOUNT_UNKNOWN, for one that is no device's.
  static absl::StatusOr<Account> Parse(std::string_view text);
};

// INVALID_ARGUMENT, reason INVALID_VALUE.
absl::StatusOr<SkuCode> SkuOfTopic(std::string_view topic);

}  // namespace bv::mqtt_ingest
