#include "services/order/tests/stand_ins.h"

#include <algorithm>

#include "libs/base/error.h"
#include "libs/base/strings.h"
#include "libs/rpc/status.h"

namespace bv::order {
namespace {

namespace inventory = commerce::inventory::v1;
namespace payment = commerce::payment::v1;

grpc::Status Refuse(absl::StatusCode code, std::string_view reason) {
  return rpc::ToGrpc(Error(code, reason, reason));
}

}  // namespace

void Faults::Break(const std::string& method, int times) {
  const std::lock_guard lock(mutex_);
  broken_[method] = times;
}

void Faults::LoseAnswer(const std::string& method, int times) {
  const std::lock_guard lock(mutex_);
  lost_[method] = times;
}

void Faults::Hold(const std::string& method) {
  const std::lock_guard lock(mutex_);
  held_ = method;
}

void Faults::Release() {
  const std::lock_guard lock(mutex_);
  held_.clear();
  changed_.notify_all();
}

void Faults::AwaitCalls(const std::string& method, int count) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return calls_[method] >= count; });
}

int Faults::calls(const std::string& method) {
  const std::lock_guard lock(mutex_);
  return calls_[method];
}

grpc::Status Faults::Enter(const std::string& method, grpc::ServerContext* context) {
  std::unique_lock lock(mutex_);
  ++calls_[method];
  changed_.notify_all();
  while (held_ == method && !context->IsCancelled()) changed_.wait_for(lock, std::chrono::milliseconds(5));
  if (context->IsCancelled()) return {grpc::StatusCode::CANCELLED, "the caller has gone"};
  if (broken_[method] > 0) {
    --broken_[method];
    return {grpc::StatusCode::INTERNAL, "broken"};
  }
  return grpc::Status::OK;
}

grpc::Status Faults::Leave(const std::string& method) {
  const std::lock_guard lock(mutex_);
  if (lost_[method] == 0) return grpc::Status::OK;
  --lost_[method];
  return {grpc::StatusCode::INTERNAL, "the answer is lost"};
}

void StockRoom::Set(const std::string& reservation, Status status) {
  const std::lock_guard lock(mutex_);
  reservations_[reservation] = status;
}

std::string StockRoom::StatusOf(const std::string& reservation) {
  const std::lock_guard lock(mutex_);
  const auto found = reservations_.find(reservation);
  if (found == reservations_.end()) return "";
  return inventory::ReservationStatus_Name(found->second).substr(std::string("RESERVATION_STATUS_").size());
}

std::vector<std::string> StockRoom::shipped() {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> all;
  for (const auto& [id, lines] : shipments_) all.insert(all.end(), lines.begin(), lines.end());
  return all;
}

grpc::Status StockRoom::Move(const std::string& reservation, const std::vector<Status>& from, Status to) {
  const std::lock_guard lock(mutex_);
  const auto found = reservations_.find(reservation);
  if (found == reservations_.end()) return Refuse(absl::StatusCode::kNotFound, "RESERVATION_NOT_FOUND");
  if (found->second != to && std::ranges::find(from, found->second) == from.end())
    return Refuse(absl::StatusCode::kFailedPrecondition, "RESERVATION_NOT_HELD");
  found->second = to;
  return grpc::Status::OK;
}

grpc::Status StockRoom::CommitStock(grpc::ServerContext* context, const inventory::CommitRequest* request,
                                    inventory::CommitResponse*) {
  if (grpc::Status status = faults.Enter("CommitStock", context); !status.ok()) return status;
  const grpc::Status moved = Move(request->reservation_id(), {inventory::RESERVATION_STATUS_HELD},
                                  inventory::RESERVATION_STATUS_COMMITTED);
  return moved.ok() ? faults.Leave("CommitStock") : moved;
}

grpc::Status StockRoom::UncommitStock(grpc::ServerContext* context, const inventory::UncommitRequest* request,
                                      inventory::UncommitResponse*) {
  if (grpc::Status status = faults.Enter("UncommitStock", context); !status.ok()) return status;
  const grpc::Status moved = Move(request->reservation_id(), {inventory::RESERVATION_STATUS_COMMITTED},
                                  inventory::RESERVATION_STATUS_HELD);
  return moved.ok() ? faults.Leave("UncommitStock") : moved;
}

grpc::Status StockRoom::ReleaseStock(grpc::ServerContext* context, const inventory::ReleaseRequest* request,
                                     inventory::ReleaseResponse*) {
  if (grpc::Status status = faults.Enter("ReleaseStock", context); !status.ok()) return status;
  const grpc::Status moved =
      Move(request->reservation_id(),
           {inventory::RESERVATION_STATUS_HELD, inventory::RESERVATION_STATUS_COMMITTED},
           inventory::RESERVATION_STATUS_RELEASED);
  return moved.ok() ? faults.Leave("ReleaseStock") : moved;
}

grpc::Status StockRoom::ShipStock(grpc::ServerContext* context, const inventory::ShipRequest* request,
                                  inventory::ShipResponse*) {
  if (grpc::Status status = faults.Enter("ShipStock", context); !status.ok()) return status;
  {
    const std::lock_guard lock(mutex_);
    if (reservations_[request->reservation_id()] != inventory::RESERVATION_STATUS_COMMITTED)
      return Refuse(absl::StatusCode::kFailedPrecondition, "RESERVATION_NOT_COMMITTED");
    std::vector<std::string>& lines = shipments_[request->shipment_id()];
    lines.clear();
    for (const inventory::ReserveLine& line : request->lines())
      lines.push_back(Concat(line.sku(), " ", line.qty()));
  }
  return faults.Leave("ShipStock");
}

grpc::Status StockRoom::GetReservation(grpc::ServerContext* context,
                                       const inventory::GetReservationRequest* request,
                                       inventory::Reservation* response) {
  if (grpc::Status status = faults.Enter("GetReservation", context); !status.ok()) return status;
  const std::lock_guard lock(mutex_);
  const auto found = reservations_.find(request->reservation_id());
  if (found == reservations_.end()) return Refuse(absl::StatusCode::kNotFound, "RESERVATION_NOT_FOUND");
  response->set_reservation_id(found->first);
  response->set_status(found->second);
  return grpc::Status::OK;
}

void Bank::Decline(bool decline) {
  const std::lock_guard lock(mutex_);
  decline_ = decline;
}

void Bank::Put(const Payment& payment) {
  const std::lock_guard lock(mutex_);
  payments_[payment.payment_id()] = payment;
}

std::int64_t Bank::kept() {
  const std::lock_guard lock(mutex_);
  std::int64_t sum = 0;
  for (const auto& [id, made] : payments_)
    sum += made.status() == payment::PAYMENT_STATUS_SUCCEEDED ? made.amount() : 0;
  return sum;
}

int Bank::charges() {
  const std::lock_guard lock(mutex_);
  return charges_;
}

std::vector<Bank::Payment> Bank::payments() {
  const std::lock_guard lock(mutex_);
  std::vector<Payment> all;
  for (const auto& [id, made] : payments_) all.push_back(made);
  return all;
}

grpc::Status Bank::ProcessPayment(grpc::ServerContext* context, const payment::ProcessPaymentRequest* request,
                                  Payment* response) {
  if (grpc::Status status = faults.Enter("ProcessPayment", context); !status.ok()) return status;
  {
    const std::lock_guard lock(mutex_);
    const auto [found, is_new] = payments_.try_emplace(request->payment_id());
    for (const auto& [id, made] : payments_) {
      if (is_new && made.order_id() == request->order_id() &&
          made.status() == payment::PAYMENT_STATUS_SUCCEEDED) {
        payments_.erase(found);
        return Refuse(absl::StatusCode::kFailedPrecondition, "ALREADY_PAID");
      }
    }
    Payment& made = found->second;
    if (is_new) {
      made.set_payment_id(request->payment_id());
      made.set_order_id(request->order_id());
      made.set_amount(request->amount());
      made.set_currency(request->currency());
      made.set_method(request->method());
    }
    if (is_new || made.status() == payment::PAYMENT_STATUS_PROCESSING) {
      const bool by_card = request->method() == payment::PAYMENT_METHOD_CARD;
      if (by_card && !decline_) ++charges_;
      made.set_status(!by_card   ? payment::PAYMENT_STATUS_PENDING
                      : decline_ ? payment::PAYMENT_STATUS_FAILED
                                 : payment::PAYMENT_STATUS_SUCCEEDED);
    }
    *response = made;
  }
  return faults.Leave("ProcessPayment");
}

grpc::Status Bank::ConfirmPayment(grpc::ServerContext* context, const payment::ConfirmPaymentRequest* request,
                                  Payment* response) {
  if (grpc::Status status = faults.Enter("ConfirmPayment", context); !status.ok()) return status;
  {
    const std::lock_guard lock(mutex_);
    Payment& made = payments_[request->payment_id()];
    made.set_status(payment::PAYMENT_STATUS_SUCCEEDED);
    made.set_reference(request->reference());
    *response = made;
  }
  return faults.Leave("ConfirmPayment");
}

grpc::Status Bank::RefundPayment(grpc::ServerContext* context, const payment::RefundPaymentRequest* request,
                                 Payment* response) {
  if (grpc::Status status = faults.Enter("RefundPayment", context); !status.ok()) return status;
  {
    const std::lock_guard lock(mutex_);
    const auto found = payments_.find(request->payment_id());
    if (found == payments_.end()) return Refuse(absl::StatusCode::kNotFound, "PAYMENT_NOT_FOUND");
    found->second.set_status(payment::PAYMENT_STATUS_REFUNDED);
    *response = found->second;
  }
  return faults.Leave("RefundPayment");
}

grpc::Status Bank::GetPayment(grpc::ServerContext* context, const payment::GetPaymentRequest* request,
                              Payment* response) {
  if (grpc::Status status = faults.Enter("GetPayment", context); !status.ok()) return status;
  const std::lock_guard lock(mutex_);
  const auto found = payments_.find(request->payment_id());
  if (found == payments_.end()) return Refuse(absl::StatusCode::kNotFound, "PAYMENT_NOT_FOUND");
  *response = found->second;
  return grpc::Status::OK;
}

grpc::Status Bank::ListPayments(grpc::ServerContext* context, const payment::ListPaymentsRequest* request,
                                payment::ListPaymentsResponse* response) {
  if (grpc::Status status = faults.Enter("ListPayments", context); !status.ok()) return status;
  const std::lock_guard lock(mutex_);
  for (const auto& [id, made] : payments_) {
    if (made.order_id() == request->order_id()) *response->add_payments() = made;
  }
  return grpc::Status::OK;
}

}  // namespace bv::order
