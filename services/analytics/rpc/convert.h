// protobuf ↔ rows.
#pragma once

#include <absl/status/statusor.h>

#include <optional>
#include <string>

#include "commerce/analytics/v1/service.pb.h"
#include "services/analytics/store/order_rows.h"
#include "services/analytics/store/revenue_rows.h"
#include "services/analytics/store/stock_rows.h"

namespace bv::analytics {

namespace pb = commerce::analytics::v1;

// 1 to `max`, or `otherwise` for 0. INVALID_ARGUMENT.
absl::StatusOr<int> CountFromProto(int count, int otherwise, int max, std::string_view field);
// Empty for all.
absl::StatusOr<std::string> CurrencyFromProto(const std::string& currency);

struct Days {
  absl::CivilDay first;
  absl::CivilDay last;
};
// INVALID_ARGUMENT for what is no day, and for more than 367 days.
absl::StatusOr<Days> DaysFromProto(const pb::GetDailyRevenueRequest& request);

pb::CustomerOrder ToProto(const OrderRow& row, const std::string& user_id);
pb::StockLevel ToProto(const StockRow& row);
pb::DailyRevenue ToProto(const DayRow& row);
pb::RevenueWindow ToProto(const MinuteRow& row, std::optional<absl::Time> watermark);

}  // namespace bv::analytics
