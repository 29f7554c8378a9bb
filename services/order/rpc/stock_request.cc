#include "services/order/rpc/stock_request.h"

#include <algorithm>
#include <vector>

#include "libs/base/error.h"
#include "libs/base/strings.h"

namespace bv::order {
namespace {

struct QuotaLine {
  std::string quota;
  std::int64_t qty = 0;
};

std::vector<QuotaLine> QuotaLinesOf(const Order& order) {
  std::vector<QuotaLine> lines;
  for (const Item& item : order.items) {
    if (item.quota.empty()) continue;
    auto line = std::ranges::find(lines, item.quota, &QuotaLine::quota);
    if (line == lines.end()) line = lines.insert(line, {.quota = item.quota});
    line->qty += item.qty;
  }
  return lines;
}

// What the customer calls the item: the first of the draft that became a part of it.
std::string FieldOf(const Item& item, const Draft& draft) {
  for (std::size_t i = 0; i < draft.items.size(); ++i) {
    const WantedItem& wanted = draft.items[i];
    if (wanted.sku == item.sku || wanted.product == item.product) return Concat("items[", i, "].qty");
  }
  return {};
}

absl::Status FlashSaleSoldOut(std::string_view field) {
  return Error(absl::StatusCode::kFailedPrecondition, "FLASH_SALE_SOLD_OUT",
               "the flash sale has not as many pieces left at its price; nothing was ordered", field);
}

}  // namespace

void AddLines(const Order& order, commerce::inventory::v1::ReserveRequest& request) {
  const auto add = [&request](const std::string& sku, std::int64_t qty) {
    commerce::inventory::v1::ReserveLine* line = request.add_lines();
    line->set_sku(sku);
    line->set_qty(qty);
  };
  for (const Item& item : order.items) add(item.sku.str(), item.qty);
  for (const QuotaLine& line : QuotaLinesOf(order)) add(line.quota, line.qty);
}

std::string ReservationIdOf(const Order& order, const std::string& key_hash, const std::string& request_hash,
                            const RequestContext& context) {
  if (key_hash.empty()) return order.id.str();
  std::vector<std::string> parts{context.tenant.str(), context.user_id, key_hash, request_hash};
  // The items of a cart may have changed between the two.
  for (const Item& item : order.items) {
    parts.push_back(item.sku.str());
    parts.push_back(std::to_string(item.qty));
  }
  // And a sale may have begun or ended.
  for (const QuotaLine& line : QuotaLinesOf(order)) {
    parts.push_back(line.quota);
    parts.push_back(std::to_string(line.qty));
  }
  return ReservationId::DerivedFrom(parts).str();
}

absl::Status InTermsOfItems(const absl::Status& status, const Order& order, const Draft& draft) {
  ErrorDetail detail = GetErrorDetail(status);
  const auto is_line = [&detail](std::size_t line) {
    return detail.field == Concat("lines[", line, "].qty");
  };
  for (std::size_t i = 0; i < order.items.size(); ++i) {
    if (!is_line(i)) continue;
    detail.field = FieldOf(order.items[i], draft);
    absl::Status renamed = status;
    SetErrorDetail(renamed, detail);
    return renamed;
  }
  const std::vector<QuotaLine> quotas = QuotaLinesOf(order);
  for (std::size_t i = 0; i < quotas.size(); ++i) {
    if (!is_line(order.items.size() + i)) continue;
    return FlashSaleSoldOut(FieldOf(*std::ranges::find(order.items, quotas[i].quota, &Item::quota), draft));
  }
  return status;
}

}  // namespace bv::order
