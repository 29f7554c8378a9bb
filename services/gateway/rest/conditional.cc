#include "services/gateway/rest/conditional.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/strip.h>

#include <optional>

#include "libs/base/digest.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"

namespace bv::gateway {
namespace {

using google::protobuf::Message;

// 64 bits of the body's hash.
constexpr std::size_t kHashDigits = 16;
constexpr std::string_view kConflict = "VERSION_CONFLICT";
// What libs/http appends to the tag of a compressed answer, which is the same for this purpose.
constexpr std::string_view kGzip = "-gzip";

struct Tag {
  std::string_view text;
  bool is_weak = false;
};

// Takes the next tag of a list; absent at its end, or where it is no list of tags.
std::optional<Tag> TakeTag(absl::string_view& list) {
  while (!list.empty() && (list[0] == ' ' || list[0] == '\t' || list[0] == ',')) list.remove_prefix(1);
  Tag tag{.is_weak = absl::ConsumePrefix(&list, "W/")};
  if (!absl::ConsumePrefix(&list, "\"")) return std::nullopt;
  const std::size_t end = list.find('"');
  if (end == absl::string_view::npos) return std::nullopt;
  tag.text = Std(list.substr(0, end));
  list.remove_prefix(end + 1);
  if (tag.text.ends_with(kGzip)) tag.text.remove_suffix(kGzip.size());
  return tag;
}

bool IsAny(std::string_view list) {
  return absl::StripAsciiWhitespace(Absl(list)) == "*";
}

enum class Comparison { kWeak, kStrong };

bool Names(std::string_view list, std::string_view wanted, Comparison comparison) {
  if (IsAny(list)) return true;
  absl::string_view rest = Absl(list);
  while (const std::optional<Tag> tag = TakeTag(rest)) {
    if (tag->text == wanted && (comparison == Comparison::kWeak || !tag->is_weak)) return true;
  }
  return false;
}

absl::Status Conflict() {
  return Error(absl::StatusCode::kAborted, kConflict, "is not the present one; read it again", "If-Match");
}

absl::Status NotSupported(std::string_view header, std::string_view problem) {
  return Error(absl::StatusCode::kInvalidArgument, "PRECONDITION_NOT_SUPPORTED", problem, header);
}

}  // namespace

std::string EntityTag(const Route& route, const Message& message, std::string_view body) {
  const std::string hash = Sha256Hex(body).substr(0, kHashDigits);
  if (route.version == nullptr) return hash;
  return Concat(message.GetReflection()->GetInt64(message, route.version), "-", hash);
}

absl::Status CheckSeen(const http::Request& request, http::Response& response) {
  const std::string_view match = request.Find("If-Match");
  if (!match.empty() && !Names(match, response.etag, Comparison::kStrong)) return Conflict();
  const std::string_view none_match = request.Find("If-None-Match");
  if (!none_match.empty() && Names(none_match, response.etag, Comparison::kWeak)) {
    response.status = 304;
    response.body.clear();
  }
  return absl::OkStatus();
}

absl::Status TakeExpectedVersion(const http::Request& request, const Route& route, Message& message) {
  if (request.Count("If-None-Match") > 0)
    return NotSupported("If-None-Match", "is for reading; to change something use If-Match");
  if (request.Count("If-Match") == 0) return absl::OkStatus();
  if (route.expected_version == nullptr) return NotSupported("If-Match", "cannot be kept by this request");
  const std::string_view list = request.Find("If-Match");
  if (request.Count("If-Match") > 1) return NotSupported("If-Match", "must be given once, with one tag");
  // What is not there cannot be changed: the service says so anyway.
  if (IsAny(list)) return absl::OkStatus();
  absl::string_view rest = Absl(list);
  const std::optional<Tag> tag = TakeTag(rest);
  if (!tag || !absl::StripAsciiWhitespace(rest).empty())
    return NotSupported("If-Match", "must be the ETag of an answer, in quotes");
  std::int64_t version = 0;
  if (tag->is_weak || !absl::SimpleAtoi(Absl(tag->text.substr(0, tag->text.find('-'))), &version))
    return Conflict();
  const auto& reflection = *message.GetReflection();
  if (reflection.HasField(message, route.expected_version) &&
      reflection.GetInt64(message, route.expected_version) != version) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_VALUE", "differs from If-Match",
                 route.expected_version->json_name());
  }
  reflection.SetInt64(&message, route.expected_version, version);
  return absl::OkStatus();
}

bool IsPreconditionFailed(const http::Request& request, const absl::Status& status) {
  return status.code() == absl::StatusCode::kAborted && request.Count("If-Match") > 0 &&
         ErrorReason(status) == kConflict;
}

}  // namespace bv::gateway
