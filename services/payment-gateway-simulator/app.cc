#include "services/payment-gateway-simulator/app.h"

#include <filesystem>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/telemetry/telemetry.h"

namespace bv::simulator {
namespace {

// What a gateway takes from one client and from all of them.
http::Settings Limits(const std::string& address) {
  return {.address = address,
          .connections_max = 1024,
          .header_bytes_max = 16 * 1024,
          .body_bytes_max = 64 * 1024,
          .body_bytes_total_max = 16 << 20,
          .read_timeout = absl::Seconds(10),
          .idle_timeout = absl::Seconds(60),
          .write_timeout = absl::Seconds(10)};
}

}  // namespace

void App::Settings::Bind(config::Binder& b) {
  b.Text("soap.address", soap_address);
  b.Text("rest.address", rest_address);
  b.Text("ledger.directory", ledger_directory);
  b.Integer("ledger.entries_max", ledger_entries_max, {1, 10'000'000});
  b.Duration("gateway.processing_max", processing_max, {absl::Milliseconds(10), absl::Minutes(10)});
}

absl::StatusOr<std::unique_ptr<Gateway>> App::Open(const std::string& name) const {
  std::error_code error;
  std::filesystem::create_directories(settings_.ledger_directory, error);
  if (error)
    return Unavailable("LEDGER_UNAVAILABLE",
                       Concat("cannot make ", settings_.ledger_directory, ": ", error.message()));
  ASSIGN_OR_RETURN(std::unique_ptr<Ledger> ledger,
                   Ledger::Open(Concat(settings_.ledger_directory, "/", name, ".ledger"),
                                static_cast<std::size_t>(settings_.ledger_entries_max)));
  return std::make_unique<Gateway>(name, std::move(ledger), settings_.processing_max);
}

template <class Protocol>
absl::Status App::Serve(const std::string& address, Protocol& protocol,
                        std::unique_ptr<http::Server>& server) {
  http::Handlers handlers{
      .handle = [&protocol](const http::Request& request,
                            http::Response& response) { return protocol.Handle(request, response); },
      .refuse = [&protocol](const http::Refusal& refusal,
                            http::Response& response) { protocol.Refuse(refusal, response); },
  };
  server = std::make_unique<http::Server>(host_.io(), Limits(address), std::move(handlers));
  return server->Start();
}

absl::Status App::Start() {
  ASSIGN_OR_RETURN(soap_, Open("SOAP"));
  ASSIGN_OR_RETURN(rest_, Open("REST"));
  ASSIGN_OR_RETURN(std::string wsdl, config::ReadFile(host_.home() + "/payment-gateway.wsdl"));
  soap_protocol_ = std::make_unique<SoapServer>(*soap_, std::move(wsdl));
  rest_protocol_ = std::make_unique<RestServer>(*soap_, *rest_);
  RETURN_IF_ERROR(Serve(settings_.soap_address, *soap_protocol_, soap_server_));
  RETURN_IF_ERROR(Serve(settings_.rest_address, *rest_protocol_, rest_server_));
  telemetry::Log(telemetry::Level::kInfo, "serving the gateways",
                 {{"soapPort", soap_server_->port()}, {"restPort", rest_server_->port()}});
  return absl::OkStatus();
}

void App::Stop() {
  // What a gateway has been told to hold back would hold up the end.
  if (soap_server_) soap_server_->Drain(absl::Now());
  if (rest_server_) rest_server_->Drain(absl::Now());
}

}  // namespace bv::simulator
