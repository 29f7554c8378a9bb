#include "services/outbox-relay/relay/stop_signal.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>

namespace bv::relay {

StopSignal::StopSignal() : fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}

StopSignal::~StopSignal() {
  close(fd_);
}

void StopSignal::Set(absl::Time deadline) {
  const absl::MutexLock lock(&mutex_);
  if (set_) return;
  set_ = true;
  deadline_ = deadline;
  eventfd_write(fd_, 1);  // never read, so it stays readable
}

bool StopSignal::IsSet() const {
  const absl::MutexLock lock(&mutex_);
  return set_;
}

absl::Time StopSignal::deadline() const {
  const absl::MutexLock lock(&mutex_);
  return deadline_;
}

bool StopSignal::WaitFor(absl::Duration duration) const {
  pollfd waiting{.fd = fd_, .events = POLLIN, .revents = 0};
  poll(&waiting, 1, PollMillis(duration));
  return IsSet();
}

int PollMillis(absl::Duration duration) {
  const absl::Duration bounded = std::clamp(duration, absl::ZeroDuration(), absl::Hours(1));
  return static_cast<int>(absl::ToInt64Milliseconds(absl::Ceil(bounded, absl::Milliseconds(1))));
}

}  // namespace bv::relay
