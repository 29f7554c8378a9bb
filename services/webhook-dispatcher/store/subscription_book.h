// The subscriptions of all tenants, in memory.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/status/status.h>
#include <absl/time/time.h>

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <stop_token>
#include <string_view>
#include <thread>
#include <vector>

#include "libs/postgres/postgres.h"
#include "services/webhook-dispatcher/domain/subscription.h"
#include "services/webhook-dispatcher/store/subscription_rows.h"

namespace bv::webhook {

// Follows the changes of the table, one short query an interval. After an error everything is read anew,
// since the server that answers next may have lost the last changes. Thread safe.
class SubscriptionBook {
 public:
  // What is known is that of a second ago, or newer.
  static constexpr absl::Duration kFresh = absl::Seconds(1);

  // With a connection of its own.
  SubscriptionBook(const postgres::ConnectionSettings& connection, absl::Duration poll_interval);
  ~SubscriptionBook() { Stop(); }
  SubscriptionBook(const SubscriptionBook&) = delete;
  SubscriptionBook& operator=(const SubscriptionBook&) = delete;

  // Reads all of them, and follows from then on. Not OK when the database is away.
  absl::Status Start();
  void Stop();

  // Those that want such events of the store (Subscription::Wants), of every status, the oldest first.
  std::vector<std::shared_ptr<const Subscription>> Matching(const TenantId& tenant,
                                                            std::string_view event_type,
                                                            std::string_view store) const;
  // Null for one that is not there or not any more, if the book is fresh().
  std::shared_ptr<const Subscription> Find(const TenantId& tenant, const SubscriptionId& id) const;
  // Whether all changes that were committed more than kFresh ago are in the book.
  bool fresh() const;
  // Returns when all changes that were committed before the call are in the book. UNAVAILABLE, reason
  // SUBSCRIPTIONS_UNKNOWN, when that takes longer than `patience`. Calls that wait at the same time share
  // one query.
  absl::Status CatchUp(absl::Duration patience);

 private:
  struct Contents {
    // Of a tenant, by id.
    absl::flat_hash_map<TenantId, std::vector<std::shared_ptr<const Subscription>>> of_tenants;
    std::int64_t read_up_to = 0;

    void Take(SubscriptionChanged changed);
  };

  void Follow(const std::stop_token& stop);
  absl::Status Refresh();
  // The changes behind those that were read, a page of them. False when there are no more.
  absl::StatusOr<bool> ReadPage(std::int64_t after, std::vector<SubscriptionChanged>& page);
  absl::Status ReadAnew();
  absl::Status ReadOn();
  void Show();

  const absl::Duration poll_interval_;
  postgres::Session session_;
  bool is_complete_ = false;

  mutable std::shared_mutex mutex_;
  Contents contents_;
  // When the last read began that has succeeded.
  absl::Time known_at_ = absl::InfinitePast();
  // Signaled when known_at_ has changed.
  std::condition_variable_any known_;

  std::mutex waiting_;
  // Somebody waits in CatchUp. Guarded by waiting_.
  bool is_asked_ = false;
  std::condition_variable_any asked_;
  std::jthread thread_;
};

}  // namespace bv::webhook
