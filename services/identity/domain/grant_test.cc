#include "services/identity/domain/grant.h"

#include <gtest/gtest.h>

#include "libs/base/error.h"

namespace bv::identity {
namespace {

std::string FieldOf(const std::vector<Grant>& grants) {
  return GetErrorDetail(CheckGrants(grants)).field;
}

TEST(GrantTest, EveryPermissionIsTakenOnce) {
  EXPECT_EQ(Permissions().size(), 10u);
  std::vector<std::string> all(Permissions().begin(), Permissions().end());
  EXPECT_TRUE(CheckGrants({{"*", all}, {"MAIN", {"orders.read"}}, {"main", {"orders.read"}}}).ok());
  EXPECT_TRUE(CheckGrants({}).ok());
  all.push_back("orders.read");
  EXPECT_EQ(FieldOf({{"*", all}}), "grants[0].permissions");
}

TEST(GrantTest, TheFirstThatIsWrongIsNamed) {
  EXPECT_EQ(FieldOf({{"MAIN", {}}}), "grants[0].permissions");
  EXPECT_EQ(FieldOf({{"MAIN", {"orders.read", "orders.reads"}}}), "grants[0].permissions[1]");
  EXPECT_EQ(FieldOf({{"MAIN", {"orders.read", "orders.read"}}}), "grants[0].permissions[1]");
  EXPECT_EQ(FieldOf({{"*", {"orders.read"}}, {"", {"orders.read"}}}), "grants[1].storeCode");
  EXPECT_EQ(FieldOf({{"**", {"orders.read"}}}), "grants[0].storeCode");
  EXPECT_EQ(FieldOf({{"*", {"orders.read"}}, {"*", {"stock.write"}}}), "grants[1].storeCode");
}

TEST(GrantTest, AnAccountHasAHundredGrantsAtMost) {
  std::vector<Grant> grants;
  for (int i = 0; i < 100; ++i) grants.push_back({std::to_string(i), {"orders.read"}});
  EXPECT_TRUE(CheckGrants(grants).ok());
  grants.push_back({"MAIN", {"orders.read"}});
  EXPECT_EQ(FieldOf(grants), "grants");
}

}  // namespace
}  // namespace bv::identity
