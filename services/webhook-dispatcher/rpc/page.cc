#include "services/webhook-dispatcher/rpc/page.h"

#include <absl/strings/escaping.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_split.h>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"

namespace bv::webhook {
namespace {

constexpr int kPageSizeDefault = 20;
constexpr int kPageSizeMax = 100;
// Micros of times that PostgreSQL and absl have.
constexpr std::int64_t kMicrosMax = 7'258'118'400'000'000;

absl::Status NoToken() {
  return InvalidValue("pageToken", "must be the nextPageToken of the page before");
}

absl::StatusOr<std::string> Decoded(const std::string& token) {
  std::string text;
  if (!absl::WebSafeBase64Unescape(token, &text)) return NoToken();
  return text;
}

}  // namespace

absl::StatusOr<int> PageSize(int asked) {
  if (asked == 0) return kPageSizeDefault;
  if (asked < 1 || asked > kPageSizeMax)
    return InvalidValue("pageSize", Concat("must be 1 to ", kPageSizeMax));
  return asked;
}

std::string TokenOf(const SubscriptionId& last) {
  return absl::WebSafeBase64Escape(last.str());
}

absl::StatusOr<SubscriptionId> SubscriptionBefore(const std::string& token) {
  if (token.empty()) return SubscriptionId();
  ASSIGN_OR_RETURN(const std::string text, Decoded(token));
  absl::StatusOr<SubscriptionId> id = SubscriptionId::Parse(text);
  if (!id.ok()) return NoToken();
  return id;
}

std::string TokenOf(std::int64_t last_number) {
  return absl::WebSafeBase64Escape(Concat(last_number));
}

absl::StatusOr<std::int64_t> NumberBefore(const std::string& token) {
  if (token.empty()) return 0;
  ASSIGN_OR_RETURN(const std::string text, Decoded(token));
  std::int64_t number = 0;
  if (!absl::SimpleAtoi(text, &number) || number < 1) return NoToken();
  return number;
}

std::string TokenOf(const LogPlace& last) {
  return absl::WebSafeBase64Escape(Concat(absl::ToUnixMicros(last.created_at), " ", last.id.str()));
}

absl::StatusOr<std::optional<LogPlace>> PlaceBefore(const std::string& token) {
  if (token.empty()) return std::nullopt;
  ASSIGN_OR_RETURN(const std::string text, Decoded(token));
  const std::pair<std::string, std::string> parts = absl::StrSplit(text, absl::MaxSplits(' ', 1));
  std::int64_t micros = 0;
  const absl::StatusOr<DeliveryId> id = DeliveryId::Parse(parts.second);
  if (!absl::SimpleAtoi(parts.first, &micros) || micros < 0 || micros > kMicrosMax || !id.ok())
    return NoToken();
  return LogPlace{.created_at = absl::FromUnixMicros(micros), .id = *id};
}

}  // namespace bv::webhook
