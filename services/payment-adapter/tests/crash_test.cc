// The real program, killed at each durable step in turn, and started again.
#include <fstream>

#include "commerce/payment/v1/service.grpc.pb.h"
#include "libs/base/strings.h"
#include "libs/rpc/client.h"
#include "services/payment-adapter/tests/payment_fixture.h"

namespace bv::payment {
namespace {

class Crash : public PaymentTest {
 protected:
  ~Crash() override { std::remove(crash_file_.c_str()); }

  void Start() {
    port_ = FreePort();
    const postgres::ConnectionSettings connection = database().Connection();
    program_ = std::make_unique<Program>(
        "payment-adapter",
        std::vector<std::string>{Concat("BV_POSTGRES_URL=", connection.url),
                                 Concat("BV_POSTGRES_PASSWORD=", connection.password.Reveal()),
                                 Concat("BV_AUTH_JWKS_FILE=", jwks_.path()), "BV_AUTH_DEVELOPMENT=true",
                                 "BV_ACCESS_BROKERS=", Concat("BV_GRPC_ADDRESS=127.0.0.1:", port_),
                                 "BV_METRICS_ADDRESS=127.0.0.1:0", "BV_LOG_LEVEL=error",
                                 Concat("BV_SOAP_URL=http://127.0.0.1:", simulator().soap_url().port, "/"),
                                 Concat("BV_REST_URL=http://127.0.0.1:", simulator().rest_url().port, "/"),
                                 "BV_SOAP_PROCESSING_MAX=2s", "BV_REST_PROCESSING_MAX=2s",
                                 "BV_GATEWAY_ATTEMPT_TIMEOUT=500ms", "BV_GATEWAY_BACKOFF_MIN=5ms",
                                 "BV_GATEWAY_BACKOFF_MAX=40ms", "BV_GATEWAY_LEASE=1000ms",
                                 Concat("BIVOUAC_CRASH_FILE=", crash_file_)});
    client_ = std::make_unique<rpc::Client<pb::Payments>>(Concat("127.0.0.1:", port_),
                                                          rpc::PeerSettings{.connections = 1});
    pb::GetPaymentRequest nothing;
    nothing.set_payment_id(PaymentId::New().str());
    const absl::Time deadline = absl::Now() + absl::Seconds(20);
    while (OutcomeOf(Ask(&rpc::Async<pb::Payments>::GetPayment, nothing)) != "PAYMENT_NOT_FOUND") {
      if (absl::Now() > deadline || program_->HasEnded()) FAIL() << "the program does not start";
    }
  }

  template <class Request>
  absl::StatusOr<pb::Payment> Ask(void (rpc::Async<pb::Payments>::*method)(grpc::ClientContext*,
                                                                           const Request*, pb::Payment*,
                                                                           std::function<void(grpc::Status)>),
                                  const Request& request) {
    RequestContext context = Context();
    context.bearer_token = jwks_.Token(tenant(), "order-service", Role::kService);
    return loop().Run(client_->Call(method, request, context));
  }
  // Through the death of the program at `point`, which has to come.
  template <class Request>
  std::string AskAcross(const std::string& point,
                        void (rpc::Async<pb::Payments>::*method)(grpc::ClientContext*, const Request*,
                                                                 pb::Payment*,
                                                                 std::function<void(grpc::Status)>),
                        const Request& request) {
    std::ofstream(crash_file_) << point << std::endl;
    EXPECT_FALSE(Ask(method, request).ok());
    EXPECT_FALSE(std::ifstream(crash_file_).good()) << "did not come by";
    std::remove(crash_file_.c_str());
    program_->WaitForEnd();
    Start();
    absl::StatusOr<pb::Payment> payment = Ask(method, request);
    for (int call = 0; call < 50 && absl::IsUnavailable(payment.status()); ++call)
      payment = Ask(method, request);
    return OutcomeOf(payment);
  }

  void ExpectOnce(const pb::ProcessPaymentRequest& request, int refunds) {
    const Ledger soap = simulator().Read("SOAP");
    const Ledger rest = simulator().Read("REST");
    const std::string order = OrderAtGateway(request);
    EXPECT_EQ(soap.ChargesOf(order) + rest.ChargesOf(order), 1);
    EXPECT_EQ(soap.RefundsOf(order) + rest.RefundsOf(order), refunds);
    EXPECT_EQ(EventsOf(request), refunds > 0 ? "succeeded, refunded" : "succeeded");
  }

  const std::string crash_file_ = Concat(::testing::TempDir(), "bv_payment_crash_", database().name());
  testing::JwksFile jwks_;
  int port_ = 0;
  std::unique_ptr<Program> program_;
  std::unique_ptr<rpc::Client<pb::Payments>> client_;
};

TEST_F(Crash, AtEachStepOfACharge) {
  Start();
  for (const char* point : {"payment.open.before", "payment.open.after", "payment.charge.begin",
                            "payment.charge.begun", "payment.charge.answered", "payment.charge.stored"}) {
    SCOPED_TRACE(point);
    const pb::ProcessPaymentRequest request = NewRequest();
    EXPECT_EQ(AskAcross(point, &rpc::Async<pb::Payments>::ProcessPayment, request), "SUCCEEDED");
    ExpectOnce(request, 0);
  }
}

TEST_F(Crash, AtEachStepOfALookUp) {
  Start();
  for (const char* point :
       {"payment.lookup.begin", "payment.lookup.begun", "payment.lookup.answered", "payment.lookup.stored"}) {
    SCOPED_TRACE(point);
    simulator().Tell(R"({"gateway":"SOAP","fault":"DROP_AFTER","operation":"CHARGE","times":1})");
    const pb::ProcessPaymentRequest request = NewRequest();
    EXPECT_EQ(AskAcross(point, &rpc::Async<pb::Payments>::ProcessPayment, request), "SUCCEEDED");
    ExpectOnce(request, 0);
  }
}

TEST_F(Crash, AtEachStepOfARefund) {
  Start();
  for (const char* point : {"payment.refund.before", "payment.refund.after", "payment.refund.begin",
                            "payment.refund.begun", "payment.refund.answered", "payment.refund.stored"}) {
    SCOPED_TRACE(point);
    const pb::ProcessPaymentRequest request = NewRequest();
    ASSERT_EQ(OutcomeOf(Ask(&rpc::Async<pb::Payments>::ProcessPayment, request)), "SUCCEEDED");
    pb::RefundPaymentRequest refund;
    refund.set_payment_id(request.payment_id());
    refund.set_reason("CANCELED");
    EXPECT_EQ(AskAcross(point, &rpc::Async<pb::Payments>::RefundPayment, refund), "REFUNDED");
    ExpectOnce(request, 1);
  }
}

TEST_F(Crash, AtEachStepOfAConfirmation) {
  Start();
  for (const char* point : {"payment.confirm.before", "payment.confirm.after"}) {
    SCOPED_TRACE(point);
    pb::ProcessPaymentRequest request = NewRequest();
    request.set_method(pb::PAYMENT_METHOD_BANK_TRANSFER);
    ASSERT_EQ(OutcomeOf(Ask(&rpc::Async<pb::Payments>::ProcessPayment, request)), "PENDING");
    pb::ConfirmPaymentRequest confirm;
    confirm.set_payment_id(request.payment_id());
    confirm.set_amount(request.amount());
    confirm.set_currency(request.currency());
    confirm.set_reference("statement 7");
    EXPECT_EQ(AskAcross(point, &rpc::Async<pb::Payments>::ConfirmPayment, confirm), "SUCCEEDED");
    EXPECT_EQ(EventsOf(request), "succeeded");
  }
}

}  // namespace
}  // namespace bv::payment
