#include "services/audit-trail/app.h"

#include "libs/base/macros.h"
#include "services/audit-trail/heads/note_heads.h"

namespace bv::audit_trail {

void App::Settings::Bind(config::Binder& b) {
  connection.Bind(b);
  pool.Bind(b);
  b.Duration("postgres.migrate_timeout", migrate_timeout, {absl::Seconds(1), absl::Minutes(30)});
  kafka.Bind(b);
  b.Duration("audit.head_interval", head_interval, {absl::Seconds(1), absl::Hours(24)});
}

absl::Status App::Start() {
  RETURN_IF_ERROR(postgres::Migrate(settings_.connection, host_.home() + "/migrations/audit-trail",
                                    absl::Now() + settings_.migrate_timeout));
  pool_ = std::make_unique<postgres::Pool>(settings_.connection, settings_.pool, postgres::Plans::kIndexOnly);
  rpc_ = std::make_unique<AuditRpc>(*pool_);
  rpc_->Serve(host_.rpc());
  // Nobody waits for an entry: everybody else comes first.
  kafka::ConsumerSettings kafka = settings_.kafka;
  kafka.gather_max = absl::Milliseconds(200);
  kafka.niceness = 10;
  trail_ = std::make_unique<Trail>(kafka, settings_.connection);
  RETURN_IF_ERROR(trail_->Start());
  // Once more than needed after a restart, rather than not at all.
  noted_until_ = absl::Now() - 2 * settings_.head_interval;
  note_heads_ = std::make_unique<service::Job>(
      host_.io(), "heads of audit chains", settings_.head_interval,
      [this](std::stop_token stop) { return NoteHeads(*pool_, noted_until_, std::move(stop)); });
  note_heads_->Start();
  return absl::OkStatus();
}

void App::Stop() {
  if (note_heads_) note_heads_->Stop();
  if (trail_) trail_->Stop();
  if (pool_) pool_->Stop();
}

}  // namespace bv::audit_trail
