// Inside libs/egress: the thread that drives all requests, with libcurl's multi interface on epoll.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/time/time.h>
#include <curl/curl.h>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>

#include <array>
#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "libs/egress/egress.h"
#include "libs/egress/names.h"
#include "libs/egress/transfer.h"

namespace bv::egress {

class Client::Loop {
 public:
  Loop(const Settings& settings, AddressPolicy policy);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Any thread.
  void Submit(Request request, async::Done<Outcome> done);
  void Stop();
  const AddressPolicy& policy() const { return policy_; }

 private:
  // What is known of a host's name.
  struct Known {
    std::vector<std::string> addresses;
    std::string problem;
    absl::Time until;
  };
  // For the look-up of its host's name.
  struct Waiting {
    Job job;
    UrlParts url;
  };
  struct Free {
    void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
  };

  // Of libcurl.
  static int OnSocketChange(CURL*, curl_socket_t socket, int what, void* self, void*);
  static int OnTimer(CURLM*, long milliseconds, void* self);

  void Wake();
  void Run();
  // Until something happens or is due.
  void WaitForEvents();
  void TakeSubmitted();
  void TakeLookedUp();
  void Take(Job job);
  // Nothing is known, and need not be, of a host that is an address itself.
  void Begin(Job job, const UrlParts& url, const Known& known);
  const Known& Remember(LookedUp found);
  void EndFinished();
  void EndLateWaiters();
  void EndAll();
  // Gives back the job's place and tells its owner.
  void End(Job job, Outcome outcome);

  const Settings settings_;
  const AddressPolicy policy_;
  std::array<prometheus::Counter*, 7> ended_;
  prometheus::Histogram& seconds_;
  prometheus::Gauge& in_flight_gauge_;
  prometheus::Counter& lookups_found_;
  prometheus::Counter& lookups_failed_;

  // Accepted and not ended.
  std::atomic<int> in_flight_ = 0;
  std::mutex mutex_;
  std::vector<Job> submitted_;
  std::vector<LookedUp> looked_up_;
  bool is_stopping_ = false;
  // An eventfd: written when one of the three above has changed.
  const int wake_;
  const int epoll_;

  // From here on of the loop's thread.
  std::unique_ptr<CURLM, Free> multi_;
  absl::Time timer_at_ = absl::InfiniteFuture();
  absl::flat_hash_map<std::string, Known> known_;
  // By the host whose name is being looked up.
  absl::flat_hash_map<std::string, std::vector<Waiting>> waiting_;
  absl::flat_hash_map<CURL*, std::unique_ptr<Transfer>> running_;
  std::vector<std::unique_ptr<Transfer>> idle_;

  Names names_;
  std::thread thread_;
};

}  // namespace bv::egress
