#include "libs/rpc/pulse.h"

#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>

#include <chrono>

namespace bv::rpc {
namespace {

constexpr std::chrono::milliseconds kPeriod{500};

// Without credentials a channel is one on which every call fails at once, without a network; all that is
// wanted of a call is that it ends.
std::shared_ptr<grpc::Channel> ChannelToNowhere() {
  return grpc::CreateChannel("", nullptr);
}

}  // namespace

Pulse::Pulse() : stub_(ChannelToNowhere()) {
  const grpc::Slice nothing;
  request_ = grpc::ByteBuffer(&nothing, 1);
  Arm();
}

Pulse::~Pulse() {
  {
    const absl::MutexLock lock(&mutex_);
    is_ending_ = true;
  }
  alarm_->Cancel();
  const absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(&has_ended_));
}

void Pulse::Arm() {
  const absl::MutexLock lock(&mutex_);
  has_ended_ = is_ending_;
  if (has_ended_) return;
  alarm_.emplace();
  alarm_->Set(std::chrono::system_clock::now() + kPeriod, [this](bool) { Beat(); });
}

void Pulse::Beat() {
  {
    const absl::MutexLock lock(&mutex_);
    has_ended_ = is_ending_;
    if (has_ended_) return;
  }
  context_.emplace();
  stub_.UnaryCall(&*context_, "/none/None", {}, &request_, &response_,
                  [this](const grpc::Status&) { Arm(); });
}

}  // namespace bv::rpc
