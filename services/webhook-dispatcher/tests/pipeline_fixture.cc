#include "services/webhook-dispatcher/tests/pipeline_fixture.h"

#include <absl/strings/str_replace.h>

#include <boost/asio/steady_timer.hpp>

#include "commerce/order/v1/events.pb.h"
#include "libs/base/clock.h"
#include "libs/base/strings.h"
#include "libs/events/outbox.h"
#include "services/webhook-dispatcher/store/change_subscription.h"
#include "services/webhook-dispatcher/store/new_secret.h"

namespace bv::webhook {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(30);

}  // namespace

Receiver::Receiver() {
  const http::Settings settings{.address = "127.0.0.1:0",
                                .connections_max = 2000,
                                .header_bytes_max = 16 << 10,
                                .body_bytes_max = 1 << 20,
                                .body_bytes_total_max = 64 << 20,
                                .read_timeout = absl::Seconds(30),
                                .idle_timeout = absl::Seconds(60),
                                .write_timeout = absl::Seconds(30)};
  http::Handlers handlers{.handle = [this](const http::Request& request,
                                           http::Response& response) { return Handle(request, response); },
                          .refuse = [](const http::Refusal&, http::Response&) {}};
  server_ = std::make_unique<http::Server>(io_, settings, std::move(handlers));
  EXPECT_TRUE(server_->Start().ok());
  thread_ = std::thread([this] { io_.run(); });
}

Receiver::~Receiver() {
  server_->Drain(absl::Now());
  io_.stop();
  thread_.join();
}

std::string Receiver::Url(const std::string& path) const {
  return Concat("http://127.0.0.1:", server_->port(), path);
}

void Receiver::Answers(const std::string& path, Rule rule) {
  const std::lock_guard lock(mutex_);
  rules_[path] = std::move(rule);
}

std::vector<Receiver::Seen> Receiver::At(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  const auto found = seen_.find(path);
  return found == seen_.end() ? std::vector<Seen>() : found->second;
}

async::Task<void> Receiver::Handle(const http::Request& request, http::Response& response) {
  Answer answer;
  {
    const std::lock_guard lock(mutex_);
    const std::string path(request.path);
    Seen seen{.path = path, .body = std::string(request.body), .at = MonotonicNow()};
    for (const http::Header& header : request.headers)
      seen.headers.emplace(std::string(header.name), std::string(header.value));
    std::vector<Seen>& all = seen_[path];
    all.push_back(std::move(seen));
    if (const auto rule = rules_.find(path); rule != rules_.end())
      answer = rule->second(static_cast<int>(all.size()));
  }
  if (answer.delay > absl::ZeroDuration()) {
    boost::asio::steady_timer timer(io_, absl::ToChronoNanoseconds(answer.delay));
    co_await timer.async_wait(boost::asio::use_awaitable);
  }
  response.status = answer.status;
  response.body = answer.body;
  if (!answer.retry_after.empty()) response.AddHeader("Retry-After", answer.retry_after);
}

std::unique_ptr<PipelineTest::Parts> PipelineTest::parts_;

PipelineTest::Parts::Parts() {
  egress::Settings settings;
  settings.addresses = {.production = false, .allow_private = {"127.0.0.0/8"}, .ports = {"443"}};
  settings.timeout = absl::Seconds(3);
  settings.answer_bytes_max = 64 << 10;
  settings.in_flight_max = 4096;
  settings.idle_connections_max = 1024;
  settings.lookups_max = 4;
  egress = *egress::Client::Create(settings);
  EXPECT_TRUE(book.Start().ok());
}

PipelineTest::Parts::~Parts() {
  book.Stop();
  egress->Stop();
}

void PipelineTest::SetUpTestSuite() {
  parts_ = std::make_unique<Parts>();
}

void PipelineTest::TearDownTestSuite() {
  parts_.reset();
}

PipelineTest::PipelineTest() : tenant_(Concat("t-", UuidToBase32(NewUuid()))) {
  topic_.Create(2);
  settings_.kafka = {.brokers = testing::Environment("BV_KAFKA_BROKERS"),
                     .batch_max = 500,
                     .session_timeout = absl::Seconds(6)};
  settings_.rabbitmq = {.address = rabbitmq().address(),
                        .user = testing::RabbitmqServer::kUser,
                        .password = config::Secret(testing::RabbitmqServer::kPassword)};
  settings_.delays = {"400ms", "800ms"};
  settings_.shards = 2;
}

PipelineTest::~PipelineTest() {
  Stop();
}

void PipelineTest::Start() {
  absl::StatusOr<std::unique_ptr<Pipeline>> pipeline =
      Pipeline::Create(settings_, database().Connection(), parts_->book, *parts_->egress, parts_->loop.io(),
                       {.topics = {topic_.name()},
                        .group = Concat("webhooks.", topic_.name()),
                        .queues = Concat("test.", topic_.name())});
  ASSERT_TRUE(pipeline.ok()) << pipeline.status();
  pipeline_ = *std::move(pipeline);
  ASSERT_TRUE(pipeline_->Start().ok());
}

void PipelineTest::Stop() {
  if (pipeline_) pipeline_->Stop();
  pipeline_.reset();
}

Subscription PipelineTest::Subscribe(const std::string& path, DeliveryOrder order,
                                     const std::string& tenant) {
  const TenantId owner = TenantId::Trusted(tenant.empty() ? tenant_ : tenant);
  Subscription subscription{.tenant = owner,
                            .id = SubscriptionId::New(),
                            .url = receiver().Url(path),
                            .event_types = {"ecommerce.order.*"},
                            .order = order,
                            .secret = NewSecret()};
  const absl::Status stored = parts_->session.Transact({owner}, [&](postgres::Session& session) {
    absl::StatusOr<Subscription> created =
        CreateSubscription(session, testing::ContextOf(owner.str()), subscription);
    if (created.ok()) subscription = *created;
    return created.status();
  });
  EXPECT_TRUE(stored.ok()) << stored;
  const absl::Time deadline = absl::Now() + kPatience;
  while (!parts_->book.Find(owner, subscription.id) && absl::Now() < deadline) std::this_thread::yield();
  return subscription;
}

void PipelineTest::Change(const Subscription& subscription,
                          const std::function<std::string(Subscription&)>& change) {
  std::int64_t version = 0;
  const absl::Status stored =
      parts_->session.Transact({subscription.tenant}, [&](postgres::Session& session) {
        absl::StatusOr<Subscription> changed = ChangeSubscription(
            session, testing::ContextOf(subscription.tenant.str()), subscription.id, AuditAction::kUpdated,
            [&](Subscription& own, absl::Time) { return change(own); });
        if (changed.ok()) version = changed->version;
        return changed.status();
      });
  EXPECT_TRUE(stored.ok()) << stored;
  const absl::Time deadline = absl::Now() + kPatience;
  const auto is_known = [&] {
    const auto known = parts_->book.Find(subscription.tenant, subscription.id);
    return known && known->version >= version;
  };
  while (!is_known() && absl::Now() < deadline) std::this_thread::yield();
}

testing::Written PipelineTest::EventOf(const std::string& tenant, const std::string& store) const {
  commerce::order::v1::OrderCreated created;
  created.set_order_id(OrderId::New().str());
  created.set_user_id("user-1");
  created.set_currency("USD");
  if (!store.empty()) created.set_store_code(store);
  const absl::StatusOr<events::OutboxRow> row =
      events::MakeRow(created, 1, absl::Now(), testing::ContextOf(tenant));
  EXPECT_TRUE(row.ok()) << row.status();
  return {.key = row->key,
          .value = row->payload,
          .headers = {{"tenantId", tenant}, {"traceparent", row->traceparent}, {"eventId", row->id}}};
}

std::vector<std::string> PipelineTest::Happen(int count, const std::string& tenant,
                                              const std::string& store) {
  std::vector<testing::Written> records;
  std::vector<std::string> ids;
  for (int i = 0; i < count; ++i) {
    records.push_back(EventOf(tenant.empty() ? tenant_ : tenant, store));
    ids.push_back(records.back().headers.at("eventId"));
  }
  topic_.Write(records);
  return ids;
}

std::string PipelineTest::Query(std::string sql) const {
  return database().Query(absl::StrReplaceAll(sql, {{"$T", Concat("'", tenant_, "'")}}));
}

void PipelineTest::WaitFor(const std::string& sql, const std::string& answer) const {
  const absl::Time deadline = absl::Now() + kPatience;
  std::string last;
  while ((last = Query(sql)) != answer && absl::Now() < deadline) std::this_thread::yield();
  EXPECT_EQ(last, answer) << sql;
}

void PipelineTest::WaitForDeliveries(int count, const std::string& status) const {
  WaitFor(Concat("SELECT count(*) FROM webhook.webhook_delivery WHERE tenant_id = $T AND status = '", status,
                 "'"),
          std::to_string(count));
}

std::vector<Receiver::Seen> PipelineTest::WaitForRequests(const std::string& path, std::size_t count) {
  const absl::Time deadline = absl::Now() + kPatience;
  while (receiver().At(path).size() < count && absl::Now() < deadline) std::this_thread::yield();
  std::vector<Receiver::Seen> seen = receiver().At(path);
  EXPECT_GE(seen.size(), count) << path;
  return seen;
}

}  // namespace bv::webhook
