#include "services/mailer/store/mail_rows.h"

namespace bv::mailer {
namespace {

constexpr int kDetailMax = 300;

std::string Micros(absl::Duration duration) {
  return std::to_string(absl::ToInt64Microseconds(duration));
}

Sender SenderOf(const pqxx::row& row) {
  return {.email = row["email"].c_str(),
          .name = row["name"].c_str(),
          .reply_to = row["reply_to"].c_str(),
          .unsubscribe_url = row["unsubscribe_url"].c_str(),
          .updated_at = postgres::TimeFromMicros(row["updated"])};
}

Suppression SuppressionOf(const pqxx::row& row) {
  return {.reason = row["reason"].c_str(), .since = postgres::TimeFromMicros(row["since_micros"])};
}

}  // namespace

std::optional<Sender> ReadSender(postgres::Session& session, const TenantId& tenant) {
  static const postgres::Statement kRead{"mail_sender_read", R"sql(
    SELECT email, name, reply_to, unsubscribe_url, (extract(epoch FROM updated_at) * 1e6)::bigint AS updated
    FROM mail_sender
    WHERE tenant_id = $1
  )sql"};
  const pqxx::result rows = session.Exec(kRead, tenant.str());
  if (rows.empty()) return std::nullopt;
  return SenderOf(rows[0]);
}

std::optional<Sender> LockSender(postgres::Session& session, const TenantId& tenant) {
  static const postgres::Statement kLock{"mail_sender_lock", R"sql(
    SELECT email, name, reply_to, unsubscribe_url, (extract(epoch FROM updated_at) * 1e6)::bigint AS updated
    FROM mail_sender
    WHERE tenant_id = $1
    FOR UPDATE
  )sql"};
  const pqxx::result rows = session.Exec(kLock, tenant.str());
  if (rows.empty()) return std::nullopt;
  return SenderOf(rows[0]);
}

Sender WriteSender(postgres::Session& session, const TenantId& tenant, const Sender& sender) {
  static const postgres::Statement kWrite{"mail_sender_write", R"sql(
    INSERT INTO mail_sender (tenant_id, email, name, reply_to, unsubscribe_url)
    VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT (tenant_id) DO UPDATE
      SET email = EXCLUDED.email, name = EXCLUDED.name, reply_to = EXCLUDED.reply_to,
          unsubscribe_url = EXCLUDED.unsubscribe_url, updated_at = now()
    RETURNING email, name, reply_to, unsubscribe_url, (extract(epoch FROM updated_at) * 1e6)::bigint AS updated
  )sql"};
  return SenderOf(session.Exec(kWrite, tenant.str(), sender.email, sender.name, sender.reply_to,
                               sender.unsubscribe_url)[0]);
}

void DeleteSender(postgres::Session& session, const TenantId& tenant) {
  static const postgres::Statement kDelete{"mail_sender_delete",
                                           "DELETE FROM mail_sender WHERE tenant_id = $1"};
  session.Exec(kDelete, tenant.str());
}

std::optional<Suppression> ReadSuppression(postgres::Session& session, const TenantId& tenant,
                                           const std::string& hash) {
  static const postgres::Statement kRead{"mail_suppression_read", R"sql(
    SELECT reason, (extract(epoch FROM since) * 1e6)::bigint AS since_micros
    FROM mail_suppression
    WHERE tenant_id = $1 AND address_hash = $2
  )sql"};
  const pqxx::result rows = session.Exec(kRead, tenant.str(), hash);
  if (rows.empty()) return std::nullopt;
  return SuppressionOf(rows[0]);
}

Suppression WriteSuppression(postgres::Session& session, const TenantId& tenant, const std::string& hash,
                             const std::string& reason) {
  // DO NOTHING would return no row.
  static const postgres::Statement kWrite{"mail_suppression_write", R"sql(
    INSERT INTO mail_suppression (tenant_id, address_hash, reason)
    VALUES ($1, $2, $3)
    ON CONFLICT (tenant_id, address_hash) DO UPDATE SET reason = mail_suppression.reason
    RETURNING reason, (extract(epoch FROM since) * 1e6)::bigint AS since_micros
  )sql"};
  return SuppressionOf(session.Exec(kWrite, tenant.str(), hash, reason)[0]);
}

void DeleteSuppression(postgres::Session& session, const TenantId& tenant, const std::string& hash) {
  static const postgres::Statement kDelete{"mail_suppression_delete", R"sql(
    DELETE FROM mail_suppression WHERE tenant_id = $1 AND address_hash = $2
  )sql"};
  session.Exec(kDelete, tenant.str(), hash);
}

std::int64_t QueueMails(postgres::Session& session, const std::vector<Occasion>& occasions) {
  static const postgres::Statement kQueue{"mail_queue", R"sql(
    INSERT INTO mail (tenant_id, mail_id, order_id, kind)
    SELECT asked.tenant_id, asked.mail_id, asked.order_id, asked.kind
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[])
           AS asked (tenant_id, mail_id, order_id, kind, occurred)
         CROSS JOIN LATERAL (
           SELECT FROM mail_sender
           WHERE mail_sender.tenant_id = asked.tenant_id
             AND mail_sender.since <= to_timestamp(asked.occurred / 1e6)
         ) AS sender
    ON CONFLICT (tenant_id, mail_id) DO NOTHING
  )sql"};
  std::vector<std::string> tenants, ids, orders, kinds;
  std::vector<std::int64_t> occurred;
  for (const Occasion& occasion : occasions) {
    tenants.push_back(occasion.tenant.str());
    ids.push_back(occasion.id().str());
    orders.push_back(occasion.order.str());
    kinds.emplace_back(Word(occasion.kind));
    occurred.push_back(absl::ToUnixMicros(occasion.occurred_at));
  }
  return static_cast<std::int64_t>(session
                                       .Exec(kQueue, postgres::ArrayLiteral(tenants),
                                             postgres::ArrayLiteral(ids), postgres::ArrayLiteral(orders),
                                             postgres::ArrayLiteral(kinds), postgres::ArrayLiteral(occurred))
                                       .affected_rows());
}

std::vector<DueMail> ReadDue(postgres::Session& session, int limit) {
  static const postgres::Statement kDue{"mail_due", R"sql(
    SELECT tenant_id, mail_id
    FROM mail
    WHERE status = 'QUEUED' AND next_attempt_at <= now()
    ORDER BY next_attempt_at
    LIMIT $1
  )sql"};
  std::vector<DueMail> due;
  for (const pqxx::row& row : session.Exec(kDue, limit))
    due.push_back({TenantId::Trusted(row[0].c_str()), MailId::Trusted(row[1].c_str())});
  return due;
}

std::optional<ClaimedMail> ClaimMail(postgres::Session& session, const DueMail& mail, absl::Duration lease) {
  static const postgres::Statement kClaim{"mail_claim", R"sql(
    UPDATE mail
    SET attempts = attempts + 1, next_attempt_at = now() + $3::bigint * interval '1 microsecond'
    WHERE tenant_id = $1 AND mail_id = $2 AND status = 'QUEUED' AND next_attempt_at <= now()
    RETURNING order_id, kind, attempts, (extract(epoch FROM created_at) * 1e6)::bigint
  )sql"};
  const pqxx::result rows = session.Exec(kClaim, mail.tenant.str(), mail.id.str(), Micros(lease));
  if (rows.empty()) return std::nullopt;
  const pqxx::row row = rows[0];
  return ClaimedMail{.order = OrderId::Trusted(row[0].c_str()),
                     .kind = KindOf(row[1].c_str()).value_or(Kind::kOrderPlaced),
                     .attempts = row[2].as<int>(),
                     .created_at = postgres::TimeFromMicros(row[3])};
}

void EndMail(postgres::Session& session, const DueMail& mail, Status status, const std::string& detail) {
  static const postgres::Statement kEnd{"mail_end", R"sql(
    UPDATE mail
    SET status = $3, detail = left($4, $5), ended_at = now()
    WHERE tenant_id = $1 AND mail_id = $2 AND status = 'QUEUED'
  )sql"};
  session.Exec(kEnd, mail.tenant.str(), mail.id.str(), std::string(Word(status)), detail, kDetailMax);
}

void RepeatMail(postgres::Session& session, const DueMail& mail, absl::Duration pause,
                const std::string& detail) {
  static const postgres::Statement kRepeat{"mail_repeat", R"sql(
    UPDATE mail
    SET next_attempt_at = now() + $3::bigint * interval '1 microsecond', detail = left($4, $5)
    WHERE tenant_id = $1 AND mail_id = $2 AND status = 'QUEUED'
  )sql"};
  session.Exec(kRepeat, mail.tenant.str(), mail.id.str(), Micros(pause), detail, kDetailMax);
}

std::vector<Mail> ReadMailsOf(postgres::Session& session, const TenantId& tenant, const OrderId& order) {
  static const postgres::Statement kRead{"mail_of_order", R"sql(
    SELECT mail_id, kind, status, attempts, detail,
           (extract(epoch FROM created_at) * 1e6)::bigint AS created, (extract(epoch FROM ended_at) * 1e6)::bigint AS ended
    FROM mail
    WHERE tenant_id = $1 AND order_id = $2
    ORDER BY created_at, mail_id
  )sql"};
  std::vector<Mail> mails;
  for (const pqxx::row& row : session.Exec(kRead, tenant.str(), order.str())) {
    Mail mail{.id = MailId::Trusted(row["mail_id"].c_str()),
              .kind = row["kind"].c_str(),
              .status = row["status"].c_str(),
              .attempts = row["attempts"].as<int>(),
              .detail = row["detail"].c_str(),
              .created_at = postgres::TimeFromMicros(row["created"]),
              .ended_at = std::nullopt};
    if (!row["ended"].is_null()) mail.ended_at = postgres::TimeFromMicros(row["ended"]);
    mails.push_back(std::move(mail));
  }
  return mails;
}

std::int64_t DeleteEnded(postgres::Session& session, absl::Duration age, int limit) {
  static const postgres::Statement kDelete{"mail_delete_ended", R"sql(
    WITH old AS (
      SELECT tenant_id, mail_id
      FROM mail
      WHERE ended_at < now() - $1::bigint * interval '1 microsecond'
      ORDER BY ended_at
      LIMIT $2
    )
    DELETE FROM mail USING old WHERE mail.tenant_id = old.tenant_id AND mail.mail_id = old.mail_id
  )sql"};
  return static_cast<std::int64_t>(session.Exec(kDelete, Micros(age), limit).affected_rows());
}

}  // namespace bv::mailer
