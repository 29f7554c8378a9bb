#include <gtest/gtest.h>

#include "libs/audit/audit.h"
#include "libs/base/strings.h"
#include "libs/json/json.h"
#include "libs/testing/testing.h"

namespace bv::audit {
namespace {

const Change kChange{.action = "price.override_set",
                     .object_type = "price",
                     .object_id = "TENT",
                     .difference = {R"({"price":25.00})", R"({"price":19.99})"}};

class AuditTest : public ::testing::Test {
 protected:
  absl::Status Work(Role role, const absl::Status& end) {
    const RequestContext context = testing::ContextOf("acme", "eve", role);
    return session_.Transact({context.tenant}, [&](postgres::Session& session) {
      const absl::Status recorded = Record(session, context, kChange);
      return recorded.ok() ? end : recorded;
    });
  }
  std::string Entries() const {
    return database_.Query(
        "SELECT count(*) FROM outbox.event WHERE type = 'ecommerce.audit.entry.recorded.v1'");
  }

  const testing::Database database_{"product"};
  postgres::Session session_{database_.Connection(), postgres::Plans::kDefault};
};

TEST_F(AuditTest, AnEntryIsThereExactlyWhenTheChangeIs) {
  EXPECT_FALSE(Work(Role::kAdmin, absl::AbortedError("not after all")).ok());
  EXPECT_EQ(Entries(), "0");
  const absl::Status done = Work(Role::kAdmin, absl::OkStatus());
  ASSERT_TRUE(done.ok()) << done;
  EXPECT_EQ(Entries(), "1");
  const std::string payload = database_.Query("SELECT payload FROM outbox.event");
  for (const char* part : {R"("eventType":"ecommerce.audit.entry.recorded.v1")", R"("partitionKey":"TENT")",
                           R"("objectType":"price")", R"("action":"price.override_set")", R"("actor":"eve")",
                           R"("role":"ADMIN")", R"("outcome":"DONE")", R"("before":"{\"price\":25.00}")"}) {
    EXPECT_NE(payload.find(part), std::string::npos) << part << " is not in " << payload;
  }
}

TEST_F(AuditTest, OnlyWhatPeopleDoIsRecorded) {
  for (const Role role : {Role::kService, Role::kOperator, Role::kNone})
    ASSERT_TRUE(Work(role, absl::OkStatus()).ok());
  EXPECT_EQ(Entries(), "0");
  ASSERT_TRUE(Work(Role::kCustomer, absl::OkStatus()).ok());
  EXPECT_EQ(Entries(), "1");
}

TEST_F(AuditTest, AReasonIsCutBetweenCharacters) {
  Change change = kChange;
  change.reason = Concat(std::string(299, 'x'), "ü", std::string(100, 'y'));
  const auto entry = MakeEntry(change, absl::FromUnixSeconds(1'700'000'000),
                               testing::ContextOf("acme", "eve", Role::kStaff));
  ASSERT_TRUE(entry.ok()) << entry.status();
  EXPECT_NE(entry->payload.find(Concat("\"reason\":\"", std::string(299, 'x'), "\"")), std::string::npos);
}

}  // namespace
}  // namespace bv::audit
