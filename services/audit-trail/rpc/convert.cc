#include "services/audit-trail/rpc/convert.h"

#include <absl/strings/escaping.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_split.h>

#include <limits>
#include <utility>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/rpc/timestamp.h"

namespace bv::audit_trail {
namespace {

namespace pb = commerce::audit::v1;

constexpr int kPageSizeDefault = 20;
constexpr int kPageSizeMax = 100;
constexpr int kPartMax = 1'000;
// Of the year 9999.
constexpr std::int64_t kLastSecond = 253'402'300'799;
constexpr std::int64_t kNumberMax = std::numeric_limits<std::int64_t>::max();

absl::StatusOr<int> Count(int asked, int otherwise, int max, std::string_view field) {
  if (asked == 0) return otherwise;
  if (asked < 1 || asked > max) return InvalidValue(field, Concat("must be 1 to ", max));
  return asked;
}

absl::StatusOr<absl::Time> TimeFrom(const google::protobuf::Timestamp& time, std::string_view field) {
  if (time.seconds() < 1 || time.seconds() > kLastSecond || time.nanos() < 0 || time.nanos() > 999'999'999)
    return InvalidValue(field, "must be a time between the years 1970 and 9999");
  return rpc::FromTimestamp(time);
}

absl::StatusOr<std::string> Word(pb::AuditOutcome outcome) {
  switch (outcome) {
    case pb::AUDIT_OUTCOME_UNSPECIFIED:
      return "";
    case pb::AUDIT_OUTCOME_DONE:
      return "DONE";
    case pb::AUDIT_OUTCOME_DENIED:
      return "DENIED";
    case pb::AUDIT_OUTCOME_FAILED:
      return "FAILED";
    default:
      return InvalidValue("outcome", "must be DONE, DENIED or FAILED");
  }
}

pb::AuditOutcome OutcomeOf(const std::string& word) {
  if (word == "DENIED") return pb::AUDIT_OUTCOME_DENIED;
  return word == "FAILED" ? pb::AUDIT_OUTCOME_FAILED : pb::AUDIT_OUTCOME_DONE;
}

// Without a token: from the newest on.
absl::Status ReadPageToken(const std::string& token, EntryFilter& filter) {
  filter.before_time = absl::FromUnixSeconds(kLastSecond);
  filter.before_number = kNumberMax;
  if (token.empty()) return absl::OkStatus();
  const absl::Status malformed = InvalidValue("pageToken", "must be the nextPageToken of the page before");
  std::string text;
  if (!absl::WebSafeBase64Unescape(token, &text)) return malformed;
  const std::pair<std::string, std::string> parts = absl::StrSplit(text, absl::MaxSplits(' ', 1));
  std::int64_t micros = 0;
  if (!absl::SimpleAtoi(parts.first, &micros) || micros < 0 || micros > kLastSecond * 1'000'000 ||
      !absl::SimpleAtoi(parts.second, &filter.before_number) || filter.before_number < 1)
    return malformed;
  filter.before_time = absl::FromUnixMicros(micros);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<EntryFilter> FromProto(const pb::ListEntriesRequest& request) {
  EntryFilter filter{.to = absl::FromUnixSeconds(kLastSecond)};
  ASSIGN_OR_RETURN(filter.limit, Count(request.page_size(), kPageSizeDefault, kPageSizeMax, "pageSize"));
  RETURN_IF_ERROR(ReadPageToken(request.page_token(), filter));
  RETURN_IF_ERROR(CheckText(request.actor(), 0, 128, "actor"));
  RETURN_IF_ERROR(CheckText(request.action(), 0, 64, "action"));
  RETURN_IF_ERROR(CheckText(request.object_type(), 0, 64, "objectType"));
  RETURN_IF_ERROR(CheckText(request.object_id(), 0, 128, "objectId"));
  filter.actor = request.actor();
  filter.action = request.action();
  filter.object_type = request.object_type();
  filter.object_id = request.object_id();
  ASSIGN_OR_RETURN(filter.outcome, Word(request.outcome()));
  if (request.has_from_time()) {
    ASSIGN_OR_RETURN(filter.from, TimeFrom(request.from_time(), "fromTime"));
  }
  if (request.has_to_time()) {
    ASSIGN_OR_RETURN(filter.to, TimeFrom(request.to_time(), "toTime"));
  }
  return filter;
}

absl::StatusOr<Part> FromProto(const pb::VerifyChainRequest& request) {
  if (request.after_number() < 0 || request.after_number() == kNumberMax)
    return InvalidValue("afterNumber", "must be 0, or the number of an entry");
  Part part{.first = request.after_number() + 1};
  ASSIGN_OR_RETURN(part.limit, Count(request.entries_max(), kPartMax, kPartMax, "entriesMax"));
  return part;
}

pb::Entry ToProto(const Entry& entry) {
  pb::Entry shown;
  shown.set_number(entry.number);
  shown.set_entry_id(entry.id);
  *shown.mutable_occurred_at() = rpc::ToTimestamp(entry.occurred_at);
  shown.set_actor(entry.actor);
  shown.set_role(entry.role);
  shown.set_action(entry.action);
  shown.set_object_type(entry.object_type);
  shown.set_object_id(entry.object_id);
  shown.set_outcome(OutcomeOf(entry.outcome));
  shown.set_reason(entry.reason);
  shown.set_before(entry.before);
  shown.set_after(entry.after);
  shown.set_correlation_id(entry.correlation_id);
  *shown.mutable_recorded_at() = rpc::ToTimestamp(entry.recorded_at);
  shown.set_previous_hash(entry.previous_hash);
  shown.set_hash(entry.hash);
  return shown;
}

std::string ToPageToken(const Entry& last) {
  return absl::WebSafeBase64Escape(Concat(absl::ToUnixMicros(last.occurred_at), " ", last.number));
}

}  // namespace bv::audit_trail
