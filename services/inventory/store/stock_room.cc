#include "services/inventory/store/stock_room.h"

#include <algorithm>
#include <functional>

#include "libs/base/clock.h"
#include "libs/telemetry/telemetry.h"

namespace bv::inventory {
namespace {

// The SKUs whose rows a command will lock, as far as it says so; else its reservation stands for them.
struct Route {
  std::vector<SkuCode> skus;
  std::string reservation_id;
};

Route RouteOf(const std::vector<Line>& lines) {
  Route route;
  for (const Line& line : lines) route.skus.push_back(line.sku);
  return route;
}
Route RouteTo(const ReserveCommand& command) {
  return RouteOf(command.lines);
}
Route RouteTo(const HoldCommand& command) {
  return {.skus = {command.sku}};
}
Route RouteTo(const CommitCommand& command) {
  return {.reservation_id = command.reservation_id};
}
Route RouteTo(const UncommitCommand& command) {
  return {.reservation_id = command.reservation_id};
}
Route RouteTo(const ShipCommand& command) {
  return RouteOf(command.lines);
}
Route RouteTo(const ReleaseCommand& command) {
  return {.reservation_id = command.reservation_id};
}
Route RouteTo(const ExpireCommand& command) {
  return {.skus = {command.sku}};
}
Route RouteTo(const AdjustCommand& command) {
  return {.skus = {command.sku}};
}
Route RouteTo(const PolicyCommand& command) {
  return {.skus = {command.sku}};
}

postgres::LaneSettings WithCount(postgres::LaneSettings settings, int count) {
  settings.count = count;
  return settings;
}

}  // namespace

void StockRoomSettings::Bind(config::Binder& b) {
  b.Integer("inventory.hot_lane_count", hot_lane_count, {1, 16});
  b.Integer("inventory.hot_rate", hot_rate, {1, 1'000'000});
  b.Duration("inventory.sold_out_ttl", sold_out_ttl, {absl::ZeroDuration(), absl::Seconds(10)});
}

StockRoom::StockRoom(const postgres::ConnectionSettings& connection, const postgres::LaneSettings& lanes,
                     const StockRoomSettings& settings)
    : memory_{.sold_out = SoldOut(settings.sold_out_ttl), .demand = Demand(settings.hot_rate)},
      lanes_("stock", connection, lanes, std::bind_front(ExecuteStockBatch, std::ref(memory_))),
      hot_lanes_("stock_hot", connection, WithCount(lanes, settings.hot_lane_count),
                 std::bind_front(ExecuteStockBatch, std::ref(memory_))),
      background_lane_("stock_background", connection, WithCount(lanes, 1),
                       std::bind_front(ExecuteStockBatch, std::ref(memory_))),
      sold_out_answers_(
          telemetry::Counter("inventory_sold_out_answers_total",
                             "Reservations refused from memory, without asking the database.")) {}

async::Task<absl::StatusOr<Outcome>> StockRoom::Submit(Command command, RequestContext context) {
  const absl::Time now = MonotonicNow();
  if (const auto* reserve = std::get_if<ReserveCommand>(&command)) {
    if (std::optional<absl::Status> refusal = memory_.sold_out.Refusal(context.tenant, *reserve, now)) {
      sold_out_answers_.Increment();
      co_return *std::move(refusal);
    }
  }
  const Route route = std::visit([](const auto& each) { return RouteTo(each); }, command);
  if (route.skus.empty())
    co_return co_await lanes_.Submit(route.reservation_id, std::move(command), std::move(context));
  // Which of several SKUs decides does not matter, as long as it is always the same.
  std::string key = std::ranges::min(route.skus).str();
  bool is_hot = false;
  for (const SkuCode& sku : route.skus) {
    if (!memory_.demand.Count({context.tenant, sku}, now)) continue;
    if (!is_hot) key = sku.str();
    is_hot = true;
  }
  StockLanes& lanes = is_hot ? hot_lanes_ : lanes_;
  co_return co_await lanes.Submit(key, std::move(command), std::move(context));
}

async::Task<absl::StatusOr<Outcome>> StockRoom::SubmitInBackground(AdjustCommand command,
                                                                   RequestContext context) {
  const std::string key = command.sku.str();
  co_return co_await background_lane_.Submit(key, std::move(command), std::move(context));
}

void StockRoom::Stop() {
  lanes_.Stop();
  hot_lanes_.Stop();
  background_lane_.Stop();
}

}  // namespace bv::inventory
