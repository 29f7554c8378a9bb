// Free of gRPC, so that it can run under the thread sanitizer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/detached.hpp>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <set>

#include "libs/postgres/lane.h"
#include "libs/telemetry/http_receiver.h"
#include "libs/telemetry/tracing.h"
#include "libs/testing/testing.h"

namespace bv::postgres {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

struct Note {
  std::string id;
  // The note's row is refused by the table when it is negative.
  int value = 0;
};
// The answer is the number of the run that stored it, 0 for a note that was there before.
using NoteLanes = Lanes<Note, int>;
using Batch = std::span<NoteLanes::Item* const>;
using Answer = std::future<absl::StatusOr<int>>;

// Inserts the batch with one statement, as real batches do.
absl::Status StoreNotes(Session& session, Batch items) {
  static constexpr Statement kInsert{"test_store", R"sql(
    INSERT INTO note (tenant_id, id, value)
    SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[])
    ON CONFLICT DO NOTHING RETURNING tenant_id, id
  )sql"};
  std::vector<std::string> tenants, ids;
  std::vector<std::int64_t> values;
  for (NoteLanes::Item* item : items) {
    tenants.push_back(item->context.tenant.str());
    ids.push_back(item->request.id);
    values.push_back(item->request.value);
    item->answer = 0;
  }
  for (const pqxx::row& row :
       session.Exec(kInsert, ArrayLiteral(tenants), ArrayLiteral(ids), ArrayLiteral(values))) {
    for (NoteLanes::Item* item : items) {
      if (item->context.tenant.str() == row[0].c_str() && item->request.id == row[1].c_str())
        item->answer = 1;
    }
  }
  return absl::OkStatus();
}

class LaneTest : public ::testing::Test {
 protected:
  LaneTest() {
    database_.Query(
        "CREATE TABLE inventory.note (tenant_id text, id text, value bigint CHECK (value >= 0), written xid8 "
        "DEFAULT pg_current_xact_id(),"
        " PRIMARY KEY (tenant_id, id));"
        "ALTER TABLE inventory.note OWNER TO bv_inventory;"
        "ALTER TABLE inventory.note ENABLE ROW LEVEL SECURITY;"
        "ALTER TABLE inventory.note FORCE ROW LEVEL SECURITY;"
        "CREATE POLICY tenant ON inventory.note USING (tenant_id = ANY "
        "(string_to_array(current_setting('bv.tenants', true), ',')))");
  }

  // Lanes whose runs are noted in runs_, and whose first batch waits for Release().
  void Make(const LaneSettings& settings, NoteLanes::Execute execute = StoreNotes) {
    lanes_.emplace("test", database_.Connection(), settings,
                   [this, execute = std::move(execute)](Session& session, Batch items) {
                     {
                       const std::lock_guard lock(mutex_);
                       runs_.push_back(items.size());
                     }
                     if (held_.exchange(false)) {
                       begun_.set_value();
                       release_.get_future().wait();
                     }
                     return execute(session, items);
                   });
  }

  Answer Submit(const std::string& id, int value = 0, RequestContext context = testing::ContextOf("acme"),
                const std::string& key = "key") {
    const auto submit = [](NoteLanes& lanes, std::string lane_key, Note note,
                           RequestContext c) -> async::Task<absl::StatusOr<int>> {
      co_return co_await lanes.Submit(lane_key, std::move(note), std::move(c));
    };
    Note note{id, value};
    return boost::asio::co_spawn(loop_.io(), submit(*lanes_, key, std::move(note), std::move(context)),
                                 boost::asio::use_future);
  }
  // Returns when one request runs, alone, and will until Release().
  Answer Block() {
    held_ = true;
    Answer first = Submit("first");
    begun_.get_future().wait();
    return first;
  }
  // The loop has one thread: when this runs, everything submitted before is in its lane.
  void Release() {
    boost::asio::post(loop_.io(), [this] { release_.set_value(); });
  }
  std::vector<std::size_t> runs() {
    const std::lock_guard lock(mutex_);
    return runs_;
  }
  std::string Stored() const { return database_.Query("SELECT count(*) FROM inventory.note"); }

  testing::Database database_{"inventory"};
  testing::Loop loop_;
  std::atomic<bool> held_{false};
  std::promise<void> begun_, release_;
  std::mutex mutex_;
  std::vector<std::size_t> runs_;
  std::optional<NoteLanes> lanes_;
};

TEST_F(LaneTest, WhatArrivesWhileABatchRunsIsTheNextBatch) {
  Make({.count = 1});
  Answer first = Block();
  std::vector<Answer> answers;
  for (int i = 0; i < 100; ++i) answers.push_back(Submit(std::to_string(i)));
  Release();
  EXPECT_EQ(first.get().value(), 1);
  for (Answer& answer : answers) EXPECT_EQ(answer.get().value(), 1);
  EXPECT_THAT(runs(), ElementsAre(1, 100));
  EXPECT_EQ(database_.Query("SELECT count(DISTINCT written) FROM inventory.note"), "2");
}

TEST_F(LaneTest, ABatchHasAMaximum) {
  Make({.count = 1, .batch_max = 4});
  std::vector<Answer> answers;
  answers.push_back(Block());
  for (int i = 0; i < 10; ++i) answers.push_back(Submit(std::to_string(i)));
  Release();
  for (Answer& answer : answers) EXPECT_TRUE(answer.get().ok());
  EXPECT_THAT(runs(), ElementsAre(1, 4, 4, 2));
}

TEST_F(LaneTest, SeesTheTenantsOfTheBatch) {
  static constexpr Statement kTenants{"test_lane_tenants", "SELECT current_setting('bv.tenants')"};
  std::vector<std::string> seen;
  Make({.count = 1}, [&seen](Session& session, Batch items) {
    seen.push_back(session.Exec(kTenants)[0][0].as<std::string>());
    return StoreNotes(session, items);
  });
  Answer first = Block();
  std::vector<Answer> answers;
  for (const char* tenant : {"globex", "acme", "globex"})
    answers.push_back(Submit("same id", 0, testing::ContextOf(tenant)));
  Release();
  EXPECT_TRUE(first.get().ok());
  for (Answer& answer : answers) EXPECT_TRUE(answer.get().ok());
  EXPECT_EQ(seen.back(), "acme,globex");
  EXPECT_EQ(Stored(), "3") << "the same id is another note in another tenant";
}

TEST_F(LaneTest, ASampledRequestOfABatchHasASpanThatItsRowsHangBelow) {
  constexpr char kSampled[] = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  constexpr char kSilent[] = "00-11111111111111111111111111111111-b7ad6b7169203332-00";
  telemetry::HttpReceiver receiver;
  const auto exporter = std::make_shared<telemetry::Exporter>(
      telemetry::ExporterSettings{.endpoint = receiver.url(), .service = "inventory"});
  telemetry::SetExporter(exporter, 0);
  std::map<std::string, std::string> seen;
  Make({.count = 1}, [&seen](Session& session, Batch items) {
    for (const NoteLanes::Item* item : items) seen[item->request.id] = item->context.trace.ToTraceparent();
    return StoreNotes(session, items);
  });
  const auto in_trace = [](const char* traceparent) {
    RequestContext context = testing::ContextOf("acme");
    context.trace = telemetry::ParseTraceparent(traceparent);
    return context;
  };
  Answer first = Block();
  Answer sampled = Submit("sampled", 0, in_trace(kSampled));
  Answer silent = Submit("silent", 0, in_trace(kSilent));
  Release();
  for (Answer* answer : {&first, &sampled, &silent}) EXPECT_TRUE(answer->get().ok());
  exporter->Stop();
  telemetry::SetExporter(nullptr, 0);
  EXPECT_EQ(seen["silent"], kSilent);
  EXPECT_NE(seen["sampled"], kSampled);
  const auto requests = receiver.WaitForRequests(1);
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_THAT(requests[0].body, HasSubstr(R"("spanId":")" + seen["sampled"].substr(36, 16) +
                                          R"(","parentSpanId":"b7ad6b7169203331","name":"lane test")"));
  EXPECT_THAT(requests[0].body, HasSubstr(R"({"key":"lane.batch_size","value":{"stringValue":"2"}})"));
  EXPECT_THAT(requests[0].body, Not(HasSubstr("1111111111111111")));
}

TEST_F(LaneTest, OnlyThePoisonedRequestFails) {
  Make({.count = 1});
  Answer first = Block();
  std::vector<Answer> answers;
  for (int i = 0; i < 64; ++i) answers.push_back(Submit(std::to_string(i), i == 37 ? -1 : i));
  Release();
  EXPECT_TRUE(first.get().ok());
  for (int i = 0; i < 64; ++i) {
    const absl::StatusOr<int> answer = answers[static_cast<std::size_t>(i)].get();
    if (i == 37) {
      EXPECT_EQ(answer.status().code(), absl::StatusCode::kInternal);
    } else {
      EXPECT_EQ(answer.value(), 1) << i;
    }
  }
  EXPECT_EQ(Stored(), "64");
  EXPECT_THAT(runs(), ElementsAre(1, 64, 32, 32, 16, 8, 4, 4, 2, 1, 1, 2, 8, 16)) << "found by halving";
}

TEST_F(LaneTest, AnAbortedBatchRunsAgain) {
  int aborts = 2;
  Make({.count = 1}, [&aborts](Session& session, Batch items) {
    const absl::Status status = StoreNotes(session, items);
    return aborts-- > 0 ? absl::AbortedError("deadlock") : status;
  });
  EXPECT_EQ(Submit("a").get().value(), 1);
  EXPECT_THAT(runs(), ElementsAre(1, 1, 1));
}

TEST_F(LaneTest, ABatchThatIsAlwaysAbortedFailsInTheEnd) {
  Make({.count = 1}, [](Session&, Batch) { return absl::AbortedError("deadlock"); });
  EXPECT_EQ(Submit("a").get().status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(runs().size(), 5u);
}

TEST_F(LaneTest, ALostConnectionIsReplaced) {
  std::atomic<int> cuts{1};
  Make({.count = 1}, [this, &cuts](Session& session, Batch items) {
    const absl::Status status = StoreNotes(session, items);
    if (cuts-- > 0) database_.Disconnect(session);
    return status;
  });
  EXPECT_EQ(Submit("a").get().value(), 1);
  EXPECT_EQ(runs().size(), 2u);
  cuts = 2;
  const absl::Status lost = Submit("b").get().status();
  EXPECT_EQ(lost.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ErrorReason(lost), "DATABASE_UNAVAILABLE");
  EXPECT_EQ(Submit("c").get().value(), 1) << "the lane goes on";
}

TEST_F(LaneTest, ABatchWhoseCommitWasNotHeardRunsAgainAndFindsWhatItWrote) {
  std::atomic<int> cuts{1};
  Make({.count = 1}, [this, &cuts](Session& session, Batch items) {
    const absl::Status status = StoreNotes(session, items);
    if (cuts-- > 0) database_.CommitUnheard(session);
    return status;
  });
  EXPECT_EQ(Submit("a").get().value(), 0) << "answered by the second run";
  EXPECT_EQ(runs().size(), 2u);
  EXPECT_EQ(Stored(), "1");
}

TEST_F(LaneTest, SaysWhenTheOutcomeStaysUnknown) {
  std::atomic<int> cuts{2};
  Make({.count = 1}, [this, &cuts](Session& session, Batch items) {
    const absl::Status status = StoreNotes(session, items);
    if (cuts-- > 0) database_.CommitUnheard(session);
    return status;
  });
  const absl::Status status = Submit("a").get().status();
  EXPECT_EQ(status.code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(CommitUnknown(status));
}

TEST_F(LaneTest, WhatNobodyWaitsForDoesNotRun) {
  Make({.count = 1});
  Answer first = Block();
  std::stop_source gone;
  RequestContext cancelled = testing::ContextOf("acme");
  cancelled.stop = gone.get_token();
  RequestContext late = testing::ContextOf("acme");
  late.deadline = absl::Now();
  Answer of_cancelled = Submit("cancelled", 0, cancelled);
  Answer of_late = Submit("late", 0, late);
  Answer of_other = Submit("other");
  gone.request_stop();
  Release();
  EXPECT_TRUE(first.get().ok());
  EXPECT_EQ(of_cancelled.get().status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_EQ(of_late.get().status().code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_TRUE(of_other.get().ok());
  EXPECT_EQ(Stored(), "2");
}

TEST_F(LaneTest, AFullLaneRefuses) {
  Make({.count = 1, .queue_max = 2});
  Answer first = Block();
  std::vector<Answer> answers;
  for (int i = 0; i < 10; ++i) answers.push_back(Submit(std::to_string(i)));
  Release();
  EXPECT_TRUE(first.get().ok());
  int refused = 0;
  for (Answer& answer : answers) {
    const absl::StatusOr<int> got = answer.get();
    if (got.ok()) continue;
    ++refused;
    EXPECT_EQ(got.status().code(), absl::StatusCode::kResourceExhausted);
    EXPECT_EQ(ErrorReason(got.status()), "OVERLOADED");
    EXPECT_TRUE(GetErrorDetail(got.status()).retry_after.has_value());
  }
  EXPECT_EQ(refused, 8);
}

TEST_F(LaneTest, RequestsOfAKeyKeepTheirOrder) {
  std::mutex mutex;
  std::map<std::string, std::vector<int>> values;
  std::map<std::string, std::set<std::thread::id>> threads;
  Make({.count = 4, .batch_max = 8}, [&](Session& session, Batch items) {
    const std::lock_guard lock(mutex);
    for (const NoteLanes::Item* item : items) {
      values[item->context.user_id].push_back(item->request.value);
      threads[item->context.user_id].insert(std::this_thread::get_id());
    }
    return StoreNotes(session, items);
  });
  std::vector<Answer> answers;
  for (int i = 0; i < 400; ++i) {
    const std::string key = "key-" + std::to_string(i % 10);
    answers.push_back(Submit(std::to_string(i), i, testing::ContextOf("acme", key), key));
  }
  for (Answer& answer : answers) EXPECT_TRUE(answer.get().ok());
  std::set<std::thread::id> used;
  for (const auto& [key, in_order] : values) {
    EXPECT_TRUE(std::ranges::is_sorted(in_order)) << key;
    EXPECT_EQ(in_order.size(), 40u);
    EXPECT_EQ(threads[key].size(), 1u) << key;
    used.insert(threads[key].begin(), threads[key].end());
  }
  EXPECT_GT(used.size(), 1u) << "keys spread over the lanes";
}

TEST_F(LaneTest, StopRunsWhatIsQueuedAndRefusesTheRest) {
  Make({.count = 1});
  Answer first = Block();
  Answer queued = Submit("queued");
  Release();
  EXPECT_TRUE(first.get().ok());
  lanes_->Stop();
  EXPECT_TRUE(queued.get().ok());
  EXPECT_EQ(Submit("late").get().status().code(), absl::StatusCode::kResourceExhausted);
}

TEST_F(LaneTest, AnExecuteThatForgetsARequestIsNoticed) {
  Make({.count = 1}, [](Session&, Batch) { return absl::OkStatus(); });
  EXPECT_EQ(Submit("a").get().status().code(), absl::StatusCode::kUnknown);
}

// Several threads submit, several lanes answer; each request is stored and answered once.
TEST_F(LaneTest, ManyAtOnce) {
  Make({.count = 4, .batch_max = 64});
  boost::asio::io_context io(4);
  std::atomic<int> stored{0};
  const auto submit = [](NoteLanes& lanes, std::string id, std::atomic<int>& sum) -> async::Task<void> {
    Note note{id, 0};
    const absl::StatusOr<int> answer = co_await lanes.Submit(id, std::move(note), testing::ContextOf("acme"));
    if (answer.ok()) sum += *answer;
  };
  for (int i = 0; i < 2000; ++i)
    boost::asio::co_spawn(io, submit(*lanes_, std::to_string(i), stored), boost::asio::detached);
  auto work = boost::asio::make_work_guard(io);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) threads.emplace_back([&io] { io.run(); });
  work.reset();
  for (std::thread& thread : threads) thread.join();
  // The lanes' threads may still be in the call that woke the last coroutine.
  lanes_->Stop();
  EXPECT_EQ(stored.load(), 2000);
  EXPECT_EQ(Stored(), "2000");
}

}  // namespace
}  // namespace bv::postgres
