// Money: whole minor units of an ISO 4217 currency. Arithmetic never wraps and never mixes currencies.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace bv {

// An ISO 4217 code that is in use, for example "USD".
class Currency {
 public:
  Currency() = default;

  // INVALID_ARGUMENT, reason INVALID_VALUE.
  static absl::StatusOr<Currency> Parse(std::string_view code, std::string_view field = "currency");
  // For rows of the own database.
  static Currency Trusted(std::string_view code);

  std::string_view code() const { return {code_, empty() ? 0u : 3u}; }
  bool empty() const { return code_[0] == '\0'; }

  friend bool operator==(const Currency&, const Currency&) = default;

 private:
  char code_[3] = {};
};

// Digits after the decimal point: 2 for USD, 0 for JPY, 3 for KWD; -1 for a code that is not in use.
int CurrencyDigits(std::string_view code);

struct Money {
  std::int64_t minor_units = 0;
  Currency currency;

  friend bool operator==(const Money&, const Money&) = default;
};

// The largest amount that a field of the API takes: 10^12 minor units, exact in a double and far from
// overflow in sums of a cart.
inline constexpr std::int64_t kAmountMax = 1'000'000'000'000;

// INVALID_ARGUMENT, reason AMOUNT_TOO_LARGE, when the result leaves int64.
absl::StatusOr<std::int64_t> AddAmounts(std::int64_t a, std::int64_t b);
absl::StatusOr<std::int64_t> MultiplyAmount(std::int64_t amount, std::int64_t quantity);

// "129.50" for 12950 and 2 digits.
std::string FormatDecimal(std::int64_t minor_units, int digits);
// The exact inverse: an optional '-', digits, and at most `digits` of them after a point ("129.5", "25");
// JSON's exponent form is refused. INVALID_ARGUMENT, reason INVALID_VALUE.
absl::StatusOr<std::int64_t> ParseDecimal(std::string_view text, int digits, std::string_view field = {});

}  // namespace bv
