// Carts on a database of their own, called as the gRPC server calls them. Each test is a tenant of its own.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "libs/base/error.h"
#include "libs/testing/testing.h"
#include "services/cart/rpc/cart_rpc.h"
#include "services/cart/tests/catalogue_server.h"

namespace bv::cart {

class CartTest : public ::testing::Test {
 protected:
  static constexpr char kSecret[] = "visitor-secret-0123456789";

  static void SetUpTestSuite();
  static void TearDownTestSuite();
  void SetUp() override;

  template <class Request>
  absl::StatusOr<pb::Cart> Call(rpc::Reply<pb::Cart> (CartRpc::*method)(rpc::Call<Request>),
                                const Request& request, const RequestContext& context) {
    return parts_->loop.Run((rpc().*method)(rpc::Call<Request>(request, context)));
  }
  // `session` is the secret, or empty.
  absl::StatusOr<pb::Cart> Create(const RequestContext& context, const std::string& session = "");
  absl::StatusOr<pb::Cart> Get(const RequestContext& context, const std::string& cart_id,
                               const std::string& session = "");
  absl::StatusOr<pb::Cart> Set(const RequestContext& context, const std::string& cart_id,
                               const std::string& sku, std::int64_t qty, const std::string& session = "");
  absl::StatusOr<pb::Cart> Remove(const RequestContext& context, const std::string& cart_id,
                                  const std::string& sku, const std::string& session = "");
  absl::StatusOr<pb::Cart> Merge(const RequestContext& context, const std::string& session);
  // The id of an open cart with one piece of each SKU.
  std::string CartWith(const RequestContext& context, const std::vector<std::string>& skus,
                       const std::string& session = "");

  RequestContext As(const std::string& user, Role role = Role::kCustomer) const {
    return testing::ContextOf(tenant_, user, role);
  }
  const std::string& tenant() const { return tenant_; }
  // The one that is called.
  virtual CartRpc& rpc() { return parts_->rpc; }
  // One whose carts hold their items, for a quarter of an hour.
  static CartRpc& holding_rpc() { return parts_->holding_rpc; }
  static testing::Database& database() { return parts_->database; }
  static postgres::Pool& pool() { return parts_->pool; }
  static testing::Loop& loop() { return parts_->loop; }
  static CatalogueServer& catalogue() { return parts_->products; }
  // One value as the superuser, who sees all tenants; $T is this test's tenant, quoted.
  std::string Query(std::string sql) const;
  void Expire(const std::string& cart_id) const;

 private:
  struct Parts {
    CatalogueServer products;
    testing::Database database{"cart"};
    postgres::Pool pool{database.Connection(), postgres::PoolSettings{.size = 4, .queue_max = 256}};
    Catalogue catalogue{products.address(), rpc::PeerSettings{}};
    CartRpc rpc{pool, catalogue, CartRules{.ttl = absl::Hours(1)}};
    CartRpc holding_rpc{
        pool, catalogue,
        CartRules{.ttl = absl::Hours(1), .holds = HoldPolicy::Create({"*"}, absl::Minutes(15)).value()}};
    testing::Loop loop;
  };
  static std::unique_ptr<Parts> parts_;
  std::string tenant_;
};

// Runs `work(i)` for 0 ≤ i < count, all at once, and returns what they returned.
template <class Work>
auto AtOnce(int count, Work work) {
  std::vector<decltype(work(0))> results(static_cast<std::size_t>(count));
  std::vector<std::jthread> threads;
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&results, &work, i] { results[static_cast<std::size_t>(i)] = work(i); });
  }
  threads.clear();
  return results;
}

// "A 2, B 1" for the items of a cart.
std::string ItemsOf(const absl::StatusOr<pb::Cart>& cart);

inline std::string FieldOfError(const absl::Status& status) {
  return GetErrorDetail(status).field;
}

}  // namespace bv::cart
