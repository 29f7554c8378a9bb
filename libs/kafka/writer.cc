#include "libs/kafka/writer.h"

#include <poll.h>

#include "libs/base/clock.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"

namespace bv::kafka {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(10);
// A message as large as a topic takes, and the headers that come to it.
constexpr int kMessageBytesMax = 2 << 20;

}  // namespace

Writer::Writer(const ConsumerSettings& settings, std::string client_id)
    : settings_{.brokers = settings.brokers,
                .client_id = std::move(client_id),
                .compression = "lz4",
                .linger = absl::ZeroDuration(),
                .message_bytes_max = kMessageBytesMax,
                .request_timeout = kPatience / 2} {}

Writer::~Writer() = default;

absl::Status Writer::Write(std::span<const Record> records) {
  if (records.empty()) return absl::OkStatus();
  absl::Status written = Connect();
  if (written.ok()) written = Send(records);
  // With what it may still hold: the caller writes it again.
  if (!written.ok()) producer_.reset();
  return written;
}

absl::Status Writer::Connect() {
  if (producer_ != nullptr) return absl::OkStatus();
  waiting_ = 0;
  failed_ = absl::OkStatus();
  ASSIGN_OR_RETURN(producer_, Producer::Create(settings_, [this](const Delivery& delivery) {
                     --waiting_;
                     failed_.Update(delivery.status);
                   }));
  return absl::OkStatus();
}

absl::Status Writer::Send(std::span<const Record> records) {
  const absl::Time deadline = MonotonicNow() + kPatience;
  for (const Record& record : records) {
    RETURN_IF_ERROR(producer_->Warm(record.topic, absl::Now() + (deadline - MonotonicNow())));
    RETURN_IF_ERROR(Produce(record, deadline));
  }
  while (waiting_ > 0 && failed_.ok()) RETURN_IF_ERROR(WaitForReports(deadline));
  return failed_;
}

absl::Status Writer::Produce(const Record& record, absl::Time deadline) {
  while (failed_.ok()) {
    const absl::Status taken = producer_->Produce(record);
    if (taken.ok()) ++waiting_;
    if (!absl::IsResourceExhausted(taken)) return taken;
    RETURN_IF_ERROR(WaitForReports(deadline));
  }
  return failed_;
}

absl::Status Writer::WaitForReports(absl::Time deadline) {
  const absl::Duration left = deadline - MonotonicNow();
  if (left <= absl::ZeroDuration()) return Unavailable("RECORD_UNANSWERED", "no acknowledgement of a record");
  pollfd waiting{.fd = producer_->event_fd(), .events = POLLIN, .revents = 0};
  poll(&waiting, 1, static_cast<int>(absl::ToInt64Milliseconds(absl::Ceil(left, absl::Milliseconds(1)))));
  producer_->Poll();
  return absl::OkStatus();
}

}  // namespace bv::kafka
