// One subscription to an order: what of it the client is sent, so that each change comes exactly once.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "services/notification/domain/progress.h"
#include "services/notification/domain/window.h"

namespace bv::notification {

// Not thread safe.
//
//           kWanted ── the session asks ──► kFetching ── Resume ──► kLive
//              ▲                                │                     │
//              └── a change is missing ◄────────┴─────────────────────┤
//           kBehind ◄──────────── no room for what is to be sent ─────┘
class OrderFeed {
 public:
  // kWanted: it is to be fetched. kFetching: the order service is asked; the window keeps what comes
  // meanwhile. kLive: events go out as they come. kBehind: the client reads too slowly; once it has caught up
  // the order is fetched anew.
  enum class Phase { kWanted, kFetching, kLive, kBehind };

  // `after`: the version that the client has.
  explicit OrderFeed(std::optional<std::int64_t> after) : after_(after) {}

  Phase phase() const { return phase_; }
  // kWanted or kBehind → kFetching.
  void BeginFetch() { phase_ = Phase::kFetching; }

  // From where the window's events are of use, given that the order service says that the order has
  // `version`.
  std::int64_t ResumesAfter(std::int64_t version) const;
  struct Resumption {
    // The client gets the order as fetched; else it goes on after what it has.
    bool snapshot = true;
    // To be sent behind it.
    std::vector<OrderEventPtr> events;
  };
  // kFetching → kLive, for an order that has `version` since `changed_at`. `past` is what the window knows
  // behind ResumesAfter(version).
  Resumption Resume(std::int64_t version, absl::Time changed_at, const OrderPast& past);

  // Whether the event is to be sent. Where one before it is missing, kLive becomes kWanted.
  bool Take(const OrderEvent& event);
  // There was no room: what is queued of the feed is dropped.
  void FallBehind() { phase_ = Phase::kBehind; }

 private:
  // Of them those that follow `version`; absent when one is missing.
  std::optional<std::vector<OrderEventPtr>> Follow(std::int64_t version,
                                                   const std::vector<OrderEventPtr>& events);

  Phase phase_ = Phase::kWanted;
  // Until the first answer.
  std::optional<std::int64_t> after_;
  Progress progress_;
};

}  // namespace bv::notification
