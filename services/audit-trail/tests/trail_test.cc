#include "services/audit-trail/tests/trail_fixture.h"

namespace bv::audit_trail {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

TEST_F(TrailTest, WhatComesAgainIsChainedOnce) {
  const std::vector<testing::Written> written{EventOf("a"), EventOf("b"), EventOf("a")};
  topic_.Write(written);
  // The relay has died, and tells it again.
  topic_.Write(written);
  EXPECT_THAT(AwaitObjects(3), UnorderedElementsAre("a", "a", "b"));
  topic_.Write({EventOf("c")});
  EXPECT_THAT(AwaitObjects(4), UnorderedElementsAre("a", "a", "b", "c"));
  EXPECT_EQ(Verify(), "");
}

TEST_F(TrailTest, AMemberThatCrashesBeforeItsOffsetsChainsNothingTwice) {
  Chain(3);
  // A new group begins at the first event: all of it comes again, as after a crash.
  trail_->Stop();
  trail_ =
      std::make_unique<Trail>(kafka::ConsumerSettings{.brokers = testing::Environment("BV_KAFKA_BROKERS")},
                              database_->Connection(), Concat(group_, "-again"), topic_.name());
  const testing::KafkaTopic retries(events::RetryTopic(topic_.name(), Concat(group_, "-again")));
  retries.Create(2, {{"cleanup.policy", "compact"}});
  ASSERT_TRUE(trail_->Start().ok());
  topic_.Write({EventOf("d")});
  EXPECT_EQ(AwaitObjects(4).size(), 4u);
  topic_.Write({EventOf("e")});
  EXPECT_EQ(AwaitObjects(5).size(), 5u);
  EXPECT_EQ(Verify(), "");
}

TEST_F(TrailTest, AChainIsOfItsTenant) {
  testing::Written foreign = EventOf("x");
  foreign.headers["tenantId"] = UuidToBase32(NewUuid());
  topic_.Write({foreign});
  Chain(2);
  EXPECT_EQ(Verify(), "");
  const auto others = Call(&AuditRpc::ListEntries, pb::ListEntriesRequest(), testing::ContextOf("globex"));
  ASSERT_TRUE(others.ok()) << others.status();
  EXPECT_EQ(others->entries_size(), 0);
}

TEST_F(TrailTest, WhatNamesNobodyIsPutAside) {
  topic_.Write({EventOf("a", ""), EventOf("b")});
  EXPECT_THAT(AwaitObjects(1), ElementsAre("b"));
  EXPECT_EQ(dead_letters_.Read(1).size(), 1u);
}

TEST_F(TrailTest, TheServiceCannotChangeWhatIsThere) {
  Chain(2);
  postgres::Session session(database_->Connection(), postgres::Plans::kDefault);
  int n = 0;
  for (const char* sql :
       {"UPDATE audit_entry SET actor = 'mallory'", "DELETE FROM audit_entry", "TRUNCATE audit_entry"}) {
    const std::string name = Concat("test_change_", ++n);
    const absl::Status refused = session.Transact({tenant_}, [&](postgres::Session& s) {
      s.Exec({name.c_str(), sql});
      return absl::OkStatus();
    });
    EXPECT_THAT(refused.ToString(), HasSubstr("permission denied")) << sql;
  }
  // Nor can somebody who has the right by mistake.
  EXPECT_THROW(database_->Query("UPDATE audit.audit_entry SET actor = 'mallory'"), pqxx::sql_error);
  EXPECT_THROW(database_->Query("DELETE FROM audit.audit_entry"), pqxx::sql_error);
  EXPECT_THROW(database_->Query("TRUNCATE audit.audit_entry"), pqxx::sql_error);
  EXPECT_EQ(Verify(), "");
}

TEST_F(TrailTest, TamperingIsFound) {
  Chain(6);
  EXPECT_EQ(Verify(), "");
  EXPECT_EQ(Verify(2), "") << "by parts";
  Tamper("UPDATE audit.audit_entry SET after = '{}' WHERE number = 3 AND");
  EXPECT_EQ(Verify(), "CHANGED 3");
  EXPECT_EQ(Verify(2), "CHANGED 3") << "by parts";
  Tamper(R"(UPDATE audit.audit_entry SET after = '{"price":19.99,"note":"für alle"}' WHERE number = 3 AND)");
  EXPECT_EQ(Verify(), "") << "as it was";
  Tamper("DELETE FROM audit.audit_entry WHERE number = 6 AND");
  EXPECT_EQ(Verify(), "CUT_OFF 6");
  EXPECT_EQ(Verify(5), "CUT_OFF 6") << "by parts";
  Tamper("DELETE FROM audit.audit_entry WHERE number = 2 AND");
  EXPECT_EQ(Verify(), "MISSING 2");
}

TEST_F(TrailTest, EntriesThatWereSwappedAreFound) {
  Chain(5);
  Tamper("UPDATE audit.audit_entry SET number = number + 100 WHERE number IN (2, 4) AND");
  Tamper(
      "UPDATE audit.audit_entry SET number = CASE number WHEN 102 THEN 4 ELSE 2 END WHERE number > 100 AND");
  EXPECT_EQ(Verify(), "CHANGED 2");
}

TEST_F(TrailTest, EntriesBehindTheNotedEndAreFound) {
  Chain(2);
  Tamper(
      Concat("UPDATE audit.audit_chain SET number = 1, hash = (SELECT hash FROM audit.audit_entry WHERE "
             "number = 1 AND tenant_id = '",
             tenant_.str(), "') WHERE"));
  EXPECT_EQ(Verify(), "CUT_OFF 2");
}

TEST_F(TrailTest, VerificationBeginsAtAnEntry) {
  Chain(2);
  pb::VerifyChainRequest request;
  request.set_after_number(3);
  EXPECT_FALSE(Call(&AuditRpc::VerifyChain, request).ok());
  request.set_after_number(-1);
  EXPECT_FALSE(Call(&AuditRpc::VerifyChain, request).ok());
  request.set_after_number(1);
  const auto found = Call(&AuditRpc::VerifyChain, request);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->checked(), 1);
  EXPECT_EQ(found->last_number(), 2);
  EXPECT_EQ(
      found->last_hash(),
      database_->Query(Concat("SELECT hash FROM audit.audit_chain WHERE tenant_id = '", tenant_.str(), "'")));
}

}  // namespace
}  // namespace bv::audit_trail
