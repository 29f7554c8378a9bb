#include "services/notification/tests/notification_fixture.h"

#include <boost/asio/post.hpp>

#include "libs/base/error.h"
#include "libs/base/strings.h"
#include "libs/events/outbox.h"

namespace bv::notification {
namespace {

namespace order = commerce::order::v1;
namespace pricing = commerce::pricing::v1;

constexpr absl::Duration kPatience = absl::Seconds(20);
constexpr absl::Duration kSweepInterval = absl::Milliseconds(20);

rpc::ServerSettings OfServer() {
  return {.address = "127.0.0.1:0",
          .message_bytes_max = 1 << 20,
          .calls_max = 100,
          .default_deadline = absl::Seconds(10)};
}

kafka::ConsumerSettings OfKafka() {
  return {.brokers = testing::Environment("BV_KAFKA_BROKERS"), .session_timeout = absl::Seconds(6)};
}

http::Settings OfHttp() {
  http::Settings settings;
  settings.address = "127.0.0.1:0";
  settings.connections_max = 100;
  settings.header_bytes_max = 16 << 10;
  settings.body_bytes_max = 1024;
  settings.body_bytes_total_max = 1 << 20;
  settings.read_timeout = absl::Seconds(5);
  settings.idle_timeout = absl::Seconds(5);
  settings.write_timeout = absl::Seconds(5);
  return settings;
}

}  // namespace

// --- OrderBook

OrderBook::OrderBook(auth::Verifier& verifier) : server_(loop_.io(), OfServer(), &verifier) {
  const std::string_view service = order::Orders::service_full_name();
  server_.Handle(service, "GetOrder", *this, &OrderBook::GetOrder);
  server_.ServePartly(service);
  EXPECT_TRUE(server_.Start().ok());
}

OrderBook::~OrderBook() {
  server_.Shutdown(absl::Now());
}

std::string OrderBook::address() const {
  return Concat("127.0.0.1:", server_.port());
}

void OrderBook::Put(const std::string& order_id, std::int64_t version, const std::string& user) {
  const std::lock_guard lock(mutex_);
  order::Order& order = orders_[order_id];
  order.set_order_id(order_id);
  order.set_version(version);
  order.set_user_id(user);
  order.set_total_amount(12'950);
  order.set_currency("USD");
}

void OrderBook::Hold() {
  const std::lock_guard lock(mutex_);
  is_held_ = true;
}

void OrderBook::Release() {
  std::vector<async::Done<bool>> held;
  {
    const std::lock_guard lock(mutex_);
    is_held_ = false;
    held.swap(held_);
  }
  for (async::Done<bool>& done : held) std::move(done)(true);
}

void OrderBook::AwaitQuestions(int count) {
  std::unique_lock lock(mutex_);
  EXPECT_TRUE(
      changed_.wait_for(lock, absl::ToChronoNanoseconds(kPatience), [&] { return questions_ >= count; }));
}

int OrderBook::questions() {
  const std::lock_guard lock(mutex_);
  return questions_;
}

rpc::Reply<order::Order> OrderBook::GetOrder(rpc::Call<order::GetOrderRequest> call) {
  auto wait = [this](async::Done<bool> done) {
    std::unique_lock lock(mutex_);
    ++questions_;
    changed_.notify_all();
    if (is_held_) return held_.push_back(std::move(done));
    lock.unlock();
    std::move(done)(true);
  };
  co_await async::AwaitHere<bool>(wait);
  const std::lock_guard lock(mutex_);
  const auto found = orders_.find(call.request().order_id());
  const bool sees_all = call.context().role != Role::kCustomer;
  if (found == orders_.end() || (!sees_all && found->second.user_id() != call.context().user_id))
    co_return NotFound("ORDER_NOT_FOUND", "no such order");
  co_return found->second;
}

// --- Replica

Replica::Replica(const ReplicaSettings& settings, auth::Verifier& verifier, const std::string& order_address,
                 const std::string& order_topic, const std::string& sale_topic)
    : work_(boost::asio::make_work_guard(io_)),
      hub_(settings.hub, absl::Now() - settings.hub.window),
      reader_(order_address, {}, settings.websocket.order_calls_max),
      orders_(settings.websocket, hub_, reader_, verifier),
      sales_(io_, settings.sse, settings.websocket.origins, 2),
      front_(orders_, sales_, [] { return true; }) {
  for (int i = 0; i < 2; ++i) threads_.emplace_back([this] { io_.run(); });
  order_follower_ = std::make_unique<kafka::Follower>(
      OfKafka(),
      kafka::Follower::Options{
          .client_id = "notification-test", .topics = {order_topic}, .history = settings.hub.window},
      [this](std::span<const kafka::Message> messages) { hub_.Handle(messages); });
  sale_follower_ = std::make_unique<kafka::Follower>(
      OfKafka(),
      kafka::Follower::Options{
          .client_id = "notification-test", .topics = {sale_topic}, .history = absl::InfiniteDuration()},
      [this](std::span<const kafka::Message> messages) { sales_.Handle(messages); });
  EXPECT_TRUE(order_follower_->Start().ok());
  EXPECT_TRUE(sale_follower_->Start().ok());
  const absl::Time deadline = absl::Now() + kPatience;
  const auto is_ready = [this] { return order_follower_->caught_up() && sale_follower_->caught_up(); };
  while (!is_ready() && absl::Now() < deadline) std::this_thread::yield();
  EXPECT_TRUE(is_ready());
  for (const auto& [partition, offset] : order_follower_->begins()) hub_.Begin(partition.second, offset);
  for (const auto& [partition, offset] : sale_follower_->begins()) sales_.Begin(partition.second, offset);
  http::Handlers handlers{
      .handle = [this](const http::Request& request,
                       http::Response& response) { return front_.Handle(request, response); },
      .refuse = [this](const http::Refusal& refusal,
                       http::Response& response) { front_.Refuse(refusal, response); },
  };
  server_ = std::make_unique<http::Server>(io_, OfHttp(), std::move(handlers));
  EXPECT_TRUE(server_->Start().ok());
  sweep_ = std::thread([this] {
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock(mutex);
    const auto interval = absl::ToChronoNanoseconds(kSweepInterval);
    while (!stopped.wait_for(lock, stop_.get_token(), interval, [] { return false; }) &&
           !stop_.stop_requested()) {
      hub_.Sweep();
      orders_.Sweep();
      sales_.Sweep();
    }
  });
}

Replica::~Replica() {
  server_->Drain(absl::Now());
  orders_.Drain(absl::Now());
  sales_.Drain(absl::Now());
  order_follower_->Stop();
  sale_follower_->Stop();
  stop_.request_stop();
  sweep_.join();
  io_.stop();
  for (std::thread& thread : threads_) thread.join();
}

void Replica::Drain() {
  const absl::Time deadline = absl::Now() + absl::Seconds(10);
  server_->Drain(deadline);
  orders_.Drain(deadline);
  sales_.Drain(deadline);
}

// --- NotificationTest

std::unique_ptr<NotificationTest::Shared> NotificationTest::shared_;

void NotificationTest::SetUpTestSuite() {
  shared_ = std::make_unique<Shared>();
  auto verifier = auth::Verifier::Create({.jwks_file = shared_->jwks.path(),
                                          .development = true,
                                          .issuer = "https://issuer.bivouac.dev",
                                          .audience = "bivouac"});
  ASSERT_TRUE(verifier.ok()) << verifier.status();
  shared_->verifier = *std::move(verifier);
  shared_->order_topic.Create(3);
  shared_->sale_topic.Create(3);
  shared_->orders = std::make_unique<OrderBook>(*shared_->verifier);
  shared_->replica = Start();
}

void NotificationTest::TearDownTestSuite() {
  shared_->replica.reset();
  shared_.reset();
}

std::unique_ptr<Replica> NotificationTest::Start(const ReplicaSettings& settings) {
  return std::make_unique<Replica>(settings, *shared_->verifier, shared_->orders->address(),
                                   shared_->order_topic.name(), shared_->sale_topic.name());
}

std::string NotificationTest::Token(std::string_view user, Role role, absl::Duration lifetime,
                                    std::string_view tenant) {
  return shared_->jwks.Token(tenant, user, role, lifetime);
}

std::string NotificationTest::Bearer(std::string_view user, Role role) {
  return Concat("Authorization: Bearer ", Token(user, role), "\r\n");
}

namespace {

testing::Written EventOf(const google::protobuf::Message& payload, std::int64_t version) {
  const auto row = events::MakeRow(payload, version, absl::Now(), testing::ContextOf("acme"));
  EXPECT_TRUE(row.ok()) << row.status();
  return {.key = row->key,
          .value = row->payload,
          .headers = {{"tenantId", "acme"}, {"aggregateVersion", std::to_string(version)}}};
}

order::OrderStatusChanged Changed(const std::string& id, const std::string& user, const std::string& reason) {
  order::OrderStatusChanged changed;
  changed.set_order_id(id);
  changed.set_user_id(user);
  changed.set_status("PAID");
  changed.set_payment_status("PAID");
  changed.set_fulfillment_status("UNFULFILLED");
  changed.set_reason(reason);
  return changed;
}

pricing::FlashSaleStarted Started(const std::string& sale) {
  pricing::FlashSaleStarted started;
  started.set_sale_id(sale);
  started.set_product_id("prd_01hf7yat00fytbh9k0vn3k5d6c");
  started.set_name("a sale");
  auto* offer = started.add_offers();
  offer->set_variant_id("var_01hf7yat00fytbh9k0vn3k5d6c");
  offer->set_sku("MUG");
  offer->set_price(100);
  offer->set_regular_price(200);
  offer->set_currency("USD");
  started.mutable_starts_at()->set_seconds(absl::ToUnixSeconds(absl::Now()));
  started.mutable_ends_at()->set_seconds(absl::ToUnixSeconds(absl::Now()) + 60);
  return started;
}

std::string WriteTo(const testing::KafkaTopic& topic, const google::protobuf::Message& payload,
                    std::int64_t version) {
  testing::Written written = EventOf(payload, version);
  topic.Write({written});
  return written.value;
}

}  // namespace

std::string NotificationTest::WriteCreated(const std::string& id, const std::string& user) {
  order::OrderCreated created;
  created.set_order_id(id);
  created.set_user_id(user);
  created.set_currency("USD");
  auto* item = created.add_items();
  item->set_product_id("prd_01hf7yat00fytbh9k0vn3k5d6c");
  item->set_qty(1);
  return WriteTo(shared_->order_topic, created, 1);
}

std::string NotificationTest::WritePaid(const std::string& id, std::int64_t version,
                                        const std::string& user) {
  order::OrderPaid paid;
  paid.set_order_id(id);
  paid.set_user_id(user);
  paid.set_total_amount(12'950);
  paid.set_currency("USD");
  paid.set_payment_id("pay_01hf7yat00fytbh9k0vn3k5d6c");
  paid.set_payment_method("CARD");
  return WriteTo(shared_->order_topic, paid, version);
}

std::string NotificationTest::WriteChanged(const std::string& id, std::int64_t version,
                                           const std::string& user, const std::string& reason) {
  return WriteTo(shared_->order_topic, Changed(id, user, reason), version);
}

void NotificationTest::WriteChanges(const std::string& id, std::int64_t first, std::int64_t last,
                                    const std::string& reason, const std::string& user) {
  std::vector<testing::Written> written;
  for (std::int64_t version = first; version <= last; ++version)
    written.push_back(EventOf(Changed(id, user, reason), version));
  shared_->order_topic.Write(written);
}

std::string NotificationTest::WriteSale(const std::string& sale, Sale what) {
  if (what == Sale::kStarts) return WriteTo(shared_->sale_topic, Started(sale), 1);
  pricing::FlashSaleEnded ended;
  ended.set_sale_id(sale);
  ended.set_product_id("prd_01hf7yat00fytbh9k0vn3k5d6c");
  ended.set_reason("TIME");
  ended.mutable_ended_at()->set_seconds(absl::ToUnixSeconds(absl::Now()));
  return WriteTo(shared_->sale_topic, ended, 1);
}

void NotificationTest::WriteManySales(int count) {
  std::vector<testing::Written> written;
  for (int i = 0; i < count; ++i) written.push_back(EventOf(Started(OrderId::New().str()), 1));
  shared_->sale_topic.Write(written);
}

}  // namespace bv::notification
