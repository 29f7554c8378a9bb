#include "services/webhook-dispatcher/domain/subscription.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/error.h"

namespace bv::webhook {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

Secret SecretOf(std::uint8_t byte) {
  std::array<std::uint8_t, Secret::kBytes> bytes;
  bytes.fill(byte);
  return Secret::FromBytes(bytes);
}

Subscription Example() {
  Subscription subscription;
  subscription.url = "https://example.com/hook/token-1";
  subscription.event_types = {"ecommerce.order.*"};
  subscription.secret = SecretOf(1);
  return subscription;
}

TEST(Secret, IsWrittenAsStandardWebhooksWritesIt) {
  const Secret secret = SecretOf(0xff);
  EXPECT_EQ(secret.text(), "whsec_//////////////////////////////////////////8=");
  EXPECT_EQ(secret.bytes(), std::string(32, '\xff'));
  EXPECT_EQ(Secret::Trusted("MfKQ").bytes(), "");
  EXPECT_EQ(Secret::Trusted("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").bytes().size(), 24u);
}

TEST(Subscription, WantsWhatAnyOfItsPatternsMatches) {
  Subscription subscription = Example();
  subscription.event_types.push_back("ecommerce.payment.payment.failed.v1");
  EXPECT_TRUE(subscription.Wants("ecommerce.order.order.paid.v1", "eu"));
  EXPECT_TRUE(subscription.Wants("ecommerce.payment.payment.failed.v1", ""));
  EXPECT_FALSE(subscription.Wants("ecommerce.payment.payment.captured.v1", ""));
}

TEST(Subscription, OfStoresWantsWhatIsOfThemOnly) {
  Subscription subscription = Example();
  subscription.stores = {StoreCode::Trusted("eu"), StoreCode::Trusted("till")};
  EXPECT_TRUE(subscription.Wants("ecommerce.order.order.paid.v1", "eu"));
  EXPECT_TRUE(subscription.Wants("ecommerce.order.order.paid.v1", "till"));
  EXPECT_FALSE(subscription.Wants("ecommerce.order.order.paid.v1", "us"));
  EXPECT_FALSE(subscription.Wants("ecommerce.order.order.paid.v1", "e"));
  EXPECT_FALSE(subscription.Wants("ecommerce.order.order.paid.v1", ""));
  EXPECT_FALSE(subscription.Wants("ecommerce.payment.payment.failed.v1", "eu"));
}

TEST(Subscription, StoresAreTwentyAtMostAllDifferent) {
  const auto field_of = [](const std::vector<std::string>& codes) {
    return GetErrorDetail(ParseStores(codes, "storeCodes").status()).field;
  };
  EXPECT_THAT(*ParseStores({"eu", "till_2"}, "storeCodes"),
              ElementsAre(StoreCode::Trusted("eu"), StoreCode::Trusted("till_2")));
  EXPECT_THAT(*ParseStores({}, "storeCodes"), IsEmpty());
  EXPECT_THAT(*ParseStores({"*"}, "storeCodes"), IsEmpty());
  EXPECT_EQ(field_of({"eu", "*"}), "storeCodes[1]");
  EXPECT_EQ(field_of({"eu", "u s"}), "storeCodes[1]");
  EXPECT_EQ(field_of({""}), "storeCodes[0]");
  EXPECT_EQ(field_of({"eu", "us", "eu"}), "storeCodes[2]");
  std::vector<std::string> many;
  for (int i = 0; i < 20; ++i) many.push_back(std::string(1, static_cast<char>('a' + i)));
  EXPECT_EQ(ParseStores(many, "storeCodes")->size(), 20u);
  many.push_back("z");
  EXPECT_EQ(field_of(many), "storeCodes");
}

TEST(Subscription, IsPausedAndResumedAsOftenAsSomebodyAsks) {
  Subscription subscription = Example();
  EXPECT_THAT(Resume(subscription), IsEmpty());
  EXPECT_THAT(Pause(subscription), Not(IsEmpty()));
  EXPECT_EQ(subscription.status, SubscriptionStatus::kPaused);
  EXPECT_THAT(Pause(subscription), IsEmpty());
  EXPECT_THAT(Resume(subscription), HasSubstr("PAUSED"));
  EXPECT_EQ(subscription.status, SubscriptionStatus::kActive);
}

TEST(Subscription, ADisabledOneStaysSoUntilItIsResumed) {
  Subscription subscription = Example();
  Pause(subscription);
  EXPECT_THAT(Disable(subscription, DisabledReason::kGone), HasSubstr("410"));
  EXPECT_THAT(Disable(subscription, DisabledReason::kFailing), IsEmpty());
  EXPECT_THAT(Pause(subscription), IsEmpty());
  EXPECT_EQ(subscription.status, SubscriptionStatus::kDisabled);
  EXPECT_EQ(subscription.disabled_reason, DisabledReason::kGone);
  EXPECT_THAT(Resume(subscription), HasSubstr("GONE"));
  EXPECT_EQ(subscription.status, SubscriptionStatus::kActive);
  EXPECT_EQ(subscription.disabled_reason, std::nullopt);
}

TEST(Subscription, AnUpdateSaysWhatItChangesButShowsNoUrl) {
  Subscription subscription = Example();
  EXPECT_THAT(Update(subscription, {}), IsEmpty());
  EXPECT_THAT(Update(subscription,
                     {.url = subscription.url, .event_types = subscription.event_types, .description = ""}),
              IsEmpty());
  const std::string changed = Update(
      subscription,
      {.url = "https://example.com/hook/token-2", .event_types = {"*"}, .description = "for the books"});
  EXPECT_EQ(changed, "URL; event types: *; description");
  EXPECT_EQ(subscription.url, "https://example.com/hook/token-2");
  EXPECT_THAT(subscription.event_types, ElementsAre("*"));
  EXPECT_EQ(subscription.description, "for the books");
  EXPECT_EQ(Update(subscription, {.stores = std::vector{StoreCode::Trusted("eu"), StoreCode::Trusted("us")}}),
            "stores: eu, us");
  EXPECT_THAT(Update(subscription, {.description = "for the books"}), IsEmpty());
  EXPECT_EQ(subscription.stores.size(), 2u) << "what is not given stays";
  EXPECT_EQ(Update(subscription, {.stores = std::vector<StoreCode>()}), "stores: all");
}

TEST(Subscription, ARotatedSecretSignsUntilTheOverlapEnds) {
  Subscription subscription = Example();
  EXPECT_THAT(subscription.SecretsAt(kNow), ElementsAre(SecretOf(1)));
  const std::string changed = Rotate(subscription, SecretOf(2), absl::Hours(1), kNow);
  EXPECT_THAT(changed, HasSubstr("3600 s"));
  EXPECT_THAT(changed, Not(HasSubstr("whsec_")));
  EXPECT_THAT(subscription.SecretsAt(kNow + absl::Minutes(59)), ElementsAre(SecretOf(2), SecretOf(1)));
  EXPECT_THAT(subscription.SecretsAt(kNow + absl::Hours(1)), ElementsAre(SecretOf(2)));
  // There are two at most.
  Rotate(subscription, SecretOf(3), absl::Hours(1), kNow);
  EXPECT_THAT(subscription.SecretsAt(kNow), ElementsAre(SecretOf(3), SecretOf(2)));
  Rotate(subscription, SecretOf(4), absl::ZeroDuration(), kNow);
  EXPECT_THAT(subscription.SecretsAt(kNow), ElementsAre(SecretOf(4)));
  EXPECT_TRUE(subscription.previous_secret.empty());
}

TEST(Subscription, LimitsOfDescriptionAndOverlap) {
  EXPECT_TRUE(CheckDescription(std::string(500, 'x')).ok());
  EXPECT_EQ(GetErrorDetail(CheckDescription(std::string(501, 'x'))).field, "description");
  EXPECT_TRUE(CheckOverlap(absl::ZeroDuration()).ok());
  EXPECT_TRUE(CheckOverlap(absl::Hours(24 * 7)).ok());
  for (const absl::Duration overlap : {absl::Seconds(-1), absl::Hours(24 * 7) + absl::Seconds(1)})
    EXPECT_EQ(GetErrorDetail(CheckOverlap(overlap)).field, "overlapSeconds");
}

TEST(Subscription, WordsAreReadAsTheyAreWritten) {
  for (const auto status :
       {SubscriptionStatus::kActive, SubscriptionStatus::kPaused, SubscriptionStatus::kDisabled})
    EXPECT_EQ(StatusOf(Word(status)), status);
  for (const auto order : {DeliveryOrder::kAny, DeliveryOrder::kFifo}) EXPECT_EQ(OrderOf(Word(order)), order);
  for (const auto reason : {DisabledReason::kGone, DisabledReason::kFailing})
    EXPECT_EQ(ReasonOf(Word(reason)), reason);
}

}  // namespace
}  // namespace bv::webhook
