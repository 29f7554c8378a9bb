#include "services/webhook-dispatcher/store/new_secret.h"

#include <sys/random.h>

#include <array>
#include <cerrno>
#include <cstdlib>

#include "libs/telemetry/telemetry.h"

namespace bv::webhook {

Secret NewSecret() {
  std::array<std::uint8_t, Secret::kBytes> bytes;
  // Up to 256 bytes come as a whole once the generator is set up; until then the call waits, and may be
  // interrupted.
  ssize_t got = -1;
  do {
    got = ::getrandom(bytes.data(), bytes.size(), 0);
  } while (got < 0 && errno == EINTR);
  if (got != static_cast<ssize_t>(bytes.size())) {
    telemetry::Log(telemetry::Level::kError, "the operating system gives no random bytes");
    std::abort();
  }
  return Secret::FromBytes(bytes);
}

}  // namespace bv::webhook
