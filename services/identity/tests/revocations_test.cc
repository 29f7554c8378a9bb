#include "libs/rpc/timestamp.h"
#include "services/identity/store/forget.h"
#include "services/identity/tests/identity_fixture.h"

namespace bv::identity {
namespace {

class RevocationsTest : public IdentityTest {
 protected:
  // "subject/token" of a page, and its token.
  std::vector<std::string> Page(std::string& token, const std::string& subject = "", int size = 2) {
    pb::ListRevocationsRequest request;
    request.set_subject(subject);
    request.set_page_size(size);
    request.set_page_token(token);
    const auto page = Call(&RevocationRpc::ListRevocations, request);
    EXPECT_TRUE(page.ok()) << page.status();
    if (!page.ok()) return {};
    token = page->next_page_token();
    std::vector<std::string> found;
    for (const pb::Revocation& one : page->revocations())
      found.push_back(one.subject() + "/" + one.token_id());
    return found;
  }
};

TEST_F(RevocationsTest, ARevocationIsRememberedAndTold) {
  const absl::StatusOr<pb::Revocation> one = Revoke("ada", "jti-1");
  ASSERT_TRUE(one.ok()) << one.status();
  ASSERT_TRUE(Revoke("ada").ok());
  EXPECT_EQ(one->subject(), "ada");
  EXPECT_EQ(one->token_id(), "jti-1");
  EXPECT_EQ(one->revoked_by(), "root");
  EXPECT_EQ(rpc::FromTimestamp(one->forget_after()) - rpc::FromTimestamp(one->issued_until()), kLifetimeMax);
  EXPECT_EQ(Events(kRevoked, "subject"), "ada,ada");
  EXPECT_EQ(Events(kRevoked, "tokenId"), "jti-1,");
  EXPECT_EQ(Query("SELECT count(DISTINCT aggregateid) FROM outbox.event WHERE tenant_id = $T AND type LIKE "
                  "'ecommerce.identity.%'"),
            "1");
}

TEST_F(RevocationsTest, TheSameAgainLastsLonger) {
  const absl::StatusOr<pb::Revocation> first = Revoke("ada");
  const absl::StatusOr<pb::Revocation> second = Revoke("ada");
  ASSERT_TRUE(first.ok() && second.ok());
  EXPECT_GT(rpc::FromTimestamp(second->issued_until()), rpc::FromTimestamp(first->issued_until()));
  EXPECT_EQ(Query("SELECT count(*) FROM identity.revocation WHERE tenant_id = $T"), "1");
  EXPECT_EQ(Query("SELECT count(DISTINCT aggregate_version) FROM outbox.event WHERE tenant_id = $T AND type "
                  "LIKE 'ecommerce.identity.%'"),
            "2")
      << "each is told, under a higher version";
}

TEST_F(RevocationsTest, TheListIsInPagesBySubject) {
  for (const char* subject : {"bob", "ada"}) {
    ASSERT_TRUE(Revoke(subject).ok());
    ASSERT_TRUE(Revoke(subject, "jti").ok());
  }
  std::string token;
  EXPECT_THAT(Page(token), ::testing::ElementsAre("ada/", "ada/jti"));
  EXPECT_THAT(Page(token), ::testing::ElementsAre("bob/", "bob/jti"));
  EXPECT_EQ(token, "");
  EXPECT_THAT(Page(token, "bob", 1), ::testing::ElementsAre("bob/"));
  EXPECT_THAT(Page(token, "bob", 1), ::testing::ElementsAre("bob/jti"));
  EXPECT_EQ(token, "");
  pb::ListRevocationsRequest request;
  for (const char* bad : {"x", "bm90IGEgcGxhY2UAAA", "H2p0aQ"}) {
    request.set_page_token(bad);
    EXPECT_EQ(FieldOf(Call(&RevocationRpc::ListRevocations, request).status()), "pageToken") << bad;
  }
  request.set_page_token("");
  request.set_page_size(101);
  EXPECT_EQ(FieldOf(Call(&RevocationRpc::ListRevocations, request).status()), "pageSize");
}

TEST_F(RevocationsTest, WhatHasExpiredIsForgottenAndNothingElse) {
  ASSERT_TRUE(Revoke("ada").ok());
  ASSERT_TRUE(Revoke("bob").ok());
  Query(
      "UPDATE identity.revocation SET issued_until = now() - interval '2 s', forget_after = now() - interval "
      "'1 s' "
      "WHERE tenant_id = $T AND subject = 'ada'");
  std::string token;
  EXPECT_THAT(Page(token), ::testing::ElementsAre("bob/")) << "it is left out before it is deleted";
  const absl::StatusOr<bool> more = loop().Run(ForgetSome(pool(), {}));
  ASSERT_TRUE(more.ok()) << more.status();
  EXPECT_FALSE(*more);
  EXPECT_EQ(Query("SELECT string_agg(subject, ',') FROM identity.revocation WHERE tenant_id = $T"), "bob");
}

TEST_F(RevocationsTest, BadInputIsNamed) {
  EXPECT_EQ(FieldOf(Revoke("").status()), "subject");
  EXPECT_EQ(FieldOf(Revoke(std::string(129, 'x')).status()), "subject");
  EXPECT_EQ(FieldOf(Revoke("ada", std::string(129, 'x')).status()), "tokenId");
  EXPECT_EQ(FieldOf(Revoke("ada", "a\x1f").status()), "tokenId");
  EXPECT_EQ(
      Query("SELECT count(*) FROM outbox.event WHERE tenant_id = $T AND type LIKE 'ecommerce.identity.%'"),
      "0");
}

TEST_F(RevocationsTest, ManyAtOnceAreNumberedInTheOrderOfTheirCommits) {
  AtOnce(8, [&](int i) { EXPECT_TRUE(Revoke("ada", "jti-" + std::to_string(i)).ok()); });
  EXPECT_EQ(Query("SELECT count(DISTINCT aggregate_version) FROM outbox.event WHERE tenant_id = $T AND type "
                  "LIKE 'ecommerce.identity.%'"),
            "8");
}

}  // namespace
}  // namespace bv::identity
