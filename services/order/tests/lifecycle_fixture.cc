#include "services/order/tests/lifecycle_fixture.h"

#include <absl/strings/str_replace.h>

#include <atomic>
#include <thread>

#include "libs/base/strings.h"
#include "services/order/domain/words.h"
#include "services/order/store/order_rows.h"

namespace bv::order {
namespace {

async::Task<absl::StatusOr<Created>> SubmitOrder(OrderLanes& lanes, CreateCommand command,
                                                 RequestContext context) {
  const std::string key = command.order.id.str();
  co_return co_await lanes.Submit(key, std::move(command), std::move(context));
}
async::Task<absl::StatusOr<Changed>> SubmitChange(ChangeLanes& lanes, Change change, RequestContext context) {
  const std::string key = change.order.str();
  co_return co_await lanes.Submit(key, std::move(change), std::move(context));
}

Order OrderOf(PaymentMethod method, const std::string& user) {
  Order order{.id = OrderId::New(), .user_id = user, .total = {12950, Currency::Trusted("USD")}};
  order.payment_method = method;
  if (method == PaymentMethod::kCashOnDelivery) order.payment_status = PaymentStatus::kDueOnDelivery;
  order.items = {
      {ProductId::Trusted("P1"), VariantId::Trusted("V1"), SkuCode::Trusted("MUG"), "Mug", 2, 2500, ""},
      {ProductId::Trusted("P2"), VariantId::Trusted("V2"), SkuCode::Trusted("TENT"), "Tent", 1, 7950, "V1"}};
  order.shipping_address = {
      .name = "Ada", .line1 = "1 Main St", .city = "Berlin", .country = CountryCode::Trusted("DE")};
  order.email = Email::Trusted("ada@example.com");
  order.reservation_id = order.id.str();
  order.hold_expires_at = absl::Now() + absl::Minutes(15);
  return order;
}

}  // namespace

std::unique_ptr<testing::Database> LifecycleTest::database_;

void LifecycleTest::SetUpTestSuite() {
  database_ = std::make_unique<testing::Database>("order");
}

void LifecycleTest::TearDownTestSuite() {
  database_.reset();
}

LifecycleTest::LifecycleTest() {
  static std::atomic<int> counter{0};
  tenant_ = Concat("tenant-", counter.fetch_add(1));
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&stock);
  builder.RegisterService(&bank);
  server_ = builder.BuildAndStart();
  address_ = Concat("127.0.0.1:", port);
  pool_.emplace(database().Connection(), postgres::PoolSettings{});
  orders_.emplace("order", database().Connection(), postgres::LaneSettings{.count = 1}, ExecuteCreateBatch);
  inventory_.emplace(address_, rpc::PeerSettings{.connections = 1});
  payments_.emplace(address_, rpc::PeerSettings{.connections = 1});
  tokens_ = *auth::ServiceTokens::Create(
      "order-service", {.signing_key_file = keys_.path()},
      {.jwks_file = keys_.path(), .development = true, .issuer = "issuer", .audience = "audience"});
  Restart();
}

LifecycleTest::~LifecycleTest() {
  stock.faults.Release();
  bank.faults.Release();
  processes_->Stop(absl::InfinitePast());
  changes_->Stop();
  orders_->Stop();
  pool_->Stop();
  Query("DELETE FROM orders.order_process WHERE tenant_id = $T");
}

void LifecycleTest::Restart() {
  if (processes_) processes_->Stop(absl::InfinitePast());
  if (changes_) changes_->Stop();
  rpc_.reset();
  processes_.reset();
  changes_.emplace("order_change", database().Connection(), postgres::LaneSettings{.count = 2},
                   ExecuteChangeBatch);
  steps_.emplace(*inventory_, *payments_);
  processes_.emplace(loop_.io(), *pool_, *changes_, *steps_, *tokens_, absl::Seconds(15));
  rpc_.emplace(*processes_, *changes_, *pool_, policy);
}

void LifecycleTest::Recover() {
  Recoverer recoverer(*pool_, *processes_);
  const int room = processes_->room();
  const absl::Time deadline = absl::Now() + absl::Seconds(20);
  while (Processes() != "0" && absl::Now() < deadline) {
    Query("UPDATE orders.order_process SET next_at = now() WHERE tenant_id = $T");
    ASSERT_TRUE(loop_.Run(recoverer.Recover()).ok());
    while (processes_->room() < room && absl::Now() < deadline) std::this_thread::yield();
  }
  ASSERT_EQ(Processes(), "0");
}

OrderId LifecycleTest::Place(PaymentMethod method, const std::string& user) {
  CreateCommand command{.order = OrderOf(method, user)};
  const OrderId id = command.order.id;
  stock.Hold(id.str());
  const absl::StatusOr<Created> created =
      loop_.Run(SubmitOrder(*orders_, std::move(command), Customer(user)));
  EXPECT_TRUE(created.ok()) << created.status();
  return id;
}

OrderId LifecycleTest::Paid() {
  const OrderId id = Place();
  const Answer paid = Pay(id);
  EXPECT_TRUE(paid.ok()) << paid.status();
  return id;
}

Order LifecycleTest::Stored(const OrderId& id) {
  postgres::Session session(database().Connection(), postgres::Plans::kDefault);
  Order order;
  const absl::Status read = session.Read({tenant()}, [&](postgres::Session& s) {
    absl::StatusOr<Order> found = ReadOrder(s, tenant(), id, "");
    if (found.ok()) order = *std::move(found);
    return found.status();
  });
  EXPECT_TRUE(read.ok()) << read;
  return order;
}

std::string LifecycleTest::StatesOf(const OrderId& id) {
  const Order order = Stored(id);
  return Concat(Word(order.status), " ", Word(order.payment_status), " ", Word(order.fulfillment_status));
}

std::string LifecycleTest::HistoryOf(const OrderId& id) {
  return database().Query(
      Concat("SELECT string_agg(concat_ws(' ', status, reason, actor), ', ' ORDER BY version) "
             "FROM orders.order_status_history WHERE order_id = '",
             id.str(), "'"));
}

std::string LifecycleTest::EventsOf(const OrderId& id) {
  return database().Query(
      Concat("SELECT string_agg(split_part(type, '.', 4), ' ' ORDER BY seq) FROM outbox.event "
             "WHERE aggregate_version > 1 AND aggregateid = '",
             id.str(), "'"));
}

std::string LifecycleTest::Query(const std::string& sql) const {
  return database().Query(absl::StrReplaceAll(sql, {{"$T", Concat("'", tenant_, "'")}}));
}

RequestContext LifecycleTest::Customer(const std::string& user, const std::string& key) const {
  RequestContext context = testing::ContextOf(tenant_, user);
  context.deadline = absl::Now() + absl::Seconds(20);
  context.idempotency_key = key;
  return context;
}

RequestContext LifecycleTest::Staff(const std::string& key) const {
  RequestContext context = testing::ContextOf(tenant_, "staff-1", Role::kStaff);
  context.deadline = absl::Now() + absl::Seconds(20);
  context.idempotency_key = key;
  return context;
}

std::future<LifecycleTest::Answer> LifecycleTest::StartPay(const OrderId& id,
                                                           std::optional<RequestContext> context) {
  pb::PayOrderRequest request;
  request.set_order_id(id.str());
  return Start(&LifecycleRpc::PayOrder, std::move(request), context.value_or(Customer()));
}

std::future<LifecycleTest::Answer> LifecycleTest::StartConfirm(const OrderId& id, std::int64_t amount,
                                                               std::optional<RequestContext> context) {
  pb::ConfirmPaymentRequest request;
  request.set_order_id(id.str());
  request.set_amount(amount);
  request.set_currency("USD");
  request.set_reference("statement 7");
  return Start(&LifecycleRpc::ConfirmPayment, std::move(request), context.value_or(Staff()));
}

std::future<LifecycleTest::Answer> LifecycleTest::StartCancel(const OrderId& id,
                                                              std::optional<RequestContext> context,
                                                              const std::string& reason) {
  pb::CancelOrderRequest request;
  request.set_order_id(id.str());
  request.set_reason(reason);
  return Start(&LifecycleRpc::CancelOrder, std::move(request), context.value_or(Customer()));
}

std::future<LifecycleTest::Answer> LifecycleTest::StartFulfill(const OrderId& id,
                                                               const std::vector<pb::NewShipment>& shipments,
                                                               std::optional<RequestContext> context) {
  pb::FulfillOrderRequest request;
  request.set_order_id(id.str());
  for (const pb::NewShipment& shipment : shipments) *request.add_shipments() = shipment;
  return Start(&LifecycleRpc::FulfillOrder, std::move(request), context.value_or(Staff()));
}

LifecycleTest::Answer LifecycleTest::Deliver(const OrderId& id, const std::string& shipment) {
  pb::DeliverShipmentRequest request;
  request.set_order_id(id.str());
  request.set_shipment_id(shipment);
  return Start(&LifecycleRpc::DeliverShipment, std::move(request), Staff()).get();
}

absl::StatusOr<pb::ListOrderHistoryResponse> LifecycleTest::History(const OrderId& id,
                                                                    RequestContext context) {
  pb::ListOrderHistoryRequest request;
  request.set_order_id(id.str());
  return Start(&LifecycleRpc::ListOrderHistory, std::move(request), std::move(context)).get();
}

absl::StatusOr<pb::FindReservationsResponse> LifecycleTest::Find(
    const std::vector<std::string>& reservations) {
  pb::FindReservationsRequest request;
  for (const std::string& reservation : reservations) request.add_reservation_ids(reservation);
  return Start(&LifecycleRpc::FindReservations, std::move(request), Staff()).get();
}

Process LifecycleTest::BeginOnly(ProcessKind kind, const OrderId& id, const std::string& reason) {
  BeginProcess begin{.process = NewProcess(kind, id, Staff()), .role = Role::kStaff};
  begin.process.payment =
      kind == ProcessKind::kPay || kind == ProcessKind::kConfirm ? PaymentId::New() : PaymentId();
  begin.process.reason = reason;
  begin.process.reference = kind == ProcessKind::kConfirm ? "statement 7" : "";
  begin.received = {12950, Currency::Trusted("USD")};
  begin.lease = absl::Hours(1);
  const absl::StatusOr<Changed> changed = Submit({id, std::move(begin)});
  EXPECT_TRUE(changed.ok()) << changed.status();
  return *changed->process;
}

std::future<absl::StatusOr<Changed>> LifecycleTest::StartSubmit(Change change,
                                                                std::optional<RequestContext> context,
                                                                ChangeLanes* lanes) {
  return boost::asio::co_spawn(
      loop_.io(),
      SubmitChange(lanes != nullptr ? *lanes : *changes_, std::move(change), context.value_or(Staff())),
      boost::asio::use_future);
}

}  // namespace bv::order
