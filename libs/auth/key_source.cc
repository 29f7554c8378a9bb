#include "libs/auth/key_source.h"

#include <absl/strings/str_cat.h>
#include <sys/stat.h>

#include <chrono>

#include "libs/auth/jwks_fetch.h"
#include "libs/base/clock.h"
#include "libs/base/error.h"
#include "libs/base/macros.h"
#include "libs/base/strings.h"
#include "libs/telemetry/telemetry.h"

namespace bv::auth {
namespace {

constexpr absl::Duration kLookInterval = absl::Seconds(1);
// From the beginning of a fetch to its answer's last byte.
constexpr absl::Duration kFetchTimeout = absl::Seconds(3);
constexpr char kLastGoOn[] = "no new keys for tokens, the last ones go on";

std::int64_t Now() {
  return absl::ToUnixNanos(MonotonicNow());
}

// Changes with the file's content; the same for a file that is not there as for another that is not.
std::string StampOf(const std::string& path) {
  struct stat about {};
  if (stat(path.c_str(), &about) != 0) return "none";
  return absl::StrCat(about.st_dev, " ", about.st_ino, " ", about.st_size, " ", about.st_mtim.tv_sec, ".",
                      about.st_mtim.tv_nsec);
}

prometheus::Counter& Reads(const char* result) {
  return telemetry::Counter("bv_auth_key_sets_total", "Key sets that were read, by result.",
                            {{"result", result}});
}

}  // namespace

absl::StatusOr<std::unique_ptr<KeySource>> KeySource::Create(const Settings& settings) {
  if (settings.jwks_file.empty() == settings.jwks_url.empty())
    return InvalidValue("auth.jwks_file",
                        "one of auth.jwks_file and auth.jwks_url must be set, the other empty");
  return settings.jwks_file.empty() ? KeyUrl::Open(settings) : KeyFile::Open(settings);
}

KeySource::KeySource(const Settings& settings, JwkSetRules rules)
    : settings_(settings), rules_(rules), taken_(Reads("taken")), failed_(Reads("failed")) {}

std::shared_ptr<const KeySet> KeySource::Current() {
  Look();
  const std::lock_guard lock(mutex_);
  return set_;
}

absl::Status KeySource::Take(const std::string& json) {
  const std::lock_guard lock(mutex_);
  if (set_ && json == json_) return absl::OkStatus();
  absl::StatusOr<KeysById> keys = ParseJwkSet(json, rules_);
  if (!keys.ok()) {
    failed_.Increment();
    return keys.status();
  }
  taken_.Increment();
  const std::uint64_t generation = set_ ? set_->generation + 1 : 1;
  set_ = std::make_shared<const KeySet>(KeySet{*std::move(keys), generation});
  json_ = json;
  if (generation > 1) {
    telemetry::Log(telemetry::Level::kInfo, "the keys of tokens have changed",
                   {{"keys", static_cast<std::uint64_t>(set_->keys.size())}});
  }
  return absl::OkStatus();
}

// --- A file

KeyFile::KeyFile(const Settings& settings) : KeySource(settings, {.symmetric = settings.development}) {}

absl::StatusOr<std::unique_ptr<KeySource>> KeyFile::Open(const Settings& settings) {
  std::unique_ptr<KeyFile> file(new KeyFile(settings));
  if (const absl::Status read = file->Read(); !read.ok())
    return InvalidValue("auth.jwks_file", absl::StrCat("auth.jwks_file: ", read.message()));
  file->looked_at_ = Now();
  return file;
}

absl::Status KeyFile::Read() {
  const std::lock_guard lock(reading_);
  // Before the content: should it change in between, it is read once too often.
  std::string stamp = StampOf(settings_.jwks_file);
  if (stamp == stamp_) return absl::OkStatus();
  ASSIGN_OR_RETURN(const std::string json, config::ReadFile(settings_.jwks_file));
  stamp_ = std::move(stamp);
  const absl::Status taken = Take(json);
  return taken.ok() ? taken
                    : absl::InvalidArgumentError(absl::StrCat(settings_.jwks_file, ": ", taken.message()));
}

void KeyFile::Look() {
  std::int64_t before = looked_at_.load(std::memory_order_relaxed);
  const std::int64_t now = Now();
  if (now - before < absl::ToInt64Nanoseconds(kLookInterval)) return;
  // One caller looks, the others go on with what there is.
  if (!looked_at_.compare_exchange_strong(before, now)) return;
  if (const absl::Status read = Read(); !read.ok())
    telemetry::LogLimited(telemetry::Level::kError, kLastGoOn, {{"error", read}});
}

bool KeyFile::MayBeNewer(std::uint64_t generation) {
  if (const absl::Status read = Read(); !read.ok())
    telemetry::LogLimited(telemetry::Level::kError, kLastGoOn, {{"error", read}});
  return Current()->generation != generation;
}

// --- An address

KeyUrl::KeyUrl(const Settings& settings, absl::Duration pause)
    : KeySource(settings, {.symmetric = settings.development, .passes_over = true}), pause_(pause) {}

absl::StatusOr<std::unique_ptr<KeySource>> KeyUrl::Open(const Settings& settings, absl::Duration pause) {
  std::unique_ptr<KeyUrl> url(new KeyUrl(settings, pause));
  if (const absl::Status fetched = url->Fetch(); !fetched.ok())
    return Unavailable("KEYS_UNAVAILABLE", absl::StrCat("auth.jwks_url: ", fetched.message()));
  url->begun_at_ = Now();
  url->thread_ = std::thread([self = url.get()] { self->Run(); });
  return url;
}

KeyUrl::~KeyUrl() {
  {
    const std::lock_guard lock(waking_);
    is_stopping_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

absl::Status KeyUrl::Fetch() {
  ASSIGN_OR_RETURN(const std::string json, FetchJwks(settings_.jwks_url, kFetchTimeout));
  return Take(json);
}

void KeyUrl::Run() {
  std::unique_lock lock(waking_);
  while (!is_stopping_) {
    const auto refresh = std::chrono::steady_clock::now() + absl::ToChronoNanoseconds(settings_.jwks_refresh);
    wake_.wait_until(lock, refresh, [this] { return is_wanted_ || is_stopping_; });
    if (is_stopping_) return;
    is_wanted_ = false;
    is_fetching_ = true;
    begun_at_ = Now();
    lock.unlock();
    if (const absl::Status fetched = Fetch(); !fetched.ok())
      telemetry::LogLimited(telemetry::Level::kError, kLastGoOn, {{"error", fetched}});
    lock.lock();
    is_fetching_ = false;
  }
}

bool KeyUrl::MayBeNewer(std::uint64_t generation) {
  if (Current()->generation != generation) return true;
  const std::lock_guard lock(waking_);
  if (is_wanted_ || is_fetching_) return true;
  if (Now() - begun_at_ < absl::ToInt64Nanoseconds(pause_)) return false;
  is_wanted_ = true;
  wake_.notify_all();
  return true;
}

}  // namespace bv::auth
