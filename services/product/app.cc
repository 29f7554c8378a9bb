#include "services/product/app.h"

#include "libs/base/macros.h"

namespace bv::product {

void App::Settings::Bind(config::Binder& b) {
  connection.Bind(b);
  pool.Bind(b);
  b.Duration("postgres.migrate_timeout", migrate_timeout, {absl::Seconds(1), absl::Minutes(30)});
}

absl::Status App::Start() {
  RETURN_IF_ERROR(postgres::Migrate(settings_.connection, host_.home() + "/migrations/product",
                                    absl::Now() + settings_.migrate_timeout));
  pool_ = std::make_unique<postgres::Pool>(settings_.connection, settings_.pool);
  rpc_ = std::make_unique<ProductRpc>(*pool_);
  rpc_->Serve(host_.rpc());
  return absl::OkStatus();
}

void App::Stop() {
  if (pool_) pool_->Stop();
}

}  // namespace bv::product
