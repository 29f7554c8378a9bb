// Some hundred payments, several calls at once on two replicas, both gateways doing anything wrong at random,
// callers with little time, calls that die between sending and storing, gateways that are killed. Afterwards
// the gateways' ledgers and our tables agree to the cent.
#include <absl/random/random.h>

#include <atomic>
#include <cstdlib>
#include <future>
#include <random>

#include "libs/base/strings.h"
#include "services/payment-adapter/tests/dying_gateway.h"
#include "services/payment-adapter/tests/payment_fixture.h"

namespace bv::payment {
namespace {

constexpr int kCallers = 16;
constexpr int kPaymentsOfCaller = 20;
constexpr int kKills = 3;

std::uint64_t NewSeed() {
  // To see a run again, as far as threads allow.
  if (const char* given = std::getenv("BV_TEST_SEED")) return std::strtoull(given, nullptr, 10);
  return std::random_device()();
}

class Soak : public PaymentTest {
 protected:
  using Engine = std::mt19937_64;
  static bool Chance(Engine& random, double share) {
    return std::uniform_real_distribution<double>(0, 1)(random) < share;
  }

  // A replica whose calls die after 4 % of the requests.
  std::unique_ptr<Replica> MakeReplica() {
    Replica::Settings settings = Defaults();
    settings.breaker.calls_min = 6;
    settings.breaker.window = absl::Seconds(1);
    settings.wrap = [this](std::unique_ptr<Gateway> gateway) -> std::unique_ptr<Gateway> {
      return std::make_unique<DyingGateway>(
          std::move(gateway), [this](const GatewayRequest&) { return requests_.fetch_add(1) % 25 == 24; });
    };
    return std::make_unique<Replica>(database(), settings);
  }
  // Bad enough at the first gateway for its breaker to open now and then.
  void TellFaults(std::uint64_t seed) {
    for (const auto& [gateway, share] : {std::pair("SOAP", 0.6), std::pair("REST", 0.35)}) {
      simulator().Tell(Concat(R"({"gateway":")", gateway, R"(","fault":"RANDOM","share":)", share,
                              R"(,"latencyMs":900,"seed":)", seed, R"(,"declineAmounts":["13.37"]})"));
    }
  }

  // Calls until there is an outcome, with much or little time.
  template <class Work>
  std::string Insist(Engine& random, Work work) {
    const absl::Time deadline = absl::Now() + absl::Seconds(60);
    while (absl::Now() < deadline) {
      const absl::Duration timeout = absl::Milliseconds(std::uniform_int_distribution<int>(30, 4000)(random));
      Replica& replica = Chance(random, 0.5) ? *one_ : *two_;
      try {
        const absl::StatusOr<pb::Payment> payment = work(timeout, replica);
        if (payment.ok()) return OutcomeOf(payment);
        if (!absl::IsUnavailable(payment.status()) && !absl::IsDeadlineExceeded(payment.status()))
          return payment.status().ToString();
      } catch (const Death&) {
      }
    }
    return "never";
  }

  struct Done {
    pb::ProcessPaymentRequest request;
    std::string outcome;
  };
  std::vector<Done> Work(std::uint64_t seed) {
    Engine random(seed);
    std::vector<Done> done;
    for (int i = 0; i < kPaymentsOfCaller; ++i) {
      Done one{.request = NewRequest(std::uniform_int_distribution<int>(1, 99'999)(random))};
      if (Chance(random, 0.1)) one.request.set_amount(1337);
      one.outcome = Insist(random, [&](absl::Duration timeout, Replica& replica) {
        return Pay(one.request, timeout, &replica);
      });
      if (one.outcome == "SUCCEEDED" && Chance(random, 0.3)) {
        one.outcome = Insist(random, [&](absl::Duration timeout, Replica& replica) {
          return Refund(one.request.payment_id(), timeout, &replica);
        });
      }
      done.push_back(std::move(one));
    }
    return done;
  }

  std::atomic<int> requests_{0};
  std::unique_ptr<Replica> one_ = MakeReplica();
  std::unique_ptr<Replica> two_ = MakeReplica();
};

TEST_F(Soak, LedgersAndTablesAgreeToTheCent) {
  const std::uint64_t seed = NewSeed();
  std::cout << "seed " << seed << std::endl;
  SCOPED_TRACE(Concat("BV_TEST_SEED=", seed));
  TellFaults(seed);
  auto working = std::async(std::launch::async, [&] {
    return AtOnce(kCallers, [&](int i) { return Work(seed + static_cast<std::uint64_t>(i) * 1000); });
  });
  for (int kill = 1; kill <= kKills; ++kill) {
    // Spread over the run.
    while (requests_ < kill * 300 &&
           working.wait_for(std::chrono::milliseconds(1)) != std::future_status::ready) {
    }
    simulator().Restart();
    TellFaults(seed + static_cast<std::uint64_t>(kill));
  }
  const std::vector<std::vector<Done>> work = working.get();
  // Until nothing that was sent can be carried out any more.
  const absl::Time over = absl::Now() + Defaults().card.attempt_timeout + Simulator::kProcessingMax;
  Ledger soap, rest;
  while (absl::Now() < over) soap = simulator().Read("SOAP");
  rest = simulator().Read("REST");

  std::map<std::string, int> outcomes;
  std::int64_t charged = 0;
  for (const std::vector<Done>& caller : work) {
    for (const Done& done : caller) {
      ++outcomes[done.outcome];
      const std::string order = OrderAtGateway(done.request);
      SCOPED_TRACE(Concat(order, " ", done.outcome, " ", AttemptsOf(Get(done.request.payment_id()))));
      const bool has_money = done.outcome == "SUCCEEDED" || done.outcome == "REFUNDED";
      EXPECT_EQ(soap.ChargesOf(order) + rest.ChargesOf(order), has_money ? 1 : 0);
      EXPECT_EQ(soap.RefundsOf(order) + rest.RefundsOf(order), done.outcome == "REFUNDED" ? 1 : 0);
      EXPECT_EQ(EventsOf(done.request), done.outcome == "FAILED"      ? "failed"
                                        : done.outcome == "SUCCEEDED" ? "succeeded"
                                                                      : "succeeded, refunded");
      if (!has_money) continue;
      charged += done.request.amount();
      const Ledger& ledger = soap.ChargesOf(order) == 1 ? soap : rest;
      EXPECT_EQ(Get(done.request.payment_id())->gateway(), &ledger == &soap ? "SOAP" : "REST");
      EXPECT_EQ(ledger.accounts.at(order).amount, Concat(FormatDecimal(done.request.amount(), 2), " USD"));
    }
  }
  EXPECT_EQ(Query("SELECT sum(amount) FROM payment.payments WHERE tenant_id = $T AND status IN ('SUCCEEDED', "
                  "'REFUNDED')"),
            std::to_string(charged));
  EXPECT_EQ(
      Query("SELECT count(*) FROM payment.payments WHERE tenant_id = $T AND in_doubt_until IS NOT NULL"),
      "0");
  for (const auto& [outcome, count] : outcomes) std::cout << outcome << " " << count << std::endl;
  std::cout << requests_ << " requests to gateways" << std::endl;
  // All of it was met, and nothing else.
  EXPECT_EQ(outcomes.size(), 3u);
  EXPECT_GT(Query("SELECT count(*) FROM payment.payments WHERE tenant_id = $T AND gateway = 'REST'"), "0");
}

}  // namespace
}  // namespace bv::payment
