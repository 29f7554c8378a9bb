#include "services/notification/app.h"

#include "commerce/order/v1/events.pb.h"
#include "commerce/pricing/v1/events.pb.h"
#include "libs/base/macros.h"
#include "libs/events/event_type.h"
#include "libs/telemetry/telemetry.h"

namespace bv::notification {
namespace {

// Limits of seconds are exact to this, and it costs a glance at each connection.
constexpr absl::Duration kSweepInterval = absl::Milliseconds(250);
// Between two looks at whether the topics are read.
constexpr absl::Duration kCaughtUpInterval = absl::Milliseconds(10);

}  // namespace

void App::Settings::Bind(config::Binder& b) {
  http.Bind(b);
  kafka.Bind(b);
  hub.Bind(b);
  websocket.Bind(b);
  sse.Bind(b);
  b.Text("order.address", order_address);
  peer.Bind(b);
}

absl::Status App::Start() {
  hub_ = std::make_unique<Hub>(settings_.hub, absl::Now() - settings_.hub.window);
  order_reader_ = std::make_unique<OrderReader>(settings_.order_address, settings_.peer,
                                                settings_.websocket.order_calls_max);
  orders_ = std::make_unique<OrdersEndpoint>(settings_.websocket, *hub_, *order_reader_, host_.verifier());
  sales_ = std::make_unique<SalesEndpoint>(host_.io(), settings_.sse, settings_.websocket.origins,
                                           host_.settings().threads);
  RETURN_IF_ERROR(Follow());
  sweep_ = std::make_unique<service::Job>(host_.io(), "sweep", kSweepInterval,
                                          [this](std::stop_token) -> async::Task<absl::StatusOr<bool>> {
                                            hub_->Sweep();
                                            orders_->Sweep();
                                            sales_->Sweep();
                                            co_return false;
                                          });
  sweep_->Start();

  front_ = std::make_unique<Front>(*orders_, *sales_, [this] { return host_.ready(); });
  http::Handlers handlers{
      .handle = [this](const http::Request& request,
                       http::Response& response) { return front_->Handle(request, response); },
      .refuse = [this](const http::Refusal& refusal,
                       http::Response& response) { front_->Refuse(refusal, response); },
  };
  server_ = std::make_unique<http::Server>(host_.io(), settings_.http, std::move(handlers));
  host_.OnDrain([this](absl::Time deadline) { Drain(deadline); });
  RETURN_IF_ERROR(server_->Start());
  telemetry::Log(telemetry::Level::kInfo, "serving HTTP", {{"port", server_->port()}});
  return absl::OkStatus();
}

absl::Status App::Follow() {
  order_follower_ = std::make_unique<kafka::Follower>(
      settings_.kafka,
      kafka::Follower::Options{.client_id = "notification-orders",
                               .topics = {events::TypeOf<commerce::order::v1::OrderCreated>().topic},
                               .history = settings_.hub.window},
      [this](std::span<const kafka::Message> messages) { hub_->Handle(messages); });
  sale_follower_ = std::make_unique<kafka::Follower>(
      settings_.kafka,
      kafka::Follower::Options{.client_id = "notification-flash-sales",
                               .topics = {events::TypeOf<commerce::pricing::v1::FlashSaleStarted>().topic},
                               .history = absl::InfiniteDuration()},
      [this](std::span<const kafka::Message> messages) { sales_->Handle(messages); });
  RETURN_IF_ERROR(order_follower_->Start());
  RETURN_IF_ERROR(sale_follower_->Start());
  while (!order_follower_->caught_up() || !sale_follower_->caught_up()) absl::SleepFor(kCaughtUpInterval);
  for (const auto& [partition, offset] : order_follower_->begins()) hub_->Begin(partition.second, offset);
  for (const auto& [partition, offset] : sale_follower_->begins()) sales_->Begin(partition.second, offset);
  return absl::OkStatus();
}

void App::Drain(absl::Time deadline) {
  server_->Drain(deadline);
  orders_->Drain(deadline);
  sales_->Drain(deadline);
}

void App::Stop() {
  if (server_) Drain(absl::Now());
  if (order_follower_) order_follower_->Stop();
  if (sale_follower_) sale_follower_->Stop();
  if (sweep_) sweep_->Stop();
}

}  // namespace bv::notification
