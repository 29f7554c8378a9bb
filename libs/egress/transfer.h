// Inside libs/egress: one request on a handle of libcurl. Of the loop's thread.
#pragma once

#include <absl/time/time.h>
#include <curl/curl.h>

#include <memory>
#include <string>
#include <vector>

#include "libs/async/task.h"
#include "libs/egress/egress.h"

namespace bv::egress {

// What was asked for, and whom to tell.
struct Job {
  Request request;
  async::Done<Outcome> done;
  // Of the monotonic clock.
  absl::Time begun_at;
  absl::Time deadline;
};

// Used for one job after the other: what is the same for all is set once.
class Transfer {
 public:
  Transfer(const Settings& settings, const AddressPolicy& policy);
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  // Sets everything for `job`. `addresses` are those of the host's name, none when it is an address itself.
  void Prepare(Job job, const UrlParts& url, const std::vector<std::string>& addresses);
  CURL* handle() const { return easy_.get(); }

  // What came of it, without its latency; once.
  Outcome TakeOutcome(CURLcode code);
  Job TakeJob();

 private:
  struct Free {
    void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };

  // Of libcurl.
  static std::size_t OnHead(char* bytes, std::size_t size, std::size_t count, void* self);
  static std::size_t OnBody(char* bytes, std::size_t size, std::size_t count, void* self);
  static curl_socket_t OnSocket(void* self, curlsocktype purpose, curl_sockaddr* address);

  void SetWhatAllShare();
  // 0, which ends the transfer, when it is more than an answer may have.
  std::size_t Count(std::size_t bytes);
  ErrorClass ErrorOf(CURLcode code) const;

  const Settings& settings_;
  const AddressPolicy& policy_;
  const std::unique_ptr<CURL, Free> easy_;
  char problem_[CURL_ERROR_SIZE] = "";

  Job job_;
  std::unique_ptr<curl_slist, Free> headers_;
  std::unique_ptr<curl_slist, Free> addresses_;
  std::string answer_;
  std::size_t answer_bytes_ = 0;
  bool is_too_large_ = false;
  // Why an address was not connected to; empty when none was refused.
  std::string refusal_;
  // Why we could not even try; empty when we could.
  std::string own_problem_;
};

}  // namespace bv::egress
