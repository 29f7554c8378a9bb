// Asks the order service for an order, as whoever wants to see it: it decides who may.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>

#include "commerce/order/v1/service.grpc.pb.h"
#include "libs/async/task.h"
#include "libs/base/request_context.h"
#include "libs/rpc/client.h"

namespace bv::notification {

struct OrderState {
  std::string order_id;
  std::int64_t version = 0;
  // To this version.
  absl::Time changed_at;
  // As GET /api/v1/orders/{id} shows it.
  std::string json;
};

// Thread safe.
class OrderReader {
 public:
  // Asks for at most `calls_max` orders at once, as when all clients come back at the same time; others wait
  // for their turn.
  OrderReader(std::string address, const rpc::PeerSettings& settings, int calls_max)
      : orders_(std::move(address), settings), calls_max_(calls_max) {}

  // The order service's errors; NOT_FOUND also for an order that the caller may not see. Its time begins with
  // the call's turn.
  async::Task<absl::StatusOr<OrderState>> Read(std::string order_id, RequestContext context);

 private:
  async::Task<void> AwaitTurn();
  void EndTurn();

  rpc::Client<commerce::order::v1::Orders> orders_;
  const int calls_max_;
  std::mutex mutex_;
  int calls_ = 0;
  // One a connection at most.
  std::deque<async::Done<bool>> waiting_;
};

}  // namespace bv::notification
