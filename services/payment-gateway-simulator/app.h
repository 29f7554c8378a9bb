#pragma once

#include <memory>
#include <string>

#include "libs/http/server.h"
#include "libs/service/service.h"
#include "services/payment-gateway-simulator/gateway/gateway.h"
#include "services/payment-gateway-simulator/http/rest_server.h"
#include "services/payment-gateway-simulator/http/soap_server.h"

namespace bv::simulator {

class App {
 public:
  static constexpr std::string_view kName = "payment-gateway-simulator";

  struct Settings {
    std::string soap_address;
    std::string rest_address;
    std::string ledger_directory;
    int ledger_entries_max = 0;
    absl::Duration processing_max;

    void Bind(config::Binder& b);
  };

  App(const Settings& settings, service::Host& host) : settings_(settings), host_(host) {}
  absl::Status Start();
  void Stop();

 private:
  absl::StatusOr<std::unique_ptr<Gateway>> Open(const std::string& name) const;
  template <class Protocol>
  absl::Status Serve(const std::string& address, Protocol& protocol, std::unique_ptr<http::Server>& server);

  const Settings settings_;
  service::Host& host_;
  std::unique_ptr<Gateway> soap_;
  std::unique_ptr<Gateway> rest_;
  std::unique_ptr<SoapServer> soap_protocol_;
  std::unique_ptr<RestServer> rest_protocol_;
  std::unique_ptr<http::Server> soap_server_;
  std::unique_ptr<http::Server> rest_server_;
};

}  // namespace bv::simulator
