// The product service's contract with a catalogue that a test fills.
#pragma once

#include <grpcpp/grpcpp.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "commerce/product/v1/service.grpc.pb.h"

namespace bv::cart {

class CatalogueServer final : public commerce::product::v1::Products::CallbackService {
 public:
  CatalogueServer();

  std::string address() const;
  void Sell(const std::string& sku, std::int64_t price, const std::string& currency = "USD");
  // The variant stays known.
  void Archive(const std::string& sku);
  void Forget(const std::string& sku);

  grpc::ServerUnaryReactor* ResolveVariants(
      grpc::CallbackServerContext* context, const commerce::product::v1::ResolveVariantsRequest* request,
      commerce::product::v1::ResolveVariantsResponse* response) override;

 private:
  std::mutex mutex_;
  std::map<std::string, commerce::product::v1::ResolvedVariant> variants_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace bv::cart
