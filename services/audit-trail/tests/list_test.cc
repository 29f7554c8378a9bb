#include <functional>

#include "libs/rpc/timestamp.h"
#include "services/audit-trail/tests/trail_fixture.h"

namespace bv::audit_trail {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ListTest : public TrailTest {
 protected:
  // Objects of the entries, of all pages.
  std::vector<std::string> List(const std::function<void(pb::ListEntriesRequest&)>& filter) {
    pb::ListEntriesRequest request;
    filter(request);
    std::vector<std::string> objects;
    do {
      const absl::StatusOr<pb::ListEntriesResponse> page = Call(&AuditRpc::ListEntries, request);
      if (!page.ok()) return {page.status().ToString()};
      for (const pb::Entry& entry : page->entries()) objects.push_back(entry.object_id());
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    return objects;
  }

  const absl::Time start_ = absl::FromUnixSeconds(1'700'000'000);
};

TEST_F(ListTest, FiltersNarrow) {
  topic_.Write({EventOf("a", "eve", "price.override_set", start_),
                EventOf("b", "eve", "price.override_removed", start_ + absl::Seconds(1)),
                EventOf("c", "ada", "price.override_set", start_ + absl::Seconds(2)),
                EventOf("a", "ada", "price.override_set", start_ + absl::Seconds(3))});
  ASSERT_EQ(AwaitObjects(4).size(), 4u);
  EXPECT_THAT(List([](auto&) {}), ElementsAre("a", "c", "b", "a")) << "the newest first";
  EXPECT_THAT(List([](auto& r) { r.set_page_size(1); }), ElementsAre("a", "c", "b", "a"));
  EXPECT_THAT(List([](auto& r) { r.set_actor("eve"); }), ElementsAre("b", "a"));
  EXPECT_THAT(List([](auto& r) { r.set_object_id("a"); }), ElementsAre("a", "a"));
  EXPECT_THAT(List([](auto& r) { r.set_action("price.override_removed"); }), ElementsAre("b"));
  EXPECT_THAT(List([](auto& r) {
                r.set_object_id("a");
                r.set_actor("ada");
                r.set_page_size(1);
              }),
              ElementsAre("a"));
  EXPECT_THAT(List([](auto& r) { r.set_object_type("order"); }), IsEmpty());
  EXPECT_THAT(List([](auto& r) { r.set_outcome(commerce::audit::v1::AUDIT_OUTCOME_DENIED); }), IsEmpty());
  EXPECT_THAT(List([this](auto& r) {
                *r.mutable_from_time() = rpc::ToTimestamp(start_ + absl::Seconds(1));
                *r.mutable_to_time() = rpc::ToTimestamp(start_ + absl::Seconds(3));
              }),
              ElementsAre("c", "b"));
}

TEST_F(ListTest, AnEntryTellsAll) {
  topic_.Write({EventOf("a", "eve", "price.override_set", start_)});
  ASSERT_EQ(AwaitObjects(1).size(), 1u);
  const auto page = Call(&AuditRpc::ListEntries, pb::ListEntriesRequest());
  ASSERT_TRUE(page.ok()) << page.status();
  const pb::Entry& entry = page->entries(0);
  EXPECT_EQ(entry.number(), 1);
  EXPECT_EQ(entry.entry_id().size(), 36u);
  EXPECT_EQ(rpc::FromTimestamp(entry.occurred_at()), start_);
  EXPECT_EQ(entry.actor(), "eve");
  EXPECT_EQ(entry.role(), "ADMIN");
  EXPECT_EQ(entry.outcome(), commerce::audit::v1::AUDIT_OUTCOME_DONE);
  EXPECT_EQ(entry.before(), R"({"price":25.00})");
  EXPECT_EQ(entry.after(), R"({"price":19.99,"note":"für alle"})");
  EXPECT_FALSE(entry.correlation_id().empty());
  EXPECT_EQ(entry.previous_hash(), kNoHash);
}

}  // namespace
}  // namespace bv::audit_trail
