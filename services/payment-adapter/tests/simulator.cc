#include "services/payment-adapter/tests/simulator.h"

#include <gtest/gtest.h>
#include <rapidjson/document.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>

#include "libs/base/strings.h"

namespace bv::payment {
namespace {

std::string NewFolder() {
  static std::atomic<int> counter{0};
  return Concat(std::filesystem::temp_directory_path().string(), "/bv_simulator_", getpid(), "_",
                counter.fetch_add(1));
}

}  // namespace

int Ledger::ChargesOf(const std::string& order) const {
  const auto found = accounts.find(order);
  return found == accounts.end() ? 0 : found->second.charges;
}

int Ledger::RefundsOf(const std::string& order) const {
  const auto found = accounts.find(order);
  return found == accounts.end() ? 0 : found->second.refunds;
}

Simulator::Simulator(testing::Loop& loop) : loop_(loop), folder_(NewFolder()) {
  Start();
}

Simulator::~Simulator() {
  program_.reset();
  std::filesystem::remove_all(folder_);
}

void Simulator::Start() {
  program_ = std::make_unique<Program>(
      "payment-gateway-simulator",
      std::vector<std::string>{Concat("BV_AUTH_JWKS_FILE=", jwks_.path()), "BV_AUTH_DEVELOPMENT=true",
                               "BV_GRPC_ADDRESS=127.0.0.1:0", "BV_METRICS_ADDRESS=127.0.0.1:0",
                               "BV_LOG_LEVEL=error", Concat("BV_SOAP_ADDRESS=127.0.0.1:", soap_port_),
                               Concat("BV_REST_ADDRESS=127.0.0.1:", rest_port_),
                               Concat("BV_LEDGER_DIRECTORY=", folder_),
                               Concat("BV_GATEWAY_PROCESSING_MAX=", absl::FormatDuration(kProcessingMax))});
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  // It serves SOAP before REST.
  while (!Send("GET", "/control").ok()) {
    if (absl::Now() > deadline || program_->HasEnded()) FAIL() << "the simulator does not start";
  }
}

void Simulator::Restart() {
  program_.reset();
  Start();
}

absl::StatusOr<http::Answer> Simulator::Send(const std::string& method, const std::string& target,
                                             const std::string& body) {
  http::Client client(rest_url(), 64 << 20);
  const http::ClientRequest request{.method = method, .target = target, .body = body};
  return loop_.Run(client.Send(request, absl::Now() + absl::Seconds(10)));
}

void Simulator::Tell(const std::string& instruction) {
  const absl::StatusOr<http::Answer> answer = Send("POST", "/control", instruction);
  ASSERT_TRUE(answer.ok()) << answer.status();
  ASSERT_EQ(answer->status, 200) << answer->body;
}

void Simulator::Reset() {
  const absl::StatusOr<http::Answer> answer = Send("DELETE", "/control");
  ASSERT_TRUE(answer.ok()) << answer.status();
}

Ledger Simulator::Read(const std::string& gateway) {
  Ledger ledger;
  std::int64_t after = 0;
  do {
    const absl::StatusOr<http::Answer> answer =
        Send("GET", Concat("/ledger?gateway=", gateway, "&after=", after));
    EXPECT_TRUE(answer.ok()) << answer.status();
    if (!answer.ok()) break;
    rapidjson::Document document;
    document.Parse(answer->body.data(), answer->body.size());
    for (const auto& entry : document["entries"].GetArray()) {
      Ledger::Account& account = ledger.accounts[entry["orderId"].GetString()];
      if (std::string_view(entry["kind"].GetString()) == "REFUND") {
        ++account.refunds;
      } else {
        ++account.charges;
        account.amount = Concat(entry["amount"].GetString(), " ", entry["currency"].GetString());
      }
    }
    after = document["next"].GetInt64();
  } while (after > 0);
  return ledger;
}

}  // namespace bv::payment
