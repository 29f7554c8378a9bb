#include "services/notification/edge/client.h"

#include <absl/random/random.h>
#include <absl/strings/ascii.h>

#include <algorithm>
#include <cstdint>

#include "libs/base/strings.h"

namespace bv::notification {
namespace {

// "https://shop.example:8443" → "shop.example:8443".
std::string_view HostOf(std::string_view origin) {
  const std::size_t scheme = origin.find("://");
  return scheme == std::string_view::npos ? std::string_view() : origin.substr(scheme + 3);
}

}  // namespace

bool IsOriginAllowed(const http::Request& request, const std::vector<std::string>& origins) {
  const std::string_view origin = request.Find("Origin");
  if (origin.empty()) return true;
  const auto is_this = [origin](std::string_view allowed) {
    return allowed == "*" || http::IsSameName(allowed, origin);
  };
  if (std::ranges::any_of(origins, is_this)) return true;
  const std::string_view forwarded = request.Find("X-Forwarded-Host");
  const std::string_view host = forwarded.empty() ? request.Find("Host") : forwarded;
  return !host.empty() && http::IsSameName(HostOf(origin), host);
}

std::string_view AddressOf(const http::Request& request) {
  const std::string_view forwarded = request.Find("X-Forwarded-For");
  if (forwarded.empty()) return request.client_address;
  // The last one is what the gateway saw itself.
  const std::size_t comma = forwarded.rfind(',');
  return Std(absl::StripAsciiWhitespace(
      Absl(comma == std::string_view::npos ? forwarded : forwarded.substr(comma + 1))));
}

absl::Duration ReconnectWait(absl::Duration jitter) {
  thread_local absl::BitGen random;
  const std::int64_t millis_max = absl::ToInt64Milliseconds(jitter);
  return absl::Milliseconds(absl::Uniform<std::int64_t>(absl::IntervalClosed, random, 0, millis_max));
}

}  // namespace bv::notification
