#include "services/notification/hub/order_reader.h"

#include "libs/base/macros.h"
#include "libs/json/json.h"
#include "libs/rpc/timestamp.h"

namespace bv::notification {

namespace pb = commerce::order::v1;

async::Task<absl::StatusOr<OrderState>> OrderReader::Read(std::string order_id, RequestContext context) {
  co_await AwaitTurn();
  pb::GetOrderRequest request;
  request.set_order_id(order_id);
  const absl::StatusOr<pb::Order> order =
      co_await orders_.Call(&rpc::Async<pb::Orders>::GetOrder, request, context);
  EndTurn();
  CO_RETURN_IF_ERROR(order.status());
  OrderState state{.order_id = std::move(order_id),
                   .version = order->version(),
                   .changed_at = rpc::FromTimestamp(order->updated_at())};
  CO_RETURN_IF_ERROR(json::Append(*order, state.json));
  co_return state;
}

async::Task<void> OrderReader::AwaitTurn() {
  auto take = [this](async::Done<bool> done) {
    std::unique_lock lock(mutex_);
    if (calls_ == calls_max_) return waiting_.push_back(std::move(done));
    ++calls_;
    lock.unlock();
    std::move(done)(true);
  };
  co_await async::AwaitHere<bool>(take);
}

void OrderReader::EndTurn() {
  std::unique_lock lock(mutex_);
  if (waiting_.empty()) {
    --calls_;
    return;
  }
  async::Done<bool> next = std::move(waiting_.front());
  waiting_.pop_front();
  lock.unlock();
  std::move(next)(true);
}

}  // namespace bv::notification
