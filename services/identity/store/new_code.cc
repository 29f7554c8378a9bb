#include "services/identity/store/new_code.h"

#include <absl/strings/escaping.h>
#include <openssl/rand.h>

#include <array>
#include <cstdlib>
#include <string_view>

#include "libs/base/strings.h"
#include "libs/telemetry/telemetry.h"

namespace bv::identity {

std::string NewInvitationCode() {
  std::array<unsigned char, 32> bytes;
  if (RAND_priv_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) {
    telemetry::Log(telemetry::Level::kError, "there are no random bytes");
    std::abort();
  }
  return absl::WebSafeBase64Escape(
      absl::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

}  // namespace bv::identity
