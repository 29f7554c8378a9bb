#include "services/webhook-dispatcher/rpc/subscription_rpc.h"

#include "libs/base/macros.h"
#include "services/webhook-dispatcher/rpc/page.h"
#include "services/webhook-dispatcher/store/change_subscription.h"
#include "services/webhook-dispatcher/store/new_secret.h"
#include "services/webhook-dispatcher/store/once_per_key.h"
#include "services/webhook-dispatcher/store/subscription_rows.h"

namespace bv::webhook {
namespace {

template <class T>
using Work = std::function<absl::StatusOr<T>(postgres::Session&)>;

// The subscription that a call has made or changed, and whether an earlier one did.
struct Answer {
  Subscription subscription;
  bool repeated = false;
};

absl::StatusOr<Answer> AnswerOf(postgres::Session& session, const TenantId& tenant, const Outcome& outcome) {
  std::optional<Subscription> subscription =
      ReadSubscription(session, tenant, SubscriptionId::Trusted(outcome.result));
  if (!subscription) return SubscriptionNotFound();
  return Answer{.subscription = *std::move(subscription), .repeated = outcome.repeated};
}

async::Task<absl::StatusOr<Subscription>> Changed(postgres::Pool& pool, const RequestContext& context,
                                                  const std::string& id_text, AuditAction action,
                                                  Change change) {
  CO_ASSIGN_OR_RETURN(const SubscriptionId id, SubscriptionIdFromProto(id_text));
  Work<Subscription> work = [&](postgres::Session& session) {
    return ChangeSubscription(session, context, id, action, change);
  };
  co_return co_await pool.Transact<Subscription>(context, std::move(work));
}

}  // namespace

void SubscriptionRpc::Serve(rpc::Server& server) {
  const std::string_view service = "commerce.webhook.v1.Webhooks";
  server.Handle(service, "CreateSubscription", *this, &SubscriptionRpc::CreateSubscription);
  server.Handle(service, "GetSubscription", *this, &SubscriptionRpc::GetSubscription);
  server.Handle(service, "ListSubscriptions", *this, &SubscriptionRpc::ListSubscriptions);
  server.Handle(service, "UpdateSubscription", *this, &SubscriptionRpc::UpdateSubscription);
  server.Handle(service, "DeleteSubscription", *this, &SubscriptionRpc::DeleteSubscription);
  server.Handle(service, "PauseSubscription", *this, &SubscriptionRpc::PauseSubscription);
  server.Handle(service, "ResumeSubscription", *this, &SubscriptionRpc::ResumeSubscription);
  server.Handle(service, "RotateSecret", *this, &SubscriptionRpc::RotateSecret);
  server.Handle(service, "ListAuditRecords", *this, &SubscriptionRpc::ListAuditRecords);
}

rpc::Reply<pb::Subscription> SubscriptionRpc::CreateSubscription(
    rpc::Call<pb::CreateSubscriptionRequest> call) {
  const RequestContext& context = call.context();
  CO_ASSIGN_OR_RETURN(const Subscription wanted, FromProto(call.request(), context.tenant, addresses_));
  Work<Answer> create = [&](postgres::Session& session) -> absl::StatusOr<Answer> {
    const auto store = [&]() -> absl::StatusOr<std::string> {
      RETURN_IF_ERROR(webhook::CreateSubscription(session, context, wanted).status());
      return wanted.id.str();
    };
    ASSIGN_OR_RETURN(const Outcome outcome, OncePerKey(session, context, call.request(), store));
    return AnswerOf(session, context.tenant, outcome);
  };
  CO_ASSIGN_OR_RETURN(const Answer answer, co_await pool_.Transact<Answer>(context, std::move(create)));
  if (answer.repeated) call.MarkReplayed();
  co_return ToProtoWithSecret(answer.subscription);
}

rpc::Reply<pb::Subscription> SubscriptionRpc::GetSubscription(rpc::Call<pb::GetSubscriptionRequest> call) {
  const RequestContext& context = call.context();
  CO_ASSIGN_OR_RETURN(const SubscriptionId id, SubscriptionIdFromProto(call.request().subscription_id()));
  Work<Subscription> read = [&](postgres::Session& session) -> absl::StatusOr<Subscription> {
    std::optional<Subscription> subscription = ReadSubscription(session, context.tenant, id);
    if (!subscription) return SubscriptionNotFound();
    return *std::move(subscription);
  };
  CO_ASSIGN_OR_RETURN(const Subscription subscription,
                      co_await pool_.Read<Subscription>(context, std::move(read)));
  co_return ToProto(subscription);
}

rpc::Reply<pb::ListSubscriptionsResponse> SubscriptionRpc::ListSubscriptions(
    rpc::Call<pb::ListSubscriptionsRequest> call) {
  const RequestContext& context = call.context();
  CO_ASSIGN_OR_RETURN(const int page_size, PageSize(call.request().page_size()));
  CO_ASSIGN_OR_RETURN(const SubscriptionId after, SubscriptionBefore(call.request().page_token()));
  using Subscriptions = std::vector<Subscription>;
  // One more tells whether there is a next page.
  Work<Subscriptions> list = [&](postgres::Session& session) -> absl::StatusOr<Subscriptions> {
    return webhook::ListSubscriptions(session, context.tenant, after, page_size + 1);
  };
  CO_ASSIGN_OR_RETURN(Subscriptions found, co_await pool_.Read<Subscriptions>(context, std::move(list)));
  pb::ListSubscriptionsResponse response;
  if (found.size() > static_cast<std::size_t>(page_size)) {
    found.pop_back();
    response.set_next_page_token(TokenOf(found.back().id));
  }
  for (const Subscription& subscription : found) *response.add_subscriptions() = ToProto(subscription);
  co_return response;
}

rpc::Reply<pb::Subscription> SubscriptionRpc::UpdateSubscription(
    rpc::Call<pb::UpdateSubscriptionRequest> call) {
  CO_ASSIGN_OR_RETURN(const SubscriptionChange wanted, FromProto(call.request(), addresses_));
  Change update = [&](Subscription& subscription, absl::Time) -> absl::StatusOr<std::string> {
    std::string changed = Update(subscription, wanted);
    RETURN_IF_ERROR(CheckStores(subscription));
    return changed;
  };
  CO_ASSIGN_OR_RETURN(const Subscription updated,
                      co_await Changed(pool_, call.context(), call.request().subscription_id(),
                                       AuditAction::kUpdated, std::move(update)));
  co_return ToProto(updated);
}

rpc::Reply<pb::DeleteSubscriptionResponse> SubscriptionRpc::DeleteSubscription(
    rpc::Call<pb::DeleteSubscriptionRequest> call) {
  const RequestContext& context = call.context();
  CO_ASSIGN_OR_RETURN(const SubscriptionId id, SubscriptionIdFromProto(call.request().subscription_id()));
  Work<bool> remove = [&](postgres::Session& session) -> absl::StatusOr<bool> {
    RETURN_IF_ERROR(webhook::DeleteSubscription(session, context, id));
    return true;
  };
  CO_RETURN_IF_ERROR((co_await pool_.Transact<bool>(context, std::move(remove))).status());
  co_return pb::DeleteSubscriptionResponse();
}

rpc::Reply<pb::Subscription> SubscriptionRpc::PauseSubscription(
    rpc::Call<pb::PauseSubscriptionRequest> call) {
  Change pause = [](Subscription& subscription, absl::Time) { return Pause(subscription); };
  CO_ASSIGN_OR_RETURN(const Subscription paused,
                      co_await Changed(pool_, call.context(), call.request().subscription_id(),
                                       AuditAction::kPaused, std::move(pause)));
  co_return ToProto(paused);
}

rpc::Reply<pb::Subscription> SubscriptionRpc::ResumeSubscription(
    rpc::Call<pb::ResumeSubscriptionRequest> call) {
  const RequestContext& context = call.context();
  CO_ASSIGN_OR_RETURN(const SubscriptionId id, SubscriptionIdFromProto(call.request().subscription_id()));
  Work<Subscription> resume = [&](postgres::Session& session) {
    return webhook::ResumeSubscription(session, context, id);
  };
  CO_ASSIGN_OR_RETURN(const Subscription resumed,
                      co_await pool_.Transact<Subscription>(context, std::move(resume)));
  co_return ToProto(resumed);
}

rpc::Reply<pb::Subscription> SubscriptionRpc::RotateSecret(rpc::Call<pb::RotateSecretRequest> call) {
  const RequestContext& context = call.context();
  CO_ASSIGN_OR_RETURN(const SubscriptionId id, SubscriptionIdFromProto(call.request().subscription_id()));
  CO_ASSIGN_OR_RETURN(const absl::Duration overlap, FromProto(call.request()));
  const Change rotate = [&](Subscription& subscription, absl::Time now) {
    return Rotate(subscription, NewSecret(), overlap, now);
  };
  Work<Answer> change = [&](postgres::Session& session) -> absl::StatusOr<Answer> {
    const auto store = [&]() -> absl::StatusOr<std::string> {
      RETURN_IF_ERROR(ChangeSubscription(session, context, id, AuditAction::kSecretRotated, rotate).status());
      return id.str();
    };
    ASSIGN_OR_RETURN(const Outcome outcome, OncePerKey(session, context, call.request(), store));
    return AnswerOf(session, context.tenant, outcome);
  };
  CO_ASSIGN_OR_RETURN(const Answer answer, co_await pool_.Transact<Answer>(context, std::move(change)));
  if (answer.repeated) call.MarkReplayed();
  co_return ToProtoWithSecret(answer.subscription);
}

rpc::Reply<pb::ListAuditRecordsResponse> SubscriptionRpc::ListAuditRecords(
    rpc::Call<pb::ListAuditRecordsRequest> call) {
  const RequestContext& context = call.context();
  CO_ASSIGN_OR_RETURN(const SubscriptionId id, SubscriptionIdFromProto(call.request().subscription_id()));
  CO_ASSIGN_OR_RETURN(const int page_size, PageSize(call.request().page_size()));
  CO_ASSIGN_OR_RETURN(const std::int64_t before, NumberBefore(call.request().page_token()));
  using Records = std::vector<AuditRecord>;
  Work<Records> list = [&](postgres::Session& session) -> absl::StatusOr<Records> {
    return ListAudit(session, context.tenant, id, before, page_size + 1);
  };
  CO_ASSIGN_OR_RETURN(Records found, co_await pool_.Read<Records>(context, std::move(list)));
  // Each has the record of its creation, also when it was deleted since.
  if (found.empty() && before == 0) co_return SubscriptionNotFound();
  pb::ListAuditRecordsResponse response;
  if (found.size() > static_cast<std::size_t>(page_size)) {
    found.pop_back();
    response.set_next_page_token(TokenOf(found.back().number));
  }
  for (const AuditRecord& record : found) *response.add_records() = ToProto(record);
  co_return response;
}

}  // namespace bv::webhook
