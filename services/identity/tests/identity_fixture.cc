#include "services/identity/tests/identity_fixture.h"

#include <absl/strings/str_replace.h>

#include <atomic>
#include <thread>

#include "libs/base/strings.h"

namespace bv::identity {

std::unique_ptr<IdentityTest::Parts> IdentityTest::parts_;

void IdentityTest::SetUpTestSuite() {
  parts_ = std::make_unique<Parts>();
}

void IdentityTest::TearDownTestSuite() {
  parts_.reset();
}

void IdentityTest::SetUp() {
  static std::atomic<int> counter{0};
  tenant_ = Concat("tenant-", counter.fetch_add(1));
}

pb::InviteStaffRequest IdentityTest::InvitationOf(const std::string& email,
                                                  const std::vector<Grant>& grants) {
  pb::InviteStaffRequest request;
  request.set_email(email);
  for (const Grant& grant : grants) *request.add_grants() = ToProto(grant);
  return request;
}

absl::StatusOr<pb::StaffMember> IdentityTest::Invite(const std::string& email,
                                                     const std::vector<Grant>& grants) {
  return Call(&StaffRpc::InviteStaff, InvitationOf(email, grants));
}

absl::StatusOr<pb::StaffMember> IdentityTest::Accept(const std::string& code, const std::string& user) {
  pb::AcceptInvitationRequest request;
  request.set_code(code);
  return Call(&StaffRpc::AcceptInvitation, request, Clerk(user));
}

pb::StaffMember IdentityTest::Hired(const std::string& user, const std::vector<Grant>& grants) {
  const absl::StatusOr<pb::StaffMember> invited = Invite(user + "@example.com", grants);
  EXPECT_TRUE(invited.ok()) << invited.status();
  if (!invited.ok()) return {};
  const absl::StatusOr<pb::StaffMember> accepted = Accept(invited->invitation_code(), user);
  EXPECT_TRUE(accepted.ok()) << accepted.status();
  return accepted.ok() ? *accepted : pb::StaffMember();
}

absl::StatusOr<pb::StaffMember> IdentityTest::Deactivate(const std::string& staff_id) {
  return Call(&StaffRpc::DeactivateStaff, Of<pb::DeactivateStaffRequest>(staff_id));
}

absl::StatusOr<pb::StaffMember> IdentityTest::Reactivate(const std::string& staff_id) {
  return Call(&StaffRpc::ReactivateStaff, Of<pb::ReactivateStaffRequest>(staff_id));
}

absl::StatusOr<pb::StaffMember> IdentityTest::Get(const std::string& staff_id) {
  return Call(&StaffRpc::GetStaff, Of<pb::GetStaffRequest>(staff_id));
}

absl::StatusOr<pb::Store> IdentityTest::Create(const std::string& code, const std::string& name) {
  pb::CreateStoreRequest request;
  request.set_store_code(code);
  request.set_name(name);
  request.set_default_country("DE");
  return Call(&StoreRpc::CreateStore, request);
}

absl::StatusOr<pb::Revocation> IdentityTest::Revoke(const std::string& subject, const std::string& token_id) {
  pb::RevokeTokensRequest request;
  request.set_subject(subject);
  request.set_token_id(token_id);
  return Call(&RevocationRpc::RevokeTokens, request);
}

std::string IdentityTest::Query(std::string sql) const {
  return database().Query(absl::StrReplaceAll(sql, {{"$T", Concat("'", tenant_, "'")}}));
}

std::string IdentityTest::Events(const std::string& type, const std::string& field) const {
  return Query(Concat("SELECT string_agg(coalesce(payload::json->'payload'->>'", field,
                      "', ''), ',' ORDER BY aggregate_version) FROM outbox.event "
                      "WHERE tenant_id = $T AND type = '",
                      type, "'"));
}

void IdentityTest::AtOnce(int threads, const std::function<void(int)>& work) {
  std::vector<std::jthread> running;
  for (int i = 0; i < threads; ++i) running.emplace_back([&work, i] { work(i); });
}

}  // namespace bv::identity
