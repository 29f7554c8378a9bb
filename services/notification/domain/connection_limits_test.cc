#include "services/notification/domain/connection_limits.h"

#include <gtest/gtest.h>

#include "libs/base/error.h"

namespace bv::notification {
namespace {

TEST(ConnectionLimits, CountsAllAndEachShare) {
  ConnectionLimits limits(3);
  const auto take = [&](const std::string& user) { return limits.Take({{user, 2}, {"address", 10}}); };
  auto first = take("ada");
  auto second = take("ada");
  ASSERT_TRUE(first.ok() && second.ok());
  const absl::Status refused = take("ada").status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ErrorReason(refused), "TOO_MANY_CONNECTIONS");
  EXPECT_TRUE(GetErrorDetail(refused).retry_after.has_value());

  auto third = take("bob");
  ASSERT_TRUE(third.ok());
  EXPECT_EQ(take("eve").status().code(), absl::StatusCode::kUnavailable);
  first->reset();
  EXPECT_TRUE(take("ada").ok());
}

TEST(ConnectionLimits, SaysWhenAllAreFree) {
  ConnectionLimits limits(1);
  EXPECT_TRUE(limits.AwaitAllFree(absl::InfinitePast()));
  auto place = limits.Take({});
  EXPECT_FALSE(limits.AwaitAllFree(absl::Now()));
  place->reset();
  EXPECT_TRUE(limits.AwaitAllFree(absl::Now()));
}

}  // namespace
}  // namespace bv::notification
