#include "libs/http/cors.h"

#include <absl/strings/str_cat.h>

#include <algorithm>

namespace bv::http {

void CorsSettings::Bind(config::Binder& b) {
  b.TextList("cors.origins", origins);
  b.Duration("cors.max_age", max_age, {absl::ZeroDuration(), absl::Hours(24)});
}

Cors::Cors(const CorsSettings& settings, std::string_view exposed)
    : settings_(settings), exposed_(exposed), any_(std::ranges::count(settings.origins, "*") > 0) {}

bool Cors::IsAllowed(std::string_view origin) const {
  return !origin.empty() && (any_ || std::ranges::find(settings_.origins, origin) != settings_.origins.end());
}

void Cors::Apply(const Request& request, Response& response) const {
  if (settings_.origins.empty()) return;
  // Also where no origin is named: a cache must not give that answer to a page that names one.
  if (!any_) response.Vary("Origin");
  const std::string_view origin = request.Find("Origin");
  if (!IsAllowed(origin)) return;
  response.AddHeader("Access-Control-Allow-Origin", any_ ? "*" : origin);
  response.AddHeader("Access-Control-Expose-Headers", exposed_);
}

void Cors::AnswerPreflight(const Request& request, std::string_view allow, Response& response) const {
  if (!IsAllowed(request.Find("Origin")) || request.Find("Access-Control-Request-Method").empty()) return;
  response.Vary("Access-Control-Request-Headers");
  response.AddHeader("Access-Control-Allow-Methods", allow);
  // Nothing is let through by a header's name here, so whatever is asked for is allowed.
  if (const std::string_view asked = request.Find("Access-Control-Request-Headers"); !asked.empty())
    response.AddHeader("Access-Control-Allow-Headers", asked);
  response.AddHeader("Access-Control-Max-Age", absl::StrCat(absl::ToInt64Seconds(settings_.max_age)));
}

}  // namespace bv::http
