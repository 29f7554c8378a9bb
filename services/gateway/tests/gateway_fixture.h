// The gateway over a real socket in front of a real gRPC server with a small inventory and a small catalogue.
#pragma once

#include <gtest/gtest.h>

#include <boost/asio/executor_work_guard.hpp>
#include <future>
#include <thread>

#include "commerce/inventory/v1/service.pb.h"
#include "commerce/product/v1/service.pb.h"
#include "libs/http/test_client.h"
#include "libs/rpc/server.h"
#include "services/gateway/rest/gateway.h"

namespace bv::gateway {

constexpr std::string_view kJwks =
    R"({"keys":[{"kty":"oct","kid":"dev","alg":"HS256","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}]})";
constexpr std::string_view kOtherJwks =
    R"({"keys":[{"kty":"oct","kid":"dev","alg":"HS256","k":"ICECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}]})";
constexpr std::string_view kAdjust = "POST /api/v1/inventory/A/adjustments";

// Answers by the SKU.
class SmallInventory {
 public:
  void Serve(rpc::Server& server);

  std::promise<void> started;
  std::promise<void> cancelled;
  // Calls that are under way by the SKU HELD, and what ends them.
  std::atomic<int> held{0};
  void LetGo();

 private:
  using StockStatus = commerce::inventory::v1::StockStatus;
  rpc::Reply<commerce::inventory::v1::ReserveResponse> Reserve(
      rpc::Call<commerce::inventory::v1::ReserveRequest>);
  rpc::Reply<commerce::inventory::v1::ReleaseResponse> Release(
      rpc::Call<commerce::inventory::v1::ReleaseRequest>);
  rpc::Reply<StockStatus> Query(rpc::Call<commerce::inventory::v1::StockQuery> call);
  rpc::Reply<StockStatus> Adjust(rpc::Call<commerce::inventory::v1::AdjustRequest> call);

  std::mutex mutex_;
  std::vector<async::Done<bool>> waiting_;
};

// Has one product, at version 7, with as many variants as its id says: "prd_2".
class SmallCatalogue {
 public:
  void Serve(rpc::Server& server);

 private:
  using Product = commerce::product::v1::Product;
  rpc::Reply<Product> Get(rpc::Call<commerce::product::v1::GetProductRequest> call);
  rpc::Reply<Product> Update(rpc::Call<commerce::product::v1::UpdateProductRequest> call);
  rpc::Reply<commerce::product::v1::ListProductsResponse> List(
      rpc::Call<commerce::product::v1::ListProductsRequest> call);
  rpc::Reply<commerce::product::v1::SearchProductsResponse> Search(
      rpc::Call<commerce::product::v1::SearchProductsRequest> call);
  rpc::Reply<commerce::product::v1::ListCategoriesResponse> Categories(
      rpc::Call<commerce::product::v1::ListCategoriesRequest> call);
};

class GatewayTest : public ::testing::Test {
 protected:
  struct Options {
    absl::Duration request_timeout = absl::Seconds(5);
    absl::Duration read_timeout = absl::Seconds(5);
    // Nobody listens there.
    std::string tunnelled_to = "127.0.0.1:1";
    std::string graphql_at = "127.0.0.1:1";
    std::vector<std::string> trusted_proxies;
    std::vector<std::string> origins;
    LimitSettings limits{.keys_max = 1000};
    int calls_max = 100;
  };

  void SetUp() override { Start({}); }
  void TearDown() override { Stop(); }
  void Start(const Options& options);
  void Stop();

  std::string Ask(std::string_view line, std::string_view headers = "X-Tenant-Id: demo\r\n",
                  std::string_view body = {});
  static std::string Bytes(std::string_view line, std::string_view headers, std::string_view body = {});
  // With the type of a JSON body.
  static std::string TokenHeader(Role role, std::string_view jwks = kJwks,
                                 absl::Duration lifetime = absl::Hours(1));
  static std::string Token(std::string_view jwks, Role role, absl::Duration lifetime);

  boost::asio::io_context io_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_ =
      boost::asio::make_work_guard(io_);
  std::vector<std::thread> threads_;
  std::string jwks_file_;
  std::atomic<bool> ready_{true};
  std::unique_ptr<auth::Verifier> verifier_;
  SmallInventory inventory_;
  SmallCatalogue catalogue_;
  std::unique_ptr<rpc::Server> rpc_;
  std::unique_ptr<rpc::Peer> served_peer_;
  std::unique_ptr<rpc::Peer> order_peer_;
  RouteTable routes_;
  std::unique_ptr<http::Tunnels> tunnels_;
  std::unique_ptr<Conventions> conventions_;
  Documents documents_;
  std::unique_ptr<Forward> graphql_;
  std::unique_ptr<Gateway> gateway_;
  std::unique_ptr<http::Server> http_;

 private:
  void StartRpc();
  void StartHttp(const Options& options);
};

}  // namespace bv::gateway
