#include "services/mailer/tests/mailer_fixture.h"

#include "libs/base/strings.h"

namespace bv::mailer {
namespace {

const config::Secret kLinkSecret("sixteen characters or more");

}  // namespace

grpc::Status OrderBook::GetOrder(grpc::ServerContext*, const commerce::order::v1::GetOrderRequest* request,
                                 commerce::order::v1::Order* response) {
  const std::lock_guard lock(mutex_);
  response->set_order_id(request->order_id());
  response->set_email(email_);
  response->set_currency("EUR");
  response->set_total_amount(2500);
  response->mutable_shipping_address()->set_name("Ada");
  commerce::order::v1::OrderItem* item = response->add_items();
  item->set_title("Mug");
  item->set_qty(1);
  item->set_price(2500);
  return grpc::Status::OK;
}

std::unique_ptr<testing::Database> MailerTest::database_;

MailerTest::MailerTest() : tenant_(TenantId::Trusted(UuidToBase32(NewUuid()))) {
  book_.SetEmail(customer_);
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&book_);
  server_ = builder.BuildAndStart();
  pool_ = std::make_unique<postgres::Pool>(database_->Connection(), postgres::PoolSettings{},
                                           postgres::Plans::kIndexOnly);
  const auth::Settings verified_by{.jwks_file = jwks_.path(),
                                   .development = true,
                                   .issuer = "https://issuer.bivouac.dev",
                                   .audience = "bivouac"};
  tokens_ = *auth::ServiceTokens::Create("mailer", {.signing_key_file = jwks_.path()}, verified_by);
  orders_ = std::make_unique<rpc::Client<commerce::order::v1::Orders>>(Concat("127.0.0.1:", port),
                                                                       rpc::PeerSettings{});
  smtp_ = std::make_unique<smtp::Client>(smtp::Settings{.address = testing::Environment("BV_SMTP_ADDRESS"),
                                                        .encryption = "none",
                                                        .user = "",
                                                        .timeout = absl::Seconds(5)});
  rpc_ = std::make_unique<MailRpc>(*pool_, kLinkSecret);
  templates_ = *Templates::Load(std::string(BV_SOURCE_DIR) + "/services/mailer/templates");
  MakeDispatcher(SettingsOf());
}

MailerTest::~MailerTest() {
  smtp_->Stop();
  pool_->Stop();
}

DispatcherSettings MailerTest::SettingsOf() {
  return {.poll_interval = absl::Milliseconds(10),
          .lease = absl::Minutes(1),
          .retry_pause = absl::Seconds(30),
          .give_up_after = absl::Hours(1),
          .parallel_max = 4,
          .link_secret = kLinkSecret};
}

void MailerTest::MakeDispatcher(const DispatcherSettings& settings) {
  dispatcher_.reset(new Dispatcher({.io = loop_.io(),
                                    .pool = *pool_,
                                    .orders = *orders_,
                                    .tokens = *tokens_,
                                    .smtp = *smtp_,
                                    .templates = *templates_},
                                   settings));
}

void MailerTest::SetSender(const std::string& unsubscribe_url) {
  pb::SetSenderRequest request;
  request.set_email("shop@example.com");
  request.set_name("Acme");
  request.set_unsubscribe_url(unsubscribe_url);
  const absl::StatusOr<pb::Sender> sender = Call(&MailRpc::SetSender, request);
  ASSERT_TRUE(sender.ok()) << sender.status();
}

std::int64_t MailerTest::Queue(const std::vector<Occasion>& occasions) {
  std::int64_t queued = 0;
  postgres::Session session(database_->Connection(), postgres::Plans::kIndexOnly);
  const absl::Status status = session.Transact({tenant_}, [&](postgres::Session& s) {
    queued = QueueMails(s, occasions);
    return absl::OkStatus();
  });
  EXPECT_TRUE(status.ok()) << status;
  return queued;
}

void MailerTest::Dispatch() {
  bool more = true;
  while (more) {
    const absl::StatusOr<bool> round = loop_.Run(dispatcher_->Round({}));
    ASSERT_TRUE(round.ok()) << round.status();
    more = *round;
  }
}

pb::ListMailsResponse MailerTest::Mails() {
  pb::ListMailsRequest request;
  request.set_order_id(order_.str());
  return *Call(&MailRpc::ListMails, request);
}

void MailerTest::MakeDue() {
  database_->Query(
      Concat("UPDATE mail.mail SET next_attempt_at = now() WHERE tenant_id = '", tenant_.str(), "'"));
}

}  // namespace bv::mailer
