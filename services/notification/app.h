#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "libs/http/server.h"
#include "libs/kafka/follower.h"
#include "libs/rpc/client.h"
#include "libs/service/job.h"
#include "libs/service/service.h"
#include "services/notification/edge/front.h"
#include "services/notification/hub/hub.h"
#include "services/notification/sse/endpoint.h"
#include "services/notification/ws/endpoint.h"

namespace bv::notification {

class App {
 public:
  static constexpr std::string_view kName = "notification";

  struct Settings {
    http::Settings http;
    kafka::ConsumerSettings kafka;
    HubSettings hub;
    WebSocketSettings websocket;
    StreamSettings sse;
    std::string order_address;
    rpc::PeerSettings peer;

    void Bind(config::Binder& b);
  };

  App(const Settings& settings, service::Host& host) : settings_(settings), host_(host) {}
  absl::Status Start();
  void Stop();

 private:
  // Until both topics are read to their end: before, a client that comes back would be told too little.
  absl::Status Follow();
  void Drain(absl::Time deadline);

  const Settings settings_;
  service::Host& host_;
  std::unique_ptr<Hub> hub_;
  std::unique_ptr<OrderReader> order_reader_;
  std::unique_ptr<OrdersEndpoint> orders_;
  std::unique_ptr<SalesEndpoint> sales_;
  std::unique_ptr<kafka::Follower> order_follower_;
  std::unique_ptr<kafka::Follower> sale_follower_;
  std::unique_ptr<service::Job> sweep_;
  std::unique_ptr<Front> front_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace bv::notification
