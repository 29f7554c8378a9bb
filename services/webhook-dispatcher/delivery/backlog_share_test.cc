#include "services/webhook-dispatcher/delivery/backlog_share.h"

#include <gtest/gtest.h>

namespace bv::webhook {
namespace {

const TenantId kOurs = TenantId::Trusted("ours");
const TenantId kOther = TenantId::Trusted("other");
const TenantId kThird = TenantId::Trusted("third");
const absl::Time kNow = absl::FromUnixSeconds(1'000);

TEST(BacklogShareTest, ATenantSharesWithOthersOnly) {
  BacklogShare share(0.1);
  EXPECT_FALSE(share.IsShared(kOurs, kNow));
  share.HasFresh(kOurs, kNow);
  EXPECT_FALSE(share.IsShared(kOurs, kNow));
  EXPECT_TRUE(share.IsShared(kOther, kNow));
}

TEST(BacklogShareTest, AnOthersDeliveryCountsForASecondWhateverComesBetween) {
  BacklogShare share(0.1);
  share.HasFresh(kOther, kNow);
  for (int i = 0; i < 3; ++i) share.HasFresh(kOurs, kNow);
  EXPECT_TRUE(share.IsShared(kOurs, kNow + absl::Milliseconds(999)));
  EXPECT_FALSE(share.IsShared(kOurs, kNow + absl::Seconds(1)));
  share.HasFresh(kThird, kNow + absl::Milliseconds(500));
  share.HasFresh(kOurs, kNow + absl::Milliseconds(600));
  EXPECT_TRUE(share.IsShared(kOurs, kNow + absl::Seconds(1)));
}

TEST(BacklogShareTest, SpentTimeIsPaidWithAPause) {
  BacklogShare share(0.1);
  EXPECT_LE(share.next_at(), kNow);
  share.HasSpent(absl::Milliseconds(2), kNow);
  EXPECT_EQ(share.next_at(), kNow + absl::Milliseconds(18));
  share.HasSpent(absl::Milliseconds(1), kNow + absl::Milliseconds(10));
  EXPECT_EQ(share.next_at(), kNow + absl::Milliseconds(27));
  // An old pause is no credit.
  share.HasSpent(absl::Milliseconds(1), kNow + absl::Seconds(5));
  EXPECT_EQ(share.next_at(), kNow + absl::Seconds(5) + absl::Milliseconds(9));
}

}  // namespace
}  // namespace bv::webhook
