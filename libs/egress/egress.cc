#include "libs/egress/egress.h"

#include <absl/strings/ascii.h>
#include <absl/strings/numbers.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/egress/loop.h"

namespace bv::egress {

void Settings::Bind(config::Binder& b) {
  b.Flag("egress.production", addresses.production);
  b.TextList("egress.allow_private", addresses.allow_private);
  b.TextList("egress.ports", addresses.ports);
  b.Text("egress.ca_file", ca_file, config::Presence::kOptional);
  b.Duration("egress.connect_timeout", connect_timeout, {absl::Milliseconds(10), absl::Minutes(1)});
  b.Duration("egress.timeout", timeout, {absl::Milliseconds(10), absl::Minutes(1)});
  b.Integer("egress.answer_bytes_max", answer_bytes_max, {1024, 16 << 20});
  b.Integer("egress.in_flight_max", in_flight_max, {1, 100'000});
  b.Integer("egress.idle_connections_max", idle_connections_max, {1, 100'000});
  b.Integer("egress.lookups_max", lookups_max, {1, 1024});
  b.Duration("egress.lookup_keep", lookup_keep, {absl::Seconds(1), absl::Minutes(1)});
}

std::string_view NameOf(ErrorClass error) {
  switch (error) {
    case ErrorClass::kNone:
      return "";
    case ErrorClass::kTimeout:
      return "TIMEOUT";
    case ErrorClass::kConnection:
      return "CONNECTION";
    case ErrorClass::kTls:
      return "TLS";
    case ErrorClass::kAddressRefused:
      return "ADDRESS_REFUSED";
    case ErrorClass::kAnswerTooLarge:
      return "ANSWER_TOO_LARGE";
    case ErrorClass::kNotTried:
      return "NOT_TRIED";
  }
  return "";
}

std::optional<absl::Duration> ParseRetryAfter(std::string_view text, absl::Time now) {
  const absl::string_view trimmed = absl::StripAsciiWhitespace(Absl(text));
  if (trimmed.empty()) return std::nullopt;
  if (std::all_of(trimmed.begin(), trimmed.end(), absl::ascii_isdigit)) {
    std::int64_t seconds = 0;
    return absl::SimpleAtoi(trimmed, &seconds) ? absl::Seconds(seconds) : absl::InfiniteDuration();
  }
  // The form of today, and the two that a recipient has to know (RFC 9110, 5.6.7).
  for (const char* format :
       {"%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"}) {
    absl::Time at;
    if (absl::ParseTime(format, trimmed, &at, nullptr)) return std::max(at - now, absl::ZeroDuration());
  }
  return std::nullopt;
}

absl::StatusOr<std::unique_ptr<Client>> Client::Create(const Settings& settings) {
  ASSIGN_OR_RETURN(AddressPolicy policy, AddressPolicy::Create(settings.addresses));
  if (!settings.ca_file.empty() && access(settings.ca_file.c_str(), R_OK) != 0)
    return InvalidValue("egress.ca_file", Concat("cannot be read: ", settings.ca_file));
  return std::unique_ptr<Client>(new Client(std::make_unique<Loop>(settings, std::move(policy))));
}

Client::Client(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}

Client::~Client() = default;

async::Task<Outcome> Client::Post(Request request) {
  auto submit = [&](async::Done<Outcome> done) { loop_->Submit(std::move(request), std::move(done)); };
  co_return co_await async::Await<Outcome>(submit);
}

const AddressPolicy& Client::addresses() const {
  return loop_->policy();
}

void Client::Stop() {
  loop_->Stop();
}

}  // namespace bv::egress
