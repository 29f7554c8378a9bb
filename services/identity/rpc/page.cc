#include "services/identity/rpc/page.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_split.h>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"

namespace bv::identity {
namespace {

constexpr int kPageSizeDefault = 20;
constexpr int kPageSizeMax = 100;
constexpr std::size_t kClaimMax = 128;
// Is in no subject and no token's id.
constexpr char kBetween = '\x1f';

absl::Status NoToken() {
  return InvalidValue("pageToken", "must be the nextPageToken of the page before");
}

absl::StatusOr<std::string> Decoded(const std::string& token) {
  std::string text;
  if (!absl::WebSafeBase64Unescape(token, &text)) return NoToken();
  return text;
}

template <class Code>
absl::StatusOr<Code> Before(const std::string& token) {
  if (token.empty()) return Code();
  ASSIGN_OR_RETURN(const std::string text, Decoded(token));
  absl::StatusOr<Code> code = Code::Parse(text);
  if (!code.ok()) return NoToken();
  return code;
}

}  // namespace

absl::StatusOr<int> PageSize(int asked) {
  if (asked == 0) return kPageSizeDefault;
  if (asked < 1 || asked > kPageSizeMax)
    return InvalidValue("pageSize", Concat("must be 1 to ", kPageSizeMax));
  return asked;
}

std::string TokenOf(const StaffId& last) {
  return absl::WebSafeBase64Escape(last.str());
}

absl::StatusOr<StaffId> StaffBefore(const std::string& token) {
  return Before<StaffId>(token);
}

std::string TokenOf(const StoreCode& last) {
  return absl::WebSafeBase64Escape(last.str());
}

absl::StatusOr<StoreCode> StoreBefore(const std::string& token) {
  return Before<StoreCode>(token);
}

std::string TokenOf(const RevocationPlace& last) {
  return absl::WebSafeBase64Escape(Concat(last.subject, std::string(1, kBetween), last.token_id));
}

absl::StatusOr<RevocationPlace> RevocationBefore(const std::string& token) {
  if (token.empty()) return RevocationPlace();
  ASSIGN_OR_RETURN(const std::string text, Decoded(token));
  const std::pair<std::string, std::string> parts = absl::StrSplit(text, absl::MaxSplits(kBetween, 1));
  if (!CheckText(parts.first, 1, kClaimMax, "pageToken").ok() ||
      !CheckText(parts.second, 0, kClaimMax, "pageToken").ok())
    return NoToken();
  return RevocationPlace{.subject = parts.first, .token_id = parts.second};
}

}  // namespace bv::identity
