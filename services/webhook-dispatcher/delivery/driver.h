// Makes the attempts of the shards that this process consumes.
//
// A delivery is QUEUED while a message leads to it, and DEFERRED when PostgreSQL hands it out: because its
// receiver has as many attempts at once as it may, or has an open breaker, because its subscription is
// paused, or because it is FIFO. So a message stays unacknowledged for about a second at most, and no
// subscription stands in front of another in a queue.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>
#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "libs/async/task.h"
#include "libs/egress/egress.h"
#include "libs/postgres/postgres.h"
#include "libs/rabbitmq/consumer.h"
#include "libs/rabbitmq/publisher.h"
#include "services/webhook-dispatcher/delivery/attempts.h"
#include "services/webhook-dispatcher/delivery/backlog_share.h"
#include "services/webhook-dispatcher/delivery/delivery_metrics.h"
#include "services/webhook-dispatcher/delivery/endpoint.h"
#include "services/webhook-dispatcher/delivery/inbox.h"
#include "services/webhook-dispatcher/delivery/work_queues.h"
#include "services/webhook-dispatcher/store/subscription_book.h"

namespace bv::webhook {

struct DriverSettings {
  EndpointSettings endpoint;
  // Before the second attempt, the third ….
  std::vector<absl::Duration> delays;
  // Attempts at the same time, of all receivers.
  int in_flight_max = 2000;
  // Of the driver's time, for deliveries that wait while other tenants' new ones come; FIFO ones do not
  // count.
  double backlog_share = 0.2;
  // A receiver that fails for so long is sent nothing more.
  absl::Duration disable_after = absl::Hours(24) * 5;
  // Between two looks for deferred deliveries.
  absl::Duration look_interval = absl::Milliseconds(250);
  // After it a queued delivery that is due counts as one whose message was lost.
  absl::Duration overdue_after = absl::Minutes(5);
};

class Driver {
 public:
  // Everything that is given outlives it; attempts go on in `io`.
  Driver(const DriverSettings& settings, const postgres::ConnectionSettings& connection,
         const rabbitmq::Settings& rabbitmq, const WorkQueues& queues, const SubscriptionBook& book,
         egress::Client& egress, boost::asio::io_context& io);
  ~Driver() { Stop(); }

  void Start();
  // Begins no more attempts, and returns when those that run have ended, or after some seconds: then they
  // are made again.
  void Stop();

 private:
  struct Flight {
    Delivery delivery;
    std::shared_ptr<const Subscription> subscription;
    // To be acknowledged once the outcome is stored.
    std::vector<rabbitmq::Tag> tags;
    // It came from the table, not by a message.
    bool has_waited = false;
    Endpoint::Permit permit;
    // By the wall clock, for the row, and by the monotonic one.
    absl::Time began;
    absl::Time began_monotonic;
    // Null for most.
    std::unique_ptr<telemetry::Span> span;
  };
  struct Candidate {
    Work work;
    rabbitmq::Tag tag;
    std::shared_ptr<const Subscription> subscription;
  };
  struct Finished {
    Flight flight;
    Judged judged;
  };

  void Run();
  void TakeNews(const Inbox::Contents& contents);
  void Knock();

  // driver_admit.cc: messages become attempts, or deferred deliveries.
  void Admit(const std::vector<rabbitmq::Incoming>& messages);
  std::shared_ptr<const Subscription> MayBegin(const SubscriptionKey& key, int planned);
  void BeginFound(std::span<const Candidate> candidates, std::vector<Delivery> found,
                  std::vector<rabbitmq::Tag>& settled);
  // Returns false when the breaker does not let it.
  bool Begin(Delivery delivery, std::shared_ptr<const Subscription> subscription,
             std::vector<rabbitmq::Tag> tags);
  static async::Task<void> Send(egress::Client& egress, std::shared_ptr<Inbox> inbox, DeliveryKey key,
                                egress::Request request);

  // driver_feed.cc: deferred deliveries become attempts.
  void Look();
  void Feed();
  void FeedRooms(std::span<const Room> rooms,
                 std::span<const std::shared_ptr<const Subscription>> subscriptions);
  void DeferSlow();
  void DeferOverdue();
  void Cancel(const SubscriptionKey& key);

  // driver_finish.cc: outcomes are stored, and what follows of them.
  void Finish(std::vector<Ended> ended);
  void GiveBack(std::vector<Flight> flights);
  absl::Status StoreOutcomes(postgres::Session& session, std::span<const Finished> finished);
  absl::Status StoreHealth(postgres::Session& session, std::span<const Finished> finished);
  void TryLater(std::span<const Finished> finished);

  // Until it is committed, or the driver stops. `work` runs again when the database was away.
  bool Commit(const std::vector<TenantId>& tenants,
              const std::function<absl::Status(postgres::Session&)>& work);
  bool Defer(std::span<const DeliveryKey> keys);
  Endpoint& EndpointOf(const SubscriptionKey& key);
  bool IsOurs(const SubscriptionKey& key) const;

  const DriverSettings settings_;
  const Schedule schedule_;
  const WorkQueues& queues_;
  const SubscriptionBook& book_;
  egress::Client& egress_;
  boost::asio::io_context& io_;
  DeliveryMetrics metrics_;
  const std::shared_ptr<Inbox> inbox_ = std::make_shared<Inbox>();
  std::atomic<bool> stopping_{false};

  // Of the driver's thread.
  postgres::Session session_;
  rabbitmq::Publisher publisher_;
  std::uint64_t connection_ = 0;
  // Whose messages came by this connection.
  absl::flat_hash_set<int> shards_;
  std::map<DeliveryKey, Flight> flights_;
  absl::flat_hash_map<SubscriptionKey, Endpoint> endpoints_;
  BacklogShare backlog_share_;
  // Whether deliveries wait for their share.
  bool awaits_share_ = false;
  absl::Time next_look_ = absl::InfinitePast();
  absl::Time next_knock_ = absl::InfinitePast();
  absl::Time next_overdue_ = absl::InfinitePast();

  std::unique_ptr<rabbitmq::Consumer> consumer_;
  std::thread thread_;
};

}  // namespace bv::webhook
