#include "services/inventory/domain/sold_out.h"

#include <gtest/gtest.h>

#include "libs/base/error.h"

namespace bv::inventory {
namespace {

const TenantId kAcme = TenantId::Trusted("acme");
const StockKey kTent{kAcme, SkuCode::Trusted("TENT")};
const absl::Time kNow = absl::FromUnixSeconds(1'000'000);

class SoldOutTest : public ::testing::Test {
 protected:
  bool Refuses(const std::string& id, absl::Time at = kNow) const {
    ReserveCommand command{.reservation_id = id, .lines = {{SkuCode::Trusted("MUG"), 1}, {kTent.second, 2}}};
    const auto refusal = sold_out_.Refusal(kAcme, command, at);
    EXPECT_EQ(refusal ? GetErrorDetail(*refusal).field : "lines[1].qty", "lines[1].qty");
    return refusal.has_value();
  }
  SoldOut sold_out_{absl::Milliseconds(200)};
};

TEST_F(SoldOutTest, LastsForAMoment) {
  EXPECT_FALSE(Refuses("r-1"));
  sold_out_.Remember(kTent, 5, {}, kNow, kNow);
  EXPECT_TRUE(Refuses("r-1"));
  EXPECT_FALSE(Refuses("r-1", kNow + absl::Milliseconds(200)));
}

TEST_F(SoldOutTest, EndsWhenTheSkuIsBack) {
  sold_out_.Remember(kTent, 5, {}, kNow, kNow);
  sold_out_.Forget(kTent, 6);
  EXPECT_FALSE(Refuses("r-1"));
  sold_out_.Remember(kTent, 5, {}, kNow, kNow);
  EXPECT_FALSE(Refuses("r-1")) << "older news comes late";
}

TEST_F(SoldOutTest, OlderNewsIsNoNews) {
  sold_out_.Remember(kTent, 5, {}, kNow, kNow);
  sold_out_.Forget(kTent, 4);
  EXPECT_TRUE(Refuses("r-1"));
}

TEST_F(SoldOutTest, HoldersHaveToBeAskedAbout) {
  EXPECT_EQ(sold_out_.ReadHoldersSince(kTent, 5, kNow), kNow - SoldOut::kRepeatWindow);
  sold_out_.Remember(kTent, 5, {"r-1"}, kNow, kNow);
  EXPECT_FALSE(Refuses("r-1"));
  EXPECT_TRUE(Refuses("r-2"));
  EXPECT_EQ(sold_out_.ReadHoldersSince(kTent, 5, kNow), std::nullopt) << "nothing has changed";
  EXPECT_EQ(sold_out_.ReadHoldersSince(kTent, 6, kNow), kNow - absl::Seconds(30)) << "only the new ones";
}

TEST_F(SoldOutTest, WhatHasTooManyHoldersIsNotRemembered) {
  std::vector<std::string> holders;
  for (std::size_t i = 0; i <= SoldOut::kHoldersMax; ++i) holders.push_back("r-" + std::to_string(i));
  sold_out_.Remember(kTent, 5, holders, kNow, kNow);
  EXPECT_FALSE(Refuses("other"));
}

TEST_F(SoldOutTest, WhatACartHoldsIsThereForIt) {
  sold_out_.Remember(kTent, 5, {}, kNow, kNow);
  ReserveCommand command{.reservation_id = "r-1", .lines = {{kTent.second, 1}}, .replaces = {"hld_1"}};
  EXPECT_FALSE(sold_out_.Refusal(kAcme, command, kNow).has_value());
}

}  // namespace
}  // namespace bv::inventory
