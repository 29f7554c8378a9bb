// The mailer with the real database and mail relay; the order service answers by its contract.
#pragma once

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <mutex>
#include <string>

#include "libs/testing/mail_sink.h"
#include "libs/testing/testing.h"
#include "services/mailer/rpc/mail_rpc.h"
#include "services/mailer/sending/dispatcher.h"

namespace bv::mailer {

class OrderBook final : public commerce::order::v1::Orders::Service {
 public:
  // From now on every order has this.
  void SetEmail(std::string email) {
    const std::lock_guard lock(mutex_);
    email_ = std::move(email);
  }

 private:
  grpc::Status GetOrder(grpc::ServerContext*, const commerce::order::v1::GetOrderRequest* request,
                        commerce::order::v1::Order* response) override;

  std::mutex mutex_;
  std::string email_;
};

// Each test is a tenant of its own, which has a sender, and a customer with an address of their own.
class MailerTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { database_ = std::make_unique<testing::Database>("mailer"); }
  static void TearDownTestSuite() { database_.reset(); }
  MailerTest();
  ~MailerTest() override;

  RequestContext Admin() const { return testing::ContextOf(tenant_.str(), "eve", Role::kAdmin); }
  template <class Response, class Request>
  absl::StatusOr<Response> Call(rpc::Reply<Response> (MailRpc::*method)(rpc::Call<Request>),
                                const Request& request, const RequestContext& context) {
    return loop_.Run(((*rpc_).*method)(rpc::Call<Request>(request, context)));
  }
  template <class Response, class Request>
  absl::StatusOr<Response> Call(rpc::Reply<Response> (MailRpc::*method)(rpc::Call<Request>),
                                const Request& request) {
    return Call(method, request, Admin());
  }
  void SetSender(const std::string& unsubscribe_url = "");

  Occasion OccasionOf(Kind kind, std::int64_t version = 2) const {
    return {.tenant = tenant_, .order = order_, .version = version, .kind = kind, .occurred_at = absl::Now()};
  }
  std::int64_t Queue(const std::vector<Occasion>& occasions);
  // Rounds, until nothing is due.
  void Dispatch();
  void MakeDispatcher(const DispatcherSettings& settings);
  static DispatcherSettings SettingsOf();
  pb::ListMailsResponse Mails();
  std::vector<std::string> Arrived() const { return sink_.MailsTo(customer_); }
  static testing::Database& database() { return *database_; }
  // Of this tenant: its pauses are over.
  void MakeDue();

  static std::unique_ptr<testing::Database> database_;
  testing::Loop loop_;
  testing::MailSink sink_;
  testing::JwksFile jwks_;
  const TenantId tenant_;
  const OrderId order_ = OrderId::New();
  std::string customer_ = sink_.NewAddress("ada");
  OrderBook book_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<postgres::Pool> pool_;
  std::unique_ptr<auth::ServiceTokens> tokens_;
  std::unique_ptr<rpc::Client<commerce::order::v1::Orders>> orders_;
  std::unique_ptr<smtp::Client> smtp_;
  std::unique_ptr<MailRpc> rpc_;
  std::unique_ptr<Dispatcher> dispatcher_;
  std::optional<Templates> templates_;
};

}  // namespace bv::mailer
