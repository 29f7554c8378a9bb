// The secret of a subscription, with which its deliveries are signed. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace bv::webhook {

// Never printed and never logged; only the two calls that make one show it.
class Secret {
 public:
  static constexpr std::size_t kBytes = 32;

  Secret() = default;
  // The bytes come from the operating system's generator (store/new_secret.h).
  static Secret FromBytes(std::span<const std::uint8_t, kBytes> bytes);
  // For rows of the own database.
  static Secret Trusted(std::string text) { return Secret(std::move(text)); }

  // "whsec_" and the bytes in base64, as Standard Webhooks writes it.
  const std::string& text() const { return text_; }
  // What stands behind "whsec_"; empty when that is no base64.
  std::string bytes() const;
  bool empty() const { return text_.empty(); }

  friend bool operator==(const Secret&, const Secret&) = default;

 private:
  explicit Secret(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

}  // namespace bv::webhook
