// Which requests are answered when there are too many at once: those that are worth most.
#pragma once

#include <google/protobuf/descriptor.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>

#include <array>
#include <atomic>
#include <optional>
#include <utility>

#include "services/gateway/routing/route.h"

namespace bv::gateway {

// Thread safe. Of the requests that services may be asked at once, the lesser ones get only a share, so that
// there is always room for the others: exports and lists half of it, other reads 70 %, changes 85 %, and what
// changes carts, orders and payments all.
class Admission {
 public:
  explicit Admission(int calls_max);

  // A request that is under way, until its end.
  class Place {
   public:
    Place(Place&& other) noexcept : admission_(std::exchange(other.admission_, nullptr)) {}
    Place& operator=(Place&& other) noexcept {
      std::swap(admission_, other.admission_);
      return *this;
    }
    ~Place();

   private:
    friend class Admission;
    explicit Place(Admission* admission) : admission_(admission) {}
    Admission* admission_;
  };
  // Absent when there is no room for one of this priority.
  std::optional<Place> Enter(Priority priority);

 private:
  std::atomic<int> calls_{0};
  std::array<int, kPriorities> calls_max_;
  std::array<prometheus::Counter*, kPriorities> shed_;
  prometheus::Gauge& gauge_;
};

}  // namespace bv::gateway
