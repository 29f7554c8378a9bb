// The way to the stock: every command goes through here to the lane that is right for it.
#pragma once

#include "libs/config/config.h"
#include "services/inventory/store/stock_batch.h"

namespace bv::inventory {

struct StockRoomSettings {
  // Lanes for SKUs in great demand, beside the common ones.
  int hot_lane_count = 1;
  // From so many requests a second on a SKU is in great demand without being marked.
  int hot_rate = 200;
  // How long a SKU that was seen sold out is refused without asking the database.
  absl::Duration sold_out_ttl = absl::Milliseconds(200);

  // inventory.hot_lane_count, inventory.hot_rate, inventory.sold_out_ttl
  void Bind(config::Binder& b);
};

// Thread safe.
class StockRoom {
 public:
  StockRoom(const postgres::ConnectionSettings& connection, const postgres::LaneSettings& lanes,
            const StockRoomSettings& settings);

  // As postgres::Lanes::Submit. Commands for a SKU meet in one lane; those for one in great demand in a lane
  // of its own kind, so that they do not hold up the others.
  async::Task<absl::StatusOr<Outcome>> Submit(Command command, RequestContext context);
  // The same for adjustments that nobody waits for, as many as they are: they have a lane of their own, so
  // that no request stands behind them, and do not make their SKU one in great demand.
  async::Task<absl::StatusOr<Outcome>> SubmitInBackground(AdjustCommand command, RequestContext context);
  // Ends the lanes after what is queued has run.
  void Stop();

 private:
  StockMemory memory_;
  StockLanes lanes_;
  StockLanes hot_lanes_;
  StockLanes background_lane_;
  prometheus::Counter& sold_out_answers_;
};

}  // namespace bv::inventory
