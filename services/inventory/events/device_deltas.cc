#include "services/inventory/events/device_deltas.h"

#include <absl/time/clock.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>

#include "commerce/inventory/v1/events.pb.h"
#include "libs/async/all.h"
#include "libs/base/crash_point.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "services/inventory/events/answer.h"

namespace bv::inventory {
namespace {

// Of one batch in the lanes; after it the batch comes again.
constexpr absl::Duration kTimeout = absl::Seconds(30);
constexpr std::size_t kIdMax = 64;
// Keeps the ids of adjustments apart from those that are made of an Idempotency-Key.
constexpr char kDevice[] = "device";

absl::StatusOr<AdjustCommand> CommandOf(const events::Event& event) {
  commerce::inventory::v1::DeltaReported report;
  RETURN_IF_ERROR(event.envelope.ParsePayload(report));
  RETURN_IF_ERROR(CheckText(report.device_id(), 1, kIdMax, "payload.deviceId"));
  RETURN_IF_ERROR(CheckText(report.message_id(), 1, kIdMax, "payload.messageId"));
  AdjustCommand command{.user_id = Concat("device:", report.device_id()), .delta = report.delta()};
  ASSIGN_OR_RETURN(command.sku, SkuCode::Parse(report.sku(), "payload.sku"));
  ASSIGN_OR_RETURN(command.reason, ReasonCode::Parse(report.reason(), "payload.reason"));
  ASSIGN_OR_RETURN(
      command.location,
      LocationCode::Parse(report.location_code().empty() ? kDefaultLocation : report.location_code(),
                          "payload.locationCode"));
  if (command.delta == 0 || command.delta < -kOnHandMax || command.delta > kOnHandMax)
    return InvalidValue("payload.delta", Concat("must be -", kOnHandMax, " to ", kOnHandMax, " and not 0"));
  // The same message of a device is the same adjustment, however often it comes: the ledger knows it for
  // ever.
  command.adjustment_id = AdjustmentId::DerivedFrom(
      {event.context.tenant.str(), kDevice, report.device_id(), report.message_id()});
  return command;
}

prometheus::Counter& CounterOf(const char* outcome) {
  return telemetry::Counter("inventory_device_deltas_total", "Reports of devices that were decided.",
                            {{"outcome", outcome}});
}

}  // namespace

const std::string& DeviceDeltas::Topic() {
  return events::TypeOf<commerce::inventory::v1::DeltaReported>().topic;
}

DeviceDeltas::DeviceDeltas(boost::asio::io_context& io, StockRoom& room, FindProduct find_product,
                           const kafka::ConsumerSettings& kafka, const std::string& group,
                           const std::string& topic)
    : io_(io),
      room_(room),
      find_product_(std::move(find_product)),
      counted_(CounterOf("counted")),
      refused_(CounterOf("refused")),
      consumer_(kafka,
                {.group = group,
                 .topics = {topic},
                 .types = events::TypeNames<commerce::inventory::v1::DeltaReported>()},
                [this](std::span<const events::Event> events) { return Handle(events); }) {}

absl::StatusOr<events::Answers> DeviceDeltas::Handle(std::span<const events::Event> events) {
  events::Answers answers = events::AllDone(events);
  const std::vector<Request> requests = Read(events, answers);
  CrashPoint("inventory.deltas.read");
  const auto outcomes = boost::asio::co_spawn(io_, Submit(requests), boost::asio::use_future).get();
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const absl::Status& status = outcomes[i].status();
    if (events::IsPassing(status)) return status;
    if (!status.ok()) answers[requests[i].number] = AnswerOf(status);
  }
  CrashPoint("inventory.deltas.stored");
  for (const events::Answer& answer : answers) {
    if (answer.kind() == events::Answer::Kind::kDone) counted_.Increment();
    if (answer.kind() == events::Answer::Kind::kRefused) refused_.Increment();
  }
  return answers;
}

std::vector<DeviceDeltas::Request> DeviceDeltas::Read(std::span<const events::Event> events,
                                                      events::Answers& answers) {
  std::vector<Request> requests;
  requests.reserve(events.size());
  for (std::size_t i = 0; i < events.size(); ++i) {
    absl::StatusOr<AdjustCommand> command = CommandOf(events[i]);
    if (!command.ok()) {
      answers[i] = events::Answer::Refused(command.status());
      continue;
    }
    RequestContext context = events[i].context;
    context.user_id = command->user_id;
    context.deadline = absl::Now() + kTimeout;
    requests.push_back({i, *std::move(command), std::move(context)});
  }
  return requests;
}

async::Task<std::vector<absl::StatusOr<Outcome>>> DeviceDeltas::Submit(const std::vector<Request>& requests) {
  std::vector<async::Task<absl::StatusOr<Outcome>>> tasks;
  tasks.reserve(requests.size());
  for (const Request& request : requests) tasks.push_back(Adjust(request.command, request.context));
  co_return co_await async::All(std::move(tasks));
}

async::Task<absl::StatusOr<Outcome>> DeviceDeltas::Adjust(AdjustCommand command, RequestContext context) {
  // What goes out was there, so its place is known.
  if (command.delta > 0) {
    CO_ASSIGN_OR_RETURN(command.product, co_await find_product_(context, command.sku));
  }
  co_return co_await room_.SubmitInBackground(std::move(command), std::move(context));
}

}  // namespace bv::inventory
