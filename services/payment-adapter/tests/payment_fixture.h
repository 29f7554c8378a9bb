// Payments on a database of their own, called as the gRPC server calls them, against the simulator as a real
// process. Each test is a tenant of its own.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "libs/base/error.h"
#include "libs/testing/testing.h"
#include "services/payment-adapter/gateways/http_gateways.h"
#include "services/payment-adapter/providers/card_provider.h"
#include "services/payment-adapter/providers/manual_provider.h"
#include "services/payment-adapter/rpc/payment_rpc.h"
#include "services/payment-adapter/tests/simulator.h"

namespace bv::payment {

// One process of the service, as far as its state goes.
struct Replica {
  struct Settings {
    CardSettings card{.attempts_max = 5,
                      .attempt_timeout = absl::Milliseconds(500),
                      .backoff = {.min = absl::Milliseconds(5), .max = absl::Milliseconds(40)},
                      .lease = absl::Milliseconds(1500)};
    // Stays closed unless the test is about it.
    BreakerSettings breaker{.window = absl::Seconds(10),
                            .calls_min = 100'000,
                            .failure_ratio = 0.5,
                            .open_for = absl::Milliseconds(200),
                            .probes = 2};
    absl::Duration processing_max = Simulator::kProcessingMax;
    http::Url soap;
    http::Url rest;
    // Puts something around a gateway.
    std::function<std::unique_ptr<Gateway>(std::unique_ptr<Gateway>)> wrap =
        [](std::unique_ptr<Gateway> gateway) { return gateway; };
  };
  Replica(const testing::Database& database, const Settings& settings);

  postgres::Pool pool;
  GuardedGateway soap;
  GuardedGateway rest;
  CardProvider card;
  ManualProvider manual;
  PaymentRpc rpc;
};

class PaymentTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite();
  void SetUp() override;

  Replica::Settings Defaults() const;
  // The one that calls go to unless another is named.
  Replica& replica() { return *replica_; }
  // In its place, with other settings.
  void Use(const Replica::Settings& settings);

  template <class Request, class Response>
  absl::StatusOr<Response> Call(rpc::Reply<Response> (PaymentRpc::*method)(rpc::Call<Request>),
                                const Request& request, const RequestContext& context,
                                Replica* on = nullptr) {
    PaymentRpc& rpc = (on ? *on : replica()).rpc;
    return loop().Run((rpc.*method)(rpc::Call<Request>(request, context)));
  }
  // 129.50 USD by card.
  static pb::ProcessPaymentRequest NewRequest(std::int64_t amount = 12950);
  absl::StatusOr<pb::Payment> Pay(const pb::ProcessPaymentRequest& request,
                                  absl::Duration timeout = absl::Seconds(10), Replica* on = nullptr);
  absl::StatusOr<pb::Payment> Confirm(const std::string& payment_id, std::int64_t amount,
                                      const std::string& reference);
  absl::StatusOr<pb::Payment> Refund(const std::string& payment_id,
                                     absl::Duration timeout = absl::Seconds(10), Replica* on = nullptr);
  absl::StatusOr<pb::Payment> Get(const std::string& payment_id);
  // Until it has an outcome.
  absl::StatusOr<pb::Payment> PayAtLast(const pb::ProcessPaymentRequest& request, Replica* on = nullptr);
  absl::StatusOr<pb::Payment> RefundAtLast(const std::string& payment_id, Replica* on = nullptr);

  RequestContext Context(absl::Duration timeout = absl::Seconds(10)) const;
  // What the gateways know the order by.
  std::string OrderAtGateway(const pb::ProcessPaymentRequest& request) const;
  // One value as the superuser, who sees all tenants; $T is this test's tenant, quoted.
  std::string Query(std::string sql) const;
  // "failed, succeeded" for the events about the order.
  std::string EventsOf(const pb::ProcessPaymentRequest& request) const;

  static testing::Loop& loop() { return parts_->loop; }
  static Simulator& simulator() { return parts_->simulator; }
  static testing::Database& database() { return parts_->database; }
  const std::string& tenant() const { return tenant_; }

 private:
  struct Parts {
    testing::Loop loop;
    testing::Database database{"payment-adapter"};
    Simulator simulator{loop};
  };
  static std::unique_ptr<Parts> parts_;
  std::string tenant_;
  std::unique_ptr<Replica> replica_;
};

// Runs `work(i)` for 0 ≤ i < count, all at once, and returns what they returned.
template <class Work>
auto AtOnce(int count, Work work) {
  std::vector<decltype(work(0))> results(static_cast<std::size_t>(count));
  std::vector<std::jthread> threads;
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&results, &work, i] { results[static_cast<std::size_t>(i)] = work(i); });
  }
  threads.clear();
  return results;
}

// "CHARGE SOAP UNKNOWN, LOOKUP SOAP SUCCEEDED"
std::string AttemptsOf(const absl::StatusOr<pb::Payment>& payment);
// "SUCCEEDED" or the reason of the error.
std::string OutcomeOf(const absl::StatusOr<pb::Payment>& payment);

}  // namespace bv::payment
