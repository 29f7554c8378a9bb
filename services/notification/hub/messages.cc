#include "services/notification/hub/messages.h"

#include <absl/strings/str_cat.h>

#include "libs/base/error.h"
#include "libs/base/strings.h"
#include "libs/json/json.h"

namespace bv::notification {
namespace {

template <class... Parts>
Text Make(const Parts&... parts) {
  return std::make_shared<const std::string>(Concat(parts...));
}

std::string Quoted(std::string_view text) {
  std::string quoted;
  json::AppendString(text, quoted);
  return quoted;
}

}  // namespace

// Ids and cursors that come from here need no escapes; an order's id is checked when it comes in.

Text OrderSnapshotMessage(std::int64_t version, std::string_view order_json) {
  return Make(R"({"type":"snapshot","seq":)", version, R"(,"order":)", order_json, "}");
}

Text OrderSubscribedMessage(std::string_view order_id, std::int64_t after) {
  return Make(R"({"type":"subscribed","orderId":")", order_id, R"(","seq":)", after, "}");
}

Text OrderUnsubscribedMessage(std::string_view order_id) {
  return Make(R"({"type":"unsubscribed","orderId":")", order_id, R"("})");
}

Text OrderEventMessage(const OrderEvent& event) {
  return Make(R"({"type":"event","seq":)", event.seq(), R"(,"event":)", event.text, "}");
}

Text UserSubscribedMessage(std::string_view seq) {
  return Make(R"({"type":"subscribed","channel":"me","seq":")", seq, R"("})");
}

Text UserUnsubscribedMessage() {
  return Make(R"({"type":"unsubscribed","channel":"me"})");
}

Text UserResetMessage(std::string_view seq) {
  return Make(R"({"type":"reset","channel":"me","seq":")", seq, R"("})");
}

Text UserPositionMessage(std::string_view seq) {
  return Make(R"({"type":"position","channel":"me","seq":")", seq, R"("})");
}

Text UserEventMessage(const OrderEvent& event, std::string_view seq) {
  return Make(R"({"type":"event","channel":"me","seq":")", seq, R"(","event":)", event.text, "}");
}

Text ErrorMessage(const absl::Status& status, std::string_view order_id) {
  const ErrorDetail error = GetErrorDetail(status);
  const std::string code = error.reason.empty() ? absl::StatusCodeToString(status.code()) : error.reason;
  const std::string detail =
      error.field.empty() ? std::string(status.message()) : Concat(error.field, ": ", status.message());
  const std::string about = order_id.empty() ? "" : Concat(R"(,"orderId":)", Quoted(order_id));
  return Make(R"({"type":"error","code":)", Quoted(code), R"(,"detail":)", Quoted(detail), about, "}");
}

Text ReconnectMessage(absl::Duration after) {
  return Make(R"({"type":"reconnect","afterMillis":)", absl::ToInt64Milliseconds(after), "}");
}

}  // namespace bv::notification
