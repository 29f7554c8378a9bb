#include "libs/egress/loop.h"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "libs/base/clock.h"
#include "libs/base/error.h"
#include "libs/telemetry/telemetry.h"

namespace bv::egress {
namespace {

constexpr int kEventsMax = 256;
// How exact the end of a request is that waits for a name.
constexpr absl::Duration kSweepInterval = absl::Milliseconds(100);
// Handles that are kept for the next request.
constexpr std::size_t kIdleHandlesMax = 256;
// Names that are remembered.
constexpr std::size_t kKnownMax = 10'000;
// A name that took long to be found unknown is not asked for again for this many times as long, so that a
// name server that does not answer keeps a thread for a fourth of the time at most.
constexpr int kUnknownTimes = 3;
constexpr absl::Duration kUnknownMin = absl::Seconds(1);

constexpr ErrorClass kErrors[] = {
    ErrorClass::kNone,           ErrorClass::kTimeout,        ErrorClass::kConnection, ErrorClass::kTls,
    ErrorClass::kAddressRefused, ErrorClass::kAnswerTooLarge, ErrorClass::kNotTried,
};

Outcome Failed(ErrorClass error, std::string_view detail) {
  return {.error = error, .detail = std::string(detail)};
}

// libcurl and OpenSSL between them may write without MSG_NOSIGNAL: a receiver that has gone must not end the
// process.
void BlockBrokenPipeSignal() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

int Checked(int fd) {
  if (fd < 0) std::abort();
  return fd;
}

prometheus::Counter& Lookups(const char* outcome) {
  return telemetry::Counter("egress_lookups_total", "Names that were looked up, by what came of it.",
                            {{"outcome", outcome}});
}

}  // namespace

Client::Loop::Loop(const Settings& settings, AddressPolicy policy)
    : settings_(settings),
      policy_(std::move(policy)),
      seconds_(telemetry::Histogram("egress_request_seconds", "From the first step of a request to its end.",
                                    telemetry::LatencySeconds())),
      in_flight_gauge_(telemetry::Gauge("egress_in_flight", "Requests that have begun and not ended.")),
      lookups_found_(Lookups("found")),
      lookups_failed_(Lookups("failed")),
      wake_(Checked(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC))),
      epoll_(Checked(epoll_create1(EPOLL_CLOEXEC))),
      multi_(curl_multi_init()),
      names_(settings.lookups_max, [this](LookedUp found) {
        const std::lock_guard lock(mutex_);
        looked_up_.push_back(std::move(found));
        Wake();
      }) {
  for (const ErrorClass error : kErrors) {
    const std::string_view name = error == ErrorClass::kNone ? "ANSWERED" : NameOf(error);
    ended_[static_cast<std::size_t>(error)] =
        &telemetry::Counter("egress_requests_total", "Requests to strangers' addresses, by how they ended.",
                            {{"outcome", std::string(name)}});
  }
  curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETFUNCTION, &OnSocketChange);
  curl_multi_setopt(multi_.get(), CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi_.get(), CURLMOPT_TIMERFUNCTION, &OnTimer);
  curl_multi_setopt(multi_.get(), CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS, static_cast<long>(settings_.idle_connections_max));
  epoll_event event{.events = EPOLLIN, .data = {.fd = wake_}};
  Checked(epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event));
  thread_ = std::thread([this] {
    BlockBrokenPipeSignal();
    Run();
  });
}

Client::Loop::~Loop() {
  Stop();
  // Before the descriptors that its connections stand in.
  multi_.reset();
  close(epoll_);
  close(wake_);
}

void Client::Loop::Stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    Wake();
  }
  if (thread_.joinable()) thread_.join();
  names_.Stop();
}

void Client::Loop::Submit(Request request, async::Done<Outcome> done) {
  const absl::Time now = MonotonicNow();
  absl::Duration timeout = settings_.timeout;
  if (request.timeout > absl::ZeroDuration()) timeout = std::min(timeout, request.timeout);
  Job job{.request = std::move(request), .done = std::move(done), .begun_at = now, .deadline = now + timeout};
  in_flight_gauge_.Increment();
  if (in_flight_.fetch_add(1) >= settings_.in_flight_max) {
    return End(std::move(job), Failed(ErrorClass::kNotTried, "too many requests are in flight"));
  }
  std::unique_lock lock(mutex_);
  if (is_stopping_) {
    lock.unlock();
    return End(std::move(job), Failed(ErrorClass::kNotTried, "the client has stopped"));
  }
  submitted_.push_back(std::move(job));
  if (submitted_.size() == 1) Wake();
}

void Client::Loop::Wake() {
  // Fails only when it is full, and then the loop wakes anyway.
  [[maybe_unused]] const int unused = eventfd_write(wake_, 1);
}

int Client::Loop::OnSocketChange(CURL*, curl_socket_t socket, int what, void* self, void*) {
  const int epoll = static_cast<Loop*>(self)->epoll_;
  epoll_event event{.events = 0, .data = {.fd = socket}};
  if (what == CURL_POLL_REMOVE) {
    epoll_ctl(epoll, EPOLL_CTL_DEL, socket, &event);
    return 0;
  }
  if (what & CURL_POLL_IN) event.events |= EPOLLIN;
  if (what & CURL_POLL_OUT) event.events |= EPOLLOUT;
  if (epoll_ctl(epoll, EPOLL_CTL_MOD, socket, &event) == 0) return 0;
  return epoll_ctl(epoll, EPOLL_CTL_ADD, socket, &event);
}

int Client::Loop::OnTimer(CURLM*, long milliseconds, void* self) {
  static_cast<Loop*>(self)->timer_at_ =
      milliseconds < 0 ? absl::InfiniteFuture() : MonotonicNow() + absl::Milliseconds(milliseconds);
  return 0;
}

void Client::Loop::Run() {
  while (true) {
    WaitForEvents();
    {
      const std::lock_guard lock(mutex_);
      if (is_stopping_) break;
    }
    TakeLookedUp();
    TakeSubmitted();
    EndLateWaiters();
    EndFinished();
  }
  EndAll();
}

void Client::Loop::WaitForEvents() {
  absl::Duration wait = timer_at_ - MonotonicNow();
  if (!waiting_.empty()) wait = std::min(wait, kSweepInterval);
  const absl::Duration whole =
      absl::Ceil(std::clamp(wait, absl::ZeroDuration(), absl::Minutes(1)), absl::Milliseconds(1));
  std::array<epoll_event, kEventsMax> events;
  const int count =
      epoll_wait(epoll_, events.data(), kEventsMax, static_cast<int>(absl::ToInt64Milliseconds(whole)));
  int running = 0;
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<std::size_t>(i)];
    if (event.data.fd == wake_) {
      eventfd_t ignored;
      eventfd_read(wake_, &ignored);
      continue;
    }
    int what = 0;
    if (event.events & EPOLLIN) what |= CURL_CSELECT_IN;
    if (event.events & EPOLLOUT) what |= CURL_CSELECT_OUT;
    if (event.events & (EPOLLERR | EPOLLHUP)) what |= CURL_CSELECT_ERR;
    curl_multi_socket_action(multi_.get(), event.data.fd, what, &running);
  }
  if (MonotonicNow() < timer_at_) return;
  timer_at_ = absl::InfiniteFuture();
  curl_multi_socket_action(multi_.get(), CURL_SOCKET_TIMEOUT, 0, &running);
}

void Client::Loop::TakeSubmitted() {
  std::vector<Job> jobs;
  {
    const std::lock_guard lock(mutex_);
    jobs.swap(submitted_);
  }
  for (Job& job : jobs) Take(std::move(job));
}

void Client::Loop::Take(Job job) {
  const absl::StatusOr<UrlParts> url = policy_.ParseUrl(job.request.url, "url");
  if (!url.ok()) {
    const std::string why(url.status().message());
    return End(std::move(job), Failed(ErrorClass::kAddressRefused, why));
  }
  if (url->is_literal) return Begin(std::move(job), *url, Known());
  if (const auto found = known_.find(url->host);
      found != known_.end() && MonotonicNow() < found->second.until)
    return Begin(std::move(job), *url, found->second);
  const auto [waiting, is_first] = waiting_.try_emplace(url->host);
  waiting->second.push_back({std::move(job), *url});
  if (is_first) names_.Find(url->host);
}

void Client::Loop::TakeLookedUp() {
  std::vector<LookedUp> all;
  {
    const std::lock_guard lock(mutex_);
    all.swap(looked_up_);
  }
  for (LookedUp& found : all) {
    std::vector<Waiting> waiting = std::move(waiting_[found.host]);
    waiting_.erase(found.host);
    const Known& known = Remember(std::move(found));
    for (Waiting& one : waiting) Begin(std::move(one.job), one.url, known);
  }
}

const Client::Loop::Known& Client::Loop::Remember(LookedUp found) {
  const absl::Time now = MonotonicNow();
  if (known_.size() >= kKnownMax) {
    absl::erase_if(known_, [now](const auto& known) { return known.second.until <= now; });
    if (known_.size() >= kKnownMax) known_.clear();
  }
  const bool is_found = found.problem.empty();
  (is_found ? lookups_found_ : lookups_failed_).Increment();
  const absl::Duration keep =
      is_found ? settings_.lookup_keep : std::max(kUnknownMin, kUnknownTimes * found.took);
  Known& known = known_[found.host];
  known = {std::move(found.addresses), std::move(found.problem), now + keep};
  return known;
}

void Client::Loop::Begin(Job job, const UrlParts& url, const Known& known) {
  if (!known.problem.empty()) return End(std::move(job), Failed(ErrorClass::kConnection, known.problem));
  std::unique_ptr<Transfer> transfer;
  if (idle_.empty()) {
    transfer = std::make_unique<Transfer>(settings_, policy_);
  } else {
    transfer = std::move(idle_.back());
    idle_.pop_back();
  }
  transfer->Prepare(std::move(job), url, known.addresses);
  CURL* const handle = transfer->handle();
  if (const CURLMcode code = curl_multi_add_handle(multi_.get(), handle); code != CURLM_OK)
    return End(transfer->TakeJob(), Failed(ErrorClass::kNotTried, curl_multi_strerror(code)));
  running_.emplace(handle, std::move(transfer));
}

void Client::Loop::EndFinished() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* const handle = message->easy_handle;
    const CURLcode code = message->data.result;
    const auto found = running_.find(handle);
    std::unique_ptr<Transfer> transfer = std::move(found->second);
    running_.erase(found);
    Outcome outcome = transfer->TakeOutcome(code);
    curl_multi_remove_handle(multi_.get(), handle);
    End(transfer->TakeJob(), std::move(outcome));
    if (idle_.size() < kIdleHandlesMax) idle_.push_back(std::move(transfer));
  }
}

void Client::Loop::EndLateWaiters() {
  const absl::Time now = MonotonicNow();
  for (auto& [host, waiting] : waiting_) {
    const auto first_late = std::stable_partition(
        waiting.begin(), waiting.end(), [now](const Waiting& one) { return now < one.job.deadline; });
    for (auto late = first_late; late != waiting.end(); ++late)
      End(std::move(late->job),
          Failed(ErrorClass::kTimeout, "the host's name server did not answer in time"));
    waiting.erase(first_late, waiting.end());
  }
}

void Client::Loop::EndAll() {
  const Outcome stopped = Failed(ErrorClass::kNotTried, "the client stops");
  for (auto& [handle, transfer] : running_) {
    curl_multi_remove_handle(multi_.get(), handle);
    End(transfer->TakeJob(), stopped);
  }
  running_.clear();
  for (auto& [host, waiting] : waiting_) {
    for (Waiting& one : waiting) End(std::move(one.job), stopped);
  }
  waiting_.clear();
  std::vector<Job> submitted;
  {
    const std::lock_guard lock(mutex_);
    submitted.swap(submitted_);
  }
  for (Job& job : submitted) End(std::move(job), stopped);
}

void Client::Loop::End(Job job, Outcome outcome) {
  outcome.latency = MonotonicNow() - job.begun_at;
  ended_[static_cast<std::size_t>(outcome.error)]->Increment();
  seconds_.Observe(absl::ToDoubleSeconds(outcome.latency));
  in_flight_gauge_.Decrement();
  in_flight_.fetch_sub(1);
  std::move(job.done)(std::move(outcome));
}

}  // namespace bv::egress
