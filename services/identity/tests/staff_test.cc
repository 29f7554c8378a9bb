#include "libs/base/digest.h"
#include "libs/base/strings.h"
#include "services/identity/tests/identity_fixture.h"

namespace bv::identity {
namespace {

class StaffTest : public IdentityTest {
 protected:
  absl::StatusOr<pb::StaffMember> SetGrants(const std::string& staff_id, const std::vector<Grant>& grants,
                                            std::optional<std::int64_t> expected_version = std::nullopt) {
    auto request = Of<pb::SetGrantsRequest>(staff_id);
    for (const Grant& grant : grants) *request.add_grants() = ToProto(grant);
    if (expected_version) request.set_expected_version(*expected_version);
    return Call(&StaffRpc::SetGrants, request);
  }
  void Expire() {
    Query("UPDATE identity.staff SET invited_until = now() - interval '1 s' WHERE tenant_id = $T");
  }
};

TEST_F(StaffTest, AnInvitationIsAcceptedOnceAndItsCodeIsStoredNowhere) {
  const absl::StatusOr<pb::StaffMember> invited = Invite("Bob@Example.com", {{"*", {"orders.read"}}});
  ASSERT_TRUE(invited.ok()) << invited.status();
  EXPECT_EQ(invited->email(), "bob@example.com");
  EXPECT_EQ(invited->status(), pb::STAFF_STATUS_INVITED);
  EXPECT_TRUE(invited->has_invited_until());
  EXPECT_EQ(invited->invitation_code().size(), 43u);
  EXPECT_EQ(Get(invited->staff_id())->invitation_code(), "") << "shown once";
  EXPECT_EQ(Query(Concat("SELECT count(*) FROM identity.staff s WHERE s::text LIKE '%",
                         invited->invitation_code(), "%'")),
            "0");
  EXPECT_EQ(Events(kChanged, "userId"), "") << "of somebody without a user nothing is told";

  const absl::StatusOr<pb::StaffMember> accepted = Accept(invited->invitation_code(), "bob");
  ASSERT_TRUE(accepted.ok()) << accepted.status();
  EXPECT_EQ(accepted->status(), pb::STAFF_STATUS_ACTIVE);
  EXPECT_EQ(accepted->user_id(), "bob");
  EXPECT_EQ(accepted->version(), 2);
  EXPECT_FALSE(accepted->has_invited_until());
  EXPECT_EQ(Accept(invited->invitation_code(), "bob")->version(), 2) << "a repeat changes nothing";
  EXPECT_EQ(ErrorReason(Accept(invited->invitation_code(), "eve").status()), "INVITATION_USED");
  EXPECT_EQ(Events(kChanged, "userId"), "bob");
  EXPECT_EQ(Events(kChanged, "status"), "ACTIVE");
  EXPECT_EQ(Query("SELECT count(*) FROM outbox.event WHERE tenant_id = $T AND type LIKE "
                  "'ecommerce.identity.%' AND payload::text LIKE '%example.com%'"),
            "0")
      << "no address in events";
}

TEST_F(StaffTest, ACodeThatIsOldReplacedWithdrawnOrAnothersIsGoodForNothing) {
  const std::string none = "INVITATION_NOT_FOUND";
  const std::string first = Invite("bob@example.com")->invitation_code();
  const absl::StatusOr<pb::StaffMember> second = Invite("bob@example.com", {{"*", {"orders.read"}}});
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_EQ(second->version(), 2) << "the same account";
  EXPECT_EQ(ErrorReason(Accept(first, "bob").status()), none);
  EXPECT_EQ(ErrorReason(Accept("guess", "bob").status()), none);
  pb::AcceptInvitationRequest request;
  request.set_code(second->invitation_code());
  EXPECT_EQ(ErrorReason(Call(&StaffRpc::AcceptInvitation, request, Stranger()).status()), none);
  Expire();
  EXPECT_EQ(ErrorReason(Accept(second->invitation_code(), "bob").status()), "INVITATION_EXPIRED");
  const std::string third = Invite("bob@example.com")->invitation_code();
  ASSERT_TRUE(Deactivate(second->staff_id()).ok());
  EXPECT_EQ(ErrorReason(Accept(third, "bob").status()), none) << "it was withdrawn";
  EXPECT_EQ(ErrorReason(Reactivate(second->staff_id()).status()), "INVITATION_OPEN");
  EXPECT_EQ(Query("SELECT count(*) FROM identity.revocation WHERE tenant_id = $T"), "0") << "of nobody";
  EXPECT_TRUE(Accept(Invite("bob@example.com")->invitation_code(), "bob").ok());
  EXPECT_EQ(FieldOf(Accept("", "bob").status()), "code");
}

TEST_F(StaffTest, AUserHasOneAccountAndAnAddressHasOne) {
  Hired("bob");
  EXPECT_EQ(ErrorReason(Invite("bob@example.com").status()), "STAFF_EXISTS");
  EXPECT_EQ(ErrorReason(Accept(Invite("bob@example.org")->invitation_code(), "bob").status()),
            "USER_HAS_ACCOUNT");
  EXPECT_EQ(FieldOf(Invite("bob").status()), "email");
}

TEST_F(StaffTest, AnInvitationThatTwoUseAtOnceIsOnes) {
  const std::string code = Invite("bob@example.com")->invitation_code();
  std::atomic<int> accepted = 0, used = 0;
  AtOnce(8, [&](int i) {
    const absl::Status status = Accept(code, Concat("user-", i)).status();
    ++(status.ok() ? accepted : used);
    EXPECT_EQ(ErrorReason(status), status.ok() ? "" : "INVITATION_USED");
  });
  EXPECT_EQ(accepted, 1);
  EXPECT_EQ(used, 7);
  EXPECT_EQ(
      Query("SELECT count(*) FROM outbox.event WHERE tenant_id = $T AND type LIKE 'ecommerce.identity.%'"),
      "1");
}

TEST_F(StaffTest, GrantsAreChangedAtTheExpectedVersionAndToldWithIt) {
  const pb::StaffMember staff =
      Hired("bob", {{"default", {"stock.write", "orders.read"}}, {"*", {"mails.write"}}});
  ASSERT_EQ(staff.grants_size(), 2);
  EXPECT_EQ(staff.grants(0).store_code(), "*");
  EXPECT_EQ(staff.grants(1).permissions(0), "orders.read");
  EXPECT_EQ(ErrorReason(SetGrants(staff.staff_id(), {}, 1).status()), "VERSION_CONFLICT");
  const absl::StatusOr<pb::StaffMember> changed = SetGrants(staff.staff_id(), {{"*", {"staff.write"}}}, 2);
  ASSERT_TRUE(changed.ok()) << changed.status();
  EXPECT_EQ(changed->version(), 3);
  EXPECT_EQ(SetGrants(staff.staff_id(), {{"*", {"staff.write"}}})->version(), 3) << "they are so already";
  EXPECT_EQ(Get(staff.staff_id())->grants_size(), 1);
  EXPECT_EQ(SetGrants(staff.staff_id(), {})->grants_size(), 0);
  EXPECT_EQ(Events(kChanged, "version"), "2,3,4");
  EXPECT_EQ(FieldOf(SetGrants(staff.staff_id(), {{"*", {"all"}}}).status()), "grants[0].permissions[0]");
  EXPECT_EQ(ErrorReason(SetGrants("stf_1", {}).status()), "STAFF_NOT_FOUND");
}

TEST_F(StaffTest, OfTwoChangesAtOnceOfOneVersionOneIsMade) {
  const pb::StaffMember staff = Hired("bob");
  std::atomic<int> changed = 0;
  AtOnce(6, [&](int i) {
    const std::string permission(Permissions()[static_cast<std::size_t>(i)]);
    const absl::Status status = SetGrants(staff.staff_id(), {{"*", {permission}}}, 2).status();
    if (status.ok()) ++changed;
    EXPECT_EQ(ErrorReason(status), status.ok() ? "" : "VERSION_CONFLICT") << status;
  });
  EXPECT_EQ(changed, 1);
  EXPECT_EQ(Get(staff.staff_id())->version(), 3);
}

TEST_F(StaffTest, ADeactivatedAccountLosesItsTokensInTheSameTransaction) {
  const pb::StaffMember staff = Hired("bob", {{"*", {"orders.read"}}});
  const absl::StatusOr<pb::StaffMember> gone = Deactivate(staff.staff_id());
  ASSERT_TRUE(gone.ok()) << gone.status();
  EXPECT_EQ(gone->status(), pb::STAFF_STATUS_DEACTIVATED);
  EXPECT_EQ(gone->grants_size(), 1);
  EXPECT_EQ(Deactivate(staff.staff_id())->version(), 3) << "a repeat changes nothing";
  EXPECT_EQ(Query("SELECT subject || token_id FROM identity.revocation WHERE tenant_id = $T"), "bob");
  EXPECT_EQ(Events(kRevoked, "subject"), "bob");
  EXPECT_EQ(Events(kChanged, "status"), "ACTIVE,DEACTIVATED");
  EXPECT_EQ(Query("SELECT count(DISTINCT xmin::text) FROM outbox.event WHERE tenant_id = $T AND type LIKE "
                  "'ecommerce.identity.%'"),
            "2");
  EXPECT_EQ(Reactivate(staff.staff_id())->status(), pb::STAFF_STATUS_ACTIVE);
  EXPECT_EQ(Reactivate(staff.staff_id())->version(), 4);
  EXPECT_EQ(Events(kChanged, "status"), "ACTIVE,DEACTIVATED,ACTIVE");
}

TEST_F(StaffTest, TheLimitHoldsHoweverManyAskAtOnce) {
  std::atomic<int> made = 0;
  AtOnce(12, [&](int i) {
    const absl::Status status = Invite(Concat("user-", i, "@example.com")).status();
    if (status.ok()) ++made;
    EXPECT_EQ(ErrorReason(status), status.ok() ? "" : "STAFF_FULL") << status;
  });
  EXPECT_EQ(made, kAccountsMax);
  const absl::Status full = Invite("more@example.com").status();
  EXPECT_THAT(std::string(full.message()), ::testing::HasSubstr("5 accounts"));
  const std::string email = Query("SELECT email FROM identity.staff WHERE tenant_id = $T LIMIT 1");
  EXPECT_TRUE(Invite(email).ok()) << "it counts already";
}

TEST_F(StaffTest, WhoWasDeactivatedDoesNotCountUntilReactivated) {
  const pb::StaffMember staff = Hired("bob");
  ASSERT_TRUE(Deactivate(staff.staff_id()).ok());
  for (int i = 0; i < kAccountsMax; ++i) ASSERT_TRUE(Invite(Concat("user-", i, "@example.com")).ok());
  EXPECT_EQ(ErrorReason(Reactivate(staff.staff_id()).status()), "STAFF_FULL");
  EXPECT_EQ(ErrorReason(Invite("bob@example.com").status()), "STAFF_EXISTS");
  ASSERT_TRUE(
      Deactivate(
          Query("SELECT staff_id FROM identity.staff WHERE tenant_id = $T AND status = 'INVITED' LIMIT 1"))
          .ok());
  EXPECT_TRUE(Reactivate(staff.staff_id()).ok());
  EXPECT_EQ(Query("SELECT count(*) FROM identity.staff WHERE tenant_id = $T AND status <> 'DEACTIVATED'"),
            "5");
}

TEST_F(StaffTest, TheListIsOldestFirstAndByStatus) {
  std::vector<std::string> ids;
  for (const char* user : {"ada", "bob", "eve"}) ids.push_back(Hired(user).staff_id());
  ASSERT_TRUE(Deactivate(ids[1]).ok());
  pb::ListStaffRequest request;
  request.set_page_size(2);
  const auto page = Call(&StaffRpc::ListStaff, request);
  ASSERT_TRUE(page.ok()) << page.status();
  ASSERT_EQ(page->staff_size(), 2);
  EXPECT_EQ(page->staff(0).staff_id(), ids[0]);
  request.set_page_token(page->next_page_token());
  const auto rest = Call(&StaffRpc::ListStaff, request);
  ASSERT_EQ(rest->staff_size(), 1);
  EXPECT_EQ(rest->staff(0).staff_id(), ids[2]);
  EXPECT_EQ(rest->next_page_token(), "");
  request.Clear();
  request.set_status(pb::STAFF_STATUS_DEACTIVATED);
  ASSERT_EQ(Call(&StaffRpc::ListStaff, request)->staff_size(), 1);
  EXPECT_EQ(Call(&StaffRpc::ListStaff, request)->staff(0).staff_id(), ids[1]);
  request.set_status(static_cast<pb::StaffStatus>(9));
  EXPECT_EQ(FieldOf(Call(&StaffRpc::ListStaff, request).status()), "status");
}

TEST_F(StaffTest, EveryChangeIsInTheAuditTrailWithoutAddressOrCode) {
  const std::string code = Invite("bob@example.com")->invitation_code();
  const absl::StatusOr<pb::StaffMember> accepted = Accept(code, "bob");
  ASSERT_TRUE(accepted.ok()) << accepted.status();
  const pb::StaffMember& staff = *accepted;
  ASSERT_TRUE(SetGrants(staff.staff_id(), {{"*", {"orders.read"}}}).ok());
  ASSERT_TRUE(Deactivate(staff.staff_id()).ok());
  ASSERT_TRUE(Deactivate(staff.staff_id()).ok());
  ASSERT_TRUE(Reactivate(staff.staff_id()).ok());
  const std::string actions = Query(R"sql(
    SELECT string_agg(payload::json->'payload'->>'action', ',' ORDER BY aggregate_version, payload::json->'payload'->>'action')
    FROM outbox.event WHERE tenant_id = $T AND type LIKE 'ecommerce.audit.%'
  )sql");
  EXPECT_EQ(
      actions,
      "staff.invited,staff.accepted,staff.grants_set,access.revoked,staff.deactivated,staff.reactivated");
  EXPECT_EQ(
      Query("SELECT count(*) FROM outbox.event WHERE tenant_id = $T AND payload::text LIKE '%example.com%'"),
      "0");
  for (const std::string& secret : {code, Sha256Hex(code)}) {
    EXPECT_EQ(Query(Concat("SELECT count(*) FROM outbox.event WHERE tenant_id = $T AND payload::text LIKE '%",
                           secret, "%'")),
              "0");
  }
}

}  // namespace
}  // namespace bv::identity
