#include "services/order/rpc/lifecycle_rpc.h"

#include "libs/base/digest.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "services/order/domain/words.h"
#include "services/order/rpc/convert.h"
#include "services/order/store/change_rows.h"
#include "services/order/store/order_rows.h"

namespace bv::order {
namespace {

constexpr int kReservationsMax = 1000;

// Whose orders the caller finds.
std::string OwnerOf(const RequestContext& context) {
  return context.role == Role::kCustomer ? context.user_id : "";
}

// A process that `context` asks for. Repeats of a request under one key are compared by its bytes and its
// method.
template <class Request>
BeginProcess BeginOf(ProcessKind kind, const OrderId& order, rpc::Call<Request> call) {
  const RequestContext& context = call.context();
  BeginProcess begin{
      .process = NewProcess(kind, order, context), .owner = OwnerOf(context), .role = context.role};
  if (!context.idempotency_key.empty()) {
    begin.key_hash = Sha256Hex(context.idempotency_key);
    begin.request_hash =
        Sha256Hex(Concat(Request::descriptor()->full_name(), "\n", call.request().SerializeAsString()));
  }
  return begin;
}

}  // namespace

void LifecycleRpc::Serve(rpc::Server& server) {
  const std::string_view service = "commerce.order.v1.Orders";
  server.Handle(service, "PayOrder", *this, &LifecycleRpc::PayOrder);
  server.Handle(service, "ConfirmPayment", *this, &LifecycleRpc::ConfirmPayment);
  server.Handle(service, "CancelOrder", *this, &LifecycleRpc::CancelOrder);
  server.Handle(service, "FulfillOrder", *this, &LifecycleRpc::FulfillOrder);
  server.Handle(service, "DeliverShipment", *this, &LifecycleRpc::DeliverShipment);
  server.Handle(service, "ListOrderHistory", *this, &LifecycleRpc::ListOrderHistory);
  server.Handle(service, "FindReservations", *this, &LifecycleRpc::FindReservations);
}

async::Task<absl::Status> LifecycleRpc::CheckPolicy(std::string action, const OrderId& id,
                                                    const RequestContext& context) {
  std::function<absl::StatusOr<Order>(postgres::Session&)> read = [&](postgres::Session& session) {
    return ReadOrder(session, context.tenant, id, OwnerOf(context));
  };
  CO_ASSIGN_OR_RETURN(const Order order, co_await pool_.Read<Order>(context, std::move(read)));
  policy::Question question{.action = std::move(action), .resource_type = "order", .resource_id = id.str()};
  question.properties.emplace_back("owner", order.user_id);
  question.properties.emplace_back("status", Word(order.status));
  co_return co_await policy_.Check(std::move(question), context);
}

template <class Request>
rpc::Reply<pb::Order> LifecycleRpc::Run(BeginProcess begin, rpc::Call<Request> call) {
  CO_ASSIGN_OR_RETURN(const Processes::Outcome outcome,
                      co_await processes_.Run(std::move(begin), call.context()));
  if (outcome.repeated) call.MarkReplayed();
  co_return ToProto(outcome.order);
}

rpc::Reply<pb::Order> LifecycleRpc::PayOrder(rpc::Call<pb::PayOrderRequest> call) {
  CO_ASSIGN_OR_RETURN(const OrderId id, OrderIdFromProto(call.request().order_id()));
  BeginProcess begin = BeginOf(ProcessKind::kPay, id, call);
  begin.process.payment = PaymentId::New();
  co_return co_await Run(std::move(begin), call);
}

rpc::Reply<pb::Order> LifecycleRpc::ConfirmPayment(rpc::Call<pb::ConfirmPaymentRequest> call) {
  const pb::ConfirmPaymentRequest& request = call.request();
  CO_ASSIGN_OR_RETURN(const OrderId id, OrderIdFromProto(request.order_id()));
  CO_RETURN_IF_ERROR(CheckText(request.reference(), 1, 100, "reference"));
  BeginProcess begin = BeginOf(ProcessKind::kConfirm, id, call);
  begin.received.minor_units = request.amount();
  CO_ASSIGN_OR_RETURN(begin.received.currency, Currency::Parse(request.currency()));
  begin.process.payment = PaymentId::New();
  begin.process.reference = request.reference();
  CO_RETURN_IF_ERROR(co_await CheckPolicy("order.confirm_payment", id, call.context()));
  co_return co_await Run(std::move(begin), call);
}

rpc::Reply<pb::Order> LifecycleRpc::CancelOrder(rpc::Call<pb::CancelOrderRequest> call) {
  CO_ASSIGN_OR_RETURN(const OrderId id, OrderIdFromProto(call.request().order_id()));
  BeginProcess begin = BeginOf(ProcessKind::kCancel, id, call);
  begin.process.reason = call.context().role == Role::kCustomer ? "CUSTOMER_REQUEST" : "BACK_OFFICE";
  if (!call.request().reason().empty()) {
    CO_ASSIGN_OR_RETURN(const ReasonCode reason, ReasonCode::Parse(call.request().reason()));
    begin.process.reason = reason.str();
  }
  CO_RETURN_IF_ERROR(co_await CheckPolicy("order.cancel", id, call.context()));
  co_return co_await Run(std::move(begin), call);
}

rpc::Reply<pb::Order> LifecycleRpc::FulfillOrder(rpc::Call<pb::FulfillOrderRequest> call) {
  CO_ASSIGN_OR_RETURN(const OrderId id, OrderIdFromProto(call.request().order_id()));
  BeginProcess begin = BeginOf(ProcessKind::kFulfill, id, call);
  CO_ASSIGN_OR_RETURN(begin.shipments, FromProto(call.request()));
  co_return co_await Run(std::move(begin), call);
}

rpc::Reply<pb::Order> LifecycleRpc::DeliverShipment(rpc::Call<pb::DeliverShipmentRequest> call) {
  CO_ASSIGN_OR_RETURN(const OrderId id, OrderIdFromProto(call.request().order_id()));
  Change change{id, order::DeliverShipment{ShipmentId::Trusted(call.request().shipment_id())}};
  CO_ASSIGN_OR_RETURN(const Changed changed,
                      co_await lanes_.Submit(id.str(), std::move(change), call.context()));
  co_return ToProto(changed.order);
}

rpc::Reply<pb::ListOrderHistoryResponse> LifecycleRpc::ListOrderHistory(
    rpc::Call<pb::ListOrderHistoryRequest> call) {
  using History = std::vector<HistoryEntry>;
  const RequestContext& context = call.context();
  CO_ASSIGN_OR_RETURN(const OrderId id, OrderIdFromProto(call.request().order_id()));
  std::function<absl::StatusOr<History>(postgres::Session&)> read = [&](postgres::Session& session) {
    return ReadHistory(session, context.tenant, id, OwnerOf(context));
  };
  CO_ASSIGN_OR_RETURN(const History history, co_await pool_.Read<History>(context, std::move(read)));
  pb::ListOrderHistoryResponse response;
  for (const HistoryEntry& entry : history) *response.add_entries() = ToProto(entry);
  co_return response;
}

rpc::Reply<pb::FindReservationsResponse> LifecycleRpc::FindReservations(
    rpc::Call<pb::FindReservationsRequest> call) {
  using Found = std::vector<ReservedOrder>;
  const RequestContext& context = call.context();
  const auto& asked = call.request().reservation_ids();
  if (asked.empty() || asked.size() > kReservationsMax)
    co_return InvalidValue("reservationIds", Concat("must be 1 to ", kReservationsMax, " ids"));
  const std::vector<std::string> ids(asked.begin(), asked.end());
  for (std::size_t i = 0; i < ids.size(); ++i)
    CO_RETURN_IF_ERROR(CheckText(ids[i], 1, 64, Concat("reservationIds[", i, "]")));
  std::function<absl::StatusOr<Found>(postgres::Session&)> find =
      [&](postgres::Session& session) -> absl::StatusOr<Found> {
    return order::FindReservations(session, context.tenant, ids);
  };
  CO_ASSIGN_OR_RETURN(const Found found, co_await pool_.Read<Found>(context, std::move(find)));
  pb::FindReservationsResponse response;
  for (const ReservedOrder& reserved : found) response.add_reservation_ids(reserved.reservation_id);
  co_return response;
}

}  // namespace bv::order
