#include "tests/load/loadgen/calls.h"

#include <poll.h>

#include <algorithm>

#include "commerce/inventory/v1/service.pb.h"
#include "libs/base/error.h"
#include "libs/base/id.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/rpc/status.h"

namespace bv::load {
namespace {

namespace pb = commerce::inventory::v1;
// How long to poll, 0 to a second; rounded up, so that nobody spins until then.
int PollMilliseconds(Moment until) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 1000));
}

std::string OutcomeOf(const grpc::Status& status) {
  if (status.ok()) return "OK";
  const absl::Status error = rpc::FromGrpc(status);
  const std::string reason = ErrorReason(error);
  return reason.empty() ? absl::StatusCodeToString(error.code()) : reason;
}

}  // namespace

Calls::Calls(const Target& target, std::size_t first_buyer, std::size_t step)
    : target_(target),
      method_{.address = target.address,
              .path = "/commerce.inventory.v1.Inventory/ReserveStock",
              .timeout = target.timeout},
      step_(step),
      buyer_(first_buyer) {
  for (const std::string& token : target.tokens) credentials_.push_back("Bearer " + token);
}

Calls::~Calls() {
  while (in_flight_ > 0) Next(Moment::max());
}

absl::Status Calls::Connect() {
  const auto ended = [this](Moment due, const grpc::Status& status) {
    ended_.push_back({.outcome = OutcomeOf(status), .due = due, .at = Clock::now()});
  };
  for (int i = 0; i < target_.connections; ++i) {
    ASSIGN_OR_RETURN(auto connection, Connection::Open(method_, ended));
    connections_.push_back(std::move(connection));
  }
  return absl::OkStatus();
}

void Calls::Start(const std::string& sku, Moment due) {
  pb::ReserveRequest request;
  // Ids as orders have them: new ones sort behind the old.
  request.set_reservation_id(OrderId::New().str());
  pb::ReserveLine* line = request.add_lines();
  line->set_sku(sku);
  line->set_qty(1);
  request.set_hold_seconds(target_.hold_seconds);
  ++in_flight_;
  connections_[turn_++ % connections_.size()]->Start(credentials_[buyer_ % credentials_.size()],
                                                     request.SerializeAsString(), due);
  buyer_ += step_;
}

std::optional<EndedCall> Calls::Next(Moment until) {
  while (ended_.empty()) {
    if (in_flight_ == 0 && until == Moment::max()) return std::nullopt;
    Poll(until);
    if (ended_.empty() && Clock::now() >= until) return std::nullopt;
  }
  EndedCall ended = std::move(ended_.front());
  ended_.pop_front();
  --in_flight_;
  return ended;
}

void Calls::Poll(Moment until) {
  std::vector<pollfd> waiting;
  for (const auto& connection : connections_) {
    connection->Flush();
    const auto events = static_cast<short>(POLLIN | (connection->is_writing() ? POLLOUT : 0));
    waiting.push_back({.fd = connection->fd(), .events = events, .revents = 0});
  }
  if (!ended_.empty()) return;
  poll(waiting.data(), waiting.size(), PollMilliseconds(until));
  for (std::size_t i = 0; i < waiting.size(); ++i) {
    if ((waiting[i].revents & ~POLLOUT) != 0) connections_[i]->Read();
  }
}

absl::StatusOr<std::vector<std::unique_ptr<Calls>>> ConnectThreads(const Target& target, int threads) {
  std::vector<std::unique_ptr<Calls>> connected;
  for (int i = 0; i < threads; ++i) {
    connected.push_back(
        std::make_unique<Calls>(target, static_cast<std::size_t>(i), static_cast<std::size_t>(threads)));
    RETURN_IF_ERROR(connected.back()->Connect());
  }
  return connected;
}

}  // namespace bv::load
