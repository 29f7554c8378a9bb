// Subscriptions to what happens in single stores of a tenant.
#include "services/webhook-dispatcher/tests/webhook_fixture.h"

namespace bv::webhook {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr char kOrders[] = "ecommerce.order.*";

class SubscriptionsOfStoresTest : public WebhookTest {
 protected:
  static pb::CreateSubscriptionRequest NewIn(const std::vector<std::string>& stores,
                                             const std::vector<std::string>& event_types = {kOrders}) {
    pb::CreateSubscriptionRequest request = New(event_types);
    for (const std::string& store : stores) request.add_store_codes(store);
    return request;
  }
  absl::Status CreateError(const pb::CreateSubscriptionRequest& request) {
    return Call(&SubscriptionRpc::CreateSubscription, request).status();
  }
  absl::StatusOr<pb::Subscription> Update(const std::string& id, const std::vector<std::string>& stores,
                                          const std::vector<std::string>& event_types = {}) {
    auto request = Of<pb::UpdateSubscriptionRequest>(id);
    for (const std::string& store : stores) request.add_store_codes(store);
    for (const std::string& type : event_types) request.add_event_types(type);
    return Call(&SubscriptionRpc::UpdateSubscription, request);
  }
};

TEST_F(SubscriptionsOfStoresTest, ShowTheirStoresAndTheAuditDoesToo) {
  const pb::Subscription made = Stored(NewIn({"eu", "till"}));
  EXPECT_THAT(made.store_codes(), ElementsAre("eu", "till"));
  EXPECT_THAT(Get(made.subscription_id())->store_codes(), ElementsAre("eu", "till"));
  EXPECT_THAT(AuditWords(made.subscription_id()),
              ElementsAre("CREATED event types: ecommerce.order.*; stores: eu, till"));
  const auto listed = Call(&SubscriptionRpc::ListSubscriptions, pb::ListSubscriptionsRequest());
  ASSERT_EQ(listed->subscriptions_size(), 1);
  EXPECT_THAT(listed->subscriptions(0).store_codes(), ElementsAre("eu", "till"));
  EXPECT_THAT(Stored(New()).store_codes(), IsEmpty());
  EXPECT_THAT(Stored(NewIn({"*"}, {"*"})).store_codes(), IsEmpty());
}

TEST_F(SubscriptionsOfStoresTest, AnUpdateReplacesThem) {
  const std::string id = Stored(NewIn({"eu"})).subscription_id();
  EXPECT_THAT(Update(id, {"us", "till"})->store_codes(), ElementsAre("us", "till"));
  EXPECT_THAT(Update(id, {}, {"ecommerce.order.order.paid.v1"})->store_codes(), ElementsAre("us", "till"));
  const auto same = Update(id, {"us", "till"});
  EXPECT_EQ(same->version(), 3) << "nothing was changed";
  EXPECT_THAT(Update(id, {"*"})->store_codes(), IsEmpty());
  EXPECT_THAT(AuditWords(id),
              ElementsAre("UPDATED stores: all", "UPDATED event types: ecommerce.order.order.paid.v1",
                          "UPDATED stores: us, till", "CREATED event types: ecommerce.order.*; stores: eu"));
}

TEST_F(SubscriptionsOfStoresTest, ACodeThatIsNoneIsNamed) {
  EXPECT_EQ(FieldOf(CreateError(NewIn({"eu", "u s"}))), "storeCodes[1]");
  EXPECT_EQ(FieldOf(CreateError(NewIn({"eu", "*"}))), "storeCodes[1]");
  EXPECT_EQ(FieldOf(CreateError(NewIn({""}))), "storeCodes[0]");
  EXPECT_EQ(FieldOf(CreateError(NewIn({"eu", "eu"}))), "storeCodes[1]");
  EXPECT_EQ(FieldOf(CreateError(NewIn(std::vector<std::string>(21, "eu")))), "storeCodes");
  const std::string id = Stored(NewIn({"eu"})).subscription_id();
  EXPECT_EQ(FieldOf(Update(id, {"us", "u s"}).status()), "storeCodes[1]");
  EXPECT_THAT(Get(id)->store_codes(), ElementsAre("eu"));
}

TEST_F(SubscriptionsOfStoresTest, EventsOfNoStoreAreNotForSingleStores) {
  for (const char* type :
       {"*", "ecommerce.product.*", "ecommerce.inventory.stock.adjusted.v1", "ecommerce.payment.*"}) {
    const absl::Status refused = CreateError(NewIn({"eu"}, {kOrders, type}));
    EXPECT_EQ(refused.code(), absl::StatusCode::kInvalidArgument) << type;
    EXPECT_EQ(ErrorReason(refused), "EVENT_TYPE_WITHOUT_STORE") << type;
    EXPECT_EQ(FieldOf(refused), "eventTypes[1]") << type;
    EXPECT_THAT(std::string(refused.message()), HasSubstr("ecommerce.order.order.paid.v1")) << type;
  }
  // Also when only one of the two is changed.
  const std::string of_one = Stored(NewIn({"eu"})).subscription_id(),
                    of_all = Stored(New({"*"})).subscription_id();
  EXPECT_EQ(ErrorReason(Update(of_one, {}, {"*"}).status()), "EVENT_TYPE_WITHOUT_STORE");
  EXPECT_EQ(ErrorReason(Update(of_all, {"eu"}).status()), "EVENT_TYPE_WITHOUT_STORE");
  EXPECT_THAT(Get(of_one)->event_types(), ElementsAre(kOrders));
  EXPECT_THAT(Get(of_all)->store_codes(), IsEmpty());
  EXPECT_EQ(AuditWords(of_one).size() + AuditWords(of_all).size(), 2u);
  EXPECT_THAT(Update(of_all, {"eu"}, {kOrders})->store_codes(), ElementsAre("eu"));
  EXPECT_THAT(Update(of_one, {"*"}, {"*"})->event_types(), ElementsAre("*"));
}

TEST_F(SubscriptionsOfStoresTest, AKeyStandsForTheStoresToo) {
  ASSERT_TRUE(Call(&SubscriptionRpc::CreateSubscription, NewIn({"eu"}), WithKey("key")).ok());
  EXPECT_EQ(ErrorReason(Call(&SubscriptionRpc::CreateSubscription, NewIn({"us"}), WithKey("key")).status()),
            "IDEMPOTENCY_KEY_REUSED");
}

}  // namespace
}  // namespace bv::webhook
