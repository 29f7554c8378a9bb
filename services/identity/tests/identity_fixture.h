// The calls of the service on a database of its own, called as the gRPC server calls them. Each test is a
// tenant of its own.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "libs/base/error.h"
#include "libs/testing/testing.h"
#include "services/identity/rpc/revocation_rpc.h"
#include "services/identity/rpc/staff_rpc.h"
#include "services/identity/rpc/store_rpc.h"

namespace bv::identity {

class IdentityTest : public ::testing::Test {
 protected:
  static constexpr absl::Duration kLifetimeMax = absl::Hours(24);
  static constexpr int kAccountsMax = 5;
  static constexpr int kStoresMax = 3;

  static void SetUpTestSuite();
  static void TearDownTestSuite();
  void SetUp() override;

  template <class Request, class Response>
  absl::StatusOr<Response> Call(rpc::Reply<Response> (RevocationRpc::*method)(rpc::Call<Request>),
                                const Request& request, const RequestContext& context) {
    return parts_->loop.Run((parts_->revocations.*method)(rpc::Call<Request>(request, context)));
  }
  template <class Request, class Response>
  absl::StatusOr<Response> Call(rpc::Reply<Response> (StaffRpc::*method)(rpc::Call<Request>),
                                const Request& request, const RequestContext& context) {
    return parts_->loop.Run((parts_->staff.*method)(rpc::Call<Request>(request, context)));
  }
  template <class Request, class Response>
  absl::StatusOr<Response> Call(rpc::Reply<Response> (StoreRpc::*method)(rpc::Call<Request>),
                                const Request& request, const RequestContext& context) {
    return parts_->loop.Run((parts_->stores.*method)(rpc::Call<Request>(request, context)));
  }
  // By the administrator of this tenant.
  template <class Rpc, class Request, class Response>
  absl::StatusOr<Response> Call(rpc::Reply<Response> (Rpc::*method)(rpc::Call<Request>),
                                const Request& request) {
    return Call(method, request, Admin());
  }
  // A request that names an account.
  template <class Request>
  static Request Of(const std::string& staff_id) {
    Request request;
    request.set_staff_id(staff_id);
    return request;
  }

  static pb::InviteStaffRequest InvitationOf(const std::string& email, const std::vector<Grant>& grants = {});
  absl::StatusOr<pb::StaffMember> Invite(const std::string& email, const std::vector<Grant>& grants = {});
  absl::StatusOr<pb::StaffMember> Accept(const std::string& code, const std::string& user);
  // An account that `user` has accepted.
  pb::StaffMember Hired(const std::string& user, const std::vector<Grant>& grants = {});
  absl::StatusOr<pb::StaffMember> Deactivate(const std::string& staff_id);
  absl::StatusOr<pb::StaffMember> Reactivate(const std::string& staff_id);
  absl::StatusOr<pb::StaffMember> Get(const std::string& staff_id);
  absl::StatusOr<pb::Store> Create(const std::string& code, const std::string& name = "Shop");
  absl::StatusOr<pb::Revocation> Revoke(const std::string& subject, const std::string& token_id = "");

  RequestContext Admin() const { return testing::ContextOf(tenant_, "root", Role::kAdmin); }
  RequestContext Clerk(const std::string& user) const {
    return testing::ContextOf(tenant_, user, Role::kStaff);
  }
  RequestContext Stranger() const { return testing::ContextOf(tenant_ + "-other", "mallory", Role::kAdmin); }
  const std::string& tenant() const { return tenant_; }

  static testing::Database& database() { return parts_->database; }
  static postgres::Pool& pool() { return parts_->pool; }
  static testing::Loop& loop() { return parts_->loop; }
  // One value as the superuser, who sees all tenants; $T is this test's tenant, quoted.
  std::string Query(std::string sql) const;
  // Payloads of this tenant's events of a type, "ecommerce.identity.…", in their order, comma between them.
  std::string Events(const std::string& type, const std::string& field) const;
  // Runs `work` in `threads` threads at once and returns when all have ended.
  static void AtOnce(int threads, const std::function<void(int)>& work);

 private:
  struct Parts {
    testing::Database database{"identity"};
    postgres::Pool pool{database.Connection(), postgres::PoolSettings{.size = 8, .queue_max = 256},
                        postgres::Plans::kIndexOnly};
    RevocationRpc revocations{pool, kLifetimeMax};
    StaffRpc staff{pool,
                   {.accounts_max = kAccountsMax,
                    .invitation_lifetime = absl::Hours(1),
                    .token_lifetime_max = kLifetimeMax}};
    StoreRpc stores{pool, kStoresMax};
    testing::Loop loop;
  };
  static std::unique_ptr<Parts> parts_;
  std::string tenant_;
};

inline std::string FieldOf(const absl::Status& status) {
  return GetErrorDetail(status).field;
}

inline constexpr char kRevoked[] = "ecommerce.identity.access.revoked.v1";
inline constexpr char kChanged[] = "ecommerce.identity.staff.changed.v1";

}  // namespace bv::identity
