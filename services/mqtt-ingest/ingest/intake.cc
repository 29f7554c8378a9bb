#include "services/mqtt-ingest/ingest/intake.h"

#include <absl/time/clock.h>
#include <openssl/crypto.h>

#include "libs/base/crash_point.h"
#include "libs/base/id.h"
#include "libs/telemetry/telemetry.h"
#include "services/mqtt-ingest/domain/account.h"

namespace bv::mqtt_ingest {
namespace {

// The user properties that the broker adds.
constexpr std::string_view kAccount = "account";
constexpr std::string_view kMessage = "message";
constexpr std::string_view kAccountKey = "account-key";
// Of a text that the broker, or a stranger, has put into a property.
constexpr std::size_t kTextBytesMax = 256;
constexpr std::size_t kIdBytesMax = 64;
// How often a stop is looked for while there is no room.
constexpr absl::Duration kWait = absl::Milliseconds(100);

bool IsEqualSecret(std::string_view left, std::string_view right) {
  return left.size() == right.size() && CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

}  // namespace

Intake::Intake(const mqtt::Settings& settings, config::Secret account_key, Journal& journal)
    : account_key_(std::move(account_key)),
      journal_(journal),
      received_(telemetry::Counter("mqtt_ingest_received_total", "Messages of devices that were received.")),
      waits_(telemetry::Counter("mqtt_ingest_waits_total",
                                "Messages that waited until there was room in the journal.")),
      subscriber_(settings, kTopicFilter, [this](const mqtt::Message& message) { return Take(message); }) {}

void Intake::Stop() {
  stopping_ = true;
  subscriber_.Stop();
}

Received Intake::ReceivedOf(const mqtt::Message& message) const {
  Received received{.at = absl::Now(),
                    .topic = std::string(message.topic),
                    .payload = std::string(message.payload.substr(0, kPayloadBytesKept)),
                    .payload_bytes = message.payload.size()};
  // Without the key anybody may have written the rest.
  if (IsEqualSecret(message.UserProperty(kAccountKey), account_key_.Reveal())) {
    received.account = message.UserProperty(kAccount).substr(0, kTextBytesMax);
    received.id = message.UserProperty(kMessage).substr(0, kIdBytesMax);
  }
  // A broker that gives no ids: one that is delivered again counts again, unless the device has named it.
  if (received.id.empty()) received.id = UuidToString(NewUuid());
  return received;
}

bool Intake::Take(const mqtt::Message& message) {
  const std::string record = Encode(ReceivedOf(message));
  absl::Status written = journal_.Append(record);
  if (!written.ok()) waits_.Increment();
  for (; !written.ok(); written = journal_.Append(record)) {
    if (stopping_) return false;
    telemetry::LogLimited(telemetry::Level::kWarn, "the broker's messages wait", {{"error", written}});
    journal_.AwaitRoom(kWait);
  }
  received_.Increment();
  CrashPoint("mqtt-ingest.message.journaled");
  return true;
}

}  // namespace bv::mqtt_ingest
