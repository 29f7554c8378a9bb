#include "services/mqtt-ingest/domain/account.h"

#include <algorithm>

#include "libs/base/error.h"

namespace bv::mqtt_ingest {
namespace {

constexpr std::string_view kTopicBefore = "iot/inventory/";
constexpr std::string_view kTopicBehind = "/delta";
constexpr std::size_t kDeviceMax = 64;

bool IsDevice(std::string_view text) {
  return !text.empty() && text.size() <= kDeviceMax && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  });
}

}  // namespace

absl::StatusOr<Account> Account::Parse(std::string_view text) {
  if (text.empty()) {
    return Error(absl::StatusCode::kUnauthenticated, "ACCOUNT_MISSING",
                 "the broker does not say which account this is of", "account");
  }
  const std::size_t slash = text.find('/');
  const auto tenant = TenantId::Parse(text.substr(0, slash), "account");
  if (slash == std::string_view::npos || !tenant.ok() || !IsDevice(text.substr(slash + 1))) {
    return Error(absl::StatusCode::kInvalidArgument, "ACCOUNT_UNKNOWN",
                 "must be <tenant>/<device>, the device 1 to 64 of A-Z a-z 0-9 . _ -", "account");
  }
  return Account{.tenant = *tenant, .device = std::string(text.substr(slash + 1))};
}

absl::StatusOr<SkuCode> SkuOfTopic(std::string_view topic) {
  if (!topic.starts_with(kTopicBefore) || !topic.ends_with(kTopicBehind) ||
      topic.size() < kTopicBefore.size() + kTopicBehind.size()) {
    return InvalidValue("topic", "must be iot/inventory/<sku>/delta");
  }
  topic.remove_prefix(kTopicBefore.size());
  topic.remove_suffix(kTopicBehind.size());
  return SkuCode::Parse(topic, "topic");
}

}  // namespace bv::mqtt_ingest
