#include "libs/auth/staff_directory.h"

#include <absl/strings/str_cat.h>
#include <gtest/gtest.h>

namespace bv::auth {
namespace {

const TenantId kAcme = TenantId::Trusted("acme");
const TenantId kGlobex = TenantId::Trusted("globex");

StaffRecord Active(std::int64_t version, std::vector<StaffGrant> grants) {
  return {.is_active = true, .grants = std::move(grants), .version = version};
}

TEST(StaffDirectory, KnowsWhoMayDoWhatWhere) {
  StaffDirectory staff;
  staff.AllowUnknown(false);
  staff.Put(kAcme, "ann", Active(2, {{"*", {"orders.read"}}, {"north", {"orders.write", "stock.write"}}}));
  EXPECT_TRUE(staff.Allows(kAcme, "ann", "orders.read"));
  EXPECT_TRUE(staff.Allows(kAcme, "ann", "orders.read", "south"));
  EXPECT_TRUE(staff.Allows(kAcme, "ann", "orders.write")) << "in some store";
  EXPECT_TRUE(staff.Allows(kAcme, "ann", "orders.write", "north"));
  EXPECT_FALSE(staff.Allows(kAcme, "ann", "orders.write", "south"));
  EXPECT_FALSE(staff.Allows(kAcme, "ann", "mails.write"));
  EXPECT_FALSE(staff.Allows(kAcme, "ann", "orders"));
  EXPECT_FALSE(staff.Allows(kAcme, "bob", "orders.read"));
  EXPECT_FALSE(staff.Allows(kGlobex, "ann", "orders.read")) << "another tenant's";
}

TEST(StaffDirectory, TheNewestVersionCounts) {
  StaffDirectory staff;
  staff.Put(kAcme, "ann", Active(5, {{"*", {"orders.read"}}}));
  staff.Put(kAcme, "ann", Active(4, {{"*", {"stock.write"}}}));
  staff.Put(kAcme, "ann", Active(5, {{"*", {"stock.write"}}}));
  EXPECT_FALSE(staff.Allows(kAcme, "ann", "stock.write"));
  EXPECT_TRUE(staff.Allows(kAcme, "ann", "orders.read"));
  staff.Put(kAcme, "ann", Active(6, {{"*", {"stock.write"}}}));
  EXPECT_TRUE(staff.Allows(kAcme, "ann", "stock.write"));
  EXPECT_FALSE(staff.Allows(kAcme, "ann", "orders.read"));
  EXPECT_EQ(staff.size(), 1u);
}

TEST(StaffDirectory, WhoIsDeactivatedMayDoNothing) {
  StaffDirectory staff;
  EXPECT_FALSE(staff.IsDeactivated(kAcme, "ann"));
  staff.Put(kAcme, "ann", Active(1, {{"*", {"orders.read"}}}));
  EXPECT_FALSE(staff.IsDeactivated(kAcme, "ann"));
  staff.Put(kAcme, "ann", {.is_active = false, .grants = {{"*", {"orders.read"}}}, .version = 2});
  EXPECT_TRUE(staff.IsDeactivated(kAcme, "ann"));
  EXPECT_FALSE(staff.IsDeactivated(kGlobex, "ann"));
  EXPECT_FALSE(staff.Allows(kAcme, "ann", "orders.read"));
  staff.Put(kAcme, "ann", Active(3, {{"*", {"orders.read"}}}));
  EXPECT_FALSE(staff.IsDeactivated(kAcme, "ann"));
  EXPECT_TRUE(staff.Allows(kAcme, "ann", "orders.read"));
}

TEST(StaffDirectory, StrangersDependOnTheDeployment) {
  StaffDirectory staff;
  EXPECT_TRUE(staff.Allows(kAcme, "stranger", "orders.read"));
  staff.AllowUnknown(false);
  EXPECT_FALSE(staff.Allows(kAcme, "stranger", "orders.read"));
}

TEST(StaffDirectory, FullItRefusesWhomItCouldNotTake) {
  StaffDirectory staff(10);
  for (int i = 0; i < 10; ++i)
    staff.Put(kAcme, absl::StrCat("person-", i), Active(1, {{"*", {"orders.read"}}}));
  EXPECT_TRUE(staff.Allows(kAcme, "stranger", "orders.read"));
  staff.Put(kAcme, "late", {.is_active = false, .version = 1});
  EXPECT_EQ(staff.size(), 10u);
  EXPECT_FALSE(staff.Allows(kAcme, "late", "orders.read"));
  EXPECT_FALSE(staff.Allows(kAcme, "stranger", "orders.read")) << "perhaps one that there was no room for";
  EXPECT_TRUE(staff.Allows(kAcme, "person-1", "orders.read"));
  staff.Put(kAcme, "person-1", {.is_active = false, .version = 2});
  EXPECT_TRUE(staff.IsDeactivated(kAcme, "person-1")) << "who is in it can change";
}

}  // namespace
}  // namespace bv::auth
