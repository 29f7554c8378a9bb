#include "libs/auth/revocation_list.h"

#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

#include <string>

#include "libs/auth/auth.h"

namespace bv::auth {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);
const absl::Time kEnd = kNow + absl::Hours(24);

Claims Token(const std::string& id, absl::Time issued_at, const std::string& tenant = "acme",
             const std::string& subject = "ann") {
  return {.user_id = subject,
          .tenant = TenantId::Trusted(tenant),
          .role = Role::kCustomer,
          .expires_at = kEnd,
          .token_id = id,
          .issued_at = issued_at};
}

Revocation OfToken(const std::string& id, absl::Time forget_after = kEnd,
                   const std::string& tenant = "acme") {
  return {.tenant = TenantId::Trusted(tenant),
          .subject = "ann",
          .token_id = id,
          .issued_until = kNow,
          .forget_after = forget_after};
}

Revocation OfSubject(const std::string& subject, absl::Time issued_until = kNow) {
  return {.tenant = TenantId::Trusted("acme"),
          .subject = subject,
          .issued_until = issued_until,
          .forget_after = kEnd};
}

TEST(RevocationList, RevokesOneToken) {
  RevocationList list;
  EXPECT_FALSE(list.Revokes(Token("t-1", kNow)));
  list.Add(OfToken("t-1"), kNow);
  EXPECT_TRUE(list.Revokes(Token("t-1", kNow)));
  EXPECT_TRUE(list.Revokes(Token("t-1", kNow + absl::Hours(1)))) << "whenever it says that it was issued";
  EXPECT_FALSE(list.Revokes(Token("t-2", kNow)));
  EXPECT_FALSE(list.Revokes(Token("", kNow))) << "a token without an id is no single one";
  EXPECT_FALSE(list.Revokes(Token("t-1", kNow, "globex"))) << "another tenant's";
}

TEST(RevocationList, RevokesWhatASubjectWasGivenUntilThen) {
  RevocationList list;
  list.Add(OfSubject("ann"), kNow);
  EXPECT_TRUE(list.Revokes(Token("t-1", kNow)));
  EXPECT_TRUE(list.Revokes(Token("", absl::InfinitePast()))) << "without iat";
  EXPECT_FALSE(list.Revokes(Token("t-2", kNow + absl::Seconds(1))));
  EXPECT_FALSE(list.Revokes(Token("t-3", kNow, "acme", "bob")));
  EXPECT_FALSE(list.Revokes(Token("t-4", kNow, "globex")));
}

TEST(RevocationList, TheLatestOfASubjectCounts) {
  RevocationList list;
  list.Add(OfSubject("ann", kNow), kNow);
  list.Add(OfSubject("ann", kNow - absl::Hours(1)), kNow);
  EXPECT_TRUE(list.Revokes(Token("t-1", kNow)));
  list.Add(OfSubject("ann", kNow + absl::Hours(1)), kNow);
  EXPECT_TRUE(list.Revokes(Token("t-2", kNow + absl::Minutes(30))));
  EXPECT_EQ(list.size(), 1u);
}

TEST(RevocationList, ForgetsWhatHasExpiredAnyway) {
  RevocationList list;
  list.Add(OfToken("old", kNow), kNow);
  EXPECT_EQ(list.size(), 0u) << "from long ago, read again at a start";
  list.Add(OfToken("short", kNow + absl::Hours(1)), kNow);
  list.Add(OfToken("long", kNow + absl::Hours(3)), kNow);
  EXPECT_EQ(list.size(), 2u);
  list.Add(OfToken("next", kEnd), kNow + absl::Hours(2));
  EXPECT_EQ(list.size(), 2u);
  EXPECT_FALSE(list.Revokes(Token("short", kNow)));
  EXPECT_TRUE(list.Revokes(Token("long", kNow)));
}

TEST(RevocationList, TheSameAgainTakesNoRoomAndShortensNothing) {
  RevocationList list;
  list.Add(OfToken("t-1", kEnd), kNow);
  list.Add(OfToken("t-1", kNow + absl::Hours(1)), kNow);
  EXPECT_EQ(list.size(), 1u);
  list.Add(OfToken("t-2"), kNow + absl::Hours(2));
  EXPECT_TRUE(list.Revokes(Token("t-1", kNow)));
}

TEST(RevocationList, FullItRevokesMoreAndNeverLess) {
  RevocationList list(100);
  list.Add(OfToken("quiet-1", kEnd, "quiet"), kNow);
  for (int i = 0; i < 1'000; ++i) {
    list.Add(OfToken(absl::StrCat("t-", i)), kNow);
    EXPECT_LE(list.size(), 100u);
  }
  for (int i = 0; i < 1'000; ++i) EXPECT_TRUE(list.Revokes(Token(absl::StrCat("t-", i), kNow))) << i;
  EXPECT_TRUE(list.Revokes(Token("never-named", kNow))) << "the price of it";
  EXPECT_FALSE(list.Revokes(Token("newer", kNow + absl::Seconds(1))));
  Claims service = Token("never-named", kNow, "acme", "order-service");
  service.role = Role::kService;
  EXPECT_FALSE(list.Revokes(service)) << "or the fleet could not work for the tenant";
  EXPECT_TRUE(list.Revokes(Token("quiet-1", kNow, "quiet")));
  EXPECT_FALSE(list.Revokes(Token("quiet-2", kNow, "quiet"))) << "others do not pay";
  list.Add(OfToken("late", kEnd + absl::Hours(1)), kEnd);
  EXPECT_EQ(list.size(), 1u) << "that is forgotten as well";
}

}  // namespace
}  // namespace bv::auth
