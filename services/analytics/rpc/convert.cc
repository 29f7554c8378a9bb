#include "services/analytics/rpc/convert.h"

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/rpc/timestamp.h"

namespace bv::analytics {
namespace {

constexpr int kDaysLaterMax = 366;

absl::StatusOr<absl::CivilDay> DayOf(const std::string& text, std::string_view field) {
  absl::CivilDay day;
  // Four digits, else years of the future that PostgreSQL does not know would pass; nor does it know a year
  // 0.
  if (text.size() != 10 || !absl::ParseCivilTime(text, &day) || day.year() < 1)
    return InvalidValue(field, "must be a day as 2026-11-21");
  return day;
}

template <class Message>
void SetRevenue(const RevenueRow& row, Message& message) {
  message.set_currency(row.currency);
  message.set_paid_amount(row.paid_amount);
  message.set_refunded_amount(row.refunded_amount);
  message.set_net_amount(row.paid_amount - row.refunded_amount);
  message.set_paid_orders(row.paid_orders);
  message.set_refunded_orders(row.refunded_orders);
}

}  // namespace

absl::StatusOr<int> CountFromProto(int count, int otherwise, int max, std::string_view field) {
  if (count == 0) return otherwise;
  if (count < 1 || count > max) return InvalidValue(field, Concat("must be 1 to ", max));
  return count;
}

absl::StatusOr<std::string> CurrencyFromProto(const std::string& currency) {
  if (currency.empty()) return currency;
  ASSIGN_OR_RETURN(const Currency parsed, Currency::Parse(currency));
  return std::string(parsed.code());
}

absl::StatusOr<Days> DaysFromProto(const pb::GetDailyRevenueRequest& request) {
  Days days;
  ASSIGN_OR_RETURN(days.first, DayOf(request.from_day(), "fromDay"));
  days.last = days.first;
  if (!request.to_day().empty()) {
    ASSIGN_OR_RETURN(days.last, DayOf(request.to_day(), "toDay"));
  }
  if (days.last < days.first || days.last - days.first > kDaysLaterMax)
    return InvalidValue("toDay", Concat("must be 0 to ", kDaysLaterMax, " days after fromDay"));
  return days;
}

pb::CustomerOrder ToProto(const OrderRow& row, const std::string& user_id) {
  pb::CustomerOrder order;
  order.set_order_id(row.order_id);
  order.set_user_id(user_id);
  order.set_status(row.status);
  order.set_payment_status(row.payment_status);
  order.set_fulfillment_status(row.fulfillment_status);
  order.set_total_amount(row.total.minor_units);
  order.set_currency(std::string(row.total.currency.code()));
  *order.mutable_created_at() = rpc::ToTimestamp(row.created_at);
  *order.mutable_updated_at() = rpc::ToTimestamp(row.updated_at);
  order.set_version(row.version);
  return order;
}

pb::StockLevel ToProto(const StockRow& row) {
  pb::StockLevel level;
  level.set_sku(row.place.sku);
  level.set_location_code(row.place.location_code);
  level.set_product_id(row.product_id);
  level.set_on_hand(row.on_hand);
  level.set_reserved(row.reserved);
  level.set_available(row.available);
  level.set_version(row.version);
  *level.mutable_updated_at() = rpc::ToTimestamp(row.updated_at);
  return level;
}

pb::DailyRevenue ToProto(const DayRow& row) {
  pb::DailyRevenue day;
  day.set_day(absl::FormatCivilTime(row.day));
  SetRevenue(row.revenue, day);
  return day;
}

pb::RevenueWindow ToProto(const MinuteRow& row, std::optional<absl::Time> watermark) {
  pb::RevenueWindow window;
  *window.mutable_started_at() = rpc::ToTimestamp(row.minute);
  SetRevenue(row.revenue, window);
  window.set_complete(watermark && row.minute + absl::Minutes(1) <= *watermark);
  return window;
}

}  // namespace bv::analytics
