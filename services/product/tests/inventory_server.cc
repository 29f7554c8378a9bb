#include "services/product/tests/inventory_server.h"

namespace bv::product {

InventoryServer::InventoryServer() {
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(this);
  server_ = builder.BuildAndStart();
  address_ = "127.0.0.1:" + std::to_string(port);
}

std::map<std::string, std::int64_t> InventoryServer::quotas() {
  const std::lock_guard lock(mutex_);
  return quotas_;
}

void InventoryServer::GoAway() {
  const std::lock_guard lock(mutex_);
  away_ = true;
}

grpc::ServerUnaryReactor* InventoryServer::AdjustStock(grpc::CallbackServerContext* context,
                                                       const commerce::inventory::v1::AdjustRequest* request,
                                                       commerce::inventory::v1::StockStatus*) {
  const std::lock_guard lock(mutex_);
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const auto key = context->client_metadata().find("idempotency-key");
  if (away_) {
    reactor->Finish({grpc::StatusCode::UNAVAILABLE, "away"});
  } else if (key == context->client_metadata().end()) {
    reactor->Finish({grpc::StatusCode::INVALID_ARGUMENT, "without an Idempotency-Key"});
  } else {
    const bool is_new = keys_.insert({key->second.data(), key->second.size()}).second;
    if (is_new) quotas_[request->sku()] += request->delta();
    reactor->Finish(grpc::Status::OK);
  }
  return reactor;
}

}  // namespace bv::product
