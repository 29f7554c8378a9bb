#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <string>
#include <vector>

#include "libs/postgres/postgres.h"

namespace bv::analytics {

// Where a page of the snapshot begins: behind this place.
struct StockPlace {
  std::string sku;
  std::string location_code;
};

struct StockRow {
  StockPlace place;
  std::string product_id;
  std::int64_t on_hand = 0;
  std::int64_t reserved = 0;
  std::int64_t available = 0;
  std::int64_t version = 0;
  absl::Time updated_at;
};

// In the order of their places, `limit` at most; those of `sku`, or of all when it is empty. Throws what
// libpqxx throws.
std::vector<StockRow> ReadStock(postgres::Session& session, const TenantId& tenant, const std::string& sku,
                                const StockPlace& after, int limit);

}  // namespace bv::analytics
