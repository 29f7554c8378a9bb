#pragma once

#include <memory>
#include <string>
#include <vector>

#include "libs/http/server.h"
#include "libs/http/tunnel.h"
#include "libs/rpc/client.h"
#include "libs/service/service.h"
#include "services/gateway/rest/gateway.h"
#include "services/gateway/routing/route_table.h"

namespace bv::gateway {

class App {
 public:
  static constexpr std::string_view kName = "gateway";

  struct Settings {
    http::Settings http;
    // Its addresses are those of notification's HTTP.
    http::TunnelSettings tunnel;
    absl::Duration request_timeout;
    std::string product_address;
    std::string cart_address;
    std::string order_address;
    std::string inventory_address;
    std::string payment_adapter_address;
    std::string analytics_address;
    std::string mailer_address;
    std::string webhook_dispatcher_address;
    rpc::PeerSettings peer;

    void Bind(config::Binder& b);
  };

  App(const Settings& settings, service::Host& host) : settings_(settings), host_(host) {}
  absl::Status Start();
  void Stop();

 private:
  const Settings settings_;
  service::Host& host_;
  std::vector<std::unique_ptr<rpc::Peer>> peers_;
  RouteTable routes_;
  std::unique_ptr<http::Tunnels> tunnels_;
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace bv::gateway
