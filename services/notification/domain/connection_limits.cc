#include "services/notification/domain/connection_limits.h"

#include <absl/time/clock.h>

#include <algorithm>
#include <string_view>

#include "libs/base/error.h"

namespace bv::notification {
namespace {

constexpr std::string_view kReason = "TOO_MANY_CONNECTIONS";
constexpr absl::Duration kRetryAfter = absl::Seconds(5);

}  // namespace

absl::StatusOr<std::shared_ptr<ConnectionLimits::Place>> ConnectionLimits::Take(std::vector<Share> shares) {
  const std::lock_guard lock(mutex_);
  if (taken_ >= all_max_) return Unavailable(kReason, "there is no room for more connections", kRetryAfter);
  for (const Share& share : shares) {
    const auto found = by_name_.find(share.name);
    if (found == by_name_.end() || found->second < share.max) continue;
    absl::Status status =
        Error(absl::StatusCode::kResourceExhausted, kReason, "too many of your connections are open");
    SetErrorDetail(status, {.reason = std::string(kReason), .retry_after = kRetryAfter});
    return status;
  }
  std::vector<std::string> names;
  for (Share& share : shares) {
    ++by_name_[share.name];
    names.push_back(std::move(share.name));
  }
  ++taken_;
  return std::make_shared<Place>(Place(*this, std::move(names)));
}

bool ConnectionLimits::AwaitAllFree(absl::Time deadline) {
  const auto wait = std::max(deadline - absl::Now(), absl::ZeroDuration());
  std::unique_lock lock(mutex_);
  return all_free_.wait_for(lock, absl::ToChronoNanoseconds(wait), [this] { return taken_ == 0; });
}

void ConnectionLimits::Free(const std::vector<std::string>& names) {
  const std::lock_guard lock(mutex_);
  if (--taken_ == 0) all_free_.notify_all();
  for (const std::string& name : names) {
    const auto found = by_name_.find(name);
    if (--found->second == 0) by_name_.erase(found);
  }
}

ConnectionLimits::Place::~Place() {
  if (limits_ != nullptr) limits_->Free(names_);
}

}  // namespace bv::notification
