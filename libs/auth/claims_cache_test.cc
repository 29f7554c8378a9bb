#include "libs/auth/claims_cache.h"

#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

namespace bv::auth {
namespace {

Claims ClaimsOf(int user) {
  return {.user_id = absl::StrCat(user),
          .tenant = TenantId::Trusted("demo"),
          .role = Role::kStaff,
          .expires_at = absl::FromUnixSeconds(1'700'003'600)};
}

TEST(ClaimsCache, StaysWithinItsBoundAndKeepsWhatIsUsed) {
  ClaimsCache cache(100);
  const ClaimsCache::Key used = ClaimsCache::KeyOf("used");
  cache.Put(used, ClaimsOf(-1));
  for (int i = 0; i < 1000; ++i) {
    cache.Put(ClaimsCache::KeyOf(absl::StrCat(i)), ClaimsOf(i));
    ASSERT_LE(cache.size(), 100u);
    const auto claims = cache.Find(used);
    ASSERT_TRUE(claims) << i;
    EXPECT_EQ(claims->user_id, "-1");
  }
  EXPECT_FALSE(cache.Find(ClaimsCache::KeyOf("0")));
  EXPECT_EQ(cache.Find(ClaimsCache::KeyOf("999"))->user_id, "999");
}

TEST(ClaimsCache, Forgets) {
  ClaimsCache cache(100);
  const ClaimsCache::Key key = ClaimsCache::KeyOf("a");
  cache.Put(key, ClaimsOf(1));
  cache.Erase(key);
  EXPECT_FALSE(cache.Find(key));
  EXPECT_EQ(cache.size(), 0u);
}

}  // namespace
}  // namespace bv::auth
