#include "services/order/tests/checkout_fixture.h"

#include "libs/base/error.h"
#include "libs/base/strings.h"
#include "libs/rpc/status.h"
#include "libs/rpc/timestamp.h"

namespace bv::order {

namespace cart = commerce::cart::v1;
namespace inventory = commerce::inventory::v1;
namespace product = commerce::product::v1;

grpc::Status Catalogue::ResolveVariants(grpc::ServerContext*, const product::ResolveVariantsRequest* request,
                                        product::ResolveVariantsResponse* response) {
  asked_nanos_ = absl::ToUnixNanos(rpc::FromTimestamp(request->at()));
  for (const product::VariantRef& ref : request->variants()) {
    product::ResolvedVariant* variant = response->add_variants();
    variant->set_outcome(product::ResolvedVariant::OUTCOME_NOT_FOUND);
    if (ref.sku() != "MUG" && ref.sku() != "TENT") continue;
    variant->set_outcome(product::ResolvedVariant::OUTCOME_SELLABLE);
    variant->set_product_id("prd_" + ref.sku());
    variant->set_variant_id("var_" + ref.sku());
    variant->set_sku(ref.sku());
    variant->set_title(ref.sku());
    variant->set_price(ref.sku() == "MUG" ? 2500 : 7950);
    variant->set_currency("USD");
  }
  return grpc::Status::OK;
}

std::vector<std::string> Warehouse::held() {
  const std::lock_guard lock(mutex_);
  return {held_.begin(), held_.end()};
}

void Warehouse::Expire() {
  const std::lock_guard lock(mutex_);
  ended_.merge(held_);
  held_.clear();
}

void Warehouse::WaitFor(std::vector<std::function<void()>> others) {
  const std::lock_guard lock(mutex_);
  others_ = std::move(others);
}

grpc::Status Warehouse::ReserveStock(grpc::ServerContext*, const inventory::ReserveRequest* request,
                                     inventory::ReserveResponse* response) {
  if (const std::function<void()> other = NextOther()) other();
  const std::lock_guard lock(mutex_);
  const bool ended = ended_.contains(request->reservation_id());
  if (!ended && sold_out_line_ >= 0) {
    return rpc::ToGrpc(Error(absl::StatusCode::kFailedPrecondition, "OUT_OF_STOCK", "nothing left",
                             Concat("lines[", sold_out_line_.load(), "].qty")));
  }
  response->set_status(ended ? inventory::RESERVATION_STATUS_EXPIRED : inventory::RESERVATION_STATUS_HELD);
  const std::int64_t now = absl::ToUnixSeconds(absl::Now());
  response->mutable_created_at()->set_seconds(now - absl::ToInt64Seconds(age_));
  response->mutable_expires_at()->set_seconds(now + 900);
  if (response->status() == inventory::RESERVATION_STATUS_HELD) held_.insert(request->reservation_id());
  return grpc::Status::OK;
}

grpc::Status Warehouse::ReleaseStock(grpc::ServerContext*, const inventory::ReleaseRequest* request,
                                     inventory::ReleaseResponse*) {
  const std::lock_guard lock(mutex_);
  held_.erase(request->reservation_id());
  ended_.insert(request->reservation_id());
  return grpc::Status::OK;
}

std::function<void()> Warehouse::NextOther() {
  const std::lock_guard lock(mutex_);
  if (others_.empty()) return {};
  std::function<void()> other = std::move(others_.back());
  others_.pop_back();
  return other;
}

grpc::Status CartStore::GetCart(grpc::ServerContext*, const cart::GetCartRequest* request,
                                cart::Cart* response) {
  if (request->cart_id() != "crt_full") return grpc::Status::OK;
  cart::CartItem* item = response->add_items();
  item->set_sku("MUG");
  item->set_qty(2);
  return grpc::Status::OK;
}

CheckoutTest::CheckoutTest() {
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&catalogue_);
  builder.RegisterService(&warehouse_);
  builder.RegisterService(&cart_store_);
  server_ = builder.BuildAndStart();
  const std::string address = Concat("127.0.0.1:", port);
  const rpc::PeerSettings settings;
  peers_.reset(new Peers{{address, settings}, {address, settings}, {address, settings}});
  pool_.emplace(database_.Connection(), postgres::PoolSettings{});
  look_ups_.emplace("look_up", database_.Connection(), postgres::LaneSettings{.count = 1}, ExecuteLookUpBatch,
                    postgres::LaneMode::kRead);
  StoreWith(ExecuteCreateBatch);
}

CheckoutTest::~CheckoutTest() {
  look_ups_->Stop();
  lanes_->Stop();
  pool_->Stop();
}

void CheckoutTest::StoreWith(OrderLanes::Execute execute) {
  rpc_.reset();
  checkout_.reset();
  lanes_.emplace("order", database_.Connection(), postgres::LaneSettings{.count = 2}, std::move(execute));
  checkout_.emplace(*peers_, *pool_, *look_ups_, *lanes_, prices_, absl::Hours(72));
  rpc_.emplace(*checkout_, *pool_);
}

pb::CreateOrderRequest CheckoutTest::RequestOf(const std::vector<std::pair<std::string, int>>& items) {
  pb::CreateOrderRequest request;
  for (const auto& [sku, qty] : items) {
    pb::NewOrderItem* item = request.add_items();
    item->set_sku(sku);
    item->set_qty(qty);
  }
  request.set_payment_method(pb::PAYMENT_METHOD_CARD);
  request.set_email("ada@example.com");
  request.mutable_shipping_address()->set_name("Ada");
  request.mutable_shipping_address()->set_line1("1 Main St");
  request.mutable_shipping_address()->set_city("Berlin");
  request.mutable_shipping_address()->set_country_code("DE");
  return request;
}

RequestContext CheckoutTest::WithKey(const std::string& key) {
  RequestContext context = testing::ContextOf("acme");
  context.idempotency_key = key;
  return context;
}

absl::StatusOr<pb::ListOrdersResponse> CheckoutTest::List(int page_size, const std::string& page_token,
                                                          RequestContext context, const std::string& user,
                                                          const std::string& store) {
  pb::ListOrdersRequest request;
  request.set_page_size(page_size);
  request.set_page_token(page_token);
  request.set_user_id(user);
  request.set_store_code(store);
  return Start(&OrderRpc::ListOrders, std::move(request), std::move(context)).get();
}

}  // namespace bv::order
