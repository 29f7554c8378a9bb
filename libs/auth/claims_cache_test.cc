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
  cache.Put(used, ClaimsOf(-1), 1);
  for (int i = 0; i < 1000; ++i) {
    cache.Put(ClaimsCache::KeyOf(absl::StrCat(i)), ClaimsOf(i), 1);
    ASSERT_LE(cache.size(), 100u);
    const auto claims = cache.Find(used, 1);
    ASSERT_TRUE(claims) << i;
    EXPECT_EQ(claims->user_id, "-1");
  }
  EXPECT_FALSE(cache.Find(ClaimsCache::KeyOf("0"), 1));
  EXPECT_EQ(cache.Find(ClaimsCache::KeyOf("999"), 1)->user_id, "999");
}

TEST(ClaimsCache, Forgets) {
  ClaimsCache cache(100);
  const ClaimsCache::Key key = ClaimsCache::KeyOf("a");
  cache.Put(key, ClaimsOf(1), 1);
  cache.Erase(key);
  EXPECT_FALSE(cache.Find(key, 1));
  EXPECT_EQ(cache.size(), 0u);
}

TEST(ClaimsCache, FindsNothingOfOtherKeys) {
  ClaimsCache cache(4);
  const ClaimsCache::Key key = ClaimsCache::KeyOf("a");
  cache.Put(key, ClaimsOf(1), 1);
  EXPECT_FALSE(cache.Find(key, 2));
  // Also from the older half.
  for (int i = 0; i < 2; ++i) cache.Put(ClaimsCache::KeyOf(absl::StrCat(i)), ClaimsOf(i), 2);
  EXPECT_FALSE(cache.Find(key, 2));
  cache.Put(key, ClaimsOf(2), 2);
  EXPECT_EQ(cache.Find(key, 2)->user_id, "2");
}

}  // namespace
}  // namespace bv::auth
