#include "services/webhook-dispatcher/store/subscription_book.h"

#include <algorithm>

#include "libs/base/clock.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/telemetry/telemetry.h"

namespace bv::webhook {
namespace {

constexpr int kPageRows = 1'000;
// Longer, and the book is not fresh any more anyway.
constexpr absl::Duration kStatementTimeout = absl::Seconds(5);

postgres::ConnectionSettings Impatient(postgres::ConnectionSettings connection) {
  connection.statement_timeout = kStatementTimeout;
  return connection;
}

}  // namespace

void SubscriptionBook::Contents::Take(SubscriptionChanged changed) {
  read_up_to = changed.change;
  const TenantId tenant = changed.subscription.tenant;
  auto& of_tenant = of_tenants[tenant];
  const auto by_id = [](const std::shared_ptr<const Subscription>& known, const SubscriptionId& id) {
    return known->id < id;
  };
  const auto place = std::lower_bound(of_tenant.begin(), of_tenant.end(), changed.subscription.id, by_id);
  const bool is_known = place != of_tenant.end() && (*place)->id == changed.subscription.id;
  if (!changed.deleted) {
    auto now = std::make_shared<const Subscription>(std::move(changed.subscription));
    if (is_known) {
      *place = std::move(now);
    } else {
      of_tenant.insert(place, std::move(now));
    }
  } else if (is_known) {
    of_tenant.erase(place);
  }
  if (of_tenant.empty()) of_tenants.erase(tenant);
}

SubscriptionBook::SubscriptionBook(const postgres::ConnectionSettings& connection,
                                   absl::Duration poll_interval)
    : poll_interval_(poll_interval), session_(Impatient(connection), postgres::Plans::kIndexOnly) {}

absl::Status SubscriptionBook::Start() {
  RETURN_IF_ERROR(Refresh());
  thread_ = std::jthread([this](const std::stop_token& stop) { Follow(stop); });
  return absl::OkStatus();
}

void SubscriptionBook::Stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void SubscriptionBook::Follow(const std::stop_token& stop) {
  std::unique_lock lock(waiting_);
  while (!stop.stop_requested()) {
    asked_.wait_for(lock, stop, absl::ToChronoNanoseconds(poll_interval_), [this] { return is_asked_; });
    if (stop.stop_requested()) return;
    // Who asks from here on gets a read of its own.
    is_asked_ = false;
    lock.unlock();
    if (const absl::Status status = Refresh(); !status.ok()) {
      telemetry::LogLimited(telemetry::Level::kWarn, "changes of subscriptions are not heard",
                            {{"error", status}});
    }
    lock.lock();
  }
}

absl::Status SubscriptionBook::CatchUp(absl::Duration patience) {
  const absl::Time asked_at = MonotonicNow();
  {
    const std::lock_guard lock(waiting_);
    is_asked_ = true;
  }
  asked_.notify_one();
  std::shared_lock lock(mutex_);
  if (known_.wait_for(lock, absl::ToChronoNanoseconds(patience), [&] { return known_at_ >= asked_at; }))
    return absl::OkStatus();
  return Unavailable("SUBSCRIPTIONS_UNKNOWN", "the subscriptions are not known as they are now");
}

absl::Status SubscriptionBook::Refresh() {
  const absl::Time asked_at = MonotonicNow();
  const absl::Status status = is_complete_ ? ReadOn() : ReadAnew();
  is_complete_ = status.ok();
  if (status.ok()) {
    const std::unique_lock lock(mutex_);
    known_at_ = asked_at;
  }
  known_.notify_all();
  Show();
  return status;
}

absl::StatusOr<bool> SubscriptionBook::ReadPage(std::int64_t after, std::vector<SubscriptionChanged>& page) {
  RETURN_IF_ERROR(session_.Read({postgres::EveryTenant()}, [&](postgres::Session& session) {
    page = ListChanges(session, after, kPageRows);
    return absl::OkStatus();
  }));
  return page.size() == kPageRows;
}

absl::Status SubscriptionBook::ReadAnew() {
  Contents all;
  bool more = true;
  while (more) {
    std::vector<SubscriptionChanged> page;
    ASSIGN_OR_RETURN(more, ReadPage(all.read_up_to, page));
    for (SubscriptionChanged& changed : page) all.Take(std::move(changed));
  }
  const std::unique_lock lock(mutex_);
  contents_ = std::move(all);
  return absl::OkStatus();
}

absl::Status SubscriptionBook::ReadOn() {
  bool more = true;
  while (more) {
    std::vector<SubscriptionChanged> page;
    // Only this thread writes.
    ASSIGN_OR_RETURN(more, ReadPage(contents_.read_up_to, page));
    const std::unique_lock lock(mutex_);
    for (SubscriptionChanged& changed : page) contents_.Take(std::move(changed));
  }
  return absl::OkStatus();
}

void SubscriptionBook::Show() {
  static prometheus::Gauge& is_fresh = telemetry::Gauge(
      "webhook_subscriptions_fresh", "1 while changes of subscriptions are heard within a second");
  is_fresh.Set(fresh() ? 1 : 0);
}

std::vector<std::shared_ptr<const Subscription>> SubscriptionBook::Matching(const TenantId& tenant,
                                                                            std::string_view event_type,
                                                                            std::string_view store) const {
  std::vector<std::shared_ptr<const Subscription>> matching;
  const std::shared_lock lock(mutex_);
  const auto of_tenant = contents_.of_tenants.find(tenant);
  if (of_tenant == contents_.of_tenants.end()) return matching;
  for (const auto& subscription : of_tenant->second) {
    if (subscription->Wants(event_type, store)) matching.push_back(subscription);
  }
  return matching;
}

std::shared_ptr<const Subscription> SubscriptionBook::Find(const TenantId& tenant,
                                                           const SubscriptionId& id) const {
  const std::shared_lock lock(mutex_);
  const auto of_tenant = contents_.of_tenants.find(tenant);
  if (of_tenant == contents_.of_tenants.end()) return nullptr;
  for (const auto& subscription : of_tenant->second) {
    if (subscription->id == id) return subscription;
  }
  return nullptr;
}

bool SubscriptionBook::fresh() const {
  const std::shared_lock lock(mutex_);
  return MonotonicNow() - known_at_ < kFresh;
}

}  // namespace bv::webhook
