#include "services/replay/tests/replay_fixture.h"

#include <thread>

#include "commerce/order/v1/events.pb.h"
#include "libs/base/strings.h"
#include "libs/events/outbox.h"
#include "libs/kafka/log_reader.h"
#include "libs/projections/postgres_sink.h"
#include "libs/read_models/read_models.h"

namespace bv::replay {
namespace {

namespace order = commerce::order::v1;

constexpr absl::Duration kPatience = absl::Seconds(30);

std::string TenantOf(int number) {
  return number % 2 == 0 ? "acme" : "bolt";
}

testing::Written EventOf(const google::protobuf::Message& payload, std::int64_t version,
                         const std::string& tenant) {
  const auto row = events::MakeRow(payload, version, absl::Now(), testing::ContextOf(tenant));
  EXPECT_TRUE(row.ok()) << row.status();
  return {.key = row->key,
          .value = row->payload,
          .headers = {{"tenantId", tenant}, {"aggregateVersion", std::to_string(version)}}};
}

}  // namespace

ReplayTest::ReplayTest()
    : projections_(read_models::AllProjections(*read_models::TimeZones::Create("UTC", {}), absl::Hours(24))),
      pool_(database_.Connection(), postgres::PoolSettings{.size = 2}, postgres::Plans::kIndexOnly) {
  topic_.Create(kPartitions);
  settings_.connection = database_.Connection();
  settings_.read_models = database_.ConnectionOf("bv_analytics");
  settings_.rebuild.kafka.brokers = testing::Environment("BV_KAFKA_BROKERS");
  settings_.rebuild.workers_max = kPartitions;
  settings_.lease = absl::Seconds(1);
  settings_.poll_interval = absl::Milliseconds(20);
  projections::PostgresSink sink(settings_.read_models, std::nullopt);
  for (projections::Projection& projection : projections_) {
    projection.topics = {topic_.name()};
    EXPECT_TRUE(sink.Register(projection).ok());
  }
  rpc_ = std::make_unique<ReplayRpc>(pool_, settings_.read_models, settings_.rebuild.kafka, projections_);
}

ReplayTest::~ReplayTest() {
  StopDriver();
  pool_.Stop();
}

testing::Written ReplayTest::Paid(int number, std::int64_t amount) const {
  order::OrderPaid paid;
  paid.set_order_id(Concat("ord_", number));
  paid.set_user_id(Concat("user-", number % 3));
  paid.set_total_amount(amount);
  paid.set_currency("USD");
  return EventOf(paid, 2, TenantOf(number));
}

void ReplayTest::WriteOrders(int count) {
  std::vector<testing::Written> events;
  for (const int last = orders_ + count; orders_ < last;) {
    const int number = ++orders_;
    order::OrderCreated created;
    created.set_order_id(Concat("ord_", number));
    created.set_user_id(Concat("user-", number % 3));
    created.set_total_amount(number);
    created.set_currency("USD");
    events.push_back(EventOf(created, 1, TenantOf(number)));
    events.push_back(Paid(number, number));
  }
  topic_.Write(events);
}

void ReplayTest::WriteBadEvent() {
  topic_.Write({{.key = "ord_bad", .value = "no envelope", .headers = {{"tenantId", "acme"}}}});
}

std::vector<pb::PartitionOffset> ReplayTest::Ends() {
  kafka::LogReader reader(settings_.rebuild.kafka, "test", 1 << 20);
  const auto ranges = reader.RangesOf(topic_.name(), absl::Now() + kPatience);
  EXPECT_TRUE(ranges.ok()) << ranges.status();
  std::vector<pb::PartitionOffset> ends;
  for (const auto& [partition, range] : *ranges) {
    ends.emplace_back().set_topic(topic_.name());
    ends.back().set_partition(partition);
    ends.back().set_offset(range.end);
  }
  return ends;
}

void ReplayTest::Follow() {
  projections::Positions target;
  for (const pb::PartitionOffset& end : Ends()) target[{end.topic(), end.partition()}] = end.offset();
  projections::RebuildSettings live = settings_.rebuild;
  live.pass_over_refused = true;
  for (const projections::Projection& projection : projections_) {
    projections::Rebuild follower(live, projection, [this] {
      return std::make_unique<projections::PostgresSink>(settings_.read_models, std::nullopt);
    });
    const absl::Status followed = follower.Advance(target);
    ASSERT_TRUE(followed.ok()) << followed;
  }
}

void ReplayTest::StartDriver() {
  driver_ = std::make_unique<Driver>(settings_, projections_);
  driver_->Start();
}

pb::StartReplayRequest ReplayTest::Of(const char* projection, pb::StartReplayRequest::Purpose purpose) {
  pb::StartReplayRequest request;
  request.set_projection(projection);
  request.set_purpose(purpose);
  return request;
}

template <class Response, class Request>
absl::StatusOr<Response> ReplayTest::Call(rpc::Reply<Response> (ReplayRpc::*method)(rpc::Call<Request>),
                                          const Request& request, const std::string& key) {
  RequestContext context = testing::ContextOf("", "olga", Role::kOperator);
  context.idempotency_key = key;
  context.deadline = absl::Now() + timeout_;
  return loop_.Run(((*rpc_).*method)(rpc::Call<Request>(request, context)));
}

absl::StatusOr<pb::Replay> ReplayTest::Start(const pb::StartReplayRequest& request, const std::string& key) {
  return Call(&ReplayRpc::StartReplay, request, key);
}

pb::Replay ReplayTest::Started(const pb::StartReplayRequest& request) {
  const absl::StatusOr<pb::Replay> started = Start(request);
  EXPECT_TRUE(started.ok()) << started.status();
  return started.value_or(pb::Replay());
}

absl::StatusOr<pb::Replay> ReplayTest::Get(const std::string& replay_id) {
  pb::GetReplayRequest request;
  request.set_replay_id(replay_id);
  return Call(&ReplayRpc::GetReplay, request);
}

absl::StatusOr<pb::Replay> ReplayTest::Cancel(const std::string& replay_id) {
  pb::CancelReplayRequest request;
  request.set_replay_id(replay_id);
  return Call(&ReplayRpc::CancelReplay, request);
}

absl::StatusOr<pb::ProjectionState> ReplayTest::State(const char* projection) {
  pb::GetProjectionRequest request;
  request.set_projection(projection);
  return Call(&ReplayRpc::GetProjection, request);
}

absl::StatusOr<pb::ProjectionState> ReplayTest::Drop(const char* projection, int rows_version) {
  pb::DropRowsRequest request;
  request.set_projection(projection);
  request.set_rows_version(rows_version);
  return Call(&ReplayRpc::DropRows, request);
}

pb::Replay ReplayTest::Ended(const std::string& replay_id) {
  const absl::Time deadline = absl::Now() + kPatience;
  absl::StatusOr<pb::Replay> replay;
  do {
    std::this_thread::yield();
    replay = Get(replay_id);
    EXPECT_TRUE(replay.ok()) << replay.status();
  } while (replay.ok() && !replay->has_ended_at() && absl::Now() < deadline);
  EXPECT_TRUE(replay.ok() && replay->has_ended_at()) << replay_id << " has not ended";
  return replay.value_or(pb::Replay());
}

void ReplayTest::WaitFor(const std::string& sql, const std::string& expected) {
  const absl::Time deadline = absl::Now() + kPatience;
  std::string found;
  while ((found = Query(sql)) != expected && absl::Now() < deadline) std::this_thread::yield();
  ASSERT_EQ(found, expected) << sql;
}

std::string ReplayTest::RowsOf(const char* projection, int rows_version) const {
  return Query(
      Concat("SELECT string_agg((to_jsonb(r) - 'rows_version')::text, E'\\n' ORDER BY (to_jsonb(r) - "
             "'rows_version')::text) FROM analytics.",
             projection, " r WHERE rows_version = ", rows_version));
}

}  // namespace bv::replay
