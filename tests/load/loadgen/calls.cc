#include "tests/load/loadgen/calls.h"

#include "libs/base/error.h"
#include "libs/base/id.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/rpc/status.h"

namespace bv::load {
namespace {

namespace pb = commerce::inventory::v1;
using SystemTime = std::chrono::system_clock::time_point;

// gRPC's deadlines are of the system's clock.
SystemTime ToSystem(Moment moment) {
  if (moment == Moment::max()) return SystemTime::max();
  return std::chrono::system_clock::now() +
         std::chrono::duration_cast<std::chrono::system_clock::duration>(moment - Clock::now());
}

std::string OutcomeOf(const grpc::Status& status) {
  if (status.ok()) return "OK";
  const absl::Status error = rpc::FromGrpc(status);
  const std::string reason = ErrorReason(error);
  return reason.empty() ? absl::StatusCodeToString(error.code()) : reason;
}

}  // namespace

struct Calls::Call {
  grpc::ClientContext context;
  pb::ReserveResponse response;
  grpc::Status status;
  std::unique_ptr<grpc::ClientAsyncResponseReader<pb::ReserveResponse>> reader;
  Moment due;
};

Calls::Calls(const Target& target, std::size_t first_buyer, std::size_t step)
    : target_(target), step_(step), buyer_(first_buyer) {
  for (const std::string& token : target.tokens) credentials_.push_back("Bearer " + token);
  for (int i = 0; i < target.connections; ++i) {
    grpc::ChannelArguments arguments;
    // Channels to one address share a connection otherwise.
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    channels_.push_back(
        grpc::CreateCustomChannel(target.address, grpc::InsecureChannelCredentials(), arguments));
    stubs_.push_back(pb::Inventory::NewStub(channels_.back()));
  }
}

Calls::~Calls() {
  while (in_flight_ > 0) Next(Moment::max());
  queue_.Shutdown();
}

absl::Status Calls::Connect(std::chrono::seconds within) {
  for (const auto& channel : channels_) {
    if (!channel->WaitForConnected(std::chrono::system_clock::now() + within)) {
      return Unavailable("PEER_UNAVAILABLE", Concat("nobody answers at ", target_.address));
    }
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

  auto call = std::make_unique<Call>();
  call->due = due;
  call->context.AddMetadata("authorization", credentials_[buyer_ % credentials_.size()]);
  buyer_ += step_;
  call->context.set_deadline(std::chrono::system_clock::now() + target_.timeout);
  call->reader = stubs_[turn_++ % stubs_.size()]->AsyncReserveStock(&call->context, request, &queue_);
  Call* const tag = call.release();  // comes back from the queue
  tag->reader->Finish(&tag->response, &tag->status, tag);
  ++in_flight_;
}

std::optional<EndedCall> Calls::Next(Moment until) {
  if (in_flight_ == 0 && until == Moment::max()) return std::nullopt;
  void* tag = nullptr;
  bool ok = false;
  if (queue_.AsyncNext(&tag, &ok, ToSystem(until)) != grpc::CompletionQueue::GOT_EVENT) return std::nullopt;
  const std::unique_ptr<Call> call(static_cast<Call*>(tag));
  --in_flight_;
  return EndedCall{.outcome = OutcomeOf(call->status), .due = call->due, .at = Clock::now()};
}

absl::StatusOr<std::vector<std::unique_ptr<Calls>>> ConnectThreads(const Target& target, int threads) {
  std::vector<std::unique_ptr<Calls>> connected;
  for (int i = 0; i < threads; ++i) {
    connected.push_back(
        std::make_unique<Calls>(target, static_cast<std::size_t>(i), static_cast<std::size_t>(threads)));
    RETURN_IF_ERROR(connected.back()->Connect(std::chrono::seconds(10)));
  }
  return connected;
}

}  // namespace bv::load
