#include "libs/projections/redis_layout.h"

#include <gtest/gtest.h>

namespace bv::projections {
namespace {

const Projection kStock{
    .name = "stock",
    .shape = {.key = {{"product", Kind::kText}, {"sku", Kind::kText}, {"day", Kind::kDay}},
              .facets = {{"count", {{"on_hand", Kind::kInteger}}}}}};
const TenantId kAcme = TenantId::Trusted("acme");

TEST(RedisLayoutTest, TheFirstColumnMakesTheKeyAndTheRestBeginsTheFields) {
  const RedisPlace place =
      PlaceOf(kStock, kAcme, {std::string("prd_1"), std::string("TENT-2"), absl::CivilDay(2026, 11, 21)});
  EXPECT_EQ(place.key, "stock:acme:prd_1");
  EXPECT_EQ(place.row, "TENT-2/2026-11-21/");
  EXPECT_EQ(VersionField(place.row, kStock.shape.facets[0]), "TENT-2/2026-11-21/count@");
  EXPECT_EQ(ColumnField(place.row, kStock.shape.facets[0], kStock.shape.facets[0].columns[0]),
            "TENT-2/2026-11-21/count.on_hand");
}

TEST(RedisLayoutTest, NoKeyMeansAnother) {
  const RedisPlace one = PlaceOf(kStock, kAcme, {std::string("a"), std::string("b/c"), absl::CivilDay()});
  const RedisPlace other = PlaceOf(kStock, kAcme, {std::string("a/b"), std::string("c"), absl::CivilDay()});
  EXPECT_NE(one.key, other.key);
  EXPECT_EQ(one.row, "b%2fc/1970-01-01/");
  EXPECT_EQ(other.key, "stock:acme:a%2fb");
}

TEST(RedisLayoutTest, WhatWasWrittenIsRead) {
  const std::vector<Value> rest = {std::string("50% off: a/b@ü"), absl::CivilDay(1999, 12, 31)};
  const RedisPlace place = PlaceOf(kStock, kAcme, {std::string("prd_1"), rest[0], rest[1]});
  const absl::StatusOr<std::vector<Value>> read = RestOfKey(kStock.shape, place.row);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(*read, rest);
  for (const Value& value :
       std::vector<Value>{std::string(""), std::int64_t{-5}, absl::FromUnixMicros(1'700'000'000'123'456),
                          absl::CivilDay(2026, 2, 28)}) {
    const absl::StatusOr<Value> again = FromText(static_cast<Kind>(value.index()), ToText(value));
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ(*again, value);
  }
}

TEST(RedisLayoutTest, WhatNobodyWroteIsRefused) {
  for (const char* row :
       {"", "a/", "a/2026-11-21", "a/2026-11-21/b/", "a%2/2026-11-21/", "a%zz/2026-11-21/", "a/someday/"}) {
    EXPECT_TRUE(absl::IsInternal(RestOfKey(kStock.shape, row).status())) << row;
  }
  EXPECT_TRUE(absl::IsInternal(FromText(Kind::kInteger, "x").status()));
}

}  // namespace
}  // namespace bv::projections
