// Inside libs/auth: where the keys come from, and that they are the ones of now.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>
#include <prometheus/counter.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "libs/auth/auth.h"
#include "libs/auth/jwk_set.h"

namespace bv::auth {

struct KeySet {
  KeysById keys;
  // Grows whenever the source has other keys: what was found out with the keys before is void.
  std::uint64_t generation = 0;
};

// Thread safe. While the source cannot be read, or what it says is no key set, the last good one goes on.
class KeySource {
 public:
  // INVALID_ARGUMENT names the setting that cannot be; UNAVAILABLE when the keys cannot be had.
  static absl::StatusOr<std::unique_ptr<KeySource>> Create(const Settings& settings);
  virtual ~KeySource() = default;

  std::shared_ptr<const KeySet> Current();

  // A token names a key that the set of `generation` does not have, perhaps because it is newer. True: there
  // is another set by now, or the source is being asked and knows in a moment. False: the key is unknown.
  virtual bool MayBeNewer(std::uint64_t generation) = 0;

 protected:
  KeySource(const Settings& settings, JwkSetRules rules);

  // Whether the time for a look at the source has come; called with each check of a token.
  virtual void Look() {}
  // Takes what the source says now. The status is why not.
  absl::Status Take(const std::string& json);

  const Settings settings_;

 private:
  const JwkSetRules rules_;
  prometheus::Counter& taken_;
  prometheus::Counter& failed_;
  std::mutex mutex_;
  std::string json_;
  std::shared_ptr<const KeySet> set_;
};

// A file that is looked at once a second, and when a key is unknown, by whoever checks a token then.
class KeyFile final : public KeySource {
 public:
  static absl::StatusOr<std::unique_ptr<KeySource>> Open(const Settings& settings);

  bool MayBeNewer(std::uint64_t generation) override;

 private:
  explicit KeyFile(const Settings& settings);
  void Look() override;
  absl::Status Read();

  std::atomic<std::int64_t> looked_at_ = 0;
  std::mutex reading_;
  // What tells one content from another without reading it.
  std::string stamp_;
};

// An address that a thread of its own asks, every auth.jwks_refresh, and soon when a key is unknown.
class KeyUrl final : public KeySource {
 public:
  // After an unknown key it is asked at once, but once in `pause` at most: a flood of tokens with made up
  // keys is none of requests.
  static absl::StatusOr<std::unique_ptr<KeySource>> Open(const Settings& settings,
                                                         absl::Duration pause = absl::Seconds(10));
  ~KeyUrl() override;

  bool MayBeNewer(std::uint64_t generation) override;

 private:
  KeyUrl(const Settings& settings, absl::Duration pause);
  absl::Status Fetch();
  void Run();

  const absl::Duration pause_;
  std::mutex waking_;
  std::condition_variable wake_;
  bool is_wanted_ = false;
  bool is_fetching_ = false;
  bool is_stopping_ = false;
  std::int64_t begun_at_ = 0;
  std::thread thread_;
};

}  // namespace bv::auth
