// Deletes deliveries, with their attempts, that are older than they are kept.
#pragma once

#include <absl/time/time.h>

#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

#include "libs/postgres/postgres.h"

namespace bv::webhook {

struct RetentionSettings {
  // From the making of a delivery, whatever became of it.
  absl::Duration keep = absl::Hours(24) * 30;
  // Between two rounds.
  absl::Duration interval = absl::Minutes(1);
};

class Retention {
 public:
  // With a connection of its own.
  Retention(const RetentionSettings& settings, const postgres::ConnectionSettings& connection)
      : settings_(settings), session_(connection, postgres::Plans::kIndexOnly) {}
  ~Retention() { Stop(); }

  void Start();
  void Stop();

  // Deletes all that is too old, a few at a time; called by Start's thread, and by tests instead of it.
  absl::Status Round(const std::stop_token& stop = {});

 private:
  void Run(const std::stop_token& stop);

  const RetentionSettings settings_;
  postgres::Session session_;
  std::mutex waiting_;
  std::condition_variable_any stopped_;
  std::jthread thread_;
};

}  // namespace bv::webhook
