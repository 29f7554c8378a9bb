#include "libs/redis/redis.h"

#include <absl/strings/escaping.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <absl/strings/strip.h>
#include <openssl/evp.h>
#include <signal.h>

#include <algorithm>
#include <future>
#include <optional>
#include <utility>

#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/redis/connection.h"
#include "libs/telemetry/telemetry.h"

namespace bv::redis {
namespace {

using Clock = std::chrono::steady_clock;

// Batches in one pipeline.
constexpr std::size_t kTogetherMax = 128;

resilience::CircuitBreakerSettings BreakerOf(const Settings& settings) {
  return {.window = std::chrono::seconds(1),
          .calls_min = 1,
          .failure_ratio = 0,
          .open_for = absl::ToChronoNanoseconds(settings.retry_after),
          .probes = 1};
}

prometheus::Counter& CounterOf(const char* outcome) {
  return telemetry::Counter("redis_requests_total", "Batches of commands, by how they ended.",
                            {{"outcome", outcome}});
}

absl::Status Away(absl::Duration retry_after) {
  return Unavailable("REDIS_UNAVAILABLE", "Redis was away a moment ago and is not asked", retry_after);
}

// hiredis writes without MSG_NOSIGNAL: a server that has gone must not end the process.
void BlockBrokenPipeSignal() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

}  // namespace

void Settings::Bind(config::Binder& b) {
  b.Text("redis.url", url);
  b.Secret("redis.password", password, config::Presence::kOptional);
  b.Duration("redis.connect_timeout", connect_timeout, {absl::Milliseconds(10), absl::Seconds(30)});
  b.Duration("redis.timeout", timeout, {absl::Milliseconds(10), absl::Seconds(30)});
  b.Duration("redis.retry_after", retry_after, {absl::Milliseconds(10), absl::Minutes(1)});
  b.Integer("redis.connections", connections, {1, 64});
  b.Integer("redis.queue_max", queue_max, {1, 100'000});
}

Script::Script(std::string_view text) : text_(text) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha1(), nullptr);
  hash_ = absl::BytesToHexString({reinterpret_cast<const char*>(digest), size});
}

Batch& Batch::Add(std::vector<std::string> words) {
  commands_.push_back({.script = nullptr, .words = std::move(words)});
  return *this;
}

Batch& Batch::Run(const Script& script, const std::string& key, std::vector<std::string> arguments) {
  std::vector<std::string> words = {"1", key};
  words.insert(words.end(), std::make_move_iterator(arguments.begin()),
               std::make_move_iterator(arguments.end()));
  commands_.push_back({.script = &script, .words = std::move(words)});
  return *this;
}

absl::StatusOr<Client::Address> Client::Parse(std::string_view url) {
  const absl::Status wrong = InvalidValue("redis.url", "must be redis://host:port or redis://host:port/0");
  absl::string_view rest = Absl(url);
  if (!absl::ConsumePrefix(&rest, "redis://")) return wrong;
  const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(rest, absl::MaxSplits('/', 1));
  const std::size_t colon = parts.first.rfind(':');
  if (colon == absl::string_view::npos || colon == 0) return wrong;
  Address address{.host = std::string(parts.first.substr(0, colon))};
  if (!absl::SimpleAtoi(parts.first.substr(colon + 1), &address.port) || address.port < 1 ||
      address.port > 65535) {
    return wrong;
  }
  if (!parts.second.empty() && (!absl::SimpleAtoi(parts.second, &address.database) || address.database < 0))
    return wrong;
  return address;
}

absl::StatusOr<std::unique_ptr<Client>> Client::Create(const Settings& settings) {
  ASSIGN_OR_RETURN(Address address, Parse(settings.url));
  return std::unique_ptr<Client>(new Client(settings, std::move(address)));
}

Client::Client(const Settings& settings, Address address)
    : settings_(settings),
      address_(std::move(address)),
      queue_(static_cast<std::size_t>(settings.queue_max)),
      breaker_(BreakerOf(settings)),
      answered_(CounterOf("answered")),
      failed_(CounterOf("failed")),
      refused_(CounterOf("refused")),
      pipeline_(telemetry::Histogram("redis_pipeline_seconds", "One exchange with Redis, of all that waited.",
                                     telemetry::LatencySeconds())),
      up_(telemetry::Gauge("redis_up", "Whether Redis answered when it was last asked.")) {
  for (int i = 0; i < settings_.connections; ++i) {
    threads_.emplace_back([this] {
      BlockBrokenPipeSignal();
      Connection connection(settings_, address_);
      Serve(connection);
    });
  }
}

Client::~Client() {
  Stop();
}

void Client::Stop() {
  queue_.Close();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

async::Task<absl::StatusOr<Replies>> Client::Execute(Batch batch, const RequestContext& context) {
  auto submit = [&](async::Done<absl::StatusOr<Replies>> done) {
    Enqueue({std::move(batch), context, std::move(done)});
  };
  co_return co_await async::Await<absl::StatusOr<Replies>>(submit);
}

absl::StatusOr<Replies> Client::ExecuteBlocking(Batch batch, absl::Time deadline) {
  RequestContext context;
  context.deadline = deadline;
  std::promise<absl::StatusOr<Replies>> promise;
  Enqueue({std::move(batch), std::move(context),
           [&promise](absl::StatusOr<Replies> replies) { promise.set_value(std::move(replies)); }});
  return promise.get_future().get();
}

bool Client::is_away() const {
  return breaker_.OpenFor(Clock::now()) > std::chrono::nanoseconds::zero();
}

void Client::Enqueue(Job job) {
  if (job.batch.empty()) return std::move(job.done)(Replies());
  if (const auto open_for = breaker_.OpenFor(Clock::now()); open_for > std::chrono::nanoseconds::zero()) {
    refused_.Increment();
    return std::move(job.done)(Away(absl::FromChrono(open_for)));
  }
  if (!queue_.TryPush(std::move(job))) {
    refused_.Increment();
    std::move(job.done)(Overloaded("too many requests wait for Redis"));
  }
}

void Client::Serve(Connection& connection) {
  while (true) {
    std::vector<Job> jobs = queue_.PopAll(kTogetherMax);
    if (jobs.empty()) return;
    const auto first_late = std::stable_partition(jobs.begin(), jobs.end(),
                                                  [](const Job& job) { return !job.context.IsAbandoned(); });
    for (auto late = first_late; late != jobs.end(); ++late) {
      refused_.Increment();
      std::move(late->done)(absl::DeadlineExceededError("the deadline passed before Redis was free"));
    }
    jobs.erase(first_late, jobs.end());
    if (!jobs.empty()) RunTogether(connection, jobs);
  }
}

void Client::RunTogether(Connection& connection, std::vector<Job>& jobs) {
  const auto begin = Clock::now();
  std::optional<resilience::CircuitBreaker::Permit> permit = breaker_.Acquire(begin);
  if (!permit) {
    for (Job& job : jobs) {
      refused_.Increment();
      std::move(job.done)(Away(settings_.retry_after));
    }
    return;
  }
  std::vector<const Batch::Command*> commands;
  for (const Job& job : jobs) {
    for (const Batch::Command& command : job.batch.commands()) commands.push_back(&command);
  }
  absl::StatusOr<std::vector<Answer>> answers = connection.Run(commands);
  const auto end = Clock::now();
  pipeline_.Observe(std::chrono::duration<double>(end - begin).count());
  up_.Set(answers.ok() ? 1 : 0);
  answers.ok() ? permit->Succeeded(end) : permit->Failed(end);

  std::size_t next = 0;
  for (Job& job : jobs) {
    absl::StatusOr<Replies> replies = Replies();
    if (!answers.ok()) {
      replies = answers.status();
    } else {
      for (std::size_t i = 0; i < job.batch.size(); ++i) {
        Answer& answer = (*answers)[next++];
        if (!answer.ok()) replies = std::exchange(answer, Reply()).status();
        if (replies.ok()) replies->push_back(*std::move(answer));
      }
    }
    (replies.ok() ? answered_ : failed_).Increment();
    std::move(job.done)(std::move(replies));
  }
}

}  // namespace bv::redis
