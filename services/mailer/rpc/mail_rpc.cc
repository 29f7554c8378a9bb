#include "services/mailer/rpc/mail_rpc.h"

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/values.h"
#include "services/mailer/addresses/address_hash.h"
#include "services/mailer/addresses/unsubscribe_token.h"
#include "services/mailer/rpc/convert.h"
#include "services/mailer/rpc/record.h"

namespace bv::mailer {
namespace {

absl::StatusOr<Suppression> Suppress(postgres::Session& session, const RequestContext& context,
                                     const std::string& hash, const std::string& reason) {
  const std::optional<Suppression> before = ReadSuppression(session, context.tenant, hash);
  const Suppression kept = WriteSuppression(session, context.tenant, hash, reason);
  RETURN_IF_ERROR(RecordAddress(session, context, hash, before, kept));
  return kept;
}

}  // namespace

void MailRpc::Serve(rpc::Server& server) {
  const std::string_view service = "commerce.mail.v1.Mails";
  server.Handle(service, "GetSender", *this, &MailRpc::GetSender);
  server.Handle(service, "SetSender", *this, &MailRpc::SetSender);
  server.Handle(service, "RemoveSender", *this, &MailRpc::RemoveSender);
  server.Handle(service, "ListMails", *this, &MailRpc::ListMails);
  server.Handle(service, "Unsubscribe", *this, &MailRpc::Unsubscribe);
  server.Handle(service, "CheckAddress", *this, &MailRpc::CheckAddress);
  server.Handle(service, "SuppressAddress", *this, &MailRpc::SuppressAddress);
  server.Handle(service, "AllowAddress", *this, &MailRpc::AllowAddress);
}

rpc::Reply<pb::Sender> MailRpc::GetSender(rpc::Call<pb::GetSenderRequest> call) {
  const RequestContext& context = call.context();
  std::function<absl::StatusOr<Sender>(postgres::Session&)> read =
      [&](postgres::Session& session) -> absl::StatusOr<Sender> {
    std::optional<Sender> sender = ReadSender(session, context.tenant);
    if (!sender) return NotFound("SENDER_NOT_SET", "no mails are sent before a sender is set");
    return *std::move(sender);
  };
  CO_ASSIGN_OR_RETURN(const Sender sender, co_await pool_.Read<Sender>(context, std::move(read)));
  co_return ToProto(sender);
}

rpc::Reply<pb::Sender> MailRpc::SetSender(rpc::Call<pb::SetSenderRequest> call) {
  const RequestContext& context = call.context();
  CO_ASSIGN_OR_RETURN(const Sender asked, FromProto(call.request()));
  std::function<absl::StatusOr<Sender>(postgres::Session&)> write =
      [&](postgres::Session& session) -> absl::StatusOr<Sender> {
    const std::optional<Sender> before = LockSender(session, context.tenant);
    const Sender after = WriteSender(session, context.tenant, asked);
    RETURN_IF_ERROR(RecordSender(session, context, before, after));
    return after;
  };
  CO_ASSIGN_OR_RETURN(const Sender sender, co_await pool_.Transact<Sender>(context, std::move(write)));
  co_return ToProto(sender);
}

rpc::Reply<pb::RemoveSenderResponse> MailRpc::RemoveSender(rpc::Call<pb::RemoveSenderRequest> call) {
  const RequestContext& context = call.context();
  std::function<absl::StatusOr<bool>(postgres::Session&)> remove =
      [&](postgres::Session& session) -> absl::StatusOr<bool> {
    const std::optional<Sender> before = LockSender(session, context.tenant);
    DeleteSender(session, context.tenant);
    RETURN_IF_ERROR(RecordSender(session, context, before, std::nullopt));
    return true;
  };
  CO_RETURN_IF_ERROR((co_await pool_.Transact<bool>(context, std::move(remove))).status());
  co_return pb::RemoveSenderResponse();
}

rpc::Reply<pb::ListMailsResponse> MailRpc::ListMails(rpc::Call<pb::ListMailsRequest> call) {
  using Mails = std::vector<Mail>;
  const RequestContext& context = call.context();
  CO_ASSIGN_OR_RETURN(const OrderId order, OrderId::Parse(call.request().order_id(), "orderId"));
  std::function<absl::StatusOr<Mails>(postgres::Session&)> read =
      [&](postgres::Session& session) -> absl::StatusOr<Mails> {
    return ReadMailsOf(session, context.tenant, order);
  };
  CO_ASSIGN_OR_RETURN(const Mails mails, co_await pool_.Read<Mails>(context, std::move(read)));
  pb::ListMailsResponse response;
  for (const Mail& mail : mails) *response.add_mails() = ToProto(mail);
  co_return response;
}

rpc::Reply<pb::UnsubscribeResponse> MailRpc::Unsubscribe(rpc::Call<pb::UnsubscribeRequest> call) {
  const RequestContext& context = call.context();
  CO_ASSIGN_OR_RETURN(const std::string hash,
                      ReadUnsubscribeToken(link_secret_, context.tenant, call.request().token()));
  std::function<absl::StatusOr<bool>(postgres::Session&)> write =
      [&](postgres::Session& session) -> absl::StatusOr<bool> {
    RETURN_IF_ERROR(Suppress(session, context, hash, "UNSUBSCRIBED").status());
    return true;
  };
  CO_RETURN_IF_ERROR((co_await pool_.Transact<bool>(context, std::move(write))).status());
  co_return pb::UnsubscribeResponse();
}

rpc::Reply<pb::AddressState> MailRpc::CheckAddress(rpc::Call<pb::CheckAddressRequest> call) {
  using Found = std::optional<Suppression>;
  const RequestContext& context = call.context();
  CO_ASSIGN_OR_RETURN(const Email email, Email::Parse(call.request().email()));
  std::function<absl::StatusOr<Found>(postgres::Session&)> read =
      [&](postgres::Session& session) -> absl::StatusOr<Found> {
    return ReadSuppression(session, context.tenant, AddressHash(context.tenant, email));
  };
  CO_ASSIGN_OR_RETURN(const Found found, co_await pool_.Read<Found>(context, std::move(read)));
  co_return ToProto(found);
}

rpc::Reply<pb::AddressState> MailRpc::SuppressAddress(rpc::Call<pb::SuppressAddressRequest> call) {
  const RequestContext& context = call.context();
  CO_ASSIGN_OR_RETURN(const Email email, Email::Parse(call.request().email()));
  CO_RETURN_IF_ERROR(CheckSuppressionReason(call.request().reason()));
  std::function<absl::StatusOr<Suppression>(postgres::Session&)> write =
      [&](postgres::Session& session) -> absl::StatusOr<Suppression> {
    return Suppress(session, context, AddressHash(context.tenant, email), call.request().reason());
  };
  CO_ASSIGN_OR_RETURN(const Suppression kept,
                      co_await pool_.Transact<Suppression>(context, std::move(write)));
  co_return ToProto(kept);
}

rpc::Reply<pb::AddressState> MailRpc::AllowAddress(rpc::Call<pb::AllowAddressRequest> call) {
  const RequestContext& context = call.context();
  CO_ASSIGN_OR_RETURN(const Email email, Email::Parse(call.request().email()));
  std::function<absl::StatusOr<bool>(postgres::Session&)> write =
      [&](postgres::Session& session) -> absl::StatusOr<bool> {
    const std::string hash = AddressHash(context.tenant, email);
    const std::optional<Suppression> before = ReadSuppression(session, context.tenant, hash);
    DeleteSuppression(session, context.tenant, hash);
    RETURN_IF_ERROR(RecordAddress(session, context, hash, before, std::nullopt));
    return true;
  };
  CO_RETURN_IF_ERROR((co_await pool_.Transact<bool>(context, std::move(write))).status());
  co_return pb::AddressState();
}

}  // namespace bv::mailer
