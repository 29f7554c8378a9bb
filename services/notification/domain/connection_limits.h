// How many connections there may be, in all and of one user or address.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace bv::notification {

// Thread safe.
class ConnectionLimits {
 public:
  explicit ConnectionLimits(int all_max) : all_max_(all_max) {}
  ConnectionLimits(const ConnectionLimits&) = delete;
  ConnectionLimits& operator=(const ConnectionLimits&) = delete;

  // One of `name`, of which there may be at most `max`.
  struct Share {
    std::string name;
    int max = 0;
  };

  // A place, free again when it goes. The limits outlive it.
  class Place {
   public:
    Place() = default;
    Place(Place&& other) noexcept
        : limits_(std::exchange(other.limits_, nullptr)), names_(std::move(other.names_)) {}
    Place& operator=(Place&&) = delete;
    ~Place();

   private:
    friend class ConnectionLimits;
    Place(ConnectionLimits& limits, std::vector<std::string> names)
        : limits_(&limits), names_(std::move(names)) {}
    ConnectionLimits* limits_ = nullptr;
    std::vector<std::string> names_;
  };

  // A place that counts for each of `shares`. Reason TOO_MANY_CONNECTIONS: UNAVAILABLE when there is none for
  // anybody, RESOURCE_EXHAUSTED when one of the shares is used up.
  absl::StatusOr<std::shared_ptr<Place>> Take(std::vector<Share> shares);
  // Waits until all are free, at most until `deadline`; false when some are still taken.
  bool AwaitAllFree(absl::Time deadline);

 private:
  void Free(const std::vector<std::string>& names);

  const int all_max_;
  std::mutex mutex_;
  std::condition_variable all_free_;
  int taken_ = 0;
  absl::flat_hash_map<std::string, int> by_name_;
};

}  // namespace bv::notification
