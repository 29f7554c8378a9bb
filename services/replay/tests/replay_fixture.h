// Replays on a database and a topic of their own, asked for as the gRPC server asks, beside live rows that
// come as far as a test brings them.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "libs/testing/kafka/kafka_topic.h"
#include "libs/testing/testing.h"
#include "services/replay/driver/driver.h"
#include "services/replay/rpc/replay_rpc.h"

namespace bv::replay {

class ReplayTest : public ::testing::Test {
 protected:
  static constexpr int kPartitions = 3;
  static constexpr char kOrders[] = "orders_by_customer";
  static constexpr char kRevenue[] = "daily_revenue";

  ReplayTest();
  ~ReplayTest() override;

  // Orders of two tenants and three customers, numbered on from those that were written before; each is
  // created and paid, at its number's worth of cents.
  void WriteOrders(int count);
  // An event that orders_by_customer refuses.
  void WriteBadEvent();
  testing::Written Paid(int order, std::int64_t amount) const;
  // Has the live rows of all projections follow to the end of the topic.
  void Follow();
  // Where the topic ends now, by partition.
  std::vector<pb::PartitionOffset> Ends();

  void StartDriver();
  void StopDriver() { driver_.reset(); }

  static pb::StartReplayRequest Of(const char* projection, pb::StartReplayRequest::Purpose purpose);
  absl::StatusOr<pb::Replay> Start(const pb::StartReplayRequest& request, const std::string& key = "");
  pb::Replay Started(const pb::StartReplayRequest& request);
  absl::StatusOr<pb::Replay> Get(const std::string& replay_id);
  absl::StatusOr<pb::Replay> Cancel(const std::string& replay_id);
  absl::StatusOr<pb::ProjectionState> State(const char* projection);
  absl::StatusOr<pb::ProjectionState> Drop(const char* projection, int rows_version);
  // Waits until it has ended.
  pb::Replay Ended(const std::string& replay_id);
  // With the driver running, from the start to the end.
  pb::Replay Run(const pb::StartReplayRequest& request) { return Ended(Started(request).replay_id()); }
  // Waits until the superuser's answer to `sql` is `expected`.
  void WaitFor(const std::string& sql, const std::string& expected);
  std::string Query(const std::string& sql) const { return database_.Query(sql); }
  // The rows of a version, as text.
  std::string RowsOf(const char* projection, int rows_version) const;

  testing::Loop loop_;
  testing::Database database_{"replay", "analytics"};
  testing::KafkaTopic topic_;
  std::vector<projections::Projection> projections_;
  DriverSettings settings_;
  postgres::Pool pool_;
  std::unique_ptr<ReplayRpc> rpc_;
  std::unique_ptr<Driver> driver_;
  // Of a call.
  absl::Duration timeout_ = absl::Seconds(30);

 private:
  template <class Response, class Request>
  absl::StatusOr<Response> Call(rpc::Reply<Response> (ReplayRpc::*method)(rpc::Call<Request>),
                                const Request& request, const std::string& key = "");

  int orders_ = 0;
};

}  // namespace bv::replay
