// Puts expired holds back on sale.
#pragma once

#include "libs/postgres/postgres.h"
#include "libs/service/job.h"
#include "services/inventory/store/stock_room.h"

namespace bv::inventory {

class Expirer {
 public:
  // Looks every `interval` for holds whose time is over by the database's clock, of all tenants.
  Expirer(boost::asio::io_context& io, postgres::Pool& pool, StockRoom& room, absl::Duration interval);

  void Start() { job_.Start(); }
  void Stop() { job_.Stop(); }

 private:
  async::Task<absl::StatusOr<bool>> Round();

  postgres::Pool& pool_;
  StockRoom& room_;
  prometheus::Counter& expired_;
  service::Job job_;
};

}  // namespace bv::inventory
