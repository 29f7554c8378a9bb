// Why a replay that is being driven should not go on.
#pragma once

#include <absl/time/time.h>

#include <condition_variable>
#include <functional>
#include <mutex>

namespace bv::replay {

// Thread safe.
class Interruption {
 public:
  enum class Reason {
    kNone,
    // An operator does not want it any more.
    kCancel,
    // It is another driver's.
    kLost,
    // This process ends.
    kStop,
  };

  // `notify` is called once, when it is set for the first time.
  explicit Interruption(std::function<void()> notify) : notify_(std::move(notify)) {}

  // Being lost or stopped comes before being canceled; what was set stays set.
  void Set(Reason reason);
  Reason reason() const;
  // Waits, but not longer than `duration`, while the reason is `known`. Whether it still is.
  bool WaitWhile(Reason known, absl::Duration duration) const;

 private:
  const std::function<void()> notify_;
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  Reason reason_ = Reason::kNone;
};

}  // namespace bv::replay
