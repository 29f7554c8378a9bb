#include "libs/egress/transfer.h"

#include <absl/strings/str_join.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "libs/base/clock.h"
#include "libs/base/strings.h"

namespace bv::egress {
namespace {

constexpr std::size_t kAnswerBytesKept = 1024;
// libcurl's own buffer of a request in flight.
constexpr long kBufferBytes = 4096;
// Longer than any request may last, shorter than libcurl's own: names are looked up by us.
constexpr long kAddressesKeptSeconds = 120;

// An option that does not exist or a value that cannot be would leave a request without one of its guards.
template <class T>
void Set(CURL* easy, CURLoption option, T value) {
  if (curl_easy_setopt(easy, option, value) != CURLE_OK) std::abort();
}

}  // namespace

Transfer::Transfer(const Settings& settings, const AddressPolicy& policy)
    : settings_(settings), policy_(policy), easy_(curl_easy_init()) {
  if (!easy_) std::abort();
  SetWhatAllShare();
}

void Transfer::SetWhatAllShare() {
  CURL* const easy = easy_.get();
  Set(easy, CURLOPT_ERRORBUFFER, problem_);
  Set(easy, CURLOPT_NOSIGNAL, 1L);
  Set(easy, CURLOPT_BUFFERSIZE, kBufferBytes);
  Set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  Set(easy, CURLOPT_FOLLOWLOCATION, 0L);
  // Both, or the environment's would be taken.
  Set(easy, CURLOPT_PROXY, "");
  Set(easy, CURLOPT_NOPROXY, "*");
  Set(easy, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  Set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  Set(easy, CURLOPT_POST, 1L);
  Set(easy, CURLOPT_SSL_VERIFYPEER, 1L);
  Set(easy, CURLOPT_SSL_VERIFYHOST, 2L);
  Set(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!settings_.ca_file.empty()) Set(easy, CURLOPT_CAINFO, settings_.ca_file.c_str());
  Set(easy, CURLOPT_DNS_CACHE_TIMEOUT, kAddressesKeptSeconds);
  // Else the end of a request whose name libcurl looks up would wait for the look-up.
  Set(easy, CURLOPT_QUICK_EXIT, 1L);
  Set(easy, CURLOPT_CONNECTTIMEOUT_MS,
      static_cast<long>(absl::ToInt64Milliseconds(settings_.connect_timeout)));
  Set(easy, CURLOPT_HEADERFUNCTION, &OnHead);
  Set(easy, CURLOPT_HEADERDATA, static_cast<void*>(this));
  Set(easy, CURLOPT_WRITEFUNCTION, &OnBody);
  Set(easy, CURLOPT_WRITEDATA, static_cast<void*>(this));
  Set(easy, CURLOPT_OPENSOCKETFUNCTION, &OnSocket);
  Set(easy, CURLOPT_OPENSOCKETDATA, static_cast<void*>(this));
}

void Transfer::Prepare(Job job, const UrlParts& url, const std::vector<std::string>& addresses) {
  job_ = std::move(job);
  answer_.clear();
  answer_bytes_ = 0;
  is_too_large_ = false;
  refusal_.clear();
  own_problem_.clear();
  problem_[0] = '\0';

  curl_slist* headers = nullptr;
  for (const auto& [name, value] : job_.request.headers)
    headers = curl_slist_append(headers, absl::StrCat(name, ": ", value).c_str());
  // Else libcurl asks before it sends a large body, and waits for an answer.
  headers_.reset(curl_slist_append(headers, "Expect:"));
  // "+": forgotten after its time. The port is written out, as libcurl goes by both.
  addresses_.reset(
      addresses.empty()
          ? nullptr
          : curl_slist_append(
                nullptr,
                absl::StrCat("+", url.host, ":", url.port, ":", absl::StrJoin(addresses, ",")).c_str()));
  CURL* const easy = easy_.get();
  Set(easy, CURLOPT_URL, job_.request.url.c_str());
  Set(easy, CURLOPT_HTTPHEADER, headers_.get());
  Set(easy, CURLOPT_RESOLVE, addresses_.get());
  Set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(job_.request.body.size()));
  Set(easy, CURLOPT_POSTFIELDS, job_.request.body.c_str());
  const absl::Duration left = std::max(job_.deadline - MonotonicNow(), absl::Milliseconds(1));
  Set(easy, CURLOPT_TIMEOUT_MS,
      static_cast<long>(absl::ToInt64Milliseconds(absl::Ceil(left, absl::Milliseconds(1)))));
}

Job Transfer::TakeJob() {
  return std::exchange(job_, {});
}

Outcome Transfer::TakeOutcome(CURLcode code) {
  Outcome outcome;
  long status = 0;
  curl_easy_getinfo(easy_.get(), CURLINFO_RESPONSE_CODE, &status);
  // Below 200 it only announces an answer.
  outcome.status = status >= 200 ? static_cast<int>(status) : 0;
  outcome.error = ErrorOf(code);
  outcome.answer = std::move(answer_);
  if (curl_header* header = nullptr;
      curl_easy_header(easy_.get(), "Retry-After", 0, CURLH_HEADER, -1, &header) == CURLHE_OK) {
    outcome.retry_after = ParseRetryAfter(header->value, absl::Now());
  }
  if (outcome.error == ErrorClass::kNone) return outcome;
  if (outcome.error == ErrorClass::kAddressRefused) {
    outcome.detail = Concat("the host's address is ", refusal_);
  } else if (outcome.error == ErrorClass::kNotTried) {
    outcome.detail = own_problem_;
  } else if (outcome.error == ErrorClass::kAnswerTooLarge) {
    outcome.detail = absl::StrCat("the answer has more than ", settings_.answer_bytes_max, " bytes");
  } else {
    outcome.detail = problem_[0] == '\0' ? curl_easy_strerror(code) : problem_;
  }
  return outcome;
}

ErrorClass Transfer::ErrorOf(CURLcode code) const {
  switch (code) {
    case CURLE_OK:
      return ErrorClass::kNone;
    case CURLE_OPERATION_TIMEDOUT:
      return ErrorClass::kTimeout;
    case CURLE_COULDNT_CONNECT:
      if (!own_problem_.empty()) return ErrorClass::kNotTried;
      return refusal_.empty() ? ErrorClass::kConnection : ErrorClass::kAddressRefused;
    case CURLE_WRITE_ERROR:
      return is_too_large_ ? ErrorClass::kAnswerTooLarge : ErrorClass::kConnection;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
      return ErrorClass::kTls;
    case CURLE_OUT_OF_MEMORY:
      return ErrorClass::kNotTried;
    default:
      return ErrorClass::kConnection;
  }
}

std::size_t Transfer::Count(std::size_t bytes) {
  answer_bytes_ += bytes;
  is_too_large_ = answer_bytes_ > static_cast<std::size_t>(settings_.answer_bytes_max);
  return is_too_large_ ? 0 : bytes;
}

std::size_t Transfer::OnHead(char*, std::size_t size, std::size_t count, void* self) {
  return static_cast<Transfer*>(self)->Count(size * count);
}

std::size_t Transfer::OnBody(char* bytes, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  const std::size_t room = kAnswerBytesKept - transfer.answer_.size();
  transfer.answer_.append(bytes, std::min(room, size * count));
  return transfer.Count(size * count);
}

// The one place where a connection begins: whatever the URL said and the name server answered, this is the
// address that is connected to.
curl_socket_t Transfer::OnSocket(void* self, curlsocktype, curl_sockaddr* address) {
  auto& transfer = *static_cast<Transfer*>(self);
  if (std::optional<std::string> why = transfer.policy_.WhyRefused(address->addr)) {
    transfer.refusal_ = *std::move(why);
    return CURL_SOCKET_BAD;
  }
  const int socket = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  if (socket < 0 && errno != EAFNOSUPPORT) transfer.own_problem_ = std::system_category().message(errno);
  return socket < 0 ? CURL_SOCKET_BAD : socket;
}

}  // namespace bv::egress
