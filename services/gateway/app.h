#pragma once

#include <memory>
#include <string>
#include <vector>

#include "libs/http/cors.h"
#include "libs/http/server.h"
#include "libs/http/tunnel.h"
#include "libs/redis/redis.h"
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
    ForwardSettings graphql;
    http::TunnelSettings tunnel;
    absl::Duration request_timeout;
    // Addresses and networks of proxies whose X-Forwarded-For is believed.
    std::vector<std::string> trusted_proxies;
    http::CorsSettings cors;
    CacheSettings cache;
    LimitSettings limits;
    // Where the replicas tell each other what the limits have left.
    redis::Settings redis;
    // Requests that services are asked at once.
    int calls_max = 0;
    // The folder with the files of swagger-ui-dist; empty for no page.
    std::string docs_folder;
    std::string product_address;
    std::string cart_address;
    std::string order_address;
    std::string inventory_address;
    std::string payment_adapter_address;
    std::string analytics_address;
    std::string mailer_address;
    std::string audit_trail_address;
    std::string identity_address;
    std::string webhook_dispatcher_address;
    rpc::PeerSettings peer;

    void Bind(config::Binder& b);
  };

  App(const Settings& settings, service::Host& host) : settings_(settings), host_(host) {}
  absl::Status Start();
  void Stop();

 private:
  absl::Status MakeConventions();

  const Settings settings_;
  service::Host& host_;
  std::vector<std::unique_ptr<rpc::Peer>> peers_;
  RouteTable routes_;
  std::unique_ptr<redis::Client> redis_;
  std::unique_ptr<http::Tunnels> tunnels_;
  std::unique_ptr<Conventions> conventions_;
  Documents documents_;
  std::unique_ptr<Forward> graphql_;
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace bv::gateway
