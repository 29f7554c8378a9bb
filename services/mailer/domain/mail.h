// A mail about an order, and what becomes of it.
#pragma once

#include <absl/time/time.h>

#include <optional>
#include <string>
#include <string_view>

#include "libs/base/id.h"
#include "libs/base/values.h"

namespace bv::mailer {

BV_DEFINE_ID(MailId, "mail");

enum class Kind {
  kOrderPlaced,
  kOrderPaid,
  kPaymentFailed,
  kOrderShippedInPart,
  kOrderShipped,
  kOrderCanceled
};
inline constexpr Kind kKinds[] = {Kind::kOrderPlaced,        Kind::kOrderPaid,    Kind::kPaymentFailed,
                                  Kind::kOrderShippedInPart, Kind::kOrderShipped, Kind::kOrderCanceled};
// "ORDER_PLACED"
std::string_view Word(Kind kind);
std::optional<Kind> KindOf(std::string_view word);

enum class Status { kQueued, kSent, kFailed, kSuppressed };
std::string_view Word(Status status);
std::optional<Status> StatusOf(std::string_view word);

// That `order` has come to `version` is worth this mail. Its id is the same for the same event, however often
// that is read.
struct Occasion {
  TenantId tenant;
  OrderId order;
  std::int64_t version = 0;
  Kind kind = Kind::kOrderPlaced;
  absl::Time occurred_at;

  MailId id() const;
};

// Before the attempt after this many: `first`, doubled with each, up to an hour.
absl::Duration PauseAfter(int attempts, absl::Duration first);

}  // namespace bv::mailer
