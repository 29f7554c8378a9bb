#include "services/gateway/app.h"

#include "commerce/analytics/v1/service.pb.h"
#include "commerce/audit/v1/service.pb.h"
#include "commerce/cart/v1/service.pb.h"
#include "commerce/identity/v1/service.pb.h"
#include "commerce/inventory/v1/service.pb.h"
#include "commerce/mail/v1/service.pb.h"
#include "commerce/order/v1/service.pb.h"
#include "commerce/payment/v1/service.pb.h"
#include "commerce/pricing/v1/service.pb.h"
#include "commerce/product/v1/service.pb.h"
#include "commerce/webhook/v1/service.pb.h"
#include "libs/base/macros.h"
#include "libs/telemetry/telemetry.h"

namespace bv::gateway {
namespace {

// By pages of other origins, beside those that any may read.
constexpr std::string_view kReadableHeaders =
    "ETag, Location, Retry-After, RateLimit, RateLimit-Policy, X-Request-Id, Correlation-Id, "
    "Idempotency-Replayed";

}  // namespace

void App::Settings::Bind(config::Binder& b) {
  http.Bind(b);
  b.TextList("http.trusted_proxies", trusted_proxies);
  cors.Bind(b);
  cache.Bind(b);
  limits.Bind(b);
  redis.Bind(b);
  b.Integer("overload.calls_max", calls_max, {1, 1'000'000});
  b.Duration("http.request_timeout", request_timeout, {absl::Milliseconds(10), absl::Minutes(5)});
  b.Text("docs.folder", docs_folder, config::Presence::kOptional);
  b.Text("product.address", product_address);
  b.Text("cart.address", cart_address);
  b.Text("order.address", order_address);
  b.Text("inventory.address", inventory_address);
  b.Text("payment_adapter.address", payment_adapter_address);
  b.Text("analytics.address", analytics_address);
  b.Text("mailer.address", mailer_address);
  b.Text("audit_trail.address", audit_trail_address);
  b.Text("identity.address", identity_address);
  b.Text("webhook_dispatcher.address", webhook_dispatcher_address);
  graphql.Bind(b);
  tunnel.Bind(b);
  b.TextList("notification.http_addresses", tunnel.addresses);
  peer.Bind(b);
}

absl::Status App::Start() {
  // A new service: its setting above and a line here. A new annotated RPC of one of these: nothing.
  const std::pair<const google::protobuf::FileDescriptor*, const std::string*> served[] = {
      {commerce::product::v1::Product::descriptor()->file(), &settings_.product_address},
      {commerce::pricing::v1::FlashSale::descriptor()->file(), &settings_.product_address},
      {commerce::cart::v1::Cart::descriptor()->file(), &settings_.cart_address},
      {commerce::order::v1::Order::descriptor()->file(), &settings_.order_address},
      {commerce::inventory::v1::StockStatus::descriptor()->file(), &settings_.inventory_address},
      {commerce::payment::v1::Payment::descriptor()->file(), &settings_.payment_adapter_address},
      {commerce::analytics::v1::DailyRevenue::descriptor()->file(), &settings_.analytics_address},
      {commerce::mail::v1::Mail::descriptor()->file(), &settings_.mailer_address},
      {commerce::audit::v1::Entry::descriptor()->file(), &settings_.audit_trail_address},
      {commerce::identity::v1::StaffMember::descriptor()->file(), &settings_.identity_address},
      {commerce::webhook::v1::Subscription::descriptor()->file(), &settings_.webhook_dispatcher_address},
  };
  std::vector<Backend> backends;
  for (const auto& [contract, address] : served) {
    peers_.push_back(std::make_unique<rpc::Peer>(*address, settings_.peer));
    backends.push_back({.contract = contract, .peer = peers_.back().get()});
  }
  ASSIGN_OR_RETURN(routes_, RouteTable::Build(backends, host_.settings().grpc.idempotency_key_required));

  tunnels_ = std::make_unique<http::Tunnels>(settings_.tunnel);
  ASSIGN_OR_RETURN(documents_, Documents::Load(settings_.docs_folder));
  ASSIGN_OR_RETURN(graphql_, Forward::Create(settings_.graphql, routes_, host_.io().get_executor()));
  RETURN_IF_ERROR(MakeConventions());
  gateway_ = std::make_unique<Gateway>(
      routes_, host_.verifier(), *tunnels_, *conventions_, documents_, *graphql_,
      [this] { return host_.ready(); }, settings_.request_timeout);
  http::Handlers handlers{
      .handle = [this](const http::Request& request,
                       http::Response& response) { return gateway_->Handle(request, response); },
      .refuse = [this](const http::Refusal& refusal,
                       http::Response& response) { gateway_->Refuse(refusal, response); },
  };
  server_ = std::make_unique<http::Server>(host_.io(), settings_.http, std::move(handlers));
  host_.OnDrain([this](absl::Time deadline) {
    server_->Drain(deadline);
    tunnels_->Drain(deadline);
  });
  RETURN_IF_ERROR(server_->Start());
  telemetry::Log(telemetry::Level::kInfo, "serving HTTP",
                 {{"port", server_->port()}, {"routes", static_cast<std::int64_t>(routes_.routes().size())}});
  return absl::OkStatus();
}

absl::Status App::MakeConventions() {
  ASSIGN_OR_RETURN(redis_, redis::Client::Create(settings_.redis));
  ASSIGN_OR_RETURN(TrustedProxies proxies, TrustedProxies::Create(settings_.trusted_proxies));
  conventions_.reset(new Conventions{.proxies = std::move(proxies),
                                     .cors = http::Cors(settings_.cors, kReadableHeaders),
                                     .cache = CacheControl(settings_.cache),
                                     .limits = Limits(settings_.limits, host_.io(), redis_.get()),
                                     .admission = Admission(settings_.calls_max)});
  return absl::OkStatus();
}

void App::Stop() {
  if (server_) server_->Drain(absl::Now());
  if (tunnels_) tunnels_->Drain(absl::Now());
  if (redis_) redis_->Stop();
}

}  // namespace bv::gateway
