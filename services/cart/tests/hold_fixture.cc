#include "services/cart/tests/hold_fixture.h"

#include <pqxx/pqxx>

#include "libs/base/strings.h"
#include "libs/events/outbox.h"

namespace bv::cart {

std::vector<inventory::ReservationRequested> HoldTest::Requests() const {
  pqxx::connection connection(database().superuser_url());
  pqxx::nontransaction session(connection);
  std::vector<inventory::ReservationRequested> requests;
  const pqxx::result rows = session.exec_params(
      "SELECT payload, type, aggregatetype, aggregateid FROM outbox.event WHERE tenant_id = $1 ORDER BY seq",
      tenant());
  for (const pqxx::row& row : rows) {
    EXPECT_EQ(row["type"].as<std::string>(), "ecommerce.inventory.reservation.requested.v1");
    EXPECT_EQ(row["aggregatetype"].as<std::string>(), "ecommerce.inventory.reservation");
    const auto envelope = events::ParseEnvelope(row["payload"].as<std::string>());
    EXPECT_TRUE(envelope.ok()) << envelope.status();
    inventory::ReservationRequested request;
    EXPECT_TRUE(envelope->ParsePayload(request).ok());
    EXPECT_EQ(request.reservation_id(), row["aggregateid"].as<std::string>());
    requests.push_back(std::move(request));
  }
  return requests;
}

inventory::ReservationRequested HoldTest::LastRequest() const {
  const std::vector<inventory::ReservationRequested> requests = Requests();
  EXPECT_FALSE(requests.empty());
  return requests.empty() ? inventory::ReservationRequested() : requests.back();
}

pb::CartHold HoldTest::HoldOf(const absl::StatusOr<pb::Cart>& cart, const std::string& sku) {
  EXPECT_TRUE(cart.ok()) << cart.status();
  if (!cart.ok()) return {};
  for (const pb::CartItem& item : cart->items()) {
    if (sku.empty() || item.sku() == sku) return item.hold();
  }
  ADD_FAILURE() << "no item " << sku;
  return {};
}

void HoldAnswerTest::SetUp() {
  HoldTest::SetUp();
  topic_.Create(3);
  retries_.Create(3, {{"cleanup.policy", "compact"}});
  dead_letters_.Create(1);
  answers_ = std::make_unique<HoldAnswers>(
      kafka::ConsumerSettings{.brokers = testing::Environment("BV_KAFKA_BROKERS")}, database().Connection(),
      group_, topic_.name());
  ASSERT_TRUE(answers_->Start().ok());
}

testing::Written HoldAnswerTest::EventOf(const google::protobuf::Message& payload) const {
  const auto row = events::MakeRow(payload, 1, absl::Now(), As("ada"));
  EXPECT_TRUE(row.ok()) << row.status();
  return {.key = row->key, .value = row->payload, .headers = {{"tenantId", tenant()}}};
}

testing::Written HoldAnswerTest::HeldEvent(const inventory::ReservationRequested& request,
                                           absl::Time until) const {
  inventory::ReservationHeld held;
  held.set_reservation_id(request.reservation_id());
  held.set_cart_id(request.cart_id());
  held.set_sku(request.sku());
  held.set_qty(request.qty());
  held.mutable_expires_at()->set_seconds(absl::ToUnixSeconds(until));
  held.set_item_version(request.item_version());
  return EventOf(held);
}

pb::CartHold HoldAnswerTest::WaitFor(const RequestContext& context, const std::string& cart_id,
                                     pb::CartHold::Status status) {
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  pb::CartHold hold;
  while ((hold = HoldOf(Get(context, cart_id))).status() != status && absl::Now() < deadline)
    std::this_thread::yield();
  EXPECT_EQ(hold.status(), status);
  return hold;
}

}  // namespace bv::cart
