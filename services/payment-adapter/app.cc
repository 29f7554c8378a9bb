#include "services/payment-adapter/app.h"

#include "libs/base/macros.h"
#include "services/payment-adapter/gateways/http_gateways.h"

namespace bv::payment {

void App::Settings::Bind(config::Binder& b) {
  connection.Bind(b);
  pool.Bind(b);
  b.Duration("postgres.migrate_timeout", migrate_timeout, {absl::Seconds(1), absl::Minutes(30)});
  b.Text("soap.url", soap_url);
  b.Duration("soap.processing_max", soap_processing_max, {absl::Milliseconds(1), absl::Hours(1)});
  b.Text("rest.url", rest_url);
  b.Duration("rest.processing_max", rest_processing_max, {absl::Milliseconds(1), absl::Hours(1)});
  b.Integer("gateway.answer_bytes_max", answer_bytes_max, {1'024, 16 << 20});
  card.Bind(b);
  breaker.Bind(b);
}

absl::Status App::Start() {
  RETURN_IF_ERROR(settings_.card.Check());
  ASSIGN_OR_RETURN(http::Url soap_url, http::Url::Parse(settings_.soap_url, "soap.url"));
  ASSIGN_OR_RETURN(http::Url rest_url, http::Url::Parse(settings_.rest_url, "rest.url"));
  RETURN_IF_ERROR(postgres::Migrate(settings_.connection, host_.home() + "/migrations/payment-adapter",
                                    absl::Now() + settings_.migrate_timeout));
  pool_ = std::make_unique<postgres::Pool>(settings_.connection, settings_.pool);
  const auto body_bytes_max = static_cast<std::size_t>(settings_.answer_bytes_max);
  soap_ = std::make_unique<GuardedGateway>(
      std::make_unique<SoapGateway>(http::Client(std::move(soap_url), body_bytes_max)),
      settings_.soap_processing_max, settings_.breaker);
  rest_ = std::make_unique<GuardedGateway>(
      std::make_unique<RestGateway>(http::Client(std::move(rest_url), body_bytes_max)),
      settings_.rest_processing_max, settings_.breaker);
  card_ = std::make_unique<CardProvider>(*pool_, *soap_, *rest_, settings_.card);
  manual_ = std::make_unique<ManualProvider>(*pool_);
  rpc_ = std::make_unique<PaymentRpc>(*pool_, *card_, *manual_);
  rpc_->Serve(host_.rpc());
  return absl::OkStatus();
}

void App::Stop() {
  if (pool_) pool_->Stop();
}

}  // namespace bv::payment
