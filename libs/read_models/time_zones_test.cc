#include "libs/read_models/time_zones.h"

#include <gtest/gtest.h>

namespace bv::read_models {
namespace {

absl::CivilDay DayOf(const TimeZones& zones, const char* tenant, const char* at) {
  absl::Time time;
  EXPECT_TRUE(absl::ParseTime(absl::RFC3339_full, at, &time, nullptr));
  return absl::ToCivilDay(time, zones.Of(TenantId::Trusted(tenant)));
}

TEST(TimeZones, DaysBeginWhereTheShopIs) {
  const auto zones = TimeZones::Create("UTC", {"berlin=Europe/Berlin", "la=America/Los_Angeles"});
  ASSERT_TRUE(zones.ok()) << zones.status();
  const char* at = "2026-11-20T23:30:00Z";
  EXPECT_EQ(DayOf(*zones, "acme", at), absl::CivilDay(2026, 11, 20));
  EXPECT_EQ(DayOf(*zones, "berlin", at), absl::CivilDay(2026, 11, 21));
  EXPECT_EQ(DayOf(*zones, "la", at), absl::CivilDay(2026, 11, 20));
  EXPECT_EQ(DayOf(*zones, "la", "2026-11-21T07:59:59Z"), absl::CivilDay(2026, 11, 20));
}

TEST(TimeZones, SummerTimeMovesTheEdge) {
  const auto zones = TimeZones::Create("Europe/Berlin", {});
  ASSERT_TRUE(zones.ok()) << zones.status();
  EXPECT_EQ(DayOf(*zones, "acme", "2026-07-20T22:00:00Z"), absl::CivilDay(2026, 7, 21));
  EXPECT_EQ(DayOf(*zones, "acme", "2026-11-20T22:00:00Z"), absl::CivilDay(2026, 11, 20));
}

TEST(TimeZones, WhatIsNoneIsNamed) {
  EXPECT_TRUE(absl::IsInvalidArgument(TimeZones::Create("Mars/Olympus", {}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(TimeZones::Create("UTC", {"acme"}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(TimeZones::Create("UTC", {"acme=Nowhere"}).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(TimeZones::Create("UTC", {"Not A Tenant=UTC"}).status()));
}

}  // namespace
}  // namespace bv::read_models
