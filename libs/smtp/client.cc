#include <absl/strings/match.h>
#include <absl/strings/str_replace.h>
#include <curl/curl.h>

#include <algorithm>
#include <memory>
#include <mutex>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/smtp/header.h"
#include "libs/smtp/smtp.h"
#include "libs/telemetry/telemetry.h"

namespace bv::smtp {
namespace {

constexpr absl::Duration kConnectTimeout = absl::Seconds(10);

using Easy = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;
using Mime = std::unique_ptr<curl_mime, decltype(&curl_mime_free)>;

class Lines {
 public:
  Lines() = default;
  ~Lines() { curl_slist_free_all(list_); }
  Lines(const Lines&) = delete;
  Lines& operator=(const Lines&) = delete;

  void Add(const std::string& line) { list_ = curl_slist_append(list_, line.c_str()); }
  curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

absl::Status CheckHeader(std::string_view value, std::string_view field) {
  const bool breaks = std::ranges::any_of(value, [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
  return breaks ? InvalidValue(field, "must not have line breaks") : absl::OkStatus();
}

absl::Status CheckHeaders(const Mail& mail) {
  RETURN_IF_ERROR(CheckHeader(mail.from_email, "fromEmail"));
  RETURN_IF_ERROR(CheckHeader(mail.from_name, "fromName"));
  RETURN_IF_ERROR(CheckHeader(mail.to_email, "toEmail"));
  RETURN_IF_ERROR(CheckHeader(mail.reply_to, "replyTo"));
  RETURN_IF_ERROR(CheckHeader(mail.subject, "subject"));
  RETURN_IF_ERROR(CheckHeader(mail.message_id, "messageId"));
  return CheckHeader(mail.unsubscribe_url, "unsubscribeUrl");
}

void AddHeaders(const Mail& mail, Lines& lines) {
  lines.Add(Concat("Date: ", DateOf(absl::Now())));
  lines.Add(Concat("From: ", Mailbox(mail.from_name, mail.from_email)));
  lines.Add(Concat("To: <", mail.to_email, ">"));
  if (!mail.reply_to.empty()) lines.Add(Concat("Reply-To: <", mail.reply_to, ">"));
  lines.Add(Concat("Subject: ", EncodeWords(mail.subject)));
  lines.Add(Concat("Message-ID: ", mail.message_id));
  // Nobody's out-of-office note answers it (RFC 3834).
  lines.Add("Auto-Submitted: auto-generated");
  if (!mail.unsubscribe_url.empty()) lines.Add(Concat("List-Unsubscribe: <", mail.unsubscribe_url, ">"));
}

void AddPart(curl_mime* mime, const std::string& text, const char* type) {
  // On the wire a line ends with both; anything else would be encoded as a character of it.
  const std::string lines = absl::StrReplaceAll(text, {{"\r\n", "\r\n"}, {"\n", "\r\n"}});
  curl_mimepart* part = curl_mime_addpart(mime);
  curl_mime_data(part, lines.data(), lines.size());
  curl_mime_type(part, type);
  curl_mime_encoder(part, "quoted-printable");
}

Mime BodyOf(CURL* easy, const Mail& mail) {
  Mime whole(curl_mime_init(easy), &curl_mime_free);
  curl_mime* alternatives = curl_mime_init(easy);
  // The last one is preferred by readers that know both.
  AddPart(alternatives, mail.text, "text/plain; charset=utf-8");
  AddPart(alternatives, mail.html, "text/html; charset=utf-8");
  curl_mimepart* part = curl_mime_addpart(whole.get());
  curl_mime_subparts(part, alternatives);
  curl_mime_type(part, "multipart/alternative");
  // Part of the text, no attachment. The mime takes the line over.
  curl_mime_headers(part, curl_slist_append(nullptr, "Content-Disposition: inline"), 1);
  return whole;
}

// Of the replies the last refusal, since curl says goodbye after it.
std::size_t KeepRefusal(char* data, std::size_t size, std::size_t count, void* target) {
  std::string_view line(data, size * count);
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  if (!line.empty() && (line[0] == '4' || line[0] == '5'))
    *static_cast<std::string*>(target) = line.substr(0, 300);
  return size * count;
}

// What a reply to RCPT says of the address itself: by its enhanced code (RFC 3463) when it has one; another
// one, such as 5.7.1, is about who sends.
bool IsAboutAddress(std::string_view reply) {
  const std::string_view code = reply.substr(0, 3);
  const std::string_view rest = reply.size() > 4 ? reply.substr(4) : std::string_view();
  const bool enhanced = rest.size() > 4 && rest[0] == '5' && rest[1] == '.';
  if (!enhanced) return code == "550" || code == "551" || code == "553";
  return absl::StartsWith(Absl(rest), "5.1.") || absl::StartsWith(Absl(rest), "5.2.1");
}

absl::Status StatusOf(CURL* easy, CURLcode result, std::string_view error, std::string_view reply) {
  if (result == CURLE_OK) return absl::OkStatus();
  long code = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &code);
  // A broken log-in is the operator's matter, and no mail's.
  const bool for_good = code >= 500 && code < 600 && result != CURLE_LOGIN_DENIED;
  const std::string what =
      Concat(error.empty() ? curl_easy_strerror(result) : error, reply.empty() ? "" : ": ", reply);
  if (!for_good) return Unavailable("MAIL_RELAY_UNAVAILABLE", what);
  const bool at_address = absl::StartsWith(Absl(error), "RCPT failed");
  return Error(absl::StatusCode::kFailedPrecondition,
               at_address && IsAboutAddress(reply) ? "ADDRESS_REFUSED" : "MAIL_REFUSED", what);
}

// One connection, kept from one mail to the next.
class Connection {
 public:
  explicit Connection(const Settings& settings) : easy_(curl_easy_init(), &curl_easy_cleanup) {
    const bool tls = settings.encryption == "tls";
    Set(CURLOPT_URL, Concat(tls ? "smtps://" : "smtp://", settings.address).c_str());
    Set(CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    Set(CURLOPT_PROXY, "");
    Set(CURLOPT_USE_SSL, static_cast<long>(settings.encryption == "none" ? CURLUSESSL_NONE : CURLUSESSL_ALL));
    if (!settings.user.empty()) {
      Set(CURLOPT_USERNAME, settings.user.c_str());
      Set(CURLOPT_PASSWORD, settings.password.Reveal().c_str());
    }
    Set(CURLOPT_NOSIGNAL, 1L);
    Set(CURLOPT_CONNECTTIMEOUT_MS, absl::ToInt64Milliseconds(kConnectTimeout));
    Set(CURLOPT_TIMEOUT_MS, absl::ToInt64Milliseconds(settings.timeout));
    Set(CURLOPT_HEADERFUNCTION, &KeepRefusal);
    Set(CURLOPT_HEADERDATA, &reply_);
    Set(CURLOPT_ERRORBUFFER, error_);
  }

  absl::Status Send(const Mail& mail) {
    RETURN_IF_ERROR(CheckHeaders(mail));
    Lines headers;
    AddHeaders(mail, headers);
    Lines to;
    to.Add(Concat("<", mail.to_email, ">"));
    const std::string from = Concat("<", mail.from_email, ">");
    const Mime body = BodyOf(easy_.get(), mail);
    Set(CURLOPT_MAIL_FROM, from.c_str());
    Set(CURLOPT_MAIL_RCPT, to.get());
    Set(CURLOPT_HTTPHEADER, headers.get());
    Set(CURLOPT_MIMEPOST, body.get());
    reply_.clear();
    error_[0] = '\0';
    const CURLcode result = curl_easy_perform(easy_.get());
    absl::Status status = StatusOf(easy_.get(), result, error_, reply_);
    // They end here; the connection stays.
    Set(CURLOPT_MIMEPOST, static_cast<curl_mime*>(nullptr));
    Set(CURLOPT_HTTPHEADER, static_cast<curl_slist*>(nullptr));
    Set(CURLOPT_MAIL_RCPT, static_cast<curl_slist*>(nullptr));
    return status;
  }

 private:
  template <class T>
  void Set(CURLoption option, T value) {
    curl_easy_setopt(easy_.get(), option, value);
  }

  Easy easy_;
  std::string reply_;
  char error_[CURL_ERROR_SIZE] = {};
};

}  // namespace

void Settings::Bind(config::Binder& b) {
  b.Text("smtp.address", address);
  b.Text("smtp.encryption", encryption);
  b.Text("smtp.user", user, config::Presence::kOptional);
  b.Secret("smtp.password", password, config::Presence::kOptional);
  b.Integer("smtp.connections", connections, {1, 64});
  b.Integer("smtp.queue_max", queue_max, {1, 10'000});
  b.Duration("smtp.timeout", timeout, {absl::Seconds(1), absl::Minutes(10)});
}

absl::Status Settings::Check() const {
  if (encryption != "none" && encryption != "starttls" && encryption != "tls")
    return InvalidValue("smtp.encryption", "must be none, starttls or tls");
  if (encryption == "none" && !user.empty())
    return InvalidValue("smtp.user", "a log-in needs smtp.encryption: starttls or tls");
  return absl::OkStatus();
}

Client::Client(const Settings& settings)
    : settings_(settings), queue_(static_cast<std::size_t>(settings.queue_max)) {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
  for (int i = 0; i < settings_.connections; ++i) threads_.emplace_back([this] { Serve(); });
}

Client::~Client() {
  Stop();
}

async::Task<absl::Status> Client::Send(Mail mail) {
  auto submit = [this, &mail](async::Done<absl::Status> done) {
    Job job{std::move(mail), std::move(done)};
    if (!queue_.TryPush(std::move(job))) std::move(job.done)(Overloaded("too many mails wait to be sent"));
  };
  co_return co_await async::Await<absl::Status>(submit);
}

void Client::Stop() {
  queue_.Close();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void Client::Serve() {
  Connection connection(settings_);
  prometheus::Histogram& seconds = telemetry::Histogram(
      "smtp_send_seconds", "From the call of the relay to its answer.", telemetry::LatencySeconds());
  while (true) {
    std::vector<Job> jobs = queue_.PopAll(1);
    if (jobs.empty()) return;
    const absl::Time start = absl::Now();
    absl::Status status = connection.Send(jobs.front().mail);
    seconds.Observe(absl::ToDoubleSeconds(absl::Now() - start));
    std::move(jobs.front().done)(std::move(status));
  }
}

bool IsAddressRefused(const absl::Status& status) {
  return ErrorReason(status) == "ADDRESS_REFUSED";
}

bool IsMailRefused(const absl::Status& status) {
  return ErrorReason(status) == "MAIL_REFUSED" || absl::IsInvalidArgument(status);
}

}  // namespace bv::smtp
