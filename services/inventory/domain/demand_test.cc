#include "services/inventory/domain/demand.h"

#include <gtest/gtest.h>

namespace bv::inventory {
namespace {

const StockKey kTent{TenantId::Trusted("acme"), SkuCode::Trusted("TENT")};
const absl::Time kNow = absl::FromUnixSeconds(1'000);

TEST(Demand, ARateMakesASkuHotForAWhile) {
  Demand demand(3);
  EXPECT_FALSE(demand.Count(kTent, kNow));
  EXPECT_FALSE(demand.Count(kTent, kNow));
  EXPECT_TRUE(demand.Count(kTent, kNow)) << "the third in one second";
  EXPECT_TRUE(demand.Count(kTent, kNow + absl::Seconds(20)));
  EXPECT_FALSE(demand.Count(kTent, kNow + Demand::kCoolDown + absl::Seconds(1)));
}

TEST(Demand, RequestsOfSeveralSecondsDoNotAddUp) {
  Demand demand(3);
  for (int second = 0; second < 10; ++second) {
    EXPECT_FALSE(demand.Count(kTent, kNow + absl::Seconds(second)));
    EXPECT_FALSE(demand.Count(kTent, kNow + absl::Seconds(second)));
  }
}

TEST(Demand, AMarkMakesASkuHotAtOnce) {
  Demand demand(1'000);
  demand.Mark(kTent, true);
  EXPECT_TRUE(demand.Count(kTent, kNow));
  demand.Mark(kTent, false);
  EXPECT_FALSE(demand.Count(kTent, kNow));
}

}  // namespace
}  // namespace bv::inventory
