// How much of the driver's time goes to deliveries that wait in the table: a share of it while other tenants'
// new ones come, so that a backlog costs those little, and otherwise as much as there is. What counts is the
// driver's own time, however long the receivers take. Time is passed in, by the monotonic clock.
#pragma once

#include <absl/time/time.h>

#include <algorithm>
#include <array>
#include <utility>

#include "libs/base/values.h"

namespace bv::webhook {

class BacklogShare {
 public:
  // More than 0, at most 1.
  explicit BacklogShare(double share) : pause_per_time_(1 / share - 1) {}

  // A delivery that has not waited was begun.
  void HasFresh(const TenantId& tenant, absl::Time now) {
    if (newest_[0].tenant != tenant) std::swap(newest_[0], newest_[1]);
    newest_[0] = {tenant, now};
  }
  // So long was spent on deliveries that had waited.
  void HasSpent(absl::Duration time, absl::Time now) {
    next_at_ = std::max(next_at_, now) + pause_per_time_ * time;
  }

  // Whether another tenant's new deliveries come.
  bool IsShared(const TenantId& tenant, absl::Time now) const {
    for (const Newest& newest : newest_) {
      if (newest.tenant != tenant && now - newest.at < kRecent) return true;
    }
    return false;
  }
  // From when on those that wait may go on where they share.
  absl::Time next_at() const { return next_at_; }

 private:
  static constexpr absl::Duration kRecent = absl::Seconds(1);

  struct Newest {
    TenantId tenant;
    absl::Time at = absl::InfinitePast();
  };

  const double pause_per_time_;
  // Of the two tenants that had one last.
  std::array<Newest, 2> newest_;
  absl::Time next_at_ = absl::InfinitePast();
};

}  // namespace bv::webhook
