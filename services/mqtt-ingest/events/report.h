// What a device reports, read from its message, and the event that tells of it.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "libs/base/values.h"
#include "libs/events/outbox.h"
#include "services/mqtt-ingest/domain/account.h"
#include "services/mqtt-ingest/ingest/received.h"

namespace bv::mqtt_ingest {

// −kDeltaMax to kDeltaMax, not 0.
inline constexpr std::int64_t kDeltaMax = 1'000'000'000;

struct Report {
  Account account;
  SkuCode sku;
  // The device's own id of the message, 1 to 64 characters, or the broker's.
  std::string message_id;
  std::int64_t delta = 0;
  ReasonCode reason;
  // Empty: the device does not say.
  LocationCode location;
  absl::Time received_at;
};

// UNAUTHENTICATED or INVALID_ARGUMENT with a reason and the field, for what is no report.
absl::StatusOr<Report> ReadReport(const Received& received);

// ecommerce.inventory.device.delta_reported.v1. The same report has the same event id. Errors as of
// events::MakeRow.
absl::StatusOr<events::OutboxRow> DeltaReportedRow(const Report& report);

}  // namespace bv::mqtt_ingest
