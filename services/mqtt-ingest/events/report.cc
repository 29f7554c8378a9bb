#include "services/mqtt-ingest/events/report.h"

#include <rapidjson/document.h>

#include <optional>

#include "commerce/inventory/v1/events.pb.h"
#include "libs/base/error.h"
#include "libs/base/id.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/events/schemas.h"
#include "libs/rpc/timestamp.h"
#include "libs/telemetry/telemetry.h"

namespace bv::mqtt_ingest {
namespace {

constexpr std::size_t kIdMax = 64;

absl::Status Wrong(std::string_view field, std::string_view wanted) {
  return Error(absl::StatusCode::kInvalidArgument, "WRONG_TYPE", Concat("must be ", wanted), field);
}

// Absent when the member is.
absl::StatusOr<std::optional<std::string_view>> TextOf(const rapidjson::Document& object, const char* name) {
  const auto member = object.FindMember(name);
  if (member == object.MemberEnd()) return std::optional<std::string_view>();
  if (!member->value.IsString()) return Wrong(name, "a string");
  return std::optional(std::string_view(member->value.GetString(), member->value.GetStringLength()));
}

absl::StatusOr<std::int64_t> DeltaOf(const rapidjson::Document& object) {
  const auto member = object.FindMember("delta");
  if (member == object.MemberEnd() || !member->value.IsInt64()) return Wrong("delta", "a whole number");
  const std::int64_t delta = member->value.GetInt64();
  if (delta == 0 || delta < -kDeltaMax || delta > kDeltaMax)
    return InvalidValue("delta", Concat("must be -", kDeltaMax, " to ", kDeltaMax, " and not 0"));
  return delta;
}

absl::Status ReadPayload(std::string_view payload, Report& report) {
  rapidjson::Document object;
  // Without recursion, so that no depth of nesting is too much for the stack.
  object.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag>(payload.data(),
                                                                                       payload.size());
  if (object.HasParseError() || !object.IsObject())
    return Error(absl::StatusCode::kInvalidArgument, "MALFORMED_JSON", "must be a JSON object");
  ASSIGN_OR_RETURN(report.delta, DeltaOf(object));
  ASSIGN_OR_RETURN(const auto reason, TextOf(object, "reason"));
  ASSIGN_OR_RETURN(report.reason, ReasonCode::Parse(reason.value_or("")));
  ASSIGN_OR_RETURN(const auto location, TextOf(object, "locationCode"));
  if (location) {
    ASSIGN_OR_RETURN(report.location, LocationCode::Parse(*location));
  }
  ASSIGN_OR_RETURN(const auto id, TextOf(object, "id"));
  if (!id) return absl::OkStatus();
  RETURN_IF_ERROR(CheckText(*id, 1, kIdMax, "id"));
  report.message_id = *id;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Report> ReadReport(const Received& received) {
  Report report{.message_id = received.id, .received_at = received.at};
  ASSIGN_OR_RETURN(report.account, Account::Parse(received.account));
  ASSIGN_OR_RETURN(report.sku, SkuOfTopic(received.topic));
  if (received.payload_bytes > received.payload.size()) {
    return Error(absl::StatusCode::kInvalidArgument, "PAYLOAD_TOO_LARGE",
                 Concat("must be at most ", kPayloadBytesKept, " bytes; it was ", received.payload_bytes));
  }
  RETURN_IF_ERROR(ReadPayload(received.payload, report));
  return report;
}

absl::StatusOr<events::OutboxRow> DeltaReportedRow(const Report& report) {
  commerce::inventory::v1::DeltaReported payload;
  payload.set_sku(report.sku.str());
  payload.set_device_id(report.account.device);
  payload.set_message_id(report.message_id);
  payload.set_delta(report.delta);
  payload.set_reason(report.reason.str());
  payload.set_location_code(report.location.str());
  *payload.mutable_received_at() = rpc::ToTimestamp(report.received_at);

  const events::EventType& type = events::TypeOf<commerce::inventory::v1::DeltaReported>();
  const TraceContext trace = telemetry::ParseTraceparent({});
  const std::string& tenant = report.account.tenant.str();
  events::OutboxRow row{
      .id = UuidToString(UuidFromParts({tenant, report.account.device, report.message_id})),
      .topic = type.topic,
      .key = report.sku.str(),
      .type = type.name,
      // There is no aggregate that it could count; it grows with time.
      .aggregate_version = absl::ToUnixMicros(report.received_at),
      .occurred_at = report.received_at,
      .tenant = tenant,
      .traceparent = trace.ToTraceparent(),
      .correlation_id = trace.trace_id,
  };
  RETURN_IF_ERROR(events::AppendEnvelope(payload, row, trace.trace_id, row.payload));
  RETURN_IF_ERROR(events::Validate(row.type, row.payload));
  return row;
}

}  // namespace bv::mqtt_ingest
