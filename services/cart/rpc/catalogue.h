// The prices of the product service.
#pragma once

#include <absl/status/statusor.h>

#include <string>
#include <vector>

#include "commerce/product/v1/service.grpc.pb.h"
#include "libs/async/task.h"
#include "libs/base/request_context.h"
#include "libs/rpc/client.h"
#include "services/cart/domain/pricing.h"

namespace bv::cart {

class Catalogue {
 public:
  Catalogue(std::string address, const rpc::PeerSettings& settings)
      : products_(std::move(address), settings) {}

  // What is known of these SKUs, by one call; none for no SKUs. Errors are those of the product service.
  async::Task<absl::StatusOr<Offers>> Find(std::vector<SkuCode> skus, const RequestContext& context);

 private:
  rpc::Client<commerce::product::v1::Products> products_;
};

}  // namespace bv::cart
