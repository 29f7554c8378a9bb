// Which pages of other origins may call this server from a browser
// (https://fetch.spec.whatwg.org/#http-cors-protocol).
#pragma once

#include <absl/time/time.h>

#include <string>
#include <vector>

#include "libs/config/config.h"
#include "libs/http/message.h"

namespace bv::http {

struct CorsSettings {
  // "https://shop.example", as browsers send them; "*" alone for any. Empty: no other page may.
  std::vector<std::string> origins;
  // For how long a browser remembers the answer to a preflight.
  absl::Duration max_age;

  void Bind(config::Binder& b);  // cors.…
};

// Callers prove who they are by a header that no page of another origin has, never by cookies, so credentials
// are not allowed to anybody.
class Cors {
 public:
  // `exposed` are the response's headers that a page may read.
  Cors(const CorsSettings& settings, std::string_view exposed);

  // For every answer.
  void Apply(const Request& request, Response& response) const;
  // For the answer to OPTIONS, after Apply: what may be sent to a path that has the methods `allow`.
  void AnswerPreflight(const Request& request, std::string_view allow, Response& response) const;

 private:
  bool IsAllowed(std::string_view origin) const;

  const CorsSettings settings_;
  const std::string exposed_;
  const bool any_;
};

}  // namespace bv::http
