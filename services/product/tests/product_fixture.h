// A catalogue on a database of its own, called as the gRPC server calls it. Each test is a tenant of its own.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "libs/base/error.h"
#include "libs/base/id.h"
#include "libs/testing/testing.h"
#include "services/product/rpc/product_rpc.h"

namespace bv::product {

class ProductTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite();
  void SetUp() override;

  template <class Request, class Response>
  absl::StatusOr<Response> Call(rpc::Reply<Response> (ProductRpc::*method)(rpc::Call<Request>),
                                const Request& request, const RequestContext& context) {
    return parts_->loop.Run((parts_->rpc.*method)(rpc::Call<Request>(request, context)));
  }
  absl::StatusOr<pb::Product> Create(const pb::CreateProductRequest& request);
  absl::StatusOr<pb::Product> Update(const pb::UpdateProductRequest& request);
  absl::StatusOr<pb::Product> Get(const std::string& product_id);
  // A stored product with these SKUs, each at 10.00 USD.
  pb::Product Stored(const std::vector<std::string>& skus, const std::string& title = "Tent");

  // Of a request that creates a product with these SKUs.
  static pb::CreateProductRequest NewProduct(const std::vector<std::string>& skus,
                                             const std::string& title = "Tent");
  // Of a request that sets the price of a variant.
  static pb::UpdateProductRequest PriceChange(const pb::Product& product, const std::string& sku,
                                              std::int64_t price);

  RequestContext Staff() const { return testing::ContextOf(tenant_, "clerk", Role::kStaff); }
  RequestContext Shopper() const { return testing::ContextOf(tenant_, "ada", Role::kCustomer); }
  const std::string& tenant() const { return tenant_; }

  static testing::Database& database() { return parts_->database; }
  // One value as the superuser, who sees all tenants; $T is this test's tenant, quoted.
  std::string Query(std::string sql) const;
  // Of the topic of products.
  std::string EventCount(const std::string& product_id) const;

 private:
  struct Parts {
    testing::Database database{"product"};
    postgres::Pool pool{database.Connection(), postgres::PoolSettings{.size = 4, .queue_max = 256}};
    ProductRpc rpc{pool};
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

inline std::string FieldOfError(const absl::Status& status) {
  return GetErrorDetail(status).field;
}

}  // namespace bv::product
