// A device's message is a report that makes an event, or is refused; and it comes out of the journal as it
// went in.
//
// Input: account, topic and the broker's id, a line each, then the payload.
#include <absl/strings/escaping.h>

#include "libs/base/strings.h"
#include "services/mqtt-ingest/events/report.h"
#include "tests/fuzz/fuzz.h"

namespace bv::fuzz {
namespace {

using mqtt_ingest::Received;

void CheckJournal(const Received& received) {
  const absl::StatusOr<Received> kept = mqtt_ingest::Decode(mqtt_ingest::Encode(received));
  RequireOk(kept.status(), "what is in the journal can be read");
  Require(kept->at == received.at && kept->topic == received.topic && kept->account == received.account &&
              kept->id == received.id && kept->payload == received.payload &&
              kept->payload_bytes == received.payload_bytes,
          "the journal keeps what it gets");
}

}  // namespace

void Run(std::string_view input) {
  // A record of the journal that a power cut has spoilt.
  if (const auto record = mqtt_ingest::Decode(input); record.ok())
    Require(mqtt_ingest::Encode(*record) == input, "a record is the same after a round");

  Received received{.at = absl::FromUnixSeconds(1'700'000'000)};
  received.account = TakeUntil(input, '\n');
  received.topic = TakeUntil(input, '\n');
  // The broker's, or made at reception: never what a stranger wrote.
  received.id = absl::BytesToHexString(Absl(TakeUntil(input, '\n')));
  received.payload = input.substr(0, mqtt_ingest::kPayloadBytesKept);
  received.payload_bytes = input.size();
  CheckJournal(received);

  const absl::StatusOr<mqtt_ingest::Report> report = mqtt_ingest::ReadReport(received);
  if (!report.ok()) {
    if (report.status().code() == absl::StatusCode::kUnauthenticated) return;
    return RequireRefusal(report.status());
  }
  Require(report->delta != 0 && std::abs(report->delta) <= mqtt_ingest::kDeltaMax, "a report has a delta");
  RequireOk(mqtt_ingest::DeltaReportedRow(*report).status(), "a report makes an event");
}

}  // namespace bv::fuzz
