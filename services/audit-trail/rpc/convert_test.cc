#include "services/audit-trail/rpc/convert.h"

#include <gtest/gtest.h>

#include <functional>

#include "libs/base/error.h"

namespace bv::audit_trail {
namespace {

namespace pb = commerce::audit::v1;

// The field that is refused; "" when none is.
std::string Refused(const std::function<void(pb::ListEntriesRequest&)>& change) {
  pb::ListEntriesRequest request;
  change(request);
  return GetErrorDetail(FromProto(request).status()).field;
}

TEST(ListEntriesRequestTest, NonsenseIsNamed) {
  EXPECT_EQ(Refused([](auto&) {}), "");
  EXPECT_EQ(Refused([](auto& r) { r.set_page_size(101); }), "pageSize");
  EXPECT_EQ(Refused([](auto& r) { r.set_page_size(-1); }), "pageSize");
  EXPECT_EQ(Refused([](auto& r) { r.set_page_token("x"); }), "pageToken");
  EXPECT_EQ(Refused([](auto& r) { r.set_actor(std::string(129, 'x')); }), "actor");
  EXPECT_EQ(Refused([](auto& r) { r.set_action(std::string(65, 'x')); }), "action");
  EXPECT_EQ(Refused([](auto& r) { r.set_object_id("a\x01"); }), "objectId");
  EXPECT_EQ(Refused([](auto& r) { r.mutable_from_time()->set_seconds(-1); }), "fromTime");
  EXPECT_EQ(Refused([](auto& r) { r.mutable_to_time()->set_seconds(300'000'000'000); }), "toTime");
  EXPECT_EQ(Refused([](auto& r) { r.set_outcome(static_cast<pb::AuditOutcome>(9)); }), "outcome");
}

TEST(ListEntriesRequestTest, ATokenIsThePlaceOfAnEntry) {
  pb::ListEntriesRequest request;
  request.set_page_token(
      ToPageToken({.number = 7, .occurred_at = absl::FromUnixMicros(1'700'000'000'123'456)}));
  const auto filter = FromProto(request);
  ASSERT_TRUE(filter.ok()) << filter.status();
  EXPECT_EQ(filter->before_number, 7);
  EXPECT_EQ(filter->before_time, absl::FromUnixMicros(1'700'000'000'123'456));
}

TEST(VerifyChainRequestTest, BeginsBehindAnEntry) {
  pb::VerifyChainRequest request;
  EXPECT_EQ(FromProto(request)->first, 1);
  request.set_after_number(7);
  EXPECT_EQ(FromProto(request)->first, 8);
  request.set_entries_max(1'001);
  EXPECT_EQ(GetErrorDetail(FromProto(request).status()).field, "entriesMax");
  request.set_after_number(-1);
  EXPECT_EQ(GetErrorDetail(FromProto(request).status()).field, "afterNumber");
}

}  // namespace
}  // namespace bv::audit_trail
