// Inventory and payment as their contracts say, in memory, with faults on demand. Thread safe.
#pragma once

#include <grpcpp/grpcpp.h>

#include <condition_variable>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "commerce/inventory/v1/service.grpc.pb.h"
#include "commerce/payment/v1/service.grpc.pb.h"

namespace bv::order {

// Faults of a stand-in, by method ("CommitStock").
class Faults {
 public:
  // The next `times` calls fail without an effect, in a way that the client does not repeat by itself.
  void Break(const std::string& method, int times = 1);
  // The next `times` calls have their effect, and the answer is lost.
  void LoseAnswer(const std::string& method, int times = 1);
  // Calls wait, before their effect, until Release or until they are cancelled.
  void Hold(const std::string& method);
  void Release();
  // Until so many calls of the method have come, held ones included.
  void AwaitCalls(const std::string& method, int count);
  int calls(const std::string& method);

  // For the stand-in: counts the call; not OK when it is to fail.
  grpc::Status Enter(const std::string& method, grpc::ServerContext* context);
  grpc::Status Leave(const std::string& method);

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, int> calls_;
  std::map<std::string, int> broken_;
  std::map<std::string, int> lost_;
  std::string held_;
};

class StockRoom final : public commerce::inventory::v1::Inventory::Service {
 public:
  using Status = commerce::inventory::v1::ReservationStatus;
  Faults faults;

  void Hold(const std::string& reservation) {
    Set(reservation, commerce::inventory::v1::RESERVATION_STATUS_HELD);
  }
  void Set(const std::string& reservation, Status status);
  // "HELD", "COMMITTED" and so on; empty for one that was never made.
  std::string StatusOf(const std::string& reservation);
  // "MUG 2" for each line of each shipment, in their order.
  std::vector<std::string> shipped();

 private:
  template <class T>
  using In = const T*;
  grpc::Status CommitStock(grpc::ServerContext*, In<commerce::inventory::v1::CommitRequest>,
                           commerce::inventory::v1::CommitResponse*) override;
  grpc::Status UncommitStock(grpc::ServerContext*, In<commerce::inventory::v1::UncommitRequest>,
                             commerce::inventory::v1::UncommitResponse*) override;
  grpc::Status ReleaseStock(grpc::ServerContext*, In<commerce::inventory::v1::ReleaseRequest>,
                            commerce::inventory::v1::ReleaseResponse*) override;
  grpc::Status ShipStock(grpc::ServerContext*, In<commerce::inventory::v1::ShipRequest>,
                         commerce::inventory::v1::ShipResponse*) override;
  grpc::Status GetReservation(grpc::ServerContext*, In<commerce::inventory::v1::GetReservationRequest>,
                              commerce::inventory::v1::Reservation*) override;
  // Moves a reservation that is in one of `from` on to `to`.
  grpc::Status Move(const std::string& reservation, const std::vector<Status>& from, Status to);

  std::mutex mutex_;
  std::map<std::string, Status> reservations_;
  std::map<std::string, std::vector<std::string>> shipments_;
};

class Bank final : public commerce::payment::v1::Payments::Service {
 public:
  using Payment = commerce::payment::v1::Payment;
  Faults faults;

  // Charges from now on are declined, or not.
  void Decline(bool decline);
  // As if it had been made before.
  void Put(const Payment& payment);
  // What was charged less what was given back, over all, and how often a card was charged.
  std::int64_t kept();
  int charges();
  std::vector<Payment> payments();

 private:
  grpc::Status ProcessPayment(grpc::ServerContext*, const commerce::payment::v1::ProcessPaymentRequest*,
                              Payment*) override;
  grpc::Status ConfirmPayment(grpc::ServerContext*, const commerce::payment::v1::ConfirmPaymentRequest*,
                              Payment*) override;
  grpc::Status RefundPayment(grpc::ServerContext*, const commerce::payment::v1::RefundPaymentRequest*,
                             Payment*) override;
  grpc::Status GetPayment(grpc::ServerContext*, const commerce::payment::v1::GetPaymentRequest*,
                          Payment*) override;
  grpc::Status ListPayments(grpc::ServerContext*, const commerce::payment::v1::ListPaymentsRequest*,
                            commerce::payment::v1::ListPaymentsResponse*) override;

  std::mutex mutex_;
  bool decline_ = false;
  int charges_ = 0;
  std::map<std::string, Payment> payments_;
};

}  // namespace bv::order
