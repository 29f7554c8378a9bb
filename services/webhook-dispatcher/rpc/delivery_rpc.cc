#include "services/webhook-dispatcher/rpc/delivery_rpc.h"

#include <absl/strings/numbers.h>

#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "services/webhook-dispatcher/rpc/page.h"
#include "services/webhook-dispatcher/store/once_per_key.h"
#include "services/webhook-dispatcher/store/redeliver.h"

namespace bv::webhook {
namespace {

template <class T>
using Work = std::function<absl::StatusOr<T>(postgres::Session&)>;

// The delivery that a call has made, and whether an earlier one did.
struct Answer {
  LoggedDelivery delivery;
  bool repeated = false;
};

using Make = std::function<absl::StatusOr<DeliveryId>(postgres::Session&)>;

async::Task<absl::StatusOr<Answer>> Made(postgres::Pool& pool, const RequestContext& context,
                                         const google::protobuf::Message& request, Make make) {
  Work<Answer> work = [&](postgres::Session& session) -> absl::StatusOr<Answer> {
    const auto store = [&]() -> absl::StatusOr<std::string> {
      ASSIGN_OR_RETURN(const DeliveryId made, make(session));
      return made.str();
    };
    ASSIGN_OR_RETURN(const Outcome outcome, OncePerKey(session, context, request, store));
    std::optional<LoggedDelivery> delivery =
        ReadDelivery(session, context.tenant, DeliveryId::Trusted(outcome.result));
    if (!delivery) return DeliveryNotFound();
    return Answer{.delivery = *std::move(delivery), .repeated = outcome.repeated};
  };
  co_return co_await pool.Transact<Answer>(context, std::move(work));
}

}  // namespace

void DeliveryRpc::Serve(rpc::Server& server) {
  const std::string_view service = "commerce.webhook.v1.Webhooks";
  server.Handle(service, "SendTestEvent", *this, &DeliveryRpc::SendTestEvent);
  server.Handle(service, "GetDelivery", *this, &DeliveryRpc::GetDelivery);
  server.Handle(service, "ListDeliveries", *this, &DeliveryRpc::ListDeliveries);
  server.Handle(service, "Redeliver", *this, &DeliveryRpc::Redeliver);
  server.Handle(service, "RedeliverRange", *this, &DeliveryRpc::RedeliverRange);
}

rpc::Reply<pb::Delivery> DeliveryRpc::SendTestEvent(rpc::Call<pb::SendTestEventRequest> call) {
  const RequestContext& context = call.context();
  CO_ASSIGN_OR_RETURN(const SubscriptionId id, SubscriptionIdFromProto(call.request().subscription_id()));
  Make make = [&](postgres::Session& session) { return SendTest(session, context, id); };
  CO_ASSIGN_OR_RETURN(const Answer answer, co_await Made(pool_, context, call.request(), std::move(make)));
  if (answer.repeated) call.MarkReplayed();
  co_return ToProto(answer.delivery);
}

rpc::Reply<pb::Delivery> DeliveryRpc::GetDelivery(rpc::Call<pb::GetDeliveryRequest> call) {
  const RequestContext& context = call.context();
  CO_ASSIGN_OR_RETURN(const DeliveryId id, DeliveryIdFromProto(call.request().delivery_id()));
  Work<LoggedDelivery> read = [&](postgres::Session& session) -> absl::StatusOr<LoggedDelivery> {
    std::optional<LoggedDelivery> delivery = ReadDelivery(session, context.tenant, id);
    if (!delivery) return DeliveryNotFound();
    return *std::move(delivery);
  };
  CO_ASSIGN_OR_RETURN(const LoggedDelivery delivery,
                      co_await pool_.Read<LoggedDelivery>(context, std::move(read)));
  co_return ToProto(delivery);
}

rpc::Reply<pb::ListDeliveriesResponse> DeliveryRpc::ListDeliveries(
    rpc::Call<pb::ListDeliveriesRequest> call) {
  const RequestContext& context = call.context();
  CO_ASSIGN_OR_RETURN(const DeliveryFilter filter, FromProto(call.request()));
  CO_ASSIGN_OR_RETURN(const int page_size, PageSize(call.request().page_size()));
  CO_ASSIGN_OR_RETURN(const std::optional<LogPlace> behind, PlaceBefore(call.request().page_token()));
  using Deliveries = std::vector<LoggedDelivery>;
  // One more tells whether there is a next page.
  Work<Deliveries> list = [&](postgres::Session& session) -> absl::StatusOr<Deliveries> {
    return webhook::ListDeliveries(session, context.tenant, filter, behind, page_size + 1);
  };
  CO_ASSIGN_OR_RETURN(Deliveries found, co_await pool_.Read<Deliveries>(context, std::move(list)));
  pb::ListDeliveriesResponse response;
  if (found.size() > static_cast<std::size_t>(page_size)) {
    found.pop_back();
    response.set_next_page_token(
        TokenOf(LogPlace{.created_at = found.back().created_at, .id = found.back().id}));
  }
  for (const LoggedDelivery& delivery : found) *response.add_deliveries() = ToProto(delivery);
  co_return response;
}

rpc::Reply<pb::Delivery> DeliveryRpc::Redeliver(rpc::Call<pb::RedeliverRequest> call) {
  const RequestContext& context = call.context();
  CO_ASSIGN_OR_RETURN(const DeliveryId id, DeliveryIdFromProto(call.request().delivery_id()));
  Make make = [&](postgres::Session& session) { return webhook::Redeliver(session, context, id); };
  CO_ASSIGN_OR_RETURN(const Answer answer, co_await Made(pool_, context, call.request(), std::move(make)));
  if (answer.repeated) call.MarkReplayed();
  co_return ToProto(answer.delivery);
}

rpc::Reply<pb::RedeliverRangeResponse> DeliveryRpc::RedeliverRange(
    rpc::Call<pb::RedeliverRangeRequest> call) {
  const RequestContext& context = call.context();
  CO_ASSIGN_OR_RETURN(const DeliveryFilter filter, FromProto(call.request()));
  Work<Outcome> work = [&](postgres::Session& session) {
    const auto store = [&]() -> absl::StatusOr<std::string> {
      return Concat(webhook::RedeliverRange(session, context, filter));
    };
    return OncePerKey(session, context, call.request(), store);
  };
  CO_ASSIGN_OR_RETURN(const Outcome outcome, co_await pool_.Transact<Outcome>(context, std::move(work)));
  if (outcome.repeated) call.MarkReplayed();
  int count = 0;
  if (!absl::SimpleAtoi(outcome.result, &count)) co_return absl::InternalError("the record has no number");
  pb::RedeliverRangeResponse response;
  response.set_count(count);
  co_return response;
}

}  // namespace bv::webhook
