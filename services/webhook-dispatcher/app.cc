#include "services/webhook-dispatcher/app.h"

#include "libs/base/macros.h"

namespace bv::webhook {

void App::Settings::Bind(config::Binder& b) {
  connection.Bind(b);
  pool.Bind(b);
  b.Duration("postgres.migrate_timeout", migrate_timeout, {absl::Seconds(1), absl::Minutes(30)});
  b.Duration("subscriptions.poll_interval", poll_interval, {absl::Milliseconds(10), absl::Milliseconds(500)});
  egress.Bind(b);
  pipeline.Bind(b);
}

absl::Status App::Start() {
  RETURN_IF_ERROR(postgres::Migrate(settings_.connection, host_.home() + "/migrations/webhook-dispatcher",
                                    absl::Now() + settings_.migrate_timeout));
  pool_ = std::make_unique<postgres::Pool>(settings_.connection, settings_.pool, postgres::Plans::kIndexOnly);
  ASSIGN_OR_RETURN(egress_, egress::Client::Create(settings_.egress));
  subscription_rpc_ = std::make_unique<SubscriptionRpc>(*pool_, egress_->addresses());
  subscription_rpc_->Serve(host_.rpc());
  delivery_rpc_ = std::make_unique<DeliveryRpc>(*pool_);
  delivery_rpc_->Serve(host_.rpc());
  book_ = std::make_unique<SubscriptionBook>(settings_.connection, settings_.poll_interval);
  RETURN_IF_ERROR(book_->Start());
  ASSIGN_OR_RETURN(pipeline_, Pipeline::Create(settings_.pipeline, settings_.connection, *book_, *egress_,
                                               host_.io(), {}));
  return pipeline_->Start();
}

void App::Stop() {
  if (pipeline_) pipeline_->Stop();
  if (book_) book_->Stop();
  if (egress_) egress_->Stop();
  if (pool_) pool_->Stop();
}

}  // namespace bv::webhook
