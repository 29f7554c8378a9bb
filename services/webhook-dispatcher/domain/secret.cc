#include "services/webhook-dispatcher/domain/secret.h"

#include <absl/strings/escaping.h>
#include <absl/strings/strip.h>

namespace bv::webhook {
namespace {

constexpr absl::string_view kPrefix = "whsec_";

}  // namespace

Secret Secret::FromBytes(std::span<const std::uint8_t, kBytes> bytes) {
  const absl::string_view raw(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return Secret(absl::StrCat(kPrefix, absl::Base64Escape(raw)));
}

std::string Secret::bytes() const {
  absl::string_view encoded = text_;
  std::string raw;
  if (!absl::ConsumePrefix(&encoded, kPrefix) || !absl::Base64Unescape(encoded, &raw)) return {};
  return raw;
}

}  // namespace bv::webhook
