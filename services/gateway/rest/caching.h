// What caches between client and gateway may keep.
#pragma once

#include <absl/time/time.h>

#include <string>

#include "libs/config/config.h"
#include "libs/http/message.h"
#include "services/gateway/routing/route.h"

namespace bv::gateway {

struct CacheSettings {
  // For how long a cache may answer with what it has without asking: that of a browser, and one that many
  // share.
  absl::Duration max_age;
  absl::Duration shared_max_age;
  // For how long after that it may go on while it asks.
  absl::Duration stale_while_revalidate;

  void Bind(config::Binder& b);  // cache.…
};

// Only what anyone may read, asked by nobody in particular and answered, is kept by anyone: such an answer
// depends on the URL and on X-Tenant-Id alone. With a token the same URL may show more, so it is another
// answer.
class CacheControl {
 public:
  explicit CacheControl(const CacheSettings& settings);
  // `route` is null where there was none.
  void Apply(const http::Request& request, const Route* route, http::Response& response) const;

 private:
  std::string public_;
};

}  // namespace bv::gateway
