#include "services/webhook-dispatcher/domain/signature.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>

#include "libs/base/hmac.h"
#include "libs/base/strings.h"

namespace bv::webhook {

std::vector<std::pair<std::string, std::string>> SignedHeaders(std::string_view delivery_id,
                                                               std::string_view body,
                                                               std::span<const Secret> secrets,
                                                               absl::Time now) {
  const std::string timestamp = absl::StrCat(absl::ToUnixSeconds(now));
  const std::string content = Concat(timestamp, ".", body);
  const std::string standard_content = Concat(delivery_id, ".", content);
  std::string signature = absl::StrCat("t=", timestamp);
  std::string standard_signature;
  for (const Secret& secret : secrets) {
    absl::StrAppend(&signature, ",v1=", absl::BytesToHexString(HmacSha256(secret.text(), content)));
    absl::StrAppend(&standard_signature, standard_signature.empty() ? "v1," : " v1,",
                    absl::Base64Escape(HmacSha256(secret.bytes(), standard_content)));
  }
  return {{"X-BV-Signature", std::move(signature)},
          {"webhook-id", std::string(delivery_id)},
          {"webhook-timestamp", timestamp},
          {"webhook-signature", std::move(standard_signature)}};
}

}  // namespace bv::webhook
