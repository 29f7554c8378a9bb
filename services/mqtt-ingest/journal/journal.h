// What was received and is not yet in Kafka, on disk: records behind one another, in segments of which the
// oldest are deleted when all of them was stored elsewhere.
//
// A record is safe from the end of this process as soon as Append returns, and from the end of the machine
// within sync_interval. A position counts the bytes of all records since the journal was made.
#pragma once

#include <absl/status/statusor.h>
#include <absl/time/time.h>

#include <condition_variable>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "libs/config/config.h"
#include "libs/telemetry/telemetry.h"
#include "services/mqtt-ingest/journal/file.h"

namespace bv::mqtt_ingest {

struct JournalSettings {
  // Made when it is not there. One process at a time.
  std::string directory;
  // Of records that wait; more are refused. On disk there may be one segment more.
  std::int64_t bytes_max = 0;
  // A segment that has reached it is followed by another one.
  std::int64_t segment_bytes = 0;
  // How long what was written may be only in the operating system's memory.
  absl::Duration sync_interval;

  // journal.directory, journal.bytes_max, journal.segment_bytes, journal.sync_interval
  void Bind(config::Binder& b);
};

// What stands in the journal from the stored position on.
struct JournalBatch {
  std::vector<std::string> records;
  // Of the first record, and behind the last one.
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

// One thread appends, another one reads and stores.
class Journal {
 public:
  // The largest record.
  static constexpr std::size_t kRecordBytesMax = 256 * 1024;

  // Finds what a process before has left and cuts off a record that was being written when it ended.
  // FAILED_PRECONDITION when another process has the directory; UNAVAILABLE when it cannot be read or
  // written.
  static absl::StatusOr<std::unique_ptr<Journal>> Open(const JournalSettings& settings);
  // Writes everything to disk.
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // RESOURCE_EXHAUSTED, reason JOURNAL_FULL: no room until something is stored. UNAVAILABLE, reason
  // JOURNAL_UNAVAILABLE: the disk refuses. Either way the journal is as before.
  absl::Status Append(std::string_view record);
  // Waits until something was stored, or for `patience`.
  void AwaitRoom(absl::Duration patience);

  // The oldest records that are not stored, about `bytes_max` of them; waits for the first one for
  // `patience`, then there may be none. Records that the disk has damaged are passed over with the rest of
  // their segment, logged and counted.
  absl::StatusOr<JournalBatch> Read(std::int64_t bytes_max, absl::Duration patience);
  // What stands before `end`, of a batch, is safe elsewhere. A process that ends before it was noted begins
  // before it.
  absl::Status Store(std::int64_t end);

  // Of what waits.
  std::int64_t bytes() const;
  // Ends all waiting, now and later.
  void Close();
  // Waits until it is closed, or for `patience`.
  void AwaitClose(absl::Duration patience);

 private:
  explicit Journal(const JournalSettings& settings);
  absl::Status Recover();
  absl::Status FindSegments();
  absl::Status CutTornTail();
  absl::Status ReadStored();
  absl::Status NoteStored();
  // With the lock held.
  absl::Status BeginSegment();
  void DeleteStored();
  std::string PathOf(std::int64_t begin) const;
  // To disk, again and again.
  void Sync();

  const JournalSettings settings_;
  // Held for as long as the process has the directory.
  File lock_file_;
  File stored_file_;

  mutable std::mutex mutex_;
  std::condition_variable appended_;
  std::condition_variable room_made_;
  std::condition_variable closing_;
  bool closed_ = false;
  // By the position of their first record, each up to the next one's; the last one up to end_.
  std::map<std::int64_t, std::string> segments_;
  // The last segment. Shared with the thread that syncs it.
  std::shared_ptr<File> active_;
  std::int64_t stored_ = 0;
  std::int64_t end_ = 0;
  std::int64_t synced_ = 0;
  std::thread syncer_;
  prometheus::Gauge& waiting_bytes_;
  prometheus::Counter& damaged_bytes_;
};

}  // namespace bv::mqtt_ingest
