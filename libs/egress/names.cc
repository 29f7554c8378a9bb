#include "libs/egress/names.h"

#include <netdb.h>
#include <sys/socket.h>

#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "libs/base/clock.h"
#include "libs/base/strings.h"

namespace bv::egress {
namespace {

// Of one name; a connection tries them in turn.
constexpr std::size_t kAddressesMax = 8;

LookedUp LookUp(std::string host) {
  const absl::Time begin = MonotonicNow();
  LookedUp result{.host = std::move(host)};
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(result.host.c_str(), nullptr, &hints, &found);
  result.took = MonotonicNow() - begin;
  if (error != 0) {
    result.problem = Concat("the host's name was not found: ", gai_strerror(error));
    return result;
  }
  for (const addrinfo* one = found; one && result.addresses.size() < kAddressesMax; one = one->ai_next) {
    char text[NI_MAXHOST];
    if (getnameinfo(one->ai_addr, one->ai_addrlen, text, sizeof(text), nullptr, 0, NI_NUMERICHOST) == 0)
      result.addresses.emplace_back(text);
  }
  freeaddrinfo(found);
  if (result.addresses.empty()) result.problem = "the host's name has no address";
  return result;
}

}  // namespace

struct Names::Shared {
  const int lookups_max;
  std::mutex mutex;
  // Reset by Stop; called with the mutex held, so that nothing is called after it.
  std::function<void(LookedUp)> found;
  std::deque<std::string> waiting;
  int threads = 0;
};

Names::Names(int lookups_max, std::function<void(LookedUp)> found)
    : shared_(new Shared{.lookups_max = lookups_max, .found = std::move(found)}) {}

Names::~Names() {
  Stop();
}

void Names::Find(std::string host) {
  const std::lock_guard lock(shared_->mutex);
  shared_->waiting.push_back(std::move(host));
  if (shared_->threads >= shared_->lookups_max) return;
  try {
    std::thread([shared = shared_] { Serve(shared); }).detach();
    ++shared_->threads;
  } catch (const std::system_error& error) {
    // Other threads come to it; if there are none, nobody will.
    if (shared_->threads > 0) return;
    LookedUp result{.host = std::move(shared_->waiting.back()), .problem = error.what()};
    shared_->waiting.pop_back();
    if (shared_->found) shared_->found(std::move(result));
  }
}

void Names::Serve(const std::shared_ptr<Shared>& shared) {
  std::unique_lock lock(shared->mutex);
  while (!shared->waiting.empty()) {
    std::string host = std::move(shared->waiting.front());
    shared->waiting.pop_front();
    lock.unlock();
    LookedUp result = LookUp(std::move(host));
    lock.lock();
    if (shared->found) shared->found(std::move(result));
  }
  --shared->threads;
}

void Names::Stop() {
  const std::lock_guard lock(shared_->mutex);
  shared_->found = nullptr;
  shared_->waiting.clear();
}

}  // namespace bv::egress
