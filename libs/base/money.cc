#include "libs/base/money.h"

#include <absl/strings/str_cat.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "libs/base/error.h"

namespace bv {
namespace {

// ISO 4217, list one of 2026-01-01, without funds, metals and test codes; sorted.
constexpr std::string_view kTwoDigits[] = {
    "AED", "AFN", "ALL", "AMD", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BMD", "BND", "BOB",
    "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF", "CHF", "CNY", "COP", "CRC", "CUP", "CVE", "CZK",
    "DKK", "DOP", "DZD", "EGP", "ERN", "ETB", "EUR", "FJD", "FKP", "GBP", "GEL", "GHS", "GIP", "GMD", "GTQ",
    "GYD", "HKD", "HNL", "HTG", "HUF", "IDR", "ILS", "INR", "IRR", "JMD", "KES", "KGS", "KHR", "KPW", "KYD",
    "KZT", "LAK", "LBP", "LKR", "LRD", "LSL", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MRU", "MUR",
    "MVR", "MWK", "MXN", "MYR", "MZN", "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "PAB", "PEN", "PGK", "PHP",
    "PKR", "PLN", "QAR", "RON", "RSD", "RUB", "SAR", "SBD", "SCR", "SDG", "SEK", "SGD", "SHP", "SLE", "SOS",
    "SRD", "SSP", "STN", "SVC", "SYP", "SZL", "THB", "TJS", "TMT", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH",
    "USD", "UYU", "UZS", "VED", "VES", "WST", "XCD", "XCG", "YER", "ZAR", "ZMW", "ZWG"};
constexpr std::string_view kNoDigits[] = {"BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW",
                                          "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"};
constexpr std::string_view kThreeDigits[] = {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"};

}  // namespace

int CurrencyDigits(std::string_view code) {
  if (std::ranges::binary_search(kTwoDigits, code)) return 2;
  if (std::ranges::binary_search(kNoDigits, code)) return 0;
  if (std::ranges::binary_search(kThreeDigits, code)) return 3;
  return -1;
}

absl::StatusOr<Currency> Currency::Parse(std::string_view code, std::string_view field) {
  if (CurrencyDigits(code) < 0) return InvalidValue(field, "must be an ISO 4217 currency, for example USD");
  return Trusted(code);
}

Currency Currency::Trusted(std::string_view code) {
  Currency currency;
  std::memcpy(currency.code_, code.data(), std::min<std::size_t>(code.size(), sizeof(currency.code_)));
  return currency;
}

absl::StatusOr<std::int64_t> AddAmounts(std::int64_t a, std::int64_t b) {
  std::int64_t sum;
  if (__builtin_add_overflow(a, b, &sum)) {
    return Error(absl::StatusCode::kInvalidArgument, "AMOUNT_TOO_LARGE",
                 "the sum of the amounts is too large");
  }
  return sum;
}

absl::StatusOr<std::int64_t> MultiplyAmount(std::int64_t amount, std::int64_t quantity) {
  std::int64_t product;
  if (__builtin_mul_overflow(amount, quantity, &product)) {
    return Error(absl::StatusCode::kInvalidArgument, "AMOUNT_TOO_LARGE", "price times quantity is too large");
  }
  return product;
}

std::string FormatDecimal(std::int64_t minor_units, int digits) {
  const bool negative = minor_units < 0;
  // Negated as unsigned, so that the smallest int64 has a magnitude too.
  const std::uint64_t magnitude =
      negative ? 0 - static_cast<std::uint64_t>(minor_units) : static_cast<std::uint64_t>(minor_units);
  std::string text = absl::StrCat(magnitude);
  if (digits > 0) {
    const auto places = static_cast<std::size_t>(digits);
    if (text.size() <= places) text.insert(0, places + 1 - text.size(), '0');
    text.insert(text.size() - places, 1, '.');
  }
  if (negative) text.insert(0, 1, '-');
  return text;
}

absl::StatusOr<std::int64_t> ParseDecimal(std::string_view text, int digits, std::string_view field) {
  std::string_view rest = text;
  const bool negative = !rest.empty() && rest[0] == '-';
  if (negative) rest.remove_prefix(1);
  const std::size_t point = rest.find('.');
  const std::string_view whole = rest.substr(0, point);
  const std::string_view fraction =
      point == std::string_view::npos ? std::string_view() : rest.substr(point + 1);
  const auto is_digits = [](std::string_view s) {
    return s.find_first_not_of("0123456789") == std::string_view::npos;
  };
  if (whole.empty() || !is_digits(whole) || !is_digits(fraction) ||
      (point != std::string_view::npos && fraction.empty())) {
    return InvalidValue(field, "must be a decimal number, for example 129.50");
  }
  if (fraction.size() > static_cast<std::size_t>(digits)) {
    return InvalidValue(field, absl::StrCat("must have at most ", digits, " digits after the decimal point"));
  }
  std::int64_t value = 0;
  const auto append = [&value](char digit) {
    return !__builtin_mul_overflow(value, 10, &value) && !__builtin_sub_overflow(value, digit - '0', &value);
  };
  // Summed below zero, where int64 reaches one further.
  bool fits = std::ranges::all_of(whole, append) && std::ranges::all_of(fraction, append);
  for (auto i = fraction.size(); fits && i < static_cast<std::size_t>(digits); ++i) fits = append('0');
  if (!fits || (!negative && __builtin_sub_overflow(std::int64_t{0}, value, &value))) {
    return InvalidValue(field, "is too large");
  }
  return value;
}

}  // namespace bv
