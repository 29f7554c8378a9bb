#include "services/mailer/domain/mail.h"

#include <algorithm>
#include <array>

namespace bv::mailer {
namespace {

constexpr std::array<std::string_view, 6> kKindWords = {"ORDER_PLACED",   "ORDER_PAID",
                                                        "PAYMENT_FAILED", "ORDER_SHIPPED_IN_PART",
                                                        "ORDER_SHIPPED",  "ORDER_CANCELED"};
constexpr std::array<std::string_view, 4> kStatusWords = {"QUEUED", "SENT", "FAILED", "SUPPRESSED"};

template <class Enum, std::size_t n>
std::optional<Enum> Find(const std::array<std::string_view, n>& words, std::string_view word) {
  const auto found = std::ranges::find(words, word);
  if (found == words.end()) return std::nullopt;
  return static_cast<Enum>(found - words.begin());
}

}  // namespace

std::string_view Word(Kind kind) {
  return kKindWords[static_cast<std::size_t>(kind)];
}

std::optional<Kind> KindOf(std::string_view word) {
  return Find<Kind>(kKindWords, word);
}

std::string_view Word(Status status) {
  return kStatusWords[static_cast<std::size_t>(status)];
}

std::optional<Status> StatusOf(std::string_view word) {
  return Find<Status>(kStatusWords, word);
}

MailId Occasion::id() const {
  return MailId::DerivedFrom({tenant.str(), order.str(), std::to_string(version), std::string(Word(kind))});
}

absl::Duration PauseAfter(int attempts, absl::Duration first) {
  const int doublings = std::clamp(attempts - 1, 0, 20);
  return std::min(first * (1 << doublings), absl::Hours(1));
}

}  // namespace bv::mailer
