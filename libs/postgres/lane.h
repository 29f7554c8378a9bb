// Lanes: batches that form by themselves. A lane is one thread, one session and one bounded queue. A lone
// request starts at once; what arrives while a batch runs is the next batch, so that under load the cost of a
// commit is shared by hundreds, and without load the latency is that of one transaction. No timer.
#pragma once

#include <absl/hash/hash.h>
#include <absl/status/statusor.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>
#include <functional>
#include <iterator>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "libs/async/task.h"
#include "libs/base/error.h"
#include "libs/base/request_context.h"
#include "libs/config/config.h"
#include "libs/postgres/postgres.h"
#include "libs/resilience/bounded_queue.h"
#include "libs/telemetry/telemetry.h"

namespace bv::postgres {

struct LaneSettings {
  int count = 2;
  // Requests waiting in one lane; more are RESOURCE_EXHAUSTED.
  int queue_max = 4096;
  // Requests in one transaction.
  int batch_max = 256;

  void Bind(config::Binder& b);  // postgres.lane_count, postgres.lane_queue_max, postgres.lane_batch_max
};

enum class LaneMode {
  kTransact,
  // For batches of look-ups: `execute` runs one statement without a transaction, at the cost of one round
  // trip.
  kRead,
};

// The part of a lane that does not depend on types.
class LaneMetrics {
 public:
  LaneMetrics(const std::string& lane_set);
  void Batch(std::size_t size, absl::Duration execution);
  void Waited(absl::Duration wait);
  void Depth(std::size_t depth);

 private:
  prometheus::Histogram& size_;
  prometheus::Histogram& execution_;
  prometheus::Histogram& wait_;
  prometheus::Gauge& depth_;
};

// A set of lanes that execute one kind of request. Thread safe.
//
// `execute` runs inside a transaction that sees the tenants of the batch's requests. It gives every request
// its answer, and returns an error only when the batch as a whole must not be committed:
//   ABORTED (serialization failure, deadlock): the batch runs again.
//   UNAVAILABLE: the connection was lost; the batch runs once more on a new one, because its commit may have
//   happened or not. Every
//     write must therefore be idempotent by an id of its request and find what the first run did.
//   any other: the batch is halved until the request that caused it is alone; that one gets the error.
template <class Request, class Answer>
class Lanes {
 public:
  // One request of a batch. `answer` is set by `execute`.
  struct Item {
    Request request;
    RequestContext context;
    absl::StatusOr<Answer> answer = absl::UnknownError("the batch gave no answer");
  };
  using Execute = std::function<absl::Status(Session&, std::span<Item* const>)>;

  Lanes(const std::string& name, const ConnectionSettings& connection, const LaneSettings& settings,
        Execute execute, LaneMode mode = LaneMode::kTransact)
      : settings_(settings),
        mode_(mode),
        execute_(std::move(execute)),
        metrics_(name),
        span_name_("lane " + name) {
    for (int i = 0; i < settings.count; ++i) {
      lanes_.push_back(std::make_unique<Lane>(static_cast<std::size_t>(settings.queue_max), connection));
    }
    for (const auto& lane : lanes_) lane->thread = std::thread([this, &lane = *lane] { Serve(lane); });
  }
  ~Lanes() { Stop(); }

  // Requests with the same key meet in the same lane, in the order of their submission. RESOURCE_EXHAUSTED
  // when the lane is full, DEADLINE_EXCEEDED when the request's time was over before it ran.
  async::Task<absl::StatusOr<Answer>> Submit(std::string_view key, Request request, RequestContext context) {
    Lane& lane = *lanes_[absl::HashOf(key) % lanes_.size()];
    const auto executor = co_await async::asio::this_coro::executor;
    auto enqueue = [&](async::Done<absl::StatusOr<Answer>> done) {
      std::unique_ptr<telemetry::Span> span = Trace(context);
      Waiting waiting{Item{std::move(request), std::move(context)}, std::move(done), executor, absl::Now(),
                      std::move(span)};
      if (lane.queue.TryPush(std::move(waiting))) return;
      waiting.item.answer = Overloaded("too many requests wait for their turn");
      std::vector<Waiting> refused;
      refused.push_back(std::move(waiting));
      AnswerAll(std::move(refused));
    };
    co_return co_await async::AwaitInTurn<absl::StatusOr<Answer>>(enqueue);
  }

  // Ends the threads after what is queued has run.
  void Stop() {
    for (const auto& lane : lanes_) lane->queue.Close();
    for (const auto& lane : lanes_) {
      if (lane->thread.joinable()) lane->thread.join();
    }
  }

 private:
  struct Waiting {
    Item item;
    async::Done<absl::StatusOr<Answer>> done;
    // Of the coroutine that waits.
    async::asio::any_io_executor executor;
    absl::Time since;
    // Null for most: of a request whose trace is sampled, from its arrival to the commit.
    std::unique_ptr<telemetry::Span> span;
  };
  struct Lane {
    Lane(std::size_t queue_max, const ConnectionSettings& connection)
        : queue(queue_max), session(connection, Plans::kIndexOnly) {}
    resilience::BoundedQueue<Waiting> queue;
    Session session;
    std::thread thread;
  };

  // What the batch writes of the request, the outbox row too, hangs below its span.
  std::unique_ptr<telemetry::Span> Trace(RequestContext& context) const {
    if (!context.trace.sampled) return nullptr;
    auto span = std::make_unique<telemetry::Span>(span_name_, telemetry::SpanKind::kInternal, context.trace);
    context.trace = span->context();
    return span;
  }

  static void EndSpans(std::span<Waiting> batch, absl::Time start) {
    for (Waiting& waiting : batch) {
      if (!waiting.span) continue;
      waiting.span->Set("lane.batch_size", std::to_string(batch.size()));
      waiting.span->Set("lane.wait_ms", std::to_string(absl::ToDoubleMilliseconds(start - waiting.since)));
      if (!waiting.item.answer.ok()) waiting.span->Fail(waiting.item.answer.status());
      waiting.span->End();
    }
  }

  void Serve(Lane& lane) {
    while (true) {
      std::vector<Waiting> batch = lane.queue.PopAll(static_cast<std::size_t>(settings_.batch_max));
      if (batch.empty()) return;
      metrics_.Depth(lane.queue.size());
      const absl::Time start = absl::Now();
      std::vector<Item*> items;
      items.reserve(batch.size());
      for (Waiting& waiting : batch) {
        metrics_.Waited(start - waiting.since);
        if (waiting.item.context.IsAbandoned()) {
          waiting.item.answer =
              absl::DeadlineExceededError("the deadline passed before the request's turn came");
        } else {
          items.push_back(&waiting.item);
        }
      }
      if (!items.empty()) Run(lane.session, items);
      metrics_.Batch(items.size(), absl::Now() - start);
      EndSpans(batch, start);
      AnswerAll(std::move(batch));
    }
  }

  // Many answers take one turn in their executor, not one each; and few enough that several threads can share
  // in them.
  static void AnswerAll(std::vector<Waiting> batch) {
    constexpr std::size_t kAtOnce = 32;
    for (auto first = batch.begin(); first != batch.end();) {
      auto last = std::next(first);
      while (last != batch.end() && last - first < static_cast<std::ptrdiff_t>(kAtOnce) &&
             last->executor == first->executor)
        ++last;
      const async::asio::any_io_executor executor = first->executor;
      std::vector<Waiting> together(std::make_move_iterator(first), std::make_move_iterator(last));
      async::asio::post(executor, [together = std::move(together)]() mutable {
        for (Waiting& waiting : together) std::move(waiting.done)(std::move(waiting.item.answer));
      });
      first = last;
    }
  }

  void Run(Session& session, std::span<Item* const> items) {
    constexpr int kAttemptsMax = 5;
    std::vector<TenantId> tenants;
    for (const Item* item : items) tenants.push_back(item->context.tenant);
    std::ranges::sort(tenants);
    tenants.erase(std::unique(tenants.begin(), tenants.end()), tenants.end());
    absl::Status status;
    bool lost = false;
    bool commit_unknown = false;
    for (int attempt = 0; attempt < kAttemptsMax; ++attempt) {
      const auto work = [&](Session& s) { return execute_(s, items); };
      status = mode_ == LaneMode::kRead ? session.Read(tenants, work) : session.Transact(tenants, work);
      if (status.ok()) return;
      commit_unknown = commit_unknown || CommitUnknown(status);
      if (absl::IsAborted(status)) continue;
      if (!absl::IsUnavailable(status) || std::exchange(lost, true)) break;
    }
    if (items.size() > 1 && !absl::IsUnavailable(status) && !absl::IsAborted(status)) {
      Run(session, items.first(items.size() / 2));
      Run(session, items.subspan(items.size() / 2));
      return;
    }
    if (commit_unknown) MarkCommitUnknown(status);
    for (Item* item : items) item->answer = status;
  }

  const LaneSettings settings_;
  const LaneMode mode_;
  const Execute execute_;
  LaneMetrics metrics_;
  const std::string span_name_;
  std::vector<std::unique_ptr<Lane>> lanes_;
};

}  // namespace bv::postgres
