#include "services/mailer/rpc/convert.h"

#include <absl/strings/match.h>

#include <algorithm>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/rpc/timestamp.h"

namespace bv::mailer {
namespace {

namespace pb = commerce::mail::v1;

constexpr std::size_t kNameMax = 100;
constexpr std::size_t kUrlMax = 2'000;

absl::Status CheckName(const std::string& name) {
  RETURN_IF_ERROR(CheckText(name, 1, kNameMax, "name"));
  // Of control characters CheckText lets line breaks and tabs pass.
  const bool breaks = std::ranges::any_of(name, [](char c) { return c == '\n' || c == '\r' || c == '\t'; });
  return breaks ? InvalidValue("name", "must be one line") : absl::OkStatus();
}

absl::Status CheckUnsubscribeUrl(const std::string& url) {
  if (url.empty()) return absl::OkStatus();
  const bool clean = std::ranges::all_of(
      url, [](char c) { return c > ' ' && c <= '~' && c != '<' && c != '>' && c != '"'; });
  if (!clean || url.size() > kUrlMax || !absl::StartsWith(url, "https://"))
    return InvalidValue("unsubscribeUrl", "must be an https URL of at most 2,000 characters");
  if (!absl::StrContains(url, "{token}")) return InvalidValue("unsubscribeUrl", "must have {token} in it");
  return absl::OkStatus();
}

pb::MailStatus ToProtoStatus(const std::string& word) {
  const std::optional<Status> status = StatusOf(word);
  // The enums have the same order; the contract's begins with UNSPECIFIED.
  return status ? static_cast<pb::MailStatus>(static_cast<int>(*status) + 1) : pb::MAIL_STATUS_UNSPECIFIED;
}

}  // namespace

absl::StatusOr<Sender> FromProto(const pb::SetSenderRequest& request) {
  RETURN_IF_ERROR(Email::Parse(request.email(), "email").status());
  RETURN_IF_ERROR(CheckName(request.name()));
  if (!request.reply_to().empty()) RETURN_IF_ERROR(Email::Parse(request.reply_to(), "replyTo").status());
  RETURN_IF_ERROR(CheckUnsubscribeUrl(request.unsubscribe_url()));
  return Sender{.email = request.email(),
                .name = request.name(),
                .reply_to = request.reply_to(),
                .unsubscribe_url = request.unsubscribe_url(),
                .updated_at = {}};
}

absl::Status CheckSuppressionReason(const std::string& reason) {
  if (reason == "UNSUBSCRIBED" || reason == "BOUNCED" || reason == "COMPLAINED") return absl::OkStatus();
  return InvalidValue("reason", "must be UNSUBSCRIBED, BOUNCED or COMPLAINED");
}

pb::Sender ToProto(const Sender& sender) {
  pb::Sender response;
  response.set_email(sender.email);
  response.set_name(sender.name);
  response.set_reply_to(sender.reply_to);
  response.set_unsubscribe_url(sender.unsubscribe_url);
  *response.mutable_updated_at() = rpc::ToTimestamp(sender.updated_at);
  return response;
}

pb::Mail ToProto(const Mail& mail) {
  pb::Mail response;
  response.set_mail_id(mail.id.str());
  response.set_kind(mail.kind);
  response.set_status(ToProtoStatus(mail.status));
  response.set_attempts(mail.attempts);
  response.set_detail(mail.detail);
  *response.mutable_created_at() = rpc::ToTimestamp(mail.created_at);
  if (mail.ended_at) *response.mutable_ended_at() = rpc::ToTimestamp(*mail.ended_at);
  return response;
}

pb::AddressState ToProto(const std::optional<Suppression>& suppression) {
  pb::AddressState response;
  if (!suppression) return response;
  response.set_suppressed(true);
  response.set_reason(suppression->reason);
  *response.mutable_since() = rpc::ToTimestamp(suppression->since);
  return response;
}

}  // namespace bv::mailer
