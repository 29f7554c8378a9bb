// Mails, senders and suppressed addresses as rows. The functions throw what libpqxx throws.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <optional>
#include <string>
#include <vector>

#include "libs/postgres/postgres.h"
#include "services/mailer/domain/mail.h"

namespace bv::mailer {

struct Sender {
  std::string email;
  std::string name;
  // May be empty.
  std::string reply_to;
  // With "{token}" in it; may be empty.
  std::string unsubscribe_url;
  absl::Time updated_at;
};
std::optional<Sender> ReadSender(postgres::Session& session, const TenantId& tenant);
// The same, locked until the transaction ends.
std::optional<Sender> LockSender(postgres::Session& session, const TenantId& tenant);
Sender WriteSender(postgres::Session& session, const TenantId& tenant, const Sender& sender);
void DeleteSender(postgres::Session& session, const TenantId& tenant);

struct Suppression {
  std::string reason;
  absl::Time since;
};
std::optional<Suppression> ReadSuppression(postgres::Session& session, const TenantId& tenant,
                                           const std::string& hash);
// The first reason stays.
Suppression WriteSuppression(postgres::Session& session, const TenantId& tenant, const std::string& hash,
                             const std::string& reason);
void DeleteSuppression(postgres::Session& session, const TenantId& tenant, const std::string& hash);

// Queues a mail for each, but for what is queued already and for tenants that had no sender when it occurred.
// Returns how many are new.
std::int64_t QueueMails(postgres::Session& session, const std::vector<Occasion>& occasions);

struct DueMail {
  TenantId tenant;
  MailId id;
};
// Of every tenant, in a session of EveryTenant(): whose time has come, the longest due first.
std::vector<DueMail> ReadDue(postgres::Session& session, int limit);

struct ClaimedMail {
  OrderId order;
  Kind kind = Kind::kOrderPlaced;
  // With this one.
  int attempts = 0;
  absl::Time created_at;
};
// For `lease` nobody else gets it. Absent when somebody else has it, or it has ended.
std::optional<ClaimedMail> ClaimMail(postgres::Session& session, const DueMail& mail, absl::Duration lease);

// Nothing more happens to it.
void EndMail(postgres::Session& session, const DueMail& mail, Status status, const std::string& detail);
void RepeatMail(postgres::Session& session, const DueMail& mail, absl::Duration pause,
                const std::string& detail);

struct Mail {
  MailId id;
  std::string kind;
  std::string status;
  int attempts = 0;
  std::string detail;
  absl::Time created_at;
  std::optional<absl::Time> ended_at;
};
// Oldest first.
std::vector<Mail> ReadMailsOf(postgres::Session& session, const TenantId& tenant, const OrderId& order);

// Of every tenant, in a session of EveryTenant(): those that have ended so long ago. Returns how many.
std::int64_t DeleteEnded(postgres::Session& session, absl::Duration age, int limit);

}  // namespace bv::mailer
