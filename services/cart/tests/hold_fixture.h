// Carts that hold their items, and an inventory of the test's own that answers over Kafka.
#pragma once

#include <google/protobuf/message.h>

#include <memory>
#include <string>
#include <vector>

#include "commerce/inventory/v1/events.pb.h"
#include "libs/testing/kafka/kafka_topic.h"
#include "services/cart/events/hold_answers.h"
#include "services/cart/tests/cart_fixture.h"

namespace bv::cart {

namespace inventory = commerce::inventory::v1;

class HoldTest : public CartTest {
 protected:
  CartRpc& rpc() override { return holding_rpc(); }

  // What was asked for by the tenant's carts, in the order of the outbox.
  std::vector<inventory::ReservationRequested> Requests() const;
  // The last of them.
  inventory::ReservationRequested LastRequest() const;
  // The hold of the only item, or of the item `sku`.
  static pb::CartHold HoldOf(const absl::StatusOr<pb::Cart>& cart, const std::string& sku = "");
};

class HoldAnswerTest : public HoldTest {
 protected:
  void SetUp() override;

  testing::Written EventOf(const google::protobuf::Message& payload) const;
  testing::Written HeldEvent(const inventory::ReservationRequested& request, absl::Time until) const;
  void Send(const std::vector<testing::Written>& events) const { topic_.Write(events); }
  void Answer(const google::protobuf::Message& payload) const { Send({EventOf(payload)}); }
  // Waits until the cart shows the item like this.
  pb::CartHold WaitFor(const RequestContext& context, const std::string& cart_id,
                       pb::CartHold::Status status);

  const testing::KafkaTopic topic_;
  const std::string group_ = "cart-test." + topic_.name();
  const testing::KafkaTopic retries_{events::RetryTopic(topic_.name(), group_)};
  const testing::KafkaTopic dead_letters_{kafka::DeadLetterTopic(topic_.name(), group_)};
  std::unique_ptr<HoldAnswers> answers_;
};

}  // namespace bv::cart
