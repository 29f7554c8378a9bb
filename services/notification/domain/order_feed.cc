#include "services/notification/domain/order_feed.h"

#include <utility>

namespace bv::notification {

std::int64_t OrderFeed::ResumesAfter(std::int64_t version) const {
  // A client that claims to know more than the order service is mistaken.
  return after_ && *after_ <= version ? *after_ : version;
}

OrderFeed::Resumption OrderFeed::Resume(std::int64_t version, absl::Time changed_at, const OrderPast& past) {
  phase_ = Phase::kLive;
  const std::optional<std::int64_t> after = std::exchange(after_, std::nullopt);
  if (after && *after <= version) {
    auto missed = Follow(*after, past.events);
    // A change that was stored a moment ago may still be on its way here.
    const bool is_coming = version == *after + 1 && changed_at > past.whole_since;
    const bool has_all = past.is_whole || *after == version || is_coming;
    if (missed && has_all) return {.snapshot = false, .events = *std::move(missed)};
  }
  auto newer = Follow(version, past.events);
  if (!newer) phase_ = Phase::kWanted;
  return {.snapshot = true, .events = newer ? *std::move(newer) : std::vector<OrderEventPtr>()};
}

std::optional<std::vector<OrderEventPtr>> OrderFeed::Follow(std::int64_t version,
                                                            const std::vector<OrderEventPtr>& events) {
  progress_.Jump(version);
  std::vector<OrderEventPtr> following;
  for (const OrderEventPtr& event : events) {
    const Progress::Step step = progress_.Take(*event);
    if (step == Progress::Step::kGap) return std::nullopt;
    if (step == Progress::Step::kNew) following.push_back(event);
  }
  return following;
}

bool OrderFeed::Take(const OrderEvent& event) {
  if (phase_ != Phase::kLive) return false;
  const Progress::Step step = progress_.Take(event);
  if (step == Progress::Step::kGap) phase_ = Phase::kWanted;
  return step == Progress::Step::kNew;
}

}  // namespace bv::notification
