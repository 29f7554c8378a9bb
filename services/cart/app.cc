#include "services/cart/app.h"

#include "libs/base/macros.h"

namespace bv::cart {

void App::Settings::Bind(config::Binder& b) {
  connection.Bind(b);
  pool.Bind(b);
  b.Duration("postgres.migrate_timeout", migrate_timeout, {absl::Seconds(1), absl::Minutes(30)});
  b.Text("product.address", product_address);
  peer.Bind(b);
  b.Duration("cart.ttl", ttl, {absl::Seconds(1), absl::Hours(24 * 366)});
  b.TextList("cart.hold_items", hold_items);
  b.Duration("cart.hold_ttl", hold_ttl, {absl::Seconds(1), absl::Hours(24)});
  kafka.Bind(b);
  sweeper.Bind(b);
}

absl::Status App::Start() {
  ASSIGN_OR_RETURN(HoldPolicy holds, HoldPolicy::Create(settings_.hold_items, settings_.hold_ttl));
  RETURN_IF_ERROR(postgres::Migrate(settings_.connection, host_.home() + "/migrations/cart",
                                    absl::Now() + settings_.migrate_timeout));
  pool_ = std::make_unique<postgres::Pool>(settings_.connection, settings_.pool);
  catalogue_ = std::make_unique<Catalogue>(settings_.product_address, settings_.peer);
  rpc_ = std::make_unique<CartRpc>(*pool_, *catalogue_,
                                   CartRules{.ttl = settings_.ttl, .holds = std::move(holds)});
  rpc_->Serve(host_.rpc());
  hold_answers_ = std::make_unique<HoldAnswers>(settings_.kafka, settings_.connection);
  RETURN_IF_ERROR(hold_answers_->Start());
  sweeper_ = std::make_unique<Sweeper>(host_.io(), *pool_, settings_.sweeper);
  sweeper_->Start();
  return absl::OkStatus();
}

void App::Stop() {
  if (sweeper_) sweeper_->Stop();
  if (hold_answers_) hold_answers_->Stop();
  if (pool_) pool_->Stop();
}

}  // namespace bv::cart
