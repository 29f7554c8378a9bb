#include "libs/service/access_feed.h"

#include <utility>

#include "commerce/identity/v1/events.pb.h"
#include "libs/base/clock.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/events/envelope.h"
#include "libs/rpc/timestamp.h"
#include "libs/telemetry/telemetry.h"

namespace bv::service {
namespace {

namespace pb = commerce::identity::v1;

constexpr absl::Duration kLookInterval = absl::Seconds(1);
constexpr absl::Duration kKnownInterval = absl::Milliseconds(10);
// Brokers that are restarted are away for some seconds.
constexpr absl::Duration kAgeToWarn = absl::Seconds(15);

void Put(const pb::StaffChanged& change, const TenantId& tenant, auth::StaffDirectory& staff) {
  auth::StaffRecord record{.is_active = change.status() == pb::STAFF_STATUS_ACTIVE,
                           .version = change.version()};
  for (const pb::Grant& grant : change.grants()) {
    record.grants.push_back({.store = grant.store_code(),
                             .permissions = {grant.permissions().begin(), grant.permissions().end()}});
  }
  staff.Put(tenant, change.user_id(), std::move(record));
}

void Put(const pb::AccessRevoked& revoked, const TenantId& tenant, auth::RevocationList& revocations) {
  revocations.Add({.tenant = tenant,
                   .subject = revoked.subject(),
                   .token_id = revoked.token_id(),
                   .issued_until = rpc::FromTimestamp(revoked.issued_until()),
                   .forget_after = rpc::FromTimestamp(revoked.forget_after())});
}

}  // namespace

void AccessSettings::Bind(config::Binder& b) {
  b.Text("access.brokers", brokers, config::Presence::kOptional);
  b.Text("access.unknown_staff", unknown_staff);
}

AccessFeed::AccessFeed(boost::asio::io_context& io, AccessSettings settings, std::string_view service,
                       auth::Verifier& verifier)
    : AccessFeed(io, std::move(settings), service, verifier,
                 {events::TypeOf<pb::AccessRevoked>().topic, events::TypeOf<pb::StaffChanged>().topic}) {}

AccessFeed::AccessFeed(boost::asio::io_context& io, AccessSettings settings, std::string_view service,
                       auth::Verifier& verifier, std::vector<std::string> topics)
    : settings_(std::move(settings)),
      client_id_(Concat(service, "-access")),
      topics_(std::move(topics)),
      verifier_(verifier),
      look_(io, "access", kLookInterval,
            [this](std::stop_token) -> async::Task<absl::StatusOr<bool>> {
              Look();
              co_return false;
            }),
      age_(telemetry::Gauge("bv_access_feed_age_seconds",
                            "Since it was last known that no revocation is missing here.")) {}

AccessFeed::~AccessFeed() {
  Stop();
}

absl::Status AccessFeed::Start() {
  if (settings_.unknown_staff != "allow" && settings_.unknown_staff != "refuse")
    return InvalidValue("access.unknown_staff", "must be allow or refuse");
  verifier_.staff().AllowUnknown(settings_.unknown_staff == "allow");
  if (settings_.brokers.empty()) return absl::OkStatus();
  verifier_.SetAccessKnown(false);
  heard_at_ = MonotonicNow();
  kafka::ConsumerSettings kafka;
  kafka.brokers = settings_.brokers;
  follower_ = std::make_unique<kafka::Follower>(
      kafka,
      kafka::Follower::Options{
          .client_id = client_id_, .topics = topics_, .history = absl::InfiniteDuration()},
      [this](std::span<const kafka::Message> messages) { Take(messages); });
  RETURN_IF_ERROR(follower_->Start());
  look_.Start();
  return absl::OkStatus();
}

bool AccessFeed::AwaitKnown(const std::stop_token& stop) {
  while (!IsKnown()) {
    if (stop.stop_requested()) return false;
    absl::SleepFor(kKnownInterval);
  }
  return true;
}

void AccessFeed::Stop() {
  if (follower_ == nullptr) return;
  look_.Stop();
  follower_.reset();
}

bool AccessFeed::IsKnown() {
  const bool known = settings_.brokers.empty() || follower_->caught_up();
  if (known) verifier_.SetAccessKnown(true);
  return known;
}

void AccessFeed::Look() {
  const absl::Time now = MonotonicNow();
  if (follower_->caught_up()) heard_at_ = now;
  const absl::Duration age = now - heard_at_;
  age_.Set(absl::ToDoubleSeconds(age));
  if (age < kAgeToWarn) return;
  telemetry::LogLimited(telemetry::Level::kWarn, "newly revoked tokens are not heard of: Kafka is away",
                        {{"ageSeconds", absl::ToInt64Seconds(age)}});
}

void AccessFeed::Take(std::span<const kafka::Message> messages) {
  for (const kafka::Message& message : messages) {
    const absl::Status taken = TakeOne(message);
    if (taken.ok()) continue;
    telemetry::Log(telemetry::Level::kError, "an event of access is of no use",
                   {{"topic", message.topic},
                    {"partition", message.partition},
                    {"offset", message.offset},
                    {"error", taken}});
  }
}

absl::Status AccessFeed::TakeOne(const kafka::Message& message) {
  ASSIGN_OR_RETURN(const events::Event event, events::ReadEvent(message));
  if (event.envelope.Is<pb::AccessRevoked>()) {
    pb::AccessRevoked revoked;
    RETURN_IF_ERROR(event.envelope.ParsePayload(revoked));
    Put(revoked, event.context.tenant, verifier_.revocations());
  } else if (event.envelope.Is<pb::StaffChanged>()) {
    pb::StaffChanged change;
    RETURN_IF_ERROR(event.envelope.ParsePayload(change));
    Put(change, event.context.tenant, verifier_.staff());
  }
  return absl::OkStatus();
}

}  // namespace bv::service
