#include "services/gateway/tests/gateway_fixture.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "commerce/inventory/v1/service.grpc.pb.h"
#include "commerce/order/v1/service.pb.h"
#include "commerce/product/v1/service.grpc.pb.h"
#include "libs/base/error.h"
#include "libs/base/strings.h"
#include "libs/testing/testing.h"

namespace bv::gateway {

namespace inventory = commerce::inventory::v1;
namespace product = commerce::product::v1;

void SmallInventory::Serve(rpc::Server& server) {
  const std::string_view service = inventory::Inventory::service_full_name();
  server.Handle(service, "ReserveStock", *this, &SmallInventory::Reserve);
  server.Handle(service, "ReleaseStock", *this, &SmallInventory::Release);
  server.Handle(service, "QueryStock", *this, &SmallInventory::Query);
  server.Handle(service, "AdjustStock", *this, &SmallInventory::Adjust);
  server.ServePartly(service);
}

rpc::Reply<inventory::ReserveResponse> SmallInventory::Reserve(rpc::Call<inventory::ReserveRequest>) {
  co_return absl::UnimplementedError("not here");
}

rpc::Reply<inventory::ReleaseResponse> SmallInventory::Release(rpc::Call<inventory::ReleaseRequest>) {
  co_return absl::UnimplementedError("not here");
}

rpc::Reply<inventory::StockStatus> SmallInventory::Query(rpc::Call<inventory::StockQuery> call) {
  const std::string& sku = call.request().sku();
  if (sku == "UNKNOWN") co_return NotFound("SKU_NOT_FOUND", "no such SKU");
  if (sku == "BROKEN") co_return absl::InternalError("relation \"stock\" does not exist");
  if (sku == "BUSY") co_return bv::Overloaded("too busy", absl::Seconds(7));
  if (sku == "HELD") {
    co_await async::Await<bool>([&](async::Done<bool> done) {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(done));
      ++held;
    });
  }
  if (sku == "SLOW") {
    // Until the caller gives up.
    started.set_value();
    std::optional<std::stop_callback<std::function<void()>>> gone;
    co_await async::Await<bool>([&](async::Done<bool> done) {
      auto shared = std::make_shared<async::Done<bool>>(std::move(done));
      gone.emplace(call.context().stop, std::function<void()>([shared] { std::move (*shared)(true); }));
    });
    cancelled.set_value();
    co_return absl::CancelledError("gave up");
  }
  StockStatus status;
  status.set_sku(sku);
  status.set_product_id(Concat(call.context().tenant.str(), " ", call.context().correlation_id));
  status.set_on_hand(5);
  co_return status;
}

rpc::Reply<inventory::StockStatus> SmallInventory::Adjust(rpc::Call<inventory::AdjustRequest> call) {
  if (call.request().delta() == 0) co_return InvalidValue("delta", "must not be 0");
  if (call.request().delta() < 0)
    co_return Error(absl::StatusCode::kFailedPrecondition, "STOCK_NEGATIVE", "too few");
  StockStatus status;
  status.set_sku(call.request().sku());
  status.set_product_id(Concat(call.context().user_id, " ", call.context().idempotency_key));
  if (call.context().idempotency_key == "again") call.MarkReplayed();
  co_return status;
}

void SmallInventory::LetGo() {
  const std::lock_guard lock(mutex_);
  for (async::Done<bool>& done : waiting_) std::move(done)(true);
  waiting_.clear();
}

void SmallCatalogue::Serve(rpc::Server& server) {
  const std::string_view service = product::Products::service_full_name();
  server.Handle(service, "GetProduct", *this, &SmallCatalogue::Get);
  server.Handle(service, "UpdateProduct", *this, &SmallCatalogue::Update);
  server.Handle(service, "ListProducts", *this, &SmallCatalogue::List);
  server.Handle(service, "SearchProducts", *this, &SmallCatalogue::Search);
  server.ServePartly(service);
  const std::string_view categories = product::Categories::service_full_name();
  server.Handle(categories, "ListCategories", *this, &SmallCatalogue::Categories);
  server.ServePartly(categories);
}

rpc::Reply<product::Product> SmallCatalogue::Get(rpc::Call<product::GetProductRequest> call) {
  Product found;
  found.set_product_id(call.request().product_id());
  found.set_title("Mug");
  found.set_version(7);
  for (int i = 0; i < std::stoi(call.request().product_id().substr(4)); ++i) {
    auto& variant = *found.add_variants();
    variant.set_sku(Concat("MUG-", i));
    variant.set_price(1295);
    variant.set_currency("USD");
  }
  co_return found;
}

rpc::Reply<product::Product> SmallCatalogue::Update(rpc::Call<product::UpdateProductRequest> call) {
  if (call.request().title() == "busy") co_return Error(absl::StatusCode::kAborted, "PRODUCT_BUSY", "later");
  if (call.request().has_expected_version() && call.request().expected_version() != 7)
    co_return Error(absl::StatusCode::kAborted, "VERSION_CONFLICT", "is at 7", "expectedVersion");
  Product changed;
  changed.set_product_id(call.request().product_id());
  changed.set_title(call.request().title());
  changed.set_version(8);
  co_return changed;
}

rpc::Reply<product::ListProductsResponse> SmallCatalogue::List(rpc::Call<product::ListProductsRequest> call) {
  product::ListProductsResponse page;
  for (int i = 0; i < call.request().page_size(); ++i) page.add_products()->set_product_id(Concat("prd_", i));
  page.set_next_page_token("more");
  co_return page;
}

rpc::Reply<product::SearchProductsResponse> SmallCatalogue::Search(
    rpc::Call<product::SearchProductsRequest> call) {
  product::SearchProductsResponse page;
  page.add_products()->set_title(call.request().q());
  page.set_total(1);
  co_return page;
}

rpc::Reply<product::ListCategoriesResponse> SmallCatalogue::Categories(
    rpc::Call<product::ListCategoriesRequest>) {
  product::ListCategoriesResponse tree;
  tree.add_categories()->set_code("mugs");
  co_return tree;
}

void GatewayTest::Start(const Options& options) {
  static int files = 0;
  jwks_file_ =
      std::filesystem::temp_directory_path() / Concat("gateway-test-", getpid(), "-", ++files, ".json");
  std::ofstream(jwks_file_) << kJwks;
  auth::Settings auth{.jwks_file = jwks_file_,
                      .development = true,
                      .issuer = "https://issuer.bivouac.dev",
                      .audience = "bivouac"};
  auto verifier = auth::Verifier::Create(auth);
  ASSERT_TRUE(verifier.ok()) << verifier.status();
  verifier_ = *std::move(verifier);
  ASSERT_NO_FATAL_FAILURE(StartRpc());

  tunnels_ = std::make_unique<http::Tunnels>(http::TunnelSettings{.addresses = {options.tunnelled_to},
                                                                  .open_max = 2,
                                                                  .connect_timeout = absl::Seconds(5),
                                                                  .stall_timeout = absl::Seconds(5)});
  auto graphql = Forward::Create({.address = options.graphql_at}, routes_, io_.get_executor());
  ASSERT_TRUE(graphql.ok()) << graphql.status();
  graphql_ = *std::move(graphql);
  auto proxies = TrustedProxies::Create(options.trusted_proxies);
  ASSERT_TRUE(proxies.ok()) << proxies.status();
  conventions_.reset(
      new Conventions{.proxies = *std::move(proxies),
                      .cors = http::Cors({.origins = options.origins, .max_age = absl::Minutes(10)}, "ETag"),
                      .cache = CacheControl({.max_age = absl::Seconds(5),
                                             .shared_max_age = absl::Seconds(10),
                                             .stale_while_revalidate = absl::Seconds(25)}),
                      .limits = Limits(options.limits, io_, nullptr),
                      .admission = Admission(options.calls_max)});
  gateway_ = std::make_unique<Gateway>(
      routes_, *verifier_, *tunnels_, *conventions_, documents_, *graphql_, [this] { return ready_.load(); },
      options.request_timeout);
  StartHttp(options);
  for (int i = 0; i < 2; ++i) threads_.emplace_back([this] { io_.run(); });
}

void GatewayTest::StartRpc() {
  rpc::ServerSettings settings{.address = "127.0.0.1:0",
                               .message_bytes_max = 1 << 20,
                               .calls_max = 100,
                               .default_deadline = absl::Seconds(10)};
  rpc_ = std::make_unique<rpc::Server>(io_, settings, verifier_.get());
  inventory_.Serve(*rpc_);
  catalogue_.Serve(*rpc_);
  ASSERT_TRUE(rpc_->Start().ok());
  served_peer_ = std::make_unique<rpc::Peer>(Concat("127.0.0.1:", rpc_->port()), rpc::PeerSettings{});
  // Nobody listens there.
  order_peer_ = std::make_unique<rpc::Peer>("127.0.0.1:1", rpc::PeerSettings{});
  auto routes = RouteTable::Build(
      {{.contract = inventory::StockStatus::descriptor()->file(), .peer = served_peer_.get()},
       {.contract = product::Product::descriptor()->file(), .peer = served_peer_.get()},
       {.contract = commerce::order::v1::Order::descriptor()->file(), .peer = order_peer_.get()}});
  ASSERT_TRUE(routes.ok()) << routes.status();
  routes_ = *std::move(routes);
}

void GatewayTest::StartHttp(const Options& options) {
  http::Settings settings{.address = "127.0.0.1:0",
                          .connections_max = 100,
                          .header_bytes_max = 16 << 10,
                          .body_bytes_max = 1 << 20,
                          .body_bytes_total_max = 16 << 20,
                          .read_timeout = options.read_timeout,
                          .idle_timeout = absl::Seconds(5),
                          .write_timeout = absl::Seconds(5)};
  http::Handlers handlers{
      .handle = [this](const http::Request& request,
                       http::Response& response) { return gateway_->Handle(request, response); },
      .refuse = [this](const http::Refusal& refusal,
                       http::Response& response) { gateway_->Refuse(refusal, response); }};
  http_ = std::make_unique<http::Server>(io_, settings, std::move(handlers));
  ASSERT_TRUE(http_->Start().ok());
}

void GatewayTest::Stop() {
  http_.reset();
  tunnels_.reset();
  if (rpc_) rpc_->Shutdown(absl::Now());
  work_.reset();
  io_.stop();
  for (std::thread& thread : threads_) thread.join();
  std::filesystem::remove(jwks_file_);
}

std::string GatewayTest::Ask(std::string_view line, std::string_view headers, std::string_view body) {
  http::TestClient client(http_->port());
  client.Send(Bytes(line, headers, body));
  return line.starts_with("HEAD ") ? client.ReceiveHead() : client.Receive();
}

std::string GatewayTest::Bytes(std::string_view line, std::string_view headers, std::string_view body) {
  return Concat(line, " HTTP/1.1\r\nHost: x\r\n", headers,
                body.empty() ? "" : Concat("Content-Length: ", body.size(), "\r\n"), "\r\n", body);
}

std::string GatewayTest::TokenHeader(Role role, std::string_view jwks, absl::Duration lifetime) {
  return Concat("Authorization: Bearer ", Token(jwks, role, lifetime),
                "\r\nContent-Type: application/json\r\n");
}

std::string GatewayTest::Token(std::string_view jwks, Role role, absl::Duration lifetime) {
  return testing::MakeToken(jwks, "demo", "user-1", role, lifetime);
}

}  // namespace bv::gateway
