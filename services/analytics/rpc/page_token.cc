#include "services/analytics/rpc/page_token.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_join.h>
#include <absl/strings/str_split.h>

#include <algorithm>

#include "libs/base/error.h"
#include "libs/base/values.h"

namespace bv::analytics {
namespace {

// Stands in no part: it is a control character.
constexpr char kBetween = '\x1f';

}  // namespace

std::string ToPageToken(const std::vector<std::string>& key) {
  return absl::WebSafeBase64Escape(absl::StrJoin(key, std::string(1, kBetween)));
}

absl::StatusOr<std::vector<std::string>> FromPageToken(const std::string& token, std::size_t parts) {
  if (token.empty()) return std::vector<std::string>(parts);
  const absl::Status malformed = InvalidValue("pageToken", "must be the nextPageToken of the page before");
  std::string text;
  if (!absl::WebSafeBase64Unescape(token, &text)) return malformed;
  std::vector<std::string> key = absl::StrSplit(text, kBetween);
  const auto is_part = [](const std::string& part) { return CheckText(part, 1, 200, "pageToken").ok(); };
  if (key.size() != parts || !std::ranges::all_of(key, is_part)) return malformed;
  return key;
}

}  // namespace bv::analytics
