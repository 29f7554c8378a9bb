#include "services/identity/domain/staff.h"

#include <gtest/gtest.h>

#include "libs/base/error.h"

namespace bv::identity {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

Staff Invited() {
  Staff staff;
  staff.id = StaffId::New();
  staff.invitation = Invitation{.code_hash = "hash", .until = kNow + absl::Seconds(1)};
  return staff;
}

Staff Active() {
  Staff staff = Invited();
  EXPECT_TRUE(*Accept(staff, "bob", kNow));
  return staff;
}

TEST(StaffTest, StatusesHaveWords) {
  for (const StaffStatus status : {StaffStatus::kInvited, StaffStatus::kActive, StaffStatus::kDeactivated})
    EXPECT_EQ(StatusOf(Word(status)), status);
  EXPECT_EQ(StatusOf("GONE"), std::nullopt);
}

TEST(StaffTest, AnInvitationIsAcceptedByOneUserInTime) {
  Staff late = Invited();
  EXPECT_EQ(ErrorReason(Accept(late, "bob", kNow + absl::Seconds(1)).status()), "INVITATION_EXPIRED");
  EXPECT_EQ(late.status, StaffStatus::kInvited);
  Staff staff = Active();
  EXPECT_EQ(staff.user_id, "bob");
  EXPECT_EQ(staff.status, StaffStatus::kActive);
  EXPECT_FALSE(*Accept(staff, "bob", kNow + absl::Hours(1))) << "a repeat changes nothing";
  EXPECT_EQ(ErrorReason(Accept(staff, "eve", kNow).status()), "INVITATION_USED");
  EXPECT_EQ(staff.user_id, "bob");
}

TEST(StaffTest, OnlyWhatNobodyHasAcceptedIsInvitedAgain) {
  const Invitation other{.code_hash = "other", .until = kNow};
  Staff staff = Invited();
  EXPECT_TRUE(*Deactivate(staff));
  EXPECT_FALSE(staff.invitation) << "it was withdrawn";
  EXPECT_TRUE(*InviteAgain(staff, other, {{"*", {"orders.read"}}}));
  EXPECT_EQ(staff.status, StaffStatus::kInvited);
  EXPECT_EQ(staff.invitation->code_hash, "other");
  EXPECT_EQ(staff.grants.size(), 1u);
  Staff active = Active();
  EXPECT_EQ(ErrorReason(InviteAgain(active, other, {}).status()), "STAFF_EXISTS");
  EXPECT_TRUE(*Deactivate(active));
  EXPECT_EQ(ErrorReason(InviteAgain(active, other, {}).status()), "STAFF_EXISTS");
}

TEST(StaffTest, GrantsAreReplacedAtTheExpectedVersion) {
  Staff staff = Active();
  staff.version = 7;
  EXPECT_EQ(ErrorReason(SetGrants(staff, {}, 6).status()), "VERSION_CONFLICT");
  EXPECT_TRUE(*SetGrants(staff, {{"*", {"orders.read"}}}, 7));
  EXPECT_FALSE(*SetGrants(staff, {{"*", {"orders.read"}}}, std::nullopt)) << "they are so already";
  EXPECT_TRUE(*SetGrants(staff, {}, std::nullopt));
}

TEST(StaffTest, ADeactivatedAccountComesBackAsItWas) {
  Staff staff = Active();
  staff.grants = {{"*", {"orders.read"}}};
  EXPECT_FALSE(*Reactivate(staff));
  EXPECT_TRUE(*Deactivate(staff));
  EXPECT_FALSE(*Deactivate(staff));
  EXPECT_TRUE(*Reactivate(staff));
  EXPECT_EQ(staff.status, StaffStatus::kActive);
  EXPECT_EQ(staff.grants.size(), 1u);
  Staff invited = Invited();
  EXPECT_EQ(ErrorReason(Reactivate(invited).status()), "INVITATION_OPEN");
}

}  // namespace
}  // namespace bv::identity
