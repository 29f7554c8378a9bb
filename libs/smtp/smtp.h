// Sends mail through a relay (RFC 5321), by libcurl.
//
//   smtp::Client client(settings);
//   absl::Status taken = co_await client.Send(std::move(mail));
#pragma once

#include <absl/status/status.h>
#include <absl/time/time.h>

#include <string>
#include <thread>
#include <vector>

#include "libs/async/task.h"
#include "libs/config/config.h"
#include "libs/resilience/bounded_queue.h"

namespace bv::smtp {

struct Settings {
  // host:port of the relay.
  std::string address;
  // "none"; "starttls": the connection is encrypted before anything is said, or there is none; "tls": from
  // its first byte on. The relay's certificate is verified.
  std::string encryption;
  // Empty: no log-in. Only with encryption.
  std::string user;
  config::Secret password;
  // Connections, each with a thread.
  int connections = 2;
  // Mails that wait for a connection; more are RESOURCE_EXHAUSTED.
  int queue_max = 100;
  // For one mail.
  absl::Duration timeout = absl::Seconds(30);

  void Bind(config::Binder& b);  // smtp.…
  // INVALID_ARGUMENT, reason INVALID_VALUE, names the setting.
  absl::Status Check() const;
};

struct Mail {
  std::string from_email;
  std::string from_name;
  std::string to_email;
  // Empty: answers go to `from_email`.
  std::string reply_to;
  std::string subject;
  // The same for those who read HTML and those who do not.
  std::string text;
  std::string html;
  // Of RFC 5322, with its angle brackets: the same for every attempt, so that a mail that arrives twice is
  // seen to be one.
  std::string message_id;
  // A link, for the header List-Unsubscribe (RFC 2369); empty: none.
  std::string unsubscribe_url;
};

// Thread safe.
class Client {
 public:
  explicit Client(const Settings& settings);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // OK when the relay has taken the mail. FAILED_PRECONDITION, reason ADDRESS_REFUSED, when it says that
  // there is no such address or that it takes no mail; reason MAIL_REFUSED when it refuses the mail for good;
  // UNAVAILABLE, reason MAIL_RELAY_UNAVAILABLE, when it may take it later, or may have taken it: a connection
  // can be lost before the answer comes. INVALID_ARGUMENT, reason INVALID_VALUE, for a line break in what
  // becomes a header.
  async::Task<absl::Status> Send(Mail mail);

  // Sends what waits and ends the threads; nothing is taken any more.
  void Stop();

 private:
  struct Job {
    Mail mail;
    async::Done<absl::Status> done;
  };
  void Serve();

  const Settings settings_;
  resilience::BoundedQueue<Job> queue_;
  std::vector<std::thread> threads_;
};

bool IsAddressRefused(const absl::Status& status);
bool IsMailRefused(const absl::Status& status);

}  // namespace bv::smtp
