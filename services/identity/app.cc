#include "services/identity/app.h"

#include "libs/base/macros.h"
#include "services/identity/store/forget.h"

namespace bv::identity {
namespace {

constexpr absl::Duration kForgetInterval = absl::Minutes(10);

}  // namespace

void App::Settings::Bind(config::Binder& b) {
  connection.Bind(b);
  pool.Bind(b);
  b.Duration("postgres.migrate_timeout", migrate_timeout, {absl::Seconds(1), absl::Minutes(30)});
  // Not longer than the events are kept, since whoever checks tokens begins with them.
  b.Duration("tokens.lifetime_max", staff.token_lifetime_max, {absl::Minutes(1), absl::Hours(24 * 30)});
  b.Integer("staff.accounts_max", staff.accounts_max, {1, 100'000});
  b.Duration("staff.invitation_lifetime", staff.invitation_lifetime,
             {absl::Minutes(1), absl::Hours(24 * 90)});
  b.Integer("stores.stores_max", stores_max, {1, 100'000});
}

absl::Status App::Start() {
  RETURN_IF_ERROR(postgres::Migrate(settings_.connection, host_.home() + "/migrations/identity",
                                    absl::Now() + settings_.migrate_timeout));
  pool_ = std::make_unique<postgres::Pool>(settings_.connection, settings_.pool, postgres::Plans::kIndexOnly);
  revocation_rpc_ = std::make_unique<RevocationRpc>(*pool_, settings_.staff.token_lifetime_max);
  revocation_rpc_->Serve(host_.rpc());
  staff_rpc_ = std::make_unique<StaffRpc>(*pool_, settings_.staff);
  staff_rpc_->Serve(host_.rpc());
  store_rpc_ = std::make_unique<StoreRpc>(*pool_, settings_.stores_max);
  store_rpc_->Serve(host_.rpc());
  forget_ = std::make_unique<service::Job>(
      host_.io(), "revocations to be forgotten", kForgetInterval,
      [this](std::stop_token stop) { return ForgetSome(*pool_, std::move(stop)); });
  forget_->Start();
  return absl::OkStatus();
}

void App::Stop() {
  if (forget_) forget_->Stop();
  if (pool_) pool_->Stop();
}

}  // namespace bv::identity
