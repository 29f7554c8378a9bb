// Ends the relay's threads wherever they wait.
#pragma once

#include <absl/synchronization/mutex.h>
#include <absl/time/time.h>

namespace bv::relay {

// Set once, from any thread; a set one stays set.
class StopSignal {
 public:
  StopSignal();
  ~StopSignal();
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;

  // Work in flight may take until `deadline` to end.
  void Set(absl::Time deadline);
  bool IsSet() const;
  // InfinitePast before Set.
  absl::Time deadline() const;
  // Readable once it is set.
  int fd() const { return fd_; }
  // Waits, but not longer than `duration`. True when it is set.
  bool WaitFor(absl::Duration duration) const;

 private:
  const int fd_;
  mutable absl::Mutex mutex_;
  bool set_ = false;
  absl::Time deadline_ = absl::InfinitePast();
};

// For poll(2), rounded up so that a wait of less than a millisecond does not spin.
int PollMillis(absl::Duration duration);

}  // namespace bv::relay
