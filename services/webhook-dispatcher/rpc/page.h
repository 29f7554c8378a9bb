// Pages of lists: sizes, and tokens that say where the next page begins, encoded so that nobody builds on
// their form.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <optional>
#include <string>

#include "services/webhook-dispatcher/store/delivery_log.h"

namespace bv::webhook {

// 20 for 0. INVALID_ARGUMENT unless it is 1 to 100.
absl::StatusOr<int> PageSize(int asked);

// Of the last entry of the page before. The inverses are INVALID_ARGUMENT for what is no token of that list;
// of an empty one, where the list begins.
std::string TokenOf(const SubscriptionId& last);
absl::StatusOr<SubscriptionId> SubscriptionBefore(const std::string& token);
std::string TokenOf(std::int64_t last_number);
absl::StatusOr<std::int64_t> NumberBefore(const std::string& token);
std::string TokenOf(const LogPlace& last);
absl::StatusOr<std::optional<LogPlace>> PlaceBefore(const std::string& token);

}  // namespace bv::webhook
