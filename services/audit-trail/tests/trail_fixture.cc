#include "services/audit-trail/tests/trail_fixture.h"

#include <absl/strings/str_split.h>

#include <thread>

namespace bv::audit_trail {

std::unique_ptr<testing::Database> TrailTest::database_;

TrailTest::TrailTest() {
  topic_.Create(2);
  retries_.Create(2, {{"cleanup.policy", "compact"}});
  dead_letters_.Create(1);
  Restart();
}

TrailTest::~TrailTest() {
  trail_->Stop();
  pool_.Stop();
}

void TrailTest::Restart() {
  trail_.reset();
  trail_ = std::make_unique<Trail>(
      kafka::ConsumerSettings{.brokers = testing::Environment("BV_KAFKA_BROKERS"), .instance_id = group_},
      database_->Connection(), group_, topic_.name());
  ASSERT_TRUE(trail_->Start().ok());
}

testing::Written TrailTest::EventOf(const std::string& object_id, const std::string& actor,
                                    const std::string& action, absl::Time at) const {
  const audit::Change change{
      .action = action,
      .object_type = "price",
      .object_id = object_id,
      .difference = {.before = R"({"price":25.00})", .after = R"({"price":19.99,"note":"für alle"})"}};
  const auto row = audit::MakeEntry(change, at, testing::ContextOf(tenant_.str(), actor, Role::kAdmin));
  EXPECT_TRUE(row.ok()) << row.status();
  return {.key = row->key, .value = row->payload, .headers = {{"tenantId", tenant_.str()}}};
}

void TrailTest::Chain(int count) {
  std::vector<testing::Written> written;
  for (int n = 0; n < count; ++n) written.push_back(EventOf(std::string(1, static_cast<char>('a' + n))));
  topic_.Write(written);
  ASSERT_EQ(AwaitObjects(count).size(), static_cast<std::size_t>(count));
}

std::vector<std::string> TrailTest::AwaitObjects(int count) {
  const std::string entries = Concat("FROM audit.audit_entry WHERE tenant_id = '", tenant_.str(), "'");
  const absl::Time deadline = absl::Now() + absl::Seconds(30);
  while (std::stoi(database_->Query(Concat("SELECT count(*) ", entries))) < count && absl::Now() < deadline)
    std::this_thread::yield();
  return absl::StrSplit(
      database_->Query(Concat("SELECT string_agg(object_id, ',' ORDER BY number) ", entries)), ',',
      absl::SkipEmpty());
}

std::string TrailTest::Verify(int part) {
  pb::VerifyChainRequest request;
  request.set_entries_max(part);
  while (true) {
    const absl::StatusOr<pb::VerifyChainResponse> found = Call(&AuditRpc::VerifyChain, request);
    if (!found.ok()) return found.status().ToString();
    if (found->has_first_defect())
      return Concat(found->first_defect().kind(), " ", found->first_defect().number());
    if (found->last_number() == found->head_number()) return "";
    request.set_after_number(found->last_number());
  }
}

void TrailTest::Tamper(const std::string& sql) const {
  database_->Query(
      Concat("SET session_replication_role = replica; ", sql, " tenant_id = '", tenant_.str(), "'"));
}

}  // namespace bv::audit_trail
