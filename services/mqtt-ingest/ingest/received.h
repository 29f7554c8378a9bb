// A message of a device as it was received, and as it stands in the journal.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace bv::mqtt_ingest {

struct Received {
  // By the wall clock.
  absl::Time at;
  std::string topic;
  // The user name at the broker; empty when the broker did not vouch for one.
  std::string account;
  // Makes the message one, also when it is delivered again: the broker's, or else made at reception.
  std::string id;
  // Its first kPayloadBytesKept.
  std::string payload;
  // Of the whole payload.
  std::uint64_t payload_bytes = 0;
};

// Far more than a report needs. What is longer is refused, so the rest need not be kept.
inline constexpr std::size_t kPayloadBytesKept = 4'096;

std::string Encode(const Received& received);
// DATA_LOSS for what Encode did not write.
absl::StatusOr<Received> Decode(std::string_view record);

}  // namespace bv::mqtt_ingest
