// The inventory service's contract, as far as product needs it: quotas.
#pragma once

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "commerce/inventory/v1/service.grpc.pb.h"

namespace bv::product {

class InventoryServer final : public commerce::inventory::v1::Inventory::CallbackService {
 public:
  InventoryServer();

  const std::string& address() const { return address_; }
  // The quotas that were ever set up, and what they have left.
  std::map<std::string, std::int64_t> quotas();
  // From now on every call is UNAVAILABLE.
  void GoAway();

  grpc::ServerUnaryReactor* AdjustStock(grpc::CallbackServerContext* context,
                                        const commerce::inventory::v1::AdjustRequest* request,
                                        commerce::inventory::v1::StockStatus* response) override;

 private:
  std::mutex mutex_;
  std::map<std::string, std::int64_t> quotas_;
  std::set<std::string> keys_;
  bool away_ = false;
  std::string address_;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace bv::product
