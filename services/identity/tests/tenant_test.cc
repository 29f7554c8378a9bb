// Two tenants: neither sees nor changes what is the other's, by the calls or by SQL.
#include <pqxx/pqxx>

#include "libs/base/strings.h"
#include "services/identity/tests/identity_fixture.h"

namespace bv::identity {
namespace {

TEST_F(IdentityTest, TheCallsShowAndChangeNothingOfAnother) {
  ASSERT_TRUE(Create("ROME").ok());
  const std::string id = Hired("bob", {{"ROME", {"orders.read"}}}).staff_id();
  ASSERT_TRUE(Revoke("bob").ok());
  const std::string none = "STAFF_NOT_FOUND";
  EXPECT_EQ(ErrorReason(Call(&StaffRpc::GetStaff, Of<pb::GetStaffRequest>(id), Stranger()).status()), none);
  EXPECT_EQ(ErrorReason(Call(&StaffRpc::SetGrants, Of<pb::SetGrantsRequest>(id), Stranger()).status()), none);
  EXPECT_EQ(
      ErrorReason(Call(&StaffRpc::DeactivateStaff, Of<pb::DeactivateStaffRequest>(id), Stranger()).status()),
      none);
  EXPECT_EQ(
      ErrorReason(Call(&StaffRpc::ReactivateStaff, Of<pb::ReactivateStaffRequest>(id), Stranger()).status()),
      none);
  pb::CloseStoreRequest close;
  close.set_store_code("ROME");
  EXPECT_EQ(ErrorReason(Call(&StoreRpc::CloseStore, close, Stranger()).status()), "STORE_NOT_FOUND");
  EXPECT_EQ(Call(&StaffRpc::ListStaff, pb::ListStaffRequest(), Stranger())->staff_size(), 0);
  EXPECT_EQ(Call(&StoreRpc::ListStores, pb::ListStoresRequest(), Stranger())->stores_size(), 0);
  EXPECT_EQ(
      Call(&RevocationRpc::ListRevocations, pb::ListRevocationsRequest(), Stranger())->revocations_size(), 0);
  EXPECT_EQ(Get(id)->version(), 2);
  // The same address, user and store may be in two tenants.
  EXPECT_TRUE(Call(&StaffRpc::InviteStaff, InvitationOf("bob@example.com"), Stranger()).ok());
}

TEST_F(IdentityTest, RowLevelSecurityHoldsForSqlOfTheOwner) {
  ASSERT_TRUE(Create("ROME").ok());
  Hired("bob", {{"ROME", {"orders.read"}}});
  ASSERT_TRUE(Revoke("bob").ok());
  pqxx::connection connection(postgres::ConnectionUri(database().Connection()));
  pqxx::nontransaction session(connection);
  EXPECT_EQ(session.exec("SELECT current_user")[0][0].as<std::string>(), "bv_identity");
  const std::string mine = Concat(" WHERE tenant_id = '", tenant(), "'");
  for (const char* table : {"identity_tenant", "revocation", "store", "staff", "staff_grant"}) {
    const auto count = [&] {
      return session.exec(Concat("SELECT count(*) FROM ", table, mine))[0][0].as<int>();
    };
    session.exec("RESET bv.tenants");
    EXPECT_EQ(count(), 0) << table;
    session.exec("SET bv.tenants = 'another'");
    EXPECT_EQ(count(), 0) << table;
    EXPECT_EQ(session.exec(Concat("DELETE FROM ", table, mine)).affected_rows(), 0u) << table;
    session.exec(Concat("SET bv.tenants = '", tenant(), "'"));
    EXPECT_EQ(count(), 1) << table;
  }
  session.exec("SET bv.tenants = '*'");
  EXPECT_EQ(session.exec(Concat("DELETE FROM revocation", mine)).affected_rows(), 0u)
      << "a job deletes only what is to be forgotten";
}

}  // namespace
}  // namespace bv::identity
