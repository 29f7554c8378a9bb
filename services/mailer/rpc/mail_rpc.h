// The service commerce.mail.v1.Mails.
#pragma once

#include "commerce/mail/v1/service.pb.h"
#include "libs/config/config.h"
#include "libs/postgres/postgres.h"
#include "libs/rpc/server.h"

namespace bv::mailer {

namespace pb = commerce::mail::v1;

class MailRpc {
 public:
  MailRpc(postgres::Pool& pool, config::Secret link_secret)
      : pool_(pool), link_secret_(std::move(link_secret)) {}

  void Serve(rpc::Server& server);

  rpc::Reply<pb::Sender> GetSender(rpc::Call<pb::GetSenderRequest> call);
  rpc::Reply<pb::Sender> SetSender(rpc::Call<pb::SetSenderRequest> call);
  rpc::Reply<pb::RemoveSenderResponse> RemoveSender(rpc::Call<pb::RemoveSenderRequest> call);
  rpc::Reply<pb::ListMailsResponse> ListMails(rpc::Call<pb::ListMailsRequest> call);
  rpc::Reply<pb::UnsubscribeResponse> Unsubscribe(rpc::Call<pb::UnsubscribeRequest> call);
  rpc::Reply<pb::AddressState> CheckAddress(rpc::Call<pb::CheckAddressRequest> call);
  rpc::Reply<pb::AddressState> SuppressAddress(rpc::Call<pb::SuppressAddressRequest> call);
  rpc::Reply<pb::AddressState> AllowAddress(rpc::Call<pb::AllowAddressRequest> call);

 private:
  postgres::Pool& pool_;
  const config::Secret link_secret_;
};

}  // namespace bv::mailer
