// POST requests to addresses that strangers chose: subscribers of webhooks. Nothing that they wrote into the
// URL, that their name servers answer or that their servers send can reach into our network, keep a request
// longer than its time, or fill our memory.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libs/async/task.h"
#include "libs/config/config.h"
#include "libs/egress/address_policy.h"

namespace bv::egress {

struct Settings {
  AddressPolicySettings addresses;
  // A PEM file of the authorities that certificates are checked with; empty: the system's.
  std::string ca_file;
  // For one address of a host, TLS included.
  absl::Duration connect_timeout = absl::Seconds(5);
  // From the first step to the answer's last byte, for a request that asks for no shorter time.
  absl::Duration timeout = absl::Seconds(15);
  // Of an answer, head and body; one that goes on is cut off.
  int answer_bytes_max = 0;
  // Requests at once, those that wait for a name among them.
  int in_flight_max = 0;
  // Connections that are kept for the next request.
  int idle_connections_max = 0;
  // Names that are looked up at once, each on a thread: a name server that does not answer keeps one for as
  // long as the system's resolver waits.
  int lookups_max = 0;
  // How long a name's addresses are used, and how long a name counts as unknown.
  absl::Duration lookup_keep = absl::Seconds(30);

  // egress.production, egress.allow_private, egress.ports, egress.ca_file, egress.connect_timeout,
  // egress.timeout, egress.answer_bytes_max, egress.in_flight_max, egress.idle_connections_max,
  // egress.lookups_max, egress.lookup_keep
  void Bind(config::Binder& b);
};

struct Request {
  // Is checked again, since the rules may have changed since it was stored.
  std::string url;
  // Beside Host and Content-Length; without line ends.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  // 0 or more than the settings' stands for the settings'.
  absl::Duration timeout;
};

enum class ErrorClass {
  // An answer came, of whatever status.
  kNone,
  kTimeout,
  // The name is unknown, nobody listens, the connection broke, or what came is no HTTP.
  kConnection,
  // Above all: the certificate is not the host's, or of no authority that is known.
  kTls,
  // The URL, or the address that its host turned out to have, is none that we connect to.
  kAddressRefused,
  // What came before the limit is in the outcome, the status too.
  kAnswerTooLarge,
  // Not the receiver's fault, and no byte has left: too many requests are in flight, or the client stops.
  kNotTried,
};

// "TIMEOUT", "CONNECTION", "TLS", "ADDRESS_REFUSED", "ANSWER_TOO_LARGE", "NOT_TRIED"; "" for kNone.
std::string_view NameOf(ErrorClass error);

struct Outcome {
  // The answer's; 0 when no head of one came. With kTimeout and kAnswerTooLarge it may have come.
  int status = 0;
  ErrorClass error = ErrorClass::kNone;
  // What went wrong, in words for the subscriber; empty when nothing did.
  std::string detail;
  // The first 1,024 bytes of the answer's body, whatever they are: they may be no UTF-8.
  std::string answer;
  // From the first step to the end.
  absl::Duration latency;
  // What Retry-After says, given in seconds or as a date; never negative.
  std::optional<absl::Duration> retry_after;
};

// HTTP/1.1 over connections that are kept. One thread drives all requests. Thread safe.
class Client {
 public:
  // INVALID_ARGUMENT for settings that cannot be: private addresses allowed in production, or a list that
  // cannot be read.
  static absl::StatusOr<std::unique_ptr<Client>> Create(const Settings& settings);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Sends one request, once, and follows no redirect. Always ends: with an answer, or by the time-out.
  async::Task<Outcome> Post(Request request);

  // For whoever stores a URL: CheckUrl says what is wrong with it.
  const AddressPolicy& addresses() const;

  // Ends what is in flight as kNotTried, and what is asked for from now on. The thread has ended after it.
  void Stop();

 private:
  class Loop;
  explicit Client(std::unique_ptr<Loop> loop);
  std::unique_ptr<Loop> loop_;
};

// The time of a Retry-After header (RFC 9110, 10.2.3), counted from `now`; absent when it cannot be read.
std::optional<absl::Duration> ParseRetryAfter(std::string_view text, absl::Time now);

}  // namespace bv::egress
