#include "services/gateway/rest/caching.h"

#include <absl/strings/str_cat.h>

namespace bv::gateway {

void CacheSettings::Bind(config::Binder& b) {
  b.Duration("cache.max_age", max_age, {absl::ZeroDuration(), absl::Hours(24)});
  b.Duration("cache.shared_max_age", shared_max_age, {absl::ZeroDuration(), absl::Hours(24)});
  b.Duration("cache.stale_while_revalidate", stale_while_revalidate, {absl::ZeroDuration(), absl::Hours(24)});
}

CacheControl::CacheControl(const CacheSettings& settings)
    : public_(
          absl::StrCat("public, max-age=", absl::ToInt64Seconds(settings.max_age),
                       ", s-maxage=", absl::ToInt64Seconds(settings.shared_max_age),
                       ", stale-while-revalidate=", absl::ToInt64Seconds(settings.stale_while_revalidate))) {}

void CacheControl::Apply(const http::Request& request, const Route* route, http::Response& response) const {
  const bool is_answered = response.status == 200 || response.status == 304;
  if (!is_answered || route == nullptr || !route->is_public || route->http_method != "GET" ||
      request.Count("Authorization") > 0) {
    response.AddHeader("Cache-Control", "private, no-store");
    return;
  }
  response.AddHeader("Cache-Control", public_);
  response.Vary("X-Tenant-Id");
  response.Vary("Authorization");
}

}  // namespace bv::gateway
