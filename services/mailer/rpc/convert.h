// Requests to values, rows to answers.
#pragma once

#include <absl/status/statusor.h>

#include "commerce/mail/v1/service.pb.h"
#include "services/mailer/store/mail_rows.h"

namespace bv::mailer {

// INVALID_ARGUMENT names the field.
absl::StatusOr<Sender> FromProto(const commerce::mail::v1::SetSenderRequest& request);
absl::Status CheckSuppressionReason(const std::string& reason);

commerce::mail::v1::Sender ToProto(const Sender& sender);
commerce::mail::v1::Mail ToProto(const Mail& mail);
commerce::mail::v1::AddressState ToProto(const std::optional<Suppression>& suppression);

}  // namespace bv::mailer
