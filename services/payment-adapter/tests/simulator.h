// The payment gateway simulator as a real process, told what to do wrong and asked for its ledgers over HTTP.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "libs/http/client.h"
#include "libs/testing/testing.h"
#include "services/payment-adapter/tests/program.h"

namespace bv::payment {

// What one gateway has done, by its order.
struct Ledger {
  struct Account {
    int charges = 0;
    int refunds = 0;
    // "129.50 USD" of the charge.
    std::string amount;
  };
  std::map<std::string, Account> accounts;

  int ChargesOf(const std::string& order) const;
  int RefundsOf(const std::string& order) const;
};

class Simulator {
 public:
  // A request is carried out within this time.
  static constexpr absl::Duration kProcessingMax = absl::Seconds(2);

  explicit Simulator(testing::Loop& loop);
  ~Simulator();

  http::Url soap_url() const { return UrlOf(soap_port_); }
  http::Url rest_url() const { return UrlOf(rest_port_); }

  // As the body of POST /control.
  void Tell(const std::string& instruction);
  // Nothing is wrong from now on.
  void Reset();
  Ledger Read(const std::string& gateway);
  // With kill -9; the ledgers stay.
  void Restart();

 private:
  static http::Url UrlOf(int port) {
    return {.host = "127.0.0.1", .port = std::to_string(port), .path = "/"};
  }
  void Start();
  absl::StatusOr<http::Answer> Send(const std::string& method, const std::string& target,
                                    const std::string& body = "");

  testing::Loop& loop_;
  testing::JwksFile jwks_;
  const int soap_port_ = FreePort();
  const int rest_port_ = FreePort();
  const std::string folder_;
  std::unique_ptr<Program> program_;
};

}  // namespace bv::payment
