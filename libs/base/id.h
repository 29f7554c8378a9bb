// Typed ids: a prefix that says what it is, and a time-sortable UUID (version 7, RFC 9562) in the 26
// characters of TypeID (https://github.com/jetify-com/typeid): "ord_01hf7yat00fytbh9k0vn3k5d6c". One C++ type
// each, so that ids cannot be mixed up.
#pragma once

#include <absl/status/statusor.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/error.h"

namespace bv {

using Uuid = std::array<std::uint8_t, 16>;

// Version 7: 48 bits of Unix milliseconds, then random. Ids made later by one thread in one process sort
// later.
Uuid NewUuid();
// Canonical, lower case: "018bf9e5-5400-7fd4-b89a-60db4739b1a6".
std::string UuidToString(const Uuid& uuid);
// 26 characters of Crockford's base32, lower case.
std::string UuidToBase32(const Uuid& uuid);
bool IsBase32Uuid(std::string_view text);
// The same for the same parts: a UUID version 8 from the SHA-256 of the parts, each with its length.
Uuid UuidFromParts(const std::vector<std::string>& parts);

template <class Tag>
class Id {
 public:
  Id() = default;

  static Id New() { return Id(std::string(Tag::kPrefix) + "_" + UuidToBase32(NewUuid())); }

  // The same for the same parts, for ids of requests that may be repeated. Not sortable by time.
  static Id DerivedFrom(const std::vector<std::string>& parts) {
    return Id(std::string(Tag::kPrefix) + "_" + UuidToBase32(UuidFromParts(parts)));
  }

  // INVALID_ARGUMENT, reason INVALID_ID, when `text` is not an id of this type.
  static absl::StatusOr<Id> Parse(std::string_view text, std::string_view field = {}) {
    constexpr std::string_view prefix = Tag::kPrefix;
    if (text.size() != prefix.size() + 27 || text.substr(0, prefix.size()) != prefix ||
        text[prefix.size()] != '_' || !IsBase32Uuid(text.substr(prefix.size() + 1))) {
      return Error(absl::StatusCode::kInvalidArgument, "INVALID_ID",
                   "must be an id that starts with " + std::string(prefix) + "_", field);
    }
    return Id(std::string(text));
  }

  // For values that are known to be ids: rows of the own database.
  static Id Trusted(std::string text) { return Id(std::move(text)); }

  const std::string& str() const { return text_; }
  bool empty() const { return text_.empty(); }

  friend bool operator==(const Id&, const Id&) = default;
  friend auto operator<=>(const Id&, const Id&) = default;
  template <class H>
  friend H AbslHashValue(H state, const Id& id) {
    return H::combine(std::move(state), id.text_);
  }

 private:
  explicit Id(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

#define BV_DEFINE_ID(Name, prefix)                      \
  struct Name##Tag {                                    \
    static constexpr std::string_view kPrefix = prefix; \
  };                                                    \
  using Name = Id<Name##Tag>

BV_DEFINE_ID(ProductId, "prd");
BV_DEFINE_ID(VariantId, "var");
BV_DEFINE_ID(CartId, "crt");
BV_DEFINE_ID(OrderId, "ord");
BV_DEFINE_ID(AdjustmentId, "adj");
BV_DEFINE_ID(PaymentId, "pay");
BV_DEFINE_ID(ShipmentId, "shp");
// The stock of an order that was placed under an Idempotency-Key.
BV_DEFINE_ID(ReservationId, "rsv");
// What a cart holds of one item.
BV_DEFINE_ID(HoldId, "hld");

}  // namespace bv
