// The quotas of limited sales, which inventory keeps.
#pragma once

#include <absl/status/status.h>

#include <string>

#include "commerce/inventory/v1/service.grpc.pb.h"
#include "libs/async/task.h"
#include "libs/auth/service_tokens.h"
#include "libs/base/request_context.h"
#include "libs/rpc/client.h"
#include "services/product/domain/flash_sale.h"

namespace bv::product {

// Thread safe.
class SaleQuotas {
 public:
  SaleQuotas(std::string address, const rpc::PeerSettings& settings, auth::ServiceTokens& tokens)
      : inventory_(std::move(address), settings), tokens_(tokens) {}

  // As many pieces as the sale's limit, once for a sale. UNAVAILABLE when inventory is away: then the quota
  // may be there or not.
  async::Task<absl::Status> SetUp(const FlashSale& sale, const RequestContext& context);
  // Takes them away again, from a sale that is not stored. What cannot be taken away now stays, and is of no
  // use to anybody, since no price is that sale's.
  async::Task<void> Drop(const FlashSale& sale, const RequestContext& context);

 private:
  async::Task<absl::Status> Adjust(const FlashSale& sale, std::int64_t delta, std::string once,
                                   RequestContext context);

  rpc::Client<commerce::inventory::v1::Inventory> inventory_;
  auth::ServiceTokens& tokens_;
};

}  // namespace bv::product
