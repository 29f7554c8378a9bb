#include "services/payment-adapter/tests/payment_fixture.h"

#include <absl/strings/str_replace.h>

#include <atomic>

#include "libs/base/strings.h"

namespace bv::payment {
namespace {

constexpr std::size_t kAnswerBytesMax = 64 * 1024;
constexpr int kCallsMax = 200;

}  // namespace

Replica::Replica(const testing::Database& database, const Settings& settings)
    : pool(database.Connection(), postgres::PoolSettings{.size = 4, .queue_max = 1024}),
      soap(settings.wrap(std::make_unique<SoapGateway>(http::Client(settings.soap, kAnswerBytesMax))),
           settings.processing_max, settings.breaker),
      rest(settings.wrap(std::make_unique<RestGateway>(http::Client(settings.rest, kAnswerBytesMax))),
           settings.processing_max, settings.breaker),
      card(pool, soap, rest, settings.card),
      manual(pool),
      rpc(pool, card, manual) {}

std::unique_ptr<PaymentTest::Parts> PaymentTest::parts_;

void PaymentTest::SetUpTestSuite() {
  parts_ = std::make_unique<Parts>();
}

void PaymentTest::TearDownTestSuite() {
  parts_.reset();
}

void PaymentTest::SetUp() {
  static std::atomic<int> counter{0};
  tenant_ = Concat("tenant-", counter.fetch_add(1));
  simulator().Reset();
  Use(Defaults());
}

Replica::Settings PaymentTest::Defaults() const {
  Replica::Settings settings;
  settings.soap = simulator().soap_url();
  settings.rest = simulator().rest_url();
  return settings;
}

void PaymentTest::Use(const Replica::Settings& settings) {
  replica_ = std::make_unique<Replica>(database(), settings);
}

pb::ProcessPaymentRequest PaymentTest::NewRequest(std::int64_t amount) {
  pb::ProcessPaymentRequest request;
  request.set_payment_id(PaymentId::New().str());
  request.set_order_id(OrderId::New().str());
  request.set_amount(amount);
  request.set_currency("USD");
  request.set_method(pb::PAYMENT_METHOD_CARD);
  return request;
}

RequestContext PaymentTest::Context(absl::Duration timeout) const {
  RequestContext context = testing::ContextOf(tenant_, "order-service", Role::kService);
  context.deadline = absl::Now() + timeout;
  return context;
}

absl::StatusOr<pb::Payment> PaymentTest::Pay(const pb::ProcessPaymentRequest& request, absl::Duration timeout,
                                             Replica* on) {
  return Call(&PaymentRpc::ProcessPayment, request, Context(timeout), on);
}

absl::StatusOr<pb::Payment> PaymentTest::Confirm(const std::string& payment_id, std::int64_t amount,
                                                 const std::string& reference) {
  pb::ConfirmPaymentRequest request;
  request.set_payment_id(payment_id);
  request.set_amount(amount);
  request.set_currency("USD");
  request.set_reference(reference);
  return Call(&PaymentRpc::ConfirmPayment, request, Context());
}

absl::StatusOr<pb::Payment> PaymentTest::Refund(const std::string& payment_id, absl::Duration timeout,
                                                Replica* on) {
  pb::RefundPaymentRequest request;
  request.set_payment_id(payment_id);
  request.set_reason("CANCELED");
  return Call(&PaymentRpc::RefundPayment, request, Context(timeout), on);
}

absl::StatusOr<pb::Payment> PaymentTest::Get(const std::string& payment_id) {
  pb::GetPaymentRequest request;
  request.set_payment_id(payment_id);
  return Call(&PaymentRpc::GetPayment, request, Context());
}

absl::StatusOr<pb::Payment> PaymentTest::PayAtLast(const pb::ProcessPaymentRequest& request, Replica* on) {
  absl::StatusOr<pb::Payment> payment = Pay(request, absl::Seconds(10), on);
  for (int call = 1; call < kCallsMax && absl::IsUnavailable(payment.status()); ++call)
    payment = Pay(request, absl::Seconds(10), on);
  return payment;
}

absl::StatusOr<pb::Payment> PaymentTest::RefundAtLast(const std::string& payment_id, Replica* on) {
  absl::StatusOr<pb::Payment> payment = Refund(payment_id, absl::Seconds(10), on);
  for (int call = 1; call < kCallsMax && absl::IsUnavailable(payment.status()); ++call)
    payment = Refund(payment_id, absl::Seconds(10), on);
  return payment;
}

std::string PaymentTest::OrderAtGateway(const pb::ProcessPaymentRequest& request) const {
  return Concat(tenant_, ":", request.order_id());
}

std::string PaymentTest::Query(std::string sql) const {
  return database().Query(absl::StrReplaceAll(sql, {{"$T", Concat("'", tenant_, "'")}}));
}

std::string PaymentTest::EventsOf(const pb::ProcessPaymentRequest& request) const {
  return Query(
      Concat("SELECT string_agg(split_part(type, '.', 4), ', ' ORDER BY aggregate_version) "
             "FROM outbox.event WHERE tenant_id = $T AND aggregateid = '",
             request.order_id(), "'"));
}

std::string AttemptsOf(const absl::StatusOr<pb::Payment>& payment) {
  if (!payment.ok()) return payment.status().ToString();
  std::string text;
  for (const pb::PaymentAttempt& attempt : payment->attempts()) {
    text +=
        Concat(text.empty() ? "" : ", ", attempt.operation(), " ", attempt.gateway(), " ", attempt.outcome());
  }
  return text;
}

std::string OutcomeOf(const absl::StatusOr<pb::Payment>& payment) {
  if (!payment.ok()) return ErrorReason(payment.status());
  const std::string name = pb::PaymentStatus_Name(payment->status());
  return name.substr(std::string_view("PAYMENT_STATUS_").size());
}

}  // namespace bv::payment
